//! What objects a store consists of. Pure: the same wish, record and configuration give the same bytes.

mod address;
mod deployment;
mod disruption;
mod http_route;
mod ingress;
mod network;
mod scaling;
mod secrets;
mod service_account;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt as _;
use kube::api::{ApiResource, DynamicObject};
use kube::core::GroupVersionKind;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use souk_provisioner::StoreRecord;
use souk_store_resource::{GROUP, Isolation, KIND, STORE_ID, VERSION};

use crate::config::RuntimeConfig;
use crate::store::MANAGER;
use crate::store::validate::Wish;

pub use http_route::resource as http_route_resource;
pub use secrets::{
    LOGIN_VERSION, login as login_secret, login_name as login_secret_name,
    runtime_name as runtime_secret_name,
};

/// Annotation: the hash of what was applied. It notices what is no longer wanted; what was changed is seen by comparing.
pub const DESIRED: &str = "souk.dev/desired";

/// What the cluster can do beyond every Kubernetes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    pub gateway_api: bool,
}

/// One object to be applied.
#[derive(Clone, Debug)]
pub struct Child {
    pub resource: ApiResource,
    pub object: Value,
}

impl Child {
    /// Puts name, labels, owner and hash around what is particular to a kind.
    fn new(resource: ApiResource, name: &str, wish: &Wish, record: &StoreRecord, mut object: Value) -> Self {
        let head = json!({
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {
                "name": name,
                "namespace": wish.namespace,
                "labels": labels(wish, Some(record)),
                "annotations": {},
                "ownerReferences": [owner_reference(wish)],
            },
        });
        let mut whole = Map::new();
        for part in [head, std::mem::take(&mut object)] {
            for (key, value) in part.as_object().cloned().unwrap_or_default() {
                if key == "metadata" && whole.contains_key("metadata") {
                    for (key, value) in value.as_object().cloned().unwrap_or_default() {
                        whole["metadata"][key] = value;
                    }
                } else {
                    whole.insert(key, value);
                }
            }
        }
        let mut object = Value::Object(whole);
        let hash = hash(&object);
        object["metadata"]["annotations"][DESIRED] = Value::String(hash);
        Self { resource, object }
    }

    pub fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub fn hash(&self) -> &str {
        self.object["metadata"]["annotations"][DESIRED].as_str().unwrap_or_default()
    }

    /// Whether the live object is this one: nothing of it changed, and nothing more of ours in it.
    pub fn is_in_force(&self, live: &DynamicObject) -> bool {
        // Members of a list do not say again of what kind they are.
        let parts = || {
            self.object
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(key, _)| !["apiVersion", "kind"].contains(&key.as_str()))
        };
        live.annotations().get(DESIRED).map(String::as_str) == Some(self.hash())
            && serde_json::to_value(live)
                .is_ok_and(|live| parts().all(|(key, part)| super::apply::holds(&live[key], part)))
    }
}

/// Everything that belongs to a store, in the order it is applied; all but the login's Secret, whose password is known only
/// when it is made.
pub fn children(
    wish: &Wish,
    record: &StoreRecord,
    runtime: &RuntimeConfig,
    abilities: &Abilities,
) -> Vec<Child> {
    let mut children = Vec::new();
    if wish.isolation == Isolation::Dedicated {
        let settings = secrets::runtime(wish, record, runtime);
        children.push(service_account::build(wish, record));
        children.push(network::build(wish, record, runtime));
        children.push(address::own(wish, record));
        children.push(deployment::build(wish, record, runtime, settings.hash()));
        children.extend(scaling::build(wish, record));
        children.extend(disruption::build(wish, record));
        children.insert(0, settings);
    }
    let by_ingress = !(runtime.gateway.is_some() && abilities.gateway_api) && runtime.ingress_class.is_some();
    // A Dedicated store has it all the time: routers must find it whenever its own pods do not serve.
    if by_ingress && !led_hosts(wish).is_empty() {
        children.push(address::pooled(wish, record, runtime));
    }
    children.extend(match &runtime.gateway {
        Some(gateway) if abilities.gateway_api => http_route::build(wish, record, runtime, gateway),
        _ => ingress::build(wish, record, runtime),
    });
    children
}

/// Whether routers of this cluster are told about stores at all.
pub fn is_routed(runtime: &RuntimeConfig, abilities: &Abilities) -> bool {
    (runtime.gateway.is_some() && abilities.gateway_api) || runtime.ingress_class.is_some()
}

/// The hosts that the store's own route leads somewhere. The platform's wildcard serves a Pooled store's platform host already.
fn led_hosts(wish: &Wish) -> &[(String, Option<String>)] {
    if wish.isolation == Isolation::Pooled && !wish.stage.leaving {
        return wish.hosts.get(1..).unwrap_or_default();
    }
    &wish.hosts
}

/// Every kind that a pass looks through for what is left over.
pub fn kinds(abilities: &Abilities) -> Vec<ApiResource> {
    let mut kinds = vec![
        resource("", "v1", "ServiceAccount", "serviceaccounts"),
        resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
        resource("", "v1", "Service", "services"),
        resource("apps", "v1", "Deployment", "deployments"),
        resource("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
        resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
        resource("networking.k8s.io", "v1", "Ingress", "ingresses"),
    ];
    if abilities.gateway_api {
        kinds.push(http_route_resource());
    }
    kinds
}

fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

/// On everything that belongs to a store.
pub fn labels(wish: &Wish, record: Option<&StoreRecord>) -> Value {
    let mut labels = json!({
        "app.kubernetes.io/name": "souk-runtime",
        "app.kubernetes.io/instance": wish.name,
        "app.kubernetes.io/component": "store",
        "app.kubernetes.io/part-of": "souk",
        "app.kubernetes.io/managed-by": MANAGER,
        "souk.dev/store": wish.name,
    });
    if let Some(record) = record {
        labels[STORE_ID] = Value::String(record.store_id.to_string());
    }
    labels
}

/// Selectors hold the id alone: a name may be used again, an id never.
fn selector(record: &StoreRecord) -> Value {
    json!({ STORE_ID: record.store_id.to_string() })
}

/// Children go with their Store.
pub fn owner_reference(wish: &Wish) -> OwnerReference {
    OwnerReference {
        api_version: format!("{GROUP}/{VERSION}"),
        kind: KIND.to_owned(),
        name: wish.name.clone(),
        uid: wish.uid.clone(),
        controller: Some(true),
        block_owner_deletion: None,
    }
}

fn hash(value: &Value) -> String {
    let digest = Sha256::digest(value.to_string().as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
