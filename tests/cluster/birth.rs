//! From five lines of YAML to a store.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use kube::ResourceExt as _;
use serde_json::json;
use souk_provisioner::State;
use souk_provisioner::test_support::TestDatabase;
use souk_store_resource::{ConditionType, Phase, Reason};

use crate::bench::Bench;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../operator/examples/acme.yaml");

#[tokio::test(flavor = "multi_thread")]
async fn five_lines_become_a_store() {
    let Some(bench) = Bench::open().await else { return };
    bench.done(&["apply", "-f", EXAMPLE]);
    bench.done(&["wait", "--for=condition=Ready", "sto/acme", "--timeout=90s"]);
    let store = bench.until_ready("acme").await;
    let status = store.status.clone().unwrap();

    // The ledger, the schema and the status tell the same story.
    let record = bench.record(&store).await;
    assert_eq!(
        (record.state, record.handle.as_str(), record.name.as_str()),
        (State::Live, "acme", "Acme Bakery")
    );
    assert_eq!(record.hosts, [format!("acme.{}.example", bench.namespace)]);
    assert_eq!(status.store_id, Some(record.store_id.to_string()));
    assert_eq!(status.url, Some(format!("https://acme.{}.example", bench.namespace)));
    let database = status.database.clone().unwrap();
    assert_eq!(
        (database.schema.as_str(), database.schema_version),
        (record.schema.as_str(), record.schema_version)
    );
    let settings = format!("SELECT name || ' ' || currency FROM {}.store_settings", record.schema);
    assert_eq!(bench.look(&settings).await, "Acme Bakery EUR");

    // Everything that belongs to it is there, and is its own.
    let names = (
        bench.api::<ServiceAccount>().get("acme").await.unwrap(),
        bench.api::<Service>().get("acme").await.unwrap(),
        bench.api::<NetworkPolicy>().get("acme").await.unwrap(),
        bench.api::<Ingress>().get("acme").await.unwrap(),
    );
    assert_eq!(names.0.automount_service_account_token, Some(false));
    let deployment = bench.api::<Deployment>().get("acme").await.unwrap();
    let uid = store.uid().unwrap();
    for owners in [
        names.1.owner_references(),
        names.2.owner_references(),
        names.3.owner_references(),
        deployment.owner_references(),
    ] {
        assert_eq!(owners[0].uid, uid);
    }
    assert_eq!(deployment.status.unwrap().available_replicas, Some(1));

    // The conditions, all of them, in the words of the closed list.
    let told: Vec<_> =
        status.conditions.iter().map(|it| format!("{}={}/{}", it.type_, it.status, it.reason)).collect();
    assert_eq!(
        told,
        [
            "Ready=True/AllChecksPassed",
            "DatabaseReady=True/Migrated",
            "CredentialsReady=True/Valid",
            "RuntimeReady=True/RolloutComplete",
            "Routed=True/Programmed",
            "Progressing=False/Settled",
            "Degraded=False/AsExpected",
            "Paused=False/Running",
            "Hibernated=False/NotNeeded",
        ]
    );
    assert_eq!((status.phase, status.observed_generation), (Some(Phase::Ready), store.metadata.generation));

    // What a person sees.
    let table = bench.done(&["get", "souk"]);
    assert!(
        table.contains("NAME") && table.contains("URL") && table.contains("True") && table.contains("Ready"),
        "{table}"
    );
    let described = bench.done(&["describe", "sto", "acme"]);
    assert!(described.contains("Provisioned") && described.contains("serves"), "{described}");
    let explained = bench.done(&["explain", "sto.spec.database.rotateEveryDays"]);
    let explained = explained.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(explained.contains("without a failed login"), "{explained}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pods_login_opens_this_store_and_no_other() {
    let Some(bench) = Bench::open().await else { return };
    bench.apply("bread", Bench::spec(json!({}))).await.unwrap();
    bench.apply("cakes", Bench::spec(json!({ "isolation": "Pooled" }))).await.unwrap();
    let (bread, cakes) = (bench.until_ready("bread").await, bench.until_ready("cakes").await);
    let (bread, cakes) = (bench.record(&bread).await, bench.record(&cakes).await);
    let secret = bench.api::<Secret>().get("bread-login").await.unwrap();
    let text = |key: &str| String::from_utf8(secret.data.as_ref().unwrap()[key].0.clone()).unwrap();
    let database = TestDatabase::get().await;
    let pod = database.login(&text("SOUK_STORE_LOGIN"), &text("SOUK_STORE_PASSWORD")).await.unwrap();

    pod.batch_execute(&format!(
        "BEGIN; SET LOCAL ROLE {}; SET LOCAL search_path = {}",
        bread.role, bread.schema
    ))
    .await
    .unwrap();
    let name: String = pod.query_one("SELECT name FROM store_settings", &[]).await.unwrap().get(0);
    assert_eq!(name, "Acme Bakery");
    pod.batch_execute("COMMIT").await.unwrap();
    let known: Vec<String> = pod
        .query("SELECT schema_name FROM platform.own_ledger_rows()", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(known, std::slice::from_ref(&bread.schema));

    for forbidden in [
        format!("SET ROLE {}", cakes.role),
        "SET ROLE provisioner".to_owned(),
        "SET ROLE runtime_1".to_owned(),
        format!("SELECT * FROM {}.store_settings", cakes.schema),
        format!("SELECT * FROM {}.store_settings", bread.schema),
        "SELECT * FROM platform.store_ledger".to_owned(),
        "CREATE ROLE more".to_owned(),
    ] {
        let refused = pod.batch_execute(&forbidden).await.expect_err(&forbidden);
        assert_eq!(
            refused.code().map(tokio_postgres::error::SqlState::code),
            Some("42501"),
            "{forbidden}: {refused}"
        );
    }
    // PostgreSQL keeps a verifier, never the password.
    let kept = bench
        .look(&format!("SELECT rolpassword FROM pg_authid WHERE rolname = '{}'", text("SOUK_STORE_LOGIN")))
        .await;
    assert!(kept.starts_with("SCRAM-SHA-256$4096:") && !kept.contains(&text("SOUK_STORE_PASSWORD")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_api_keys_are_in_a_secret_of_the_owners() {
    let Some(bench) = Bench::open().await else { return };
    bench.apply("acme", Bench::spec(json!({ "isolation": "Pooled" }))).await.unwrap();
    let store = bench.until_ready("acme").await;
    let record = bench.record(&store).await;
    let secret = bench.api::<Secret>().get("acme-keys").await.unwrap();
    let key = String::from_utf8(secret.data.as_ref().unwrap()["secret-key"].0.clone()).unwrap();
    assert!(key.starts_with("sk_test_") && key.len() == 51, "{key}");
    let found = format!(
        "SELECT count(*) FROM {}.api_keys WHERE hash = sha256(convert_to('{key}', 'UTF8'))",
        record.schema
    );
    assert_eq!(bench.look(&found).await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn pooled_and_back_keeps_the_store() {
    let Some(bench) = Bench::open().await else { return };
    let domains = json!([{ "host": format!("shop.{}.test", bench.namespace) }]);
    bench.apply("acme", Bench::spec(json!({ "isolation": "Pooled", "domains": domains }))).await.unwrap();
    let pooled = bench.until_ready("acme").await;
    let before = bench.record(&pooled).await;
    assert_eq!(bench.api::<Deployment>().get_opt("acme").await.unwrap().map(|it| it.name_any()), None);
    let route = bench.api::<Ingress>().get("acme").await.unwrap();
    let backend = |route: &Ingress| {
        let rules = route.spec.as_ref().unwrap().rules.as_ref().unwrap();
        rules
            .iter()
            .map(|rule| rule.http.as_ref().unwrap().paths[0].backend.service.as_ref().unwrap().name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(backend(&route), ["acme-pooled"]);

    bench.apply("acme", Bench::spec(json!({ "isolation": "Dedicated", "domains": domains }))).await.unwrap();
    let dedicated = bench.until("acme", ConditionType::RuntimeReady, "True", Reason::RolloutComplete).await;
    let login = dedicated.status.unwrap().database.unwrap().login.unwrap();
    assert_eq!(backend(&bench.api::<Ingress>().get("acme").await.unwrap()), ["acme", "acme"]);

    bench.apply("acme", Bench::spec(json!({ "isolation": "Pooled", "domains": domains }))).await.unwrap();
    let pooled = bench.until("acme", ConditionType::RuntimeReady, "True", Reason::Pooled).await;
    let after = bench.record(&pooled).await;
    assert_eq!((after.store_id, after.schema), (before.store_id, before.schema));
    assert_eq!(after.login, None);
    assert_eq!(bench.look(&format!("SELECT rolcanlogin FROM pg_roles WHERE rolname = '{login}'")).await, "f");
    assert_eq!(bench.api::<Secret>().get_opt("acme-login").await.unwrap().map(|it| it.name_any()), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_serves_nobody_and_keeps_everything() {
    let Some(bench) = Bench::open().await else { return };
    bench.apply("acme", Bench::spec(json!({}))).await.unwrap();
    bench.until_ready("acme").await;
    bench.apply("acme", Bench::spec(json!({ "state": "Suspended" }))).await.unwrap();
    let store = bench.until("acme", ConditionType::Ready, "False", Reason::Suspended).await;
    assert_eq!(store.status.clone().unwrap().phase, Some(Phase::Suspended));
    assert_eq!(bench.record(&store).await.state, State::Suspended);
    assert_eq!(bench.api::<Deployment>().get("acme").await.unwrap().spec.unwrap().replicas, Some(0));
    bench.apply("acme", Bench::spec(json!({ "state": "Active" }))).await.unwrap();
    let store = bench.until_ready("acme").await;
    assert_eq!(bench.record(&store).await.state, State::Live);
}

/// Ready is never said of a spec that is not in force: what `kubectl wait` returns for is in the ledger.
#[tokio::test(flavor = "multi_thread")]
async fn kubectl_wait_never_returns_early() {
    let Some(bench) = Bench::open().await else { return };
    bench.apply("acme", Bench::spec(json!({ "isolation": "Pooled" }))).await.unwrap();
    bench.until_ready("acme").await;
    for round in 1..=20 {
        let name = format!("Acme {round}");
        let patch = json!({ "spec": { "displayName": name } }).to_string();
        bench.done(&["patch", "sto", "acme", "--type=merge", "-p", &patch]);
        bench.done(&["wait", "--for=condition=Ready", "sto/acme", "--timeout=60s"]);
        let store = bench.stores().get("acme").await.unwrap();
        assert_eq!(bench.record(&store).await.name, name);
    }
}
