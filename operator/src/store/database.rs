//! The store's schema and its row in the ledger.

use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Resource as _};
use serde_json::json;
use souk_provisioner::{
    ApiKeySeed, Basics, ClaimRequest, Owner, StaffSeed, State, StoreRecord, StoreSeeds, mint_key,
    roles_from_csv,
};
use souk_store_resource::{ConditionType, DatabaseStatus, KeyDigest, Reason, Store};

use crate::controller::Operator;
use crate::outcome::{Failure, Retry};
use crate::store::build::labels;
use crate::store::status::Findings;
use crate::store::validate::Wish;

const ROLES: &str = include_str!("../../../tenant-runtime/policy/roles.csv");
/// What the store calls them, in the order they are given.
const FIRST_KEYS: [&str; 4] =
    ["First publishable key", "First secret key", "Second publishable key", "Second secret key"];
/// Owners that are Store objects; the reference is the object's uid, so a name used again is another owner.
pub const OWNER_KIND: &str = "k8s";

pub fn owner(uid: &str) -> Owner {
    Owner { kind: OWNER_KIND.to_owned(), reference: uid.to_owned() }
}

/// The store, live, as the ledger shall have it. Made on first sight, taken up again when asked for, otherwise found.
pub async fn provision(
    store: &Store,
    wish: &Wish,
    operator: &Operator,
    findings: &mut Findings,
) -> Result<StoreRecord, Failure> {
    let provisioner = &operator.provisioner;
    let known = provisioner.store_of(&owner(&wish.uid)).await?;
    let record = match (known, wish.adopt) {
        (Some(record), Some(asked)) if record.store_id != asked => {
            return Err(Failure {
                condition: ConditionType::DatabaseReady,
                reason: Reason::SchemaConflict,
                message: format!(
                    "this object owns {}; to take up {asked}, create another Store",
                    record.store_id
                ),
                retry: Retry::OnChange,
            });
        }
        (Some(record), _) if [State::Live, State::Suspended].contains(&record.state) => record,
        (_, Some(asked)) => {
            provisioner.adopt(asked, &owner(&wish.uid), &wish.namespace, wish.generation).await?
        }
        (_, None) => {
            let keys = match wish.spec.first_keys.as_slice() {
                [] => first_keys(store, wish, operator).await?,
                digests => digests.iter().zip(FIRST_KEYS).filter_map(seed_of).collect(),
            };
            let claimed = provisioner.claim(&request(wish, keys)?).await?;
            if claimed.fresh {
                findings.note("Provisioned", format!("schema {} is made", claimed.record.schema));
            }
            claimed.record
        }
    };
    findings.store(&record, wish);
    let record = if wish.alignment.holds(&record) {
        record
    } else {
        provisioner.align(record.store_id, wish.generation, &wish.alignment).await?
    };
    findings.database(DatabaseStatus {
        schema: record.schema.clone(),
        lane: i32::from(record.lane),
        schema_version: record.schema_version,
        login: None,
    });
    let message = format!("schema {} is at migration {}", record.schema, record.schema_version);
    findings.set(ConditionType::DatabaseReady, true, Reason::Migrated, message);
    Ok(record)
}

/// A key made elsewhere, of which only the digest is known here.
fn seed_of((key, name): (&KeyDigest, &str)) -> Option<ApiKeySeed> {
    ApiKeySeed::of_digest(&key.prefix, &key.sha256, name)
}

fn request(wish: &Wish, api_keys: Vec<ApiKeySeed>) -> Result<ClaimRequest, Failure> {
    let basics = Basics {
        name: &wish.spec.display_name,
        country: wish.country,
        currency: wish.currency,
        locale: &wish.spec.locale.language,
        time_zone: &wish.spec.locale.timezone,
        contact_email: wish.email.as_str(),
    };
    let mut seeds = StoreSeeds::standard(&basics).map_err(|error| Failure::invalid(error.to_string()))?;
    seeds.roles = roles_from_csv(ROLES)?;
    // The account is the control plane's to give: whoever proves to have this address there becomes this member.
    seeds.owner = Some(StaffSeed::first(wish.email.as_str(), &wish.email.key(), &wish.spec.display_name));
    seeds.api_keys = api_keys;
    Ok(ClaimRequest {
        owner: owner(&wish.uid),
        organization_id: wish.organization.map(|organization| organization.uuid()),
        handle: wish.alignment.handle.clone(),
        name: wish.alignment.name.clone(),
        hosts: wish.alignment.hosts.clone(),
        plan: wish.alignment.plan.clone(),
        fence: wish.generation,
        seeds,
    })
}

/// The store's first API keys, in a Secret before they are in the store: after a crash the same ones are taken.
/// The Secret is its owner's from then on; nothing of ours reads it again.
async fn first_keys(store: &Store, wish: &Wish, operator: &Operator) -> Result<Vec<ApiKeySeed>, Failure> {
    let failed = |error| {
        Failure::of_kubernetes(ConditionType::CredentialsReady, "the Secret of the first API keys", &error)
    };
    let secrets: Api<Secret> = Api::namespaced(operator.client.clone(), &wish.namespace);
    let name = format!("{}-keys", wish.name);
    let (publishable, secret) = (mint_key("publishable", "test")?, mint_key("secret", "test")?);
    let minted: Secret = serde_json::from_value(json!({
        "metadata": {
            "name": name,
            "labels": labels(wish, None),
            "ownerReferences": store.controller_owner_ref(&()).into_iter().collect::<Vec<_>>(),
        },
        "type": "Opaque",
        "stringData": { "publishable-key": publishable, "secret-key": secret },
    }))
    .map_err(|error| failed(kube::Error::SerdeError(error)))?;
    let texts = match secrets.create(&PostParams::default(), &minted).await {
        Ok(_) => vec![publishable, secret],
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            let kept = secrets.get(&name).await.map_err(failed)?;
            let ours =
                kept.metadata.owner_references.iter().flatten().any(|reference| reference.uid == wish.uid);
            if !ours {
                return Err(Failure::foreign(format!(
                    "the Secret {name} exists and is not this store's: remove or rename it"
                )));
            }
            let text = |key: &str| {
                kept.data
                    .as_ref()
                    .and_then(|data| data.get(key))
                    .map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned())
            };
            [text("publishable-key"), text("secret-key")].into_iter().flatten().collect()
        }
        Err(error) => return Err(failed(error)),
    };
    Ok(texts.iter().zip(FIRST_KEYS).filter_map(|(text, name)| ApiKeySeed::of(text, name)).collect())
}
