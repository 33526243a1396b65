//! The way in through an Ingress.

use serde_json::{Value, json};
use souk_provisioner::StoreRecord;

use super::{Child, address, led_hosts, resource};
use crate::config::RuntimeConfig;
use crate::store::hibernation::Lead;
use crate::store::validate::Wish;

/// Hosts and service; none without an Ingress class. The platform's wildcard serves a Pooled store's platform host already.
pub fn build(wish: &Wish, record: &StoreRecord, runtime: &RuntimeConfig) -> Option<Child> {
    let class = runtime.ingress_class.as_ref()?;
    let hosts = led_hosts(wish);
    let (service, port) = match wish.stage.lead {
        Lead::Own => (wish.name.clone(), 80),
        Lead::Shared => (address::pooled_name(wish), runtime.pooled_service.port),
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
