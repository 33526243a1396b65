//! Least privilege, by the API server's own account: what the chart grants and nobody needs is not granted.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::rbac::v1::ClusterRole;
use serde_json::{Value, json};
use souk_operator::controller::lead;
use souk_store_resource::{ConditionType, Reason, ReleaseCondition, ReleaseReason};
use souk_telemetry::Shutdown;

use crate::bench::{Bench, FOLDER, eventually, kubernetes};
use crate::release::Releases;

/// `patch apps/deployments`.
type Right = String;

fn granted(role: &str) -> BTreeSet<Right> {
    let output = Command::new(kubernetes().join("kubectl"))
        .arg(format!("--kubeconfig={FOLDER}/admin.kubeconfig"))
        .args(["get", "clusterrole", role, "-o", "json"])
        .output()
        .expect("kubectl runs");
    let role: ClusterRole = serde_json::from_slice(&output.stdout).expect("a ClusterRole");
    let mut rights = BTreeSet::new();
    for rule in role.rules.unwrap_or_default() {
        for group in rule.api_groups.unwrap_or_default() {
            for resource in rule.resources.clone().unwrap_or_default() {
                rights.extend(rule.verbs.iter().map(|verb| format!("{verb} {group}/{resource}")));
            }
        }
    }
    rights
}

/// What somebody did and was allowed to, since the cluster was started.
fn used(user: &str) -> BTreeSet<Right> {
    let log = std::fs::read_to_string(format!("{FOLDER}/audit.log")).expect("the audit log");
    let mut rights = BTreeSet::new();
    for event in log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if event["user"]["username"] != user
            || event["annotations"]["authorization.k8s.io/decision"] != "allow"
        {
            continue;
        }
        let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
        let object = &event["objectRef"];
        let mut resource = format!("{}/{}", text(&object["apiGroup"]), text(&object["resource"]));
        if let Some(part) = object["subresource"].as_str() {
            resource = format!("{resource}/{part}");
        }
        rights.insert(format!("{} {resource}", text(&event["verb"])));
        // Applying what is not there makes it: the API server asks for both rights and notes one.
        if event["verb"] == "patch" && event["responseStatus"]["code"] == 201 {
            rights.insert(format!("create {resource}"));
        }
    }
    rights
}

/// Fails when one of the roles grants what `user` never did. `untried` is left out: what this cluster has no use for.
pub async fn all_are_used(user: &str, roles: &[&str], untried: &[&str]) {
    let granted: BTreeSet<Right> = roles.iter().flat_map(|role| granted(role)).collect();
    assert!(granted.iter().all(|right| !right.contains('*')), "{granted:?}");
    let mut unused = granted.clone();
    // The audit log is written a moment after the answer.
    for _ in 0..20 {
        let used = used(user);
        unused = granted
            .iter()
            .filter(|right| !used.contains(*right) && !untried.iter().any(|end| right.ends_with(end)))
            .cloned()
            .collect();
        if unused.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!(
        "{user} may, and never did: {unused:#?}\ntake it out of charts/souk/templates/*-rights.yaml, or show here what it is for"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_uses_every_right_it_has() {
    let Some(bench) = Bench::idle(|_| {}).await else { return };
    let shutdown = Shutdown::manual();
    let operator = bench.operator(|config| config.lease_identity = Some("least".into())).await;
    let until = shutdown.clone();
    let leading = tokio::spawn(async move { lead(operator, &until).await });

    // Everything a store can have, changed, and taken away again.
    let host = format!("shop.{}.test", bench.namespace);
    let scaling = json!({ "minReplicas": 2, "maxReplicas": 3 });
    let most = |cpu: i64| {
        let mut scaling = scaling.clone();
        scaling["targetCpuPercent"] = json!(cpu);
        let resources = json!({ "requests": { "cpu": format!("{cpu}m"), "memory": "64Mi" } });
        Bench::spec(
            json!({ "domains": [{ "host": host }], "runtime": { "autoscaling": scaling, "resources": resources } }),
        )
    };
    bench.apply("acme", most(50)).await.unwrap();
    bench.until_ready("acme").await;
    bench.apply("acme", most(60)).await.unwrap();
    bench.until_ready("acme").await;
    // The same Event once more is counted on the first one.
    for state in ["Suspended", "Active"] {
        let mut spec = most(60);
        spec["state"] = json!(state);
        bench.apply("acme", spec).await.unwrap();
        let (holds, reason) = match state {
            "Active" => ("True", Reason::AllChecksPassed),
            _ => ("False", Reason::Suspended),
        };
        bench.until("acme", ConditionType::Ready, holds, reason).await;
    }
    bench.apply("acme", Bench::spec(json!({ "isolation": "Pooled" }))).await.unwrap();
    bench.until("acme", ConditionType::RuntimeReady, "True", Reason::Pooled).await;
    eventually("its Deployment is gone", async || {
        bench.api::<Deployment>().get_opt("acme").await.ok()?.is_none().then_some(())
    })
    .await;
    // A release, and one that takes its place.
    let releases = Releases::of(&bench);
    releases.apply("first", json!({})).await.unwrap();
    releases.until("first", ReleaseCondition::Complete, "True", ReleaseReason::RolledOut).await;
    releases.apply("second", json!({})).await.unwrap();
    releases.until("first", ReleaseCondition::Progressing, "False", ReleaseReason::Superseded).await;
    let roles = ["souk-operator", "souk-store-secrets", "souk-lease"];
    // This cluster has no Gateway API.
    all_are_used("operator", &roles, &["gateway.networking.k8s.io/httproutes"]).await;
    bench.done(&["delete", "sto", "acme", "--timeout=60s"]);
    shutdown.begin();
    leading.await.unwrap().unwrap();
}
