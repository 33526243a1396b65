//! Whom the pods may hear and speak to: routers and metrics in; names, the database and the payment providers' HTTPS out.
//! Other stores' pods and the API server are among neither.

use serde_json::{Value, json};
use souk_provisioner::StoreRecord;

use super::{Child, resource, selector};
use crate::config::RuntimeConfig;
use crate::store::validate::Wish;

pub fn build(wish: &Wish, record: &StoreRecord, runtime: &RuntimeConfig) -> Child {
    let object = json!({
        "spec": {
            "podSelector": { "matchLabels": selector(record) },
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                // Store pods carry the id label; nothing else of the cluster's does.
                { "from": [not_a_store()], "ports": [port(8080, "TCP")] },
                { "from": [{ "namespaceSelector": { "matchLabels": { "souk.dev/monitoring": "true" } } }], "ports": [port(9090, "TCP")] },
            ],
            "egress": [
                { "to": [{ "namespaceSelector": {}, "podSelector": { "matchLabels": { "k8s-app": "kube-dns" } } }],
                  "ports": [port(53, "UDP"), port(53, "TCP")] },
                { "ports": [port(database_port(&runtime.database_url), "TCP")] },
                // Beyond the cluster only: payment providers and mail gateways answer on public addresses.
                { "to": [{ "ipBlock": { "cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"] } }],
                  "ports": [port(443, "TCP")] },
            ],
        },
    });
    let kind = resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies");
    Child::new(kind, &wish.name, wish, record, object)
}

fn not_a_store() -> Value {
    json!({
        "namespaceSelector": {},
        "podSelector": { "matchExpressions": [{ "key": souk_store_resource::STORE_ID, "operator": "DoesNotExist" }] },
    })
}

fn port(number: u16, protocol: &str) -> Value {
    json!({ "port": number, "protocol": protocol })
}

/// `postgres://host:6432/souk` → 6432; PostgreSQL's own when none is named.
fn database_port(url: &str) -> u16 {
    let authority =
        url.split("://").nth(1).and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(5432)
}
