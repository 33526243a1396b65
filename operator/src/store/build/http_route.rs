//! The way in through a Gateway.

use kube::api::ApiResource;
use serde_json::{Value, json};
use souk_provisioner::StoreRecord;

use super::{Child, led_hosts};
use crate::config::RuntimeConfig;
use crate::store::hibernation::Lead;
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
    let hosts = led_hosts(wish);
    let backend = match wish.stage.lead {
        Lead::Own => json!({ "name": wish.name, "port": 80 }),
        Lead::Shared => json!({ "name": shared.name, "namespace": shared.namespace, "port": shared.port }),
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
