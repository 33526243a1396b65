//! The way in through an Ingress.

use serde_json::{Value, json};
use souk_provisioner::StoreRecord;
use souk_store_resource::Isolation;

use super::{Child, address, resource};
use crate::config::RuntimeConfig;
use crate::store::validate::Wish;

/// Hosts and service; none without an Ingress class. The platform's wildcard serves a Pooled store's platform host already.
pub fn build(wish: &Wish, record: &StoreRecord, runtime: &RuntimeConfig) -> Option<Child> {
    let class = runtime.ingress_class.as_ref()?;
    let (hosts, service, port) = match wish.isolation {
        Isolation::Dedicated => (&wish.hosts[..], wish.name.clone(), 80),
        Isolation::Pooled => (wish.hosts.get(1..)?, address::pooled_name(wish), runtime.pooled_service.port),
    };
    if hosts.is_empty() {
        return None;
    }
    let rules: Vec<Value> = hosts
        .iter()
        .map(|(host, _)| {
            let backend = json!({ "service": { "name": service, "port": { "number": port } } });
            json!({ "host": host, "http": { "paths": [{ "path": "/", "pathType": "Prefix", "backend": backend }] } })
        })
        .collect();
    let mut spec = json!({ "ingressClassName": class, "rules": rules });
    let tls: Vec<Value> = hosts
        .iter()
        .filter_map(|(host, secret)| Some(json!({ "hosts": [host], "secretName": secret.as_ref()? })))
        .collect();
    if !tls.is_empty() {
        spec["tls"] = Value::Array(tls);
    }
    let kind = resource("networking.k8s.io", "v1", "Ingress", "ingresses");
    Some(Child::new(kind, &wish.name, wish, record, json!({ "spec": spec })))
}
