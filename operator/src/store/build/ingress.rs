//! The way in through an Ingress.

use serde_json::{Value, json};
use souk_provisioner::StoreRecord;

use super::{Child, PICTURES, address, led_hosts, parts_pictures, resource};
use crate::config::RuntimeConfig;
use crate::store::hibernation::Lead;
use crate::store::validate::Wish;

/// Hosts and service; none without an Ingress class. The platform's wildcard serves a Pooled store's platform host already.
pub fn build(wish: &Wish, record: &StoreRecord, runtime: &RuntimeConfig) -> Option<Child> {
    let class = runtime.ingress_class.as_ref()?;
    let hosts = led_hosts(wish);
    let pooled = (address::pooled_name(wish), runtime.pooled_service.port);
    let led = match wish.stage.lead {
        Lead::Own => (wish.name.clone(), 80),
        Lead::Shared => pooled.clone(),
    };
    // The first path says where the store is led; of two that fit, controllers go by the longer one.
    let mut paths = vec![path("/", &led)];
    if parts_pictures(wish, runtime) {
        paths.push(path(PICTURES, &pooled));
    }
    if hosts.is_empty() {
        return None;
    }
    let rules: Vec<Value> =
        hosts.iter().map(|(host, _)| json!({ "host": host, "http": { "paths": paths } })).collect();
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

fn path(path: &str, (service, port): &(String, u16)) -> Value {
    let backend = json!({ "service": { "name": service, "port": { "number": port } } });
    json!({ "path": path, "pathType": "Prefix", "backend": backend })
}
