//! Where the store answers inside the cluster.

use serde_json::json;
use souk_provisioner::StoreRecord;

use super::{Child, resource, selector};
use crate::config::RuntimeConfig;
use crate::store::validate::Wish;

/// The store's own pods.
pub fn own(wish: &Wish, record: &StoreRecord) -> Child {
    let object = json!({
        "spec": {
            "type": "ClusterIP",
            "selector": selector(record),
            "ports": [{ "name": "http", "port": 80, "targetPort": "http", "protocol": "TCP" }],
        },
    });
    Child::new(resource("", "v1", "Service", "services"), &wish.name, wish, record, object)
}

pub fn pooled_name(wish: &Wish) -> String {
    format!("{}-pooled", wish.name)
}

/// The shared runtime under a name of this namespace, which is all that an Ingress can lead to.
pub fn pooled(wish: &Wish, record: &StoreRecord, runtime: &RuntimeConfig) -> Child {
    let shared = &runtime.pooled_service;
    let object = json!({
        "spec": {
            "type": "ExternalName",
            "externalName": format!("{}.{}.svc.cluster.local", shared.name, shared.namespace),
            "ports": [{ "name": "http", "port": shared.port, "targetPort": shared.port, "protocol": "TCP" }],
        },
    });
    Child::new(resource("", "v1", "Service", "services"), &pooled_name(wish), wish, record, object)
}
