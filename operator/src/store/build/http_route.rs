//! The way in through a Gateway.

use kube::api::ApiResource;
use serde_json::{Value, json};
use souk_provisioner::StoreRecord;
use souk_store_resource::Isolation;

use super::Child;
use crate::config::RuntimeConfig;
use crate::store::validate::Wish;

pub fn resource() -> ApiResource {
    super::resource("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes")
}

/// The route of a Pooled store leads into the shared runtime's namespace, which grants that with a ReferenceGrant.
pub fn build(
    wish: &Wish,
    record: &StoreRecord,
    runtime: &RuntimeConfig,
    (namespace, gateway): &(String, String),
) -> Option<Child> {
    let shared = &runtime.pooled_service;
    let (hosts, backend) = match wish.isolation {
        Isolation::Dedicated => (&wish.hosts[..], json!({ "name": wish.name, "port": 80 })),
        Isolation::Pooled => {
            let backend = json!({ "name": shared.name, "namespace": shared.namespace, "port": shared.port });
            (wish.hosts.get(1..)?, backend)
        }
    };
    if hosts.is_empty() {
        return None;
    }
    let hosts: Vec<Value> = hosts.iter().map(|(host, _)| json!(host)).collect();
    let object = json!({
        "spec": {
            "parentRefs": [{ "name": gateway, "namespace": namespace }],
            "hostnames": hosts,
            "rules": [{ "backendRefs": [backend] }],
        },
    });
    Some(Child::new(resource(), &wish.name, wish, record, object))
}
