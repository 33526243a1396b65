//! The chart: lint, golden files (`UPDATE_GOLDEN=1`), values that are refused, every object on the real API server, and how
//! little the operator may do.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::bench::{Bench, helm, kubernetes, rendered};

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/souk");
const EVERYTHING: &[&str] = &[
    "--set",
    "gateway.name=public,gateway.namespace=gateways,operator.storeNamespaces={org-acme},controlPlane.storeNamespace=souk-stores,controlPlane.identityProvidersSecret=souk-identity-providers,runtime.autoscaling.enabled=true",
    "--set",
    "monitoring.serviceMonitor=true,monitoring.prometheusRule=true,monitoring.dashboards=true,image.digest=sha256:0000000000000000000000000000000000000000000000000000000000000000",
];
const INGRESS: &[&str] =
    &["--set", "ingress.className=nginx,ingress.tlsSecretName=wildcard,operator.storeNamespaces={org-acme}"];

#[tokio::test]
async fn it_is_what_was_reviewed() {
    let Some(_) = Bench::idle(|_| {}).await else { return };
    let lint = helm(&["lint", "--strict", CHART]);
    assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stdout));
    for (name, values) in [("default", &[][..]), ("gateway", EVERYTHING), ("ingress", INGRESS)] {
        let path = Path::new(CHART).join(format!("golden/{name}.yaml"));
        let text = rendered(values);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == text,
            "{} is not what the chart renders: UPDATE_GOLDEN=1 and look at the difference",
            path.display()
        );
    }
}

#[tokio::test]
async fn wrong_values_are_refused() {
    let Some(_) = Bench::idle(|_| {}).await else { return };
    for (value, words) in [
        ("database.url=postgres://admin:secret@db/souk", "database"),
        ("operator.runtimeImage=souk:latest", "runtimeImage"),
        ("image.digest=latest", "digest"),
        ("platformDomain=nodots", "platformDomain"),
        ("controlPlane.storeNamespace=Stores", "storeNamespace"),
        ("controlPlane.identityProvidersSecret=a b", "identityProvidersSecret"),
        ("operater.replicas=3", "operater"),
        ("test.mailDomain=Nobody", "mailDomain"),
        ("test.patienceSeconds=1", "patienceSeconds"),
    ] {
        let output = helm(&["template", "souk", CHART, "--kube-version", "1.35.4", "--set", value]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words), "{value}: {said}");
    }
}

/// Single values of a schema with their paths, and whether a list is asked for.
fn single_values(schema: &Value, at: &str, whole: &Value, found: &mut Vec<(String, bool)>) {
    for (name, part) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{at}/{name}");
        let part = match part["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => whole.pointer(pointer).expect("a definition"),
            None => part,
        };
        if part["type"] == "object" {
            single_values(part, &path, whole, found);
        } else {
            found.push((path, part["type"] == "array"));
        }
    }
}

/// The schema says of every value what it is, and has none that nobody can read about in values.yaml.
#[tokio::test]
async fn every_value_has_a_kind() {
    let Some(_) = Bench::idle(|_| {}).await else { return };
    let read = |name: &str| std::fs::read_to_string(Path::new(CHART).join(name)).unwrap();
    let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
    let mut values = Vec::new();
    single_values(&schema, "", &schema, &mut values);
    assert!(values.len() > 30, "{values:?}");
    let mut arguments: Vec<String> =
        ["template", "souk", CHART, "--kube-version", "1.35.4"].map(str::to_owned).into();
    for (path, list) in &values {
        let wrong = if *list { "\"single\"" } else { "[]" };
        arguments.push(format!("--set-json={}={wrong}", path.trim_start_matches('/').replace('/', ".")));
    }
    let output = helm(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    let documented = read("values.yaml");
    for (path, _) in &values {
        assert!(said.contains(path.as_str()), "{path} may be anything: {said}");
        let name = path.rsplit('/').next().unwrap();
        assert!(documented.contains(&format!("{name}:")), "{path} is not in values.yaml");
    }
}

/// Whoever upgrades with `--reuse-values` brings the values of the chart before, which know nothing of what is new.
#[tokio::test]
async fn the_values_of_the_chart_before_are_enough() {
    let Some(_) = Bench::idle(|_| {}).await else { return };
    let output =
        helm(&["show", "values", concat!(env!("CARGO_MANIFEST_DIR"), "/cluster/fixtures/souk-0.1.0.tgz")]);
    assert!(output.status.success() && !String::from_utf8_lossy(&output.stdout).contains("\ntest:"));
    let without = rendered(&["--set", "test=null"]);
    assert_eq!(without, rendered(&[]), "what is left out is what values.yaml says");
}

#[tokio::test]
async fn the_api_server_takes_every_object() {
    let Some(bench) = Bench::idle(|_| {}).await else { return };
    let folder = std::env::temp_dir().join(format!("souk-chart-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("rendered.yaml");
    std::fs::write(
        &file,
        rendered(&[
            "--namespace",
            &bench.namespace,
            INGRESS[0],
            "ingress.className=nginx,runtime.autoscaling.enabled=true",
        ]),
    )
    .unwrap();
    // The namespace enforces the restricted Pod Security Standard; warnings of it would show here.
    let output = bench.kubectl(&[
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        "-f",
        file.to_str().unwrap(),
    ]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("would violate"), "{said}");
}

#[tokio::test]
async fn the_operator_may_do_little() {
    let Some(bench) = Bench::idle(|_| {}).await else { return };
    let rights = rendered(&["-s", "templates/operator-rights.yaml"]);
    assert!(!rights.contains('*'), "no wildcards");
    let may = |verb: &str, what: &str, namespace: &[&str]| {
        let config = format!("--kubeconfig={}/admin.kubeconfig", crate::bench::FOLDER);
        let (what, part) = what.split_once('/').unwrap_or((what, ""));
        let output = Command::new(kubernetes().join("kubectl"))
            .args([&config, "auth", "can-i", verb, what, &format!("--subresource={part}"), "--as=operator"])
            .args(namespace)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim() == "yes"
    };
    let here = ["-n", bench.namespace.as_str()];
    let elsewhere = ["-n", "kube-system"];
    for verb in ["get", "list", "watch", "create", "patch", "delete"] {
        assert!(!may(verb, "secrets", &elsewhere), "{verb} secrets of others");
        assert!(!may(verb, "secrets", &["-A"]), "{verb} every secret");
    }
    assert!(
        may("get", "secrets", &here) && !may("list", "secrets", &here) && !may("watch", "secrets", &here)
    );
    for (verb, what) in [
        ("create", "pods"),
        ("create", "pods/exec"),
        ("create", "roles.rbac.authorization.k8s.io"),
        ("escalate", "clusterroles.rbac.authorization.k8s.io"),
        ("bind", "clusterroles.rbac.authorization.k8s.io"),
        ("impersonate", "users"),
        ("delete", "namespaces"),
        ("create", "stores.souk.dev"),
        ("delete", "stores.souk.dev"),
        ("update", "stores.souk.dev"),
        ("create", "storereleases.souk.dev"),
        ("delete", "storereleases.souk.dev"),
        ("update", "storereleases.souk.dev"),
        ("delete", "customresourcedefinitions.apiextensions.k8s.io"),
        ("create", "serviceaccounts/token"),
    ] {
        assert!(!may(verb, what, &here), "{verb} {what}");
    }
}
