//! Looks at what is there.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Secret};
use k8s_openapi::jiff::Timestamp;
use kube::api::{DynamicObject, ListParams};
use kube::core::PartialObjectMeta;
use kube::{Api, ResourceExt as _};
use souk_provisioner::StoreRecord;
use souk_store_resource::{ConditionType, Isolation, STORE_ID};

use crate::controller::Operator;
use crate::outcome::Failure;
use crate::store::build::{self, Abilities};
use crate::store::hibernation::{Lead, Route};
use crate::store::validate::Wish;
use crate::store::{MANAGER, apply, status};

/// What a pass found before it changed anything.
pub struct Seen {
    /// The version of the login that the Secret carries.
    pub login_version: Option<i32>,
    /// The store's own Secrets, by name: only what is said about them, never what is in them.
    pub secrets: BTreeMap<String, PartialObjectMeta<Secret>>,
    pub abilities: Abilities,
    /// The store's other objects, by kind.
    pub live: BTreeMap<String, Vec<DynamicObject>>,
}

impl Seen {
    /// The object of this kind and name.
    pub fn object(&self, kind: &str, name: &str) -> Option<&DynamicObject> {
        self.live.get(kind)?.iter().find(|object| object.name_any() == name)
    }

    pub fn deployment(&self, wish: &Wish) -> Option<Deployment> {
        let found = self.object("Deployment", &wish.name)?;
        found.clone().try_parse().ok()
    }

    /// Where routers are told to lead the store's shoppers, and since when.
    pub fn route(&self, wish: &Wish) -> Option<Route> {
        let (route, backend, taken) = match self.object("HTTPRoute", &wish.name) {
            Some(route) => {
                (route, &route.data["spec"]["rules"][0]["backendRefs"][0]["name"], status::is_accepted(route))
            }
            None => {
                let route = self.object("Ingress", &wish.name)?;
                let path = &route.data["spec"]["rules"][0]["http"]["paths"][0];
                (route, &path["backend"]["service"]["name"], true)
            }
        };
        let lead = if *backend == wish.name.as_str() { Lead::Own } else { Lead::Shared };
        // The API server keeps when we changed it last.
        let ours = route.metadata.managed_fields.iter().flatten();
        let changed = ours
            .filter(|entry| entry.manager.as_deref() == Some(MANAGER))
            .find_map(|entry| entry.time.as_ref());
        let seconds = changed.map_or(0, |time| Timestamp::now().as_second() - time.0.as_second());
        Some(Route { lead, since: Duration::from_secs(u64::try_from(seconds).unwrap_or(0)), taken })
    }
}

pub async fn look(wish: &Wish, record: &StoreRecord, operator: &Operator) -> Result<Seen, Failure> {
    let api: Api<Secret> = Api::namespaced(operator.client.clone(), &wish.namespace);
    let mut secrets = BTreeMap::new();
    for name in [build::login_secret_name(wish), build::runtime_secret_name(wish)] {
        let found = api
            .get_metadata_opt(&name)
            .await
            .map_err(|error| Failure::of_kubernetes(ConditionType::CredentialsReady, "a Secret", &error))?;
        if let Some(secret) = found {
            secrets.insert(name, secret);
        }
    }
    let login_version = secrets
        .get(&build::login_secret_name(wish))
        .filter(|secret| secret.labels().get(STORE_ID) == Some(&record.store_id.to_string()))
        .and_then(|secret| secret.annotations().get(build::LOGIN_VERSION)?.parse().ok());
    let abilities = abilities(operator).await?;
    let live = live(wish, record, &abilities, operator).await?;
    Ok(Seen { login_version, secrets, abilities, live })
}

/// One list per kind shows what differs, what is left over, and who serves the store.
async fn live(
    wish: &Wish,
    record: &StoreRecord,
    abilities: &Abilities,
    operator: &Operator,
) -> Result<BTreeMap<String, Vec<DynamicObject>>, Failure> {
    let ours = ListParams::default().labels(&format!("{STORE_ID}={}", record.store_id));
    let mut live = BTreeMap::new();
    for resource in build::kinds(abilities) {
        let api: Api<DynamicObject> =
            Api::namespaced_with(operator.client.clone(), &wish.namespace, &resource);
        let list = api.list(&ours).await.map_err(|error| apply::failed(&resource, &error))?;
        live.insert(resource.kind.clone(), list.items);
    }
    Ok(live)
}

/// What this cluster can route with.
async fn abilities(operator: &Operator) -> Result<Abilities, Failure> {
    if operator.config.runtime.gateway.is_none() {
        return Ok(Abilities { gateway_api: false });
    }
    // A discovery document, served from the API server's memory.
    match operator.client.list_api_group_resources("gateway.networking.k8s.io/v1").await {
        Ok(list) => {
            Ok(Abilities { gateway_api: list.resources.iter().any(|resource| resource.name == "httproutes") })
        }
        // A group that nobody serves is answered with a plain page, not with a Status.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Abilities { gateway_api: false }),
        Err(error) => {
            Err(Failure::of_kubernetes(ConditionType::Routed, "asking for the Gateway API", &error))
        }
    }
}

/// The Deployment as it is now and, while it is not complete, its pods.
pub async fn workload(
    wish: &Wish,
    record: &StoreRecord,
    operator: &Operator,
) -> Result<(Option<Deployment>, Vec<Pod>), Failure> {
    if wish.isolation == Isolation::Pooled {
        return Ok((None, Vec::new()));
    }
    let failed = |error| Failure::of_kubernetes(ConditionType::RuntimeReady, "the Deployment", &error);
    let deployments: Api<Deployment> = Api::namespaced(operator.client.clone(), &wish.namespace);
    let deployment = deployments.get_opt(&wish.name).await.map_err(failed)?;
    let pods = match &deployment {
        Some(deployment) if !status::is_complete(deployment) => {
            let pods: Api<Pod> = Api::namespaced(operator.client.clone(), &wish.namespace);
            let ours = ListParams::default().labels(&format!("{STORE_ID}={}", record.store_id));
            pods.list(&ours).await.map_err(failed)?.items
        }
        _ => Vec::new(),
    };
    Ok((deployment, pods))
}

/// The HTTPRoute as its Gateway sees it.
pub async fn route(
    wish: &Wish,
    abilities: &Abilities,
    operator: &Operator,
) -> Result<Option<DynamicObject>, Failure> {
    if !abilities.gateway_api {
        return Ok(None);
    }
    let routes: Api<DynamicObject> =
        Api::namespaced_with(operator.client.clone(), &wish.namespace, &build::http_route_resource());
    routes
        .get_opt(&wish.name)
        .await
        .map_err(|error| Failure::of_kubernetes(ConditionType::Routed, "the HTTPRoute", &error))
}
