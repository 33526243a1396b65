//! The store's own pods. Nothing in the template depends on this program's version: the image is the one that its release
//! gave the store, and the settings are what they hold, so upgrading the operator restarts no shop.

use serde_json::{Value, json};
use souk_provisioner::StoreRecord;

use super::{Child, labels, resource, secrets, selector};
use crate::config::RuntimeConfig;
use crate::store::validate::Wish;

pub fn build(wish: &Wish, record: &StoreRecord, runtime: &RuntimeConfig, settings: &str) -> Child {
    let mut spec = json!({
        "selector": { "matchLabels": selector(record) },
        "revisionHistoryLimit": 3,
        // A pod serves for this long before the one it replaces goes.
        "minReadySeconds": 5,
        "progressDeadlineSeconds": 300,
        "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 } },
        "template": template(wish, record, runtime, settings),
    });
    // Left out, the number is the autoscaler's.
    if let Some(replicas) = wish.replicas() {
        spec["replicas"] = json!(replicas);
    }
    Child::new(
        resource("apps", "v1", "Deployment", "deployments"),
        &wish.name,
        wish,
        record,
        json!({ "spec": spec }),
    )
}

fn template(wish: &Wish, record: &StoreRecord, runtime: &RuntimeConfig, settings: &str) -> Value {
    let login = record.login.as_ref().map_or(0, |login| login.version);
    json!({
        "metadata": {
            "labels": labels(wish, Some(record)),
            // Other settings or another password: other pods. Nothing else restarts them.
            "annotations": { "souk.dev/settings": settings, "souk.dev/login-version": login.to_string() },
        },
        "spec": {
            "serviceAccountName": wish.name,
            "automountServiceAccountToken": false,
            // Hundreds of stores in one namespace would give every pod thousands of variables.
            "enableServiceLinks": false,
            "terminationGracePeriodSeconds": 45,
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": 65532,
                "runAsGroup": 65532,
                "seccompProfile": { "type": "RuntimeDefault" },
            },
            "topologySpreadConstraints": [spread(record, "topology.kubernetes.io/zone"), spread(record, "kubernetes.io/hostname")],
            "volumes": [{
                "name": "settings",
                "secret": { "secretName": secrets::runtime_name(wish), "items": [{ "key": "staff.pem", "path": "staff.pem" }] },
            }],
            "containers": [container(wish, runtime)],
        },
    })
}

fn spread(record: &StoreRecord, by: &str) -> Value {
    json!({
        "maxSkew": 1,
        "topologyKey": by,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": { "matchLabels": selector(record) },
        "matchLabelKeys": ["pod-template-hash"],
    })
}

fn container(wish: &Wish, runtime: &RuntimeConfig) -> Value {
    let own = wish.spec.runtime.as_ref();
    let resources = own.and_then(|own| own.resources.as_ref()).map_or_else(
        || json!({ "requests": { "cpu": "50m", "memory": "128Mi" }, "limits": { "memory": "256Mi" } }),
        |resources| serde_json::to_value(resources).unwrap_or_default(),
    );
    json!({
        "name": "runtime",
        "image": wish.image,
        "args": ["serve", "--no-worker"],
        "ports": [
            { "name": "http", "containerPort": 8080, "protocol": "TCP" },
            { "name": "internal", "containerPort": 9090, "protocol": "TCP" },
        ],
        "env": [
            { "name": "SOUK_RUNTIME_LISTEN", "value": "0.0.0.0:8080" },
            { "name": "SOUK_RUNTIME_INTERNAL_LISTEN", "value": "0.0.0.0:9090" },
            { "name": "SOUK_PLATFORM_DOMAIN", "value": runtime.platform_domain },
            { "name": "SOUK_PUBLIC_URL", "value": runtime.public_url },
            { "name": "SOUK_STAFF_KEY_FILE", "value": "/etc/souk/staff.pem" },
            from(secrets::runtime_name(wish), "SOUK_DATABASE_URL"),
            from(secrets::runtime_name(wish), "SOUK_CURSOR_SECRET"),
            from(secrets::login_name(wish), "SOUK_STORE_LOGIN"),
            from(secrets::login_name(wish), "SOUK_STORE_PASSWORD"),
        ],
        "volumeMounts": [{ "name": "settings", "mountPath": "/etc/souk", "readOnly": true }],
        "resources": resources,
        // Alive asks nothing of the database: an outage of it must not restart every shop.
        "startupProbe": probe("/startupz", 2, 30),
        "livenessProbe": probe("/livez", 10, 3),
        "readinessProbe": probe("/readyz", 5, 2),
        // Time for routers to hear that the pod is leaving; then it answers what it has and goes.
        "lifecycle": { "preStop": { "sleep": { "seconds": 5 } } },
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        },
    })
}

fn from(secret: String, key: &str) -> Value {
    json!({ "name": key, "valueFrom": { "secretKeyRef": { "name": secret, "key": key } } })
}

fn probe(path: &str, every: u32, failures: u32) -> Value {
    json!({
        "httpGet": { "path": path, "port": "internal", "scheme": "HTTP" },
        "periodSeconds": every,
        "timeoutSeconds": 2,
        "failureThreshold": failures,
    })
}
