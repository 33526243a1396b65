//! Reads the spec: what the API server's rules could not check, and what follows from it.

use kube::ResourceExt as _;
use serde_json::{Value, json};
use souk_kernel::{Country, Currency, Email, HostLabel, OrganizationId, Plan, StoreId};
use souk_provisioner::Alignment;
use souk_store_resource::{DesiredState, Isolation, ORGANIZATION, RELEASE, RELEASE_IMAGE, Store, StoreSpec};

use crate::config::RuntimeConfig;
use crate::outcome::Failure;
use crate::store::hibernation::Stage;

/// A spec that can be carried out.
#[derive(Clone, Debug)]
pub struct Wish {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// The fence: an operator that slept acts with an older one and is refused.
    pub generation: i64,
    /// Retained data to take up.
    pub adopt: Option<StoreId>,
    pub email: Email,
    pub country: Country,
    pub currency: Option<Currency>,
    /// The organization its creator says it is of; only told to the ledger.
    pub organization: Option<OrganizationId>,
    pub isolation: Isolation,
    /// What its pods run: the image of its own, of its release, or the operator's setting.
    pub image: String,
    /// The StoreRelease that the image is from.
    pub release: Option<String>,
    pub suspended: bool,
    /// Who answers for it now. It does not follow from the spec alone: a pass decides it by what it sees.
    pub stage: Stage,
    pub url: String,
    /// What the ledger shall say.
    pub alignment: Alignment,
    /// Host and the Secret of its certificate, the platform's host first.
    pub hosts: Vec<(String, Option<String>)>,
    pub spec: StoreSpec,
}

impl Wish {
    pub fn of(store: &Store, runtime: &RuntimeConfig) -> Result<Self, Failure> {
        let spec = &store.spec;
        let name = store.name_any();
        let (field, handle) = match &spec.handle {
            Some(handle) => ("spec.handle", handle.clone()),
            None => ("metadata.name", name.clone()),
        };
        let label = HostLabel::parse(&handle).map_err(|error| {
            Failure::invalid(format!("{field} {handle:?} {error}: it is part of the store's address"))
        })?;
        let email = Email::parse(&spec.owner_email)
            .map_err(|error| Failure::invalid(format!("spec.ownerEmail {error}")))?;
        let country = Country::parse(&spec.locale.country)
            .map_err(|error| Failure::invalid(format!("spec.locale.country {error}")))?;
        let currency = spec
            .locale
            .currency
            .as_deref()
            .map(Currency::parse)
            .transpose()
            .map_err(|error| Failure::invalid(format!("spec.locale.currency {error}")))?;
        let store_id = spec
            .store_id
            .as_deref()
            .map(StoreId::parse)
            .transpose()
            .map_err(|error| Failure::invalid(format!("spec.storeId {error}")))?;
        if store_id.is_some() && !spec.database.adopt {
            return Err(Failure::invalid(
                "spec.storeId takes up retained data: say so with spec.database.adopt: true, or leave it out",
            ));
        }
        let platform = runtime.platform_domain.split(':').next().unwrap_or_default();
        let own = format!("{}.{platform}", label.as_str());
        let mut hosts = vec![(own.clone(), None)];
        for domain in &spec.domains {
            if domain.host == platform || domain.host.ends_with(&format!(".{platform}")) {
                return Err(Failure::invalid(format!(
                    "spec.domains: {} lies under {platform}, which is the platform's; this store answers at {own} without being told",
                    domain.host
                )));
            }
            hosts.push((domain.host.clone(), domain.tls_secret_name.clone()));
        }
        let plan = plan(&spec.plan)?;
        let (image, release) = image(store, runtime)?;
        Ok(Self {
            namespace: store.namespace().unwrap_or_default(),
            uid: store.uid().unwrap_or_default(),
            generation: store.metadata.generation.unwrap_or(1),
            adopt: store_id,
            email,
            country,
            currency,
            organization: store
                .labels()
                .get(ORGANIZATION)
                .and_then(|label| OrganizationId::parse(label).ok()),
            isolation: spec.isolation,
            image,
            release,
            suspended: spec.state == DesiredState::Suspended,
            stage: Stage::asked_for(spec),
            url: url(spec, label.as_str(), &runtime.platform_domain),
            alignment: Alignment {
                handle: label.as_str().to_owned(),
                name: spec.display_name.clone(),
                hosts: hosts.iter().map(|(host, _)| host.clone()).collect(),
                plan,
                suspended: spec.state == DesiredState::Suspended,
                scope: store.namespace().unwrap_or_default(),
            },
            hosts,
            name,
            spec: spec.clone(),
        })
    }

    /// Nothing says yet which image it runs.
    pub fn awaits_release(&self) -> bool {
        let pinned = self.spec.runtime.as_ref().is_some_and(|runtime| runtime.image.is_some());
        self.isolation == Isolation::Dedicated && !pinned && self.release.is_none()
    }

    /// How long nobody must ask a Dedicated store for anything until its pods may go; none = they never do.
    pub fn sleeps_after(&self) -> Option<std::time::Duration> {
        let minutes = self.spec.hibernation.as_ref()?.after_minutes;
        let minutes = u64::try_from(minutes).ok().filter(|_| self.isolation == Isolation::Dedicated)?;
        Some(std::time::Duration::from_secs(minutes * 60))
    }

    /// How many pods, unless an autoscaler decides.
    pub fn replicas(&self) -> Option<i32> {
        let runtime = self.spec.runtime.as_ref();
        match runtime.and_then(|runtime| runtime.autoscaling.as_ref()) {
            _ if !self.stage.pods => Some(0),
            Some(_) => None,
            None => Some(runtime.and_then(|runtime| runtime.replicas).unwrap_or(1)),
        }
    }
}

/// What is noted on the Store is enough: its release may be gone, and whatever this program is, the pods stay what they are.
fn image(store: &Store, runtime: &RuntimeConfig) -> Result<(String, Option<String>), Failure> {
    if let Some(image) = store.spec.runtime.as_ref().and_then(|runtime| runtime.image.clone()) {
        return Ok((image, None));
    }
    let annotations = store.annotations();
    let Some((release, image)) = annotations.get(RELEASE).zip(annotations.get(RELEASE_IMAGE)) else {
        return Ok((runtime.image.clone(), None));
    };
    let hexadecimal =
        |digest: &str| digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    if image.split_once("@sha256:").is_none_or(|(name, digest)| name.is_empty() || !hexadecimal(digest)) {
        return Err(Failure::invalid(format!(
            "the annotation {RELEASE_IMAGE} must be an image by digest, as the operator wrote it: remove it and {RELEASE}, and the store gets the release in force in its turn"
        )));
    }
    Ok((image.clone(), Some(release.clone())))
}

/// Plain HTTP on a developer's machine, HTTPS everywhere else.
fn url(spec: &StoreSpec, label: &str, platform_domain: &str) -> String {
    if let Some(primary) = spec.domains.iter().find(|domain| domain.primary) {
        return format!("https://{}", primary.host);
    }
    let host = platform_domain.split(':').next().unwrap_or_default();
    let local = host == "localhost" || host.ends_with(".localhost");
    format!("{}://{label}.{platform_domain}", if local { "http" } else { "https" })
}

fn plan(name: &str) -> Result<Value, Failure> {
    if let Some(plan) = Plan::find(name) {
        return Ok(json!({ "id": plan.id, "limits": plan.limits }));
    }
    let known = Plan::ALL.map(|plan| plan.id);
    Err(Failure::invalid(format!("spec.plan {name:?} does not exist; there are {}", known.join(", "))))
}

#[cfg(test)]
pub mod testing {
    use super::*;

    /// What the golden files are made with.
    pub fn runtime() -> RuntimeConfig {
        RuntimeConfig {
            image: format!("registry.example/souk-runtime@sha256:{}", "0".repeat(64)),
            database_url: "postgres://postgres.example:5432/souk".into(),
            cursor_secret: "cursor-secret".into(),
            staff_key_pem: "-----BEGIN PUBLIC KEY-----\n".into(),
            public_url: "https://souk.example".into(),
            platform_domain: "shops.example".into(),
            pooled_service: "souk-runtime.souk-system:80".parse().unwrap(),
            pooled_address: None,
            route_settles: std::time::Duration::from_secs(15),
            gateway: None,
            ingress_class: Some("nginx".into()),
        }
    }

    pub fn store(change: impl FnOnce(&mut StoreSpec)) -> Store {
        let mut spec = StoreSpec::new("Acme Bakery", "owner@acme.example");
        change(&mut spec);
        let mut store = Store::new("acme", spec);
        store.metadata.namespace = Some("org-acme".into());
        store.metadata.uid = Some("6ba7b810-9dad-11d1-80b4-00c04fd430c8".into());
        store.metadata.generation = Some(1);
        store
    }
}

#[cfg(test)]
mod tests {
    use souk_store_resource::{Domain, Reason};

    use super::*;
    use crate::outcome::Retry;

    #[track_caller]
    fn refused(store: &Store, words: &str) {
        let failure = Wish::of(store, &testing::runtime()).expect_err("it is refused");
        assert_eq!((failure.reason, failure.retry), (Reason::InvalidSpec, Retry::OnChange));
        assert!(failure.message.contains(words), "{}", failure.message);
    }

    fn domain(host: &str) -> Domain {
        Domain { host: host.into(), primary: true, tls_secret_name: None }
    }

    #[test]
    fn a_wish_says_what_the_ledger_shall_say() {
        let wish =
            Wish::of(&testing::store(|it| it.domains = vec![domain("acme.example")]), &testing::runtime())
                .unwrap();
        assert_eq!(wish.alignment.hosts, ["acme.shops.example", "acme.example"]);
        assert_eq!((wish.alignment.scope.as_str(), wish.url.as_str()), ("org-acme", "https://acme.example"));
        assert_eq!(wish.alignment.plan["limits"]["products"], plan("free").unwrap()["limits"]["products"]);
        assert_eq!(wish.replicas(), Some(1));
    }

    #[test]
    fn a_handle_of_its_own_is_the_address() {
        let wish =
            Wish::of(&testing::store(|it| it.handle = Some("cakes".into())), &testing::runtime()).unwrap();
        assert_eq!((wish.name.as_str(), wish.alignment.handle.as_str()), ("acme", "cakes"));
        assert_eq!(wish.alignment.hosts, ["cakes.shops.example"]);
        assert_eq!(wish.url, "https://cakes.shops.example");
    }

    #[test]
    fn the_pods_run_the_stores_own_image_its_releases_or_the_operators() {
        let (own, given) =
            ("souk@sha256:".to_owned() + &"1".repeat(64), "souk@sha256:".to_owned() + &"2".repeat(64));
        let of = |store: &Store| {
            let wish = Wish::of(store, &testing::runtime()).unwrap();
            (wish.image.clone(), wish.release.clone(), wish.awaits_release())
        };
        let mut store = testing::store(|_| {});
        assert_eq!(of(&store), (testing::runtime().image, None, true));
        store.annotations_mut().insert(RELEASE.into(), "r-2".into());
        assert_eq!(of(&store), (testing::runtime().image, None, true));
        store.annotations_mut().insert(RELEASE_IMAGE.into(), given.clone());
        assert_eq!(of(&store), (given, Some("r-2".into()), false));
        let runtime = souk_store_resource::Runtime { image: Some(own.clone()), ..Default::default() };
        store.spec.runtime = Some(runtime);
        assert_eq!(of(&store), (own, None, false));
        let pooled = testing::store(|it| it.isolation = Isolation::Pooled);
        assert!(!of(&pooled).2);
        for wrong in ["souk:latest", "@sha256:", "souk@sha256:12"] {
            let mut store = testing::store(|_| {});
            store.annotations_mut().insert(RELEASE.into(), "r-2".into());
            store.annotations_mut().insert(RELEASE_IMAGE.into(), wrong.into());
            refused(&store, "must be an image by digest");
        }
    }

    #[test]
    fn what_cannot_be_carried_out_is_said() {
        refused(&testing::store(|it| it.plan = "gold".into()), "there are free, growth");
        refused(&testing::store(|it| it.locale.country = "XX".into()), "spec.locale.country");
        refused(&testing::store(|it| it.locale.currency = Some("XYZ".into())), "spec.locale.currency");
        refused(&testing::store(|it| it.domains = vec![domain("bank.shops.example")]), "the platform's");
        refused(
            &testing::store(|it| it.store_id = Some("sto_01h455vb4pex5vsknk084sn02q".into())),
            "adopt: true",
        );
        refused(&testing::store(|it| it.handle = Some("admin".into())), "spec.handle \"admin\" is reserved");
        let mut admin = testing::store(|_| {});
        admin.metadata.name = Some("admin".into());
        refused(&admin, "is reserved");
    }
}
