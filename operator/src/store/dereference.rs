//! Looks at what is there.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::{DynamicObject, ListParams};
use kube::core::PartialObjectMeta;
use kube::{Api, ResourceExt as _};
use souk_provisioner::StoreRecord;
use souk_store_resource::{ConditionType, Isolation};

use crate::controller::Operator;
use crate::outcome::Failure;
use crate::store::build::{self, Abilities};
use crate::store::validate::Wish;

/// What a pass found before it changed anything.
pub struct Seen {
    /// The version of the login that the Secret carries.
    pub login_version: Option<i32>,
    /// The store's own Secrets, by name: only what is said about them, never what is in them.
    pub secrets: BTreeMap<String, PartialObjectMeta<Secret>>,
    pub abilities: Abilities,
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
        .filter(|secret| {
            secret.labels().get(souk_store_resource::STORE_ID) == Some(&record.store_id.to_string())
        })
        .and_then(|secret| secret.annotations().get(build::LOGIN_VERSION)?.parse().ok());
    Ok(Seen { login_version, secrets, abilities: abilities(operator).await? })
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
        Some(deployment) if !crate::store::status::is_complete(deployment) => {
            let pods: Api<Pod> = Api::namespaced(operator.client.clone(), &wish.namespace);
            let ours = ListParams::default().labels(&format!(
                "{}={}",
                souk_store_resource::STORE_ID,
                record.store_id
            ));
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
