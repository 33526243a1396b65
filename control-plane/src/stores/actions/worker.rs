//! What the worker makes of a wish. Every step may be repeated: the provisioner gives the same owner the same store, and
//! every change of the ledger is one that is nothing when it is there already.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use souk_access::{ApiKey, ControlWorker, KeyKind, KeyMode};
use souk_kernel::StoreId;
use souk_provisioner::{
    ApiKeySeed, Basics, ClaimRequest, Owner, ProvisionError, Provisioner, StaffSeed, Step, StoreSeeds,
    roles_from_csv,
};
use souk_telemetry::{FailPoint, fail_point};
use souk_tenancy::WriteTx;
use uuid::Uuid;

use super::super::error::StoreError;
use super::super::model::{ManagedBy, Store};
use super::super::queries;
use super::super::state::{StoreEvent, StoreState};
use super::{change, resource};
use crate::accounts::{self, Account};
use crate::audit::{self, By, Subject};
use crate::cluster::{Cluster, ClusterError};
use crate::messages::{self, Letter};
use crate::operations::{self, Failure, KEYS_KEPT, Keys, Operation, OperationError, OperationKind};
use crate::plane::Plane;

/// The roles every store starts with; the runtime reads the same file.
const ROLES: &str = include_str!("../../../../tenant-runtime/policy/roles.csv");
/// What the ledger calls our rows.
const OWNER_KIND: &str = "control_plane";

/// How long an operation waits for the cluster before it is given up.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// How soon to look again at what is waited for, when nothing was heard of it.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(3);

/// A worker's hands: its rights, its provisioner, the cluster if there is one, and the name it leases under.
pub struct Hands<'a> {
    pub worker: &'a ControlWorker,
    pub plane: &'a Plane,
    pub provisioner: &'a Provisioner,
    pub cluster: Option<&'a Cluster>,
    pub holder: Uuid,
}

/// Works on a claimed operation until it has ended, was put back, or the lease is lost.
pub async fn carry_out(hands: &Hands<'_>, operation: &Operation) -> Result<(), StoreError> {
    let outcome = match operation.kind {
        OperationKind::OpenStore => open(hands, operation).await,
        _ => apply(hands, operation).await,
    };
    hands.plane.progressed();
    match outcome {
        Ok(()) => Ok(()),
        Err(StoreError::Operation(OperationError::LeaseLost)) => Ok(()),
        Err(StoreError::Waiting(detail)) => wait(hands, operation, detail).await,
        Err(error) => fail(hands, operation, error).await,
    }
}

/// Lets go of an operation until what it waits for has come, or its time is over.
async fn wait(hands: &Hands<'_>, operation: &Operation, detail: String) -> Result<(), StoreError> {
    if hands.plane.clock().now() > operation.created_at + PATIENCE {
        return fail(hands, operation, StoreError::Late(detail)).await;
    }
    let holder = hands.holder;
    let aside = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, StoreError>(operations::wait(tx, operation, holder, &detail, LOOK_AGAIN).await?)
    };
    let outcome = hands.worker.scope().write("stores.wait", aside).await;
    hands.plane.progressed();
    match outcome {
        Err(StoreError::Operation(OperationError::LeaseLost)) => Ok(()),
        outcome => outcome,
    }
}

async fn start(hands: &Hands<'_>, operation: &Operation, step: &'static str) -> Result<Store, StoreError> {
    let (id, holder, request) = (operation.id, hands.holder, operation.store_request_id);
    let work = async move |tx: &mut WriteTx<'_>| {
        operations::start_step(tx, id, holder, step).await?;
        Ok::<_, StoreError>(queries::lock_request(tx, request).await?)
    };
    let store = hands.worker.scope().write("stores.step", work).await?;
    hands.plane.progressed();
    Ok(store)
}

/// Keys first and kept, then the schema: a crash between them finds the keys whose hashes were planted.
async fn open(hands: &Hands<'_>, operation: &Operation) -> Result<(), StoreError> {
    let (id, holder, request) = (operation.id, hands.holder, operation.store_request_id);
    let known = operation.result_secret.clone();
    let requested_by = operation.requested_by;
    let prepare = async move |tx: &mut WriteTx<'_>| {
        if !operations::is_waiting(tx, id, "provision").await? {
            operations::start_step(tx, id, holder, "make_keys").await?;
        }
        let keys: Keys = match known {
            Some(kept) => serde_json::from_value(kept)?,
            None => {
                let keys = mint()?;
                let ends_at = tx.now() + KEYS_KEPT;
                operations::keep_secret(tx, id, serde_json::to_value(&keys)?, ends_at).await?;
                keys
            }
        };
        operations::start_step(tx, id, holder, "provision").await?;
        let store = queries::lock_request(tx, request).await?;
        let owner = match requested_by {
            Some(account) => accounts::find(tx, account).await?,
            None => None,
        };
        Ok::<_, StoreError>((store, owner, keys))
    };
    let (store, owner, keys) = hands.worker.scope().write("stores.prepare", prepare).await?;
    fail_point(FailPoint::OperationPrepared);
    hands.plane.progressed();
    let owner = owner
        .ok_or_else(|| ProvisionError::Refused("the account that asked for the store is gone".into()))?;
    let id = if store.resource.is_some() {
        resource::open(hands, &store, &owner, &keys).await?
    } else {
        let request = claim_request(hands.plane, &store, &owner, &keys)?;
        hands.provisioner.claim_watched(&request, &pass).await?.store_id
    };
    finish_opening(hands, operation, &store, &owner, id).await
}

async fn finish_opening(
    hands: &Hands<'_>,
    operation: &Operation,
    store: &Store,
    owner: &Account,
    store_id: StoreId,
) -> Result<(), StoreError> {
    let by = By::worker(hands.worker.actor());
    let (id, holder) = (operation.id, hands.holder);
    let url = hands.plane.settings().store_url(store.handle.as_str());
    let finish = async move |tx: &mut WriteTx<'_>| {
        operations::start_step(tx, id, holder, "open").await?;
        let was = audit::look(tx, Subject::Store(store.request_id)).await?;
        if queries::opened(tx, store.request_id, store_id).await? {
            let (name, email) = (owner.name.as_str(), &owner.email);
            let letter = Letter::StoreReady { name, store: store.name.as_str(), email, link: url };
            messages::queue(tx, &owner.locale, &letter).await?;
            let detail = json!({ "handle": store.handle, "operation": id });
            let (action, target) = ("store.opened", store_id.to_string());
            audit::record(tx, store.organization_id, &by, action, target, was, detail).await?;
        }
        operations::settle(tx, id, holder).await?;
        fail_point(FailPoint::OperationEnding);
        Ok::<_, StoreError>(())
    };
    hands.worker.scope().write("stores.opened", finish).await?;
    fail_point(FailPoint::OperationEnded);
    Ok(())
}

/// Where a drill has this process die while a store is made.
pub fn pass(step: Step) -> Result<(), ProvisionError> {
    fail_point(match step {
        Step::Claimed => FailPoint::StoreClaimed,
        Step::Reserved => FailPoint::StoreReserved,
        Step::Founded => FailPoint::StoreFounded,
        Step::Migrated => FailPoint::StoreMigrated,
        Step::Built => FailPoint::StoreBuilt,
        Step::Checked => FailPoint::StoreChecked,
        Step::Seeded => FailPoint::StoreSeeded,
        Step::Live => FailPoint::StoreLive,
    });
    Ok(())
}

fn mint() -> Result<Keys, StoreError> {
    // A new store sells with the test payment provider, so its first keys are test keys.
    let mint = |kind| ApiKey::mint(kind, KeyMode::Test).map(|key| key.expose().to_owned());
    Ok(Keys { publishable_key: mint(KeyKind::Publishable)?, secret_key: mint(KeyKind::Secret)? })
}

fn claim_request(
    plane: &Plane,
    store: &Store,
    owner: &Account,
    keys: &Keys,
) -> Result<ClaimRequest, StoreError> {
    let basics = Basics {
        name: store.name.as_str(),
        country: store.country,
        currency: Some(store.currency),
        locale: &store.locale,
        time_zone: &store.time_zone,
        contact_email: owner.email.as_str(),
    };
    let mut seeds = StoreSeeds::standard(&basics)?;
    seeds.roles = roles_from_csv(ROLES)?;
    seeds.owner = Some(StaffSeed {
        id: Uuid::now_v7(),
        account_id: owner.id.uuid(),
        email: owner.email.as_str().to_owned(),
        email_key: owner.email.key(),
        name: owner.name.as_str().to_owned(),
        role: "owner".to_owned(),
    });
    seeds.api_keys = vec![
        key_seed(&keys.publishable_key, "First publishable key", &[])?,
        key_seed(&keys.secret_key, "First secret key", &["*"])?,
    ];
    Ok(ClaimRequest {
        owner: Owner { kind: OWNER_KIND.to_owned(), reference: store.request_id.to_string() },
        organization_id: Some(store.organization_id.uuid()),
        handle: store.handle.to_string(),
        name: store.name.as_str().to_owned(),
        hosts: vec![plane.settings().store_host(store.handle.as_str())],
        plan: plan_of(store),
        fence: 1,
        seeds,
    })
}

fn key_seed(text: &str, name: &str, scopes: &[&str]) -> Result<ApiKeySeed, StoreError> {
    let key =
        ApiKey::parse(text).ok_or_else(|| ProvisionError::Refused("a kept key does not read".into()))?;
    Ok(ApiKeySeed {
        id: Uuid::now_v7(),
        kind: key.kind().as_str().to_owned(),
        mode: key.mode().as_str().to_owned(),
        name: name.to_owned(),
        prefix: key.prefix().to_owned(),
        hash: key.digest().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    })
}

/// The plan for the ledger: its name, and its limits for runtimes that are older than the plan.
fn plan_of(store: &Store) -> serde_json::Value {
    json!({ "id": store.plan, "limits": store.plan.plan().limits })
}

/// Changes the ledger, then states it here. The store's version is the fence: a late worker's order is refused.
async fn apply(hands: &Hands<'_>, operation: &Operation) -> Result<(), StoreError> {
    let store = start(hands, operation, "apply").await?;
    if store.resource.is_some() {
        let outcome = resource::apply(hands, operation, &store).await?;
        return record(hands, operation, &store, outcome).await;
    }
    let id = store.id.ok_or(StoreError::Unknown)?;
    let (fence, provisioner) = (store.version, hands.provisioner);
    // Repeated after a crash, the same date again: it counts from when the operation was asked for.
    let purge_after = operation.created_at + hands.plane.settings().purge_after;
    let (event, purge_after) = match operation.kind {
        OperationKind::SuspendStore => {
            provisioner.suspend(id, fence).await?;
            (Some(StoreEvent::Suspended), None)
        }
        OperationKind::ResumeStore => {
            provisioner.resume(id, fence).await?;
            (Some(StoreEvent::Resumed), None)
        }
        OperationKind::DeleteStore => {
            provisioner.mark_deleting(id, fence, purge_after).await?;
            (Some(StoreEvent::Deleted), Some(purge_after))
        }
        OperationKind::RestoreStore => {
            provisioner.restore(id, fence).await?;
            (Some(StoreEvent::Restored), None)
        }
        OperationKind::PurgeStore => {
            provisioner.purge(id, fence).await?;
            (Some(StoreEvent::Purged), None)
        }
        OperationKind::TakeOverStore | OperationKind::HandOverStore => return Err(StoreError::NotInCluster),
        OperationKind::UpdateStore | OperationKind::OpenStore => {
            provisioner
                .set_hosts(id, fence, vec![hands.plane.settings().store_host(store.handle.as_str())])
                .await?;
            provisioner.rename(id, fence, store.handle.as_str(), store.name.as_str()).await?;
            provisioner.set_plan(id, fence, plan_of(&store)).await?;
            (None, None)
        }
    };
    record(hands, operation, &store, Outcome { event, purge_after, managed_by: None }).await
}

/// What the work came to.
pub(super) struct Outcome {
    pub event: Option<StoreEvent>,
    pub purge_after: Option<DateTime<Utc>>,
    /// Whose word counts from now on, with nothing to disagree about; `None`: as before.
    pub managed_by: Option<ManagedBy>,
}

async fn record(
    hands: &Hands<'_>,
    operation: &Operation,
    store: &Store,
    outcome: Outcome,
) -> Result<(), StoreError> {
    let Outcome { event, purge_after, managed_by } = outcome;
    let by = By::worker(hands.worker.actor());
    let (id, holder, kind) = (operation.id, hands.holder, operation.kind);
    let work = async move |tx: &mut WriteTx<'_>| {
        operations::start_step(tx, id, holder, "record").await?;
        let was = audit::look(tx, Subject::Store(store.request_id)).await?;
        if let Some(event) = event {
            let to = store.state.on(event)?;
            queries::advance(tx, store.request_id, store.state, to, purge_after).await?;
            if to == StoreState::Purged {
                queries::release_name(tx, &store.handle, true).await?;
            }
        }
        if let Some(managed_by) = managed_by {
            queries::manage(tx, store.request_id, managed_by, &[]).await?;
        }
        let target = store.id.map_or_else(|| store.request_id.to_string(), |id| id.to_string());
        let detail = json!({ "operation": id, "purge_after": purge_after });
        let action = format!("store.{}", done(kind));
        audit::record(tx, store.organization_id, &by, &action, target, was, detail).await?;
        operations::settle(tx, id, holder).await?;
        Ok::<_, StoreError>(())
    };
    hands.worker.scope().write("stores.record", work).await
}

const fn done(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::OpenStore => "opened",
        OperationKind::UpdateStore => "updated",
        OperationKind::SuspendStore => "suspended",
        OperationKind::ResumeStore => "resumed",
        OperationKind::DeleteStore => "deleted",
        OperationKind::RestoreStore => "restored",
        OperationKind::PurgeStore => "purged",
        OperationKind::TakeOverStore => "taken_over",
        OperationKind::HandOverStore => "handed_over",
    }
}

/// Puts the operation back, or gives it up: after too many attempts, or when no attempt can succeed.
async fn fail(hands: &Hands<'_>, operation: &Operation, error: StoreError) -> Result<(), StoreError> {
    let hopeless = matches!(
        &error,
        StoreError::Provision(
            ProvisionError::Refused(_) | ProvisionError::HostTaken(_) | ProvisionError::Gone { .. }
        ) | StoreError::Cluster(ClusterError::Conflict(_) | ClusterError::Gone | ClusterError::Refused(_))
            | StoreError::Late(_)
    );
    let cause = told(&error);
    let conflict = matches!(error, StoreError::Cluster(ClusterError::Conflict(_)));
    tracing::warn!(operation.id = %operation.id, %error, attempts = operation.attempts, "an operation failed");
    let holder = hands.holder;
    let opening = operation.kind == OperationKind::OpenStore;
    let work = async move |tx: &mut WriteTx<'_>| {
        if !hopeless && operations::put_back(tx, operation, holder, &cause).await?.is_some() {
            return Ok(None);
        }
        let (code, hint) = if conflict {
            (
                "managed_in_cluster",
                "Take the store over to have it as it is here, or hand it over to have it as it is there.",
            )
        } else {
            (
                "provisioning_failed",
                "Ask again; if it fails again, tell the platform's operator the operation's id.",
            )
        };
        let failure = Failure { code: code.to_owned(), detail: cause.clone(), hint: Some(hint.to_owned()) };
        operations::failed_for_good(tx, operation.id, holder, &cause, &failure).await?;
        if opening {
            let store = queries::lock_request(tx, operation.store_request_id).await?;
            queries::advance(tx, store.request_id, StoreState::Opening, StoreState::Failed, None).await?;
            queries::release_name(tx, &store.handle, false).await?;
            return Ok(Some(store));
        }
        Ok::<_, StoreError>(None)
    };
    let outcome = hands.worker.scope().write("stores.failed", work).await;
    hands.plane.progressed();
    match outcome {
        Ok(Some(given_up)) => {
            resource::abandon(hands, &given_up).await;
            Ok(())
        }
        Ok(None) | Err(StoreError::Operation(OperationError::LeaseLost)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The cause in words an owner may read: no statement, no host, no name of ours.
fn told(error: &StoreError) -> String {
    match error {
        StoreError::Cluster(ClusterError::Conflict(conflicts)) => {
            let told: Vec<_> = conflicts.iter().map(ToString::to_string).collect();
            return format!("{}; nothing was changed", told.join(", "));
        }
        StoreError::Cluster(ClusterError::Refused(why)) => return why.clone(),
        StoreError::Late(waited_for) => return format!("it took too long; last seen: {waited_for}"),
        _ => {}
    }
    match error {
        StoreError::Cluster(ClusterError::Gone) => "its Store object was deleted in the cluster",
        StoreError::Cluster(_) | StoreError::NoCluster => "the cluster was not available",
        StoreError::Provision(ProvisionError::LanesFull { .. }) => "this database takes no more stores",
        StoreError::Provision(ProvisionError::HostTaken(_)) => "another store answers at this host",
        StoreError::Provision(ProvisionError::NotIsolated { .. }) => {
            "the store did not pass its isolation check"
        }
        StoreError::Provision(error) if error.is_transient() => "the database was not available",
        StoreError::Database(_) => "the database was not available",
        _ => "something failed on our side",
    }
    .to_owned()
}

/// Queues the purge of deleted stores whose time is over.
pub async fn request_due_purges(worker: &ControlWorker) -> Result<usize, StoreError> {
    let work = async |tx: &mut WriteTx<'_>| {
        let mut count = 0;
        for store in queries::due_for_purge(tx, 20).await? {
            match change::submit(tx, &store, OperationKind::PurgeStore, None, json!({})).await {
                Ok(_) => count += 1,
                Err(StoreError::Operation(OperationError::Running(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok::<_, StoreError>(count)
    };
    worker.scope().write("stores.purges", work).await
}
