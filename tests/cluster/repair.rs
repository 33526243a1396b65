//! A settled store is silent; a changed one is put right.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service};
use kube::ResourceExt as _;
use kube::api::DeleteParams;
use serde_json::json;
use souk_store_resource::{ConditionType, Reason};

use crate::bench::{Bench, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn settled_means_silent() {
    let Some(bench) = Bench::open().await else { return };
    for (name, isolation) in [("one", "Dedicated"), ("two", "Dedicated"), ("three", "Pooled")] {
        bench.apply(name, Bench::spec(json!({ "isolation": isolation }))).await.unwrap();
    }
    for name in ["one", "two", "three"] {
        bench.until_ready(name).await;
    }
    let before = bench.until_quiet().await;
    assert!(
        before.iter().any(|write| write.contains("deployments")),
        "the log shows what the operator writes: {before:#?}"
    );
    // Passes that find everything in order: woken by an annotation of somebody's.
    for name in ["one", "two", "three"] {
        bench.done(&["annotate", "sto", name, "somebody.example/note=1"]);
    }
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let after = bench.writes();
    assert_eq!(after[before.len()..], Vec::<String>::new());
    // Asked to look, it looks and says so, and that is all it writes.
    bench.done(&["annotate", "sto", "one", "souk.dev/reconcile-at=now"]);
    eventually("the wish is answered", async || {
        let store = bench.stores().get("one").await.unwrap();
        (store.status?.last_handled_reconcile_at? == "now").then_some(())
    })
    .await;
    assert_eq!(bench.until_quiet().await[before.len()..], ["\"patch\" \"stores\" \"status\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_or_edited_comes_back() {
    let Some(bench) = Bench::open().await else { return };
    bench.apply("acme", Bench::spec(json!({}))).await.unwrap();
    bench.until_ready("acme").await;
    let services = bench.api::<Service>();
    let first = services.get("acme").await.unwrap().uid();
    services.delete("acme", &DeleteParams::default()).await.unwrap();
    eventually("the Service is back", async || {
        services.get_opt("acme").await.unwrap().filter(|service| service.uid() != first)
    })
    .await;

    bench.done(&["scale", "deployment", "acme", "--replicas=4"]);
    eventually("the number of pods is the spec's", async || {
        let deployment = bench.api::<Deployment>().get("acme").await.unwrap();
        (deployment.spec?.replicas == Some(1) && deployment.metadata.generation >= Some(3)).then_some(())
    })
    .await;

    // The scale subresource is a change of the spec, not drift.
    bench.done(&["scale", "sto", "acme", "--replicas=2"]);
    eventually("two pods serve", async || {
        let deployment = bench.api::<Deployment>().get("acme").await.unwrap();
        (deployment.status?.available_replicas == Some(2)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_password_is_replaced_and_the_pods_follow() {
    let Some(bench) = Bench::open().await else { return };
    bench.apply("acme", Bench::spec(json!({}))).await.unwrap();
    let store = bench.until_ready("acme").await;
    let before = bench.record(&store).await.login.unwrap();
    bench.api::<Secret>().delete("acme-login", &DeleteParams::default()).await.unwrap();
    bench.done(&["annotate", "sto", "acme", "souk.dev/reconcile-at=lost"]);
    let record = eventually("the old login is closed", async || {
        let record = bench.record(&store).await;
        let login = record.login.clone()?;
        (login.version == before.version + 1 && login.retiring.is_none()).then_some(record)
    })
    .await;
    let login = record.login.unwrap();
    assert_eq!((before.slot, login.slot), (1, 2));
    let template =
        bench.api::<Deployment>().get("acme").await.unwrap().spec.unwrap().template.metadata.unwrap();
    assert_eq!(template.annotations.unwrap()["souk.dev/login-version"], "2");
    let suffix = record.store_id.suffix();
    let open = format!(
        "SELECT string_agg(rolname || ' ' || rolcanlogin, ', ' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'l\\_{suffix}%'"
    );
    assert_eq!(bench.look(&open).await, format!("l_{suffix}_1 false, l_{suffix}_2 true"));

    // Changed in PostgreSQL behind our back: put right as soon as somebody looks.
    bench.look(&format!("ALTER ROLE l_{suffix}_2 NOLOGIN")).await;
    bench.done(&["annotate", "--overwrite", "sto", "acme", "souk.dev/reconcile-at=altered"]);
    eventually("there is a login again", async || {
        let login = bench.record(&store).await.login?;
        (login.version == 3 && login.retiring.is_none()).then_some(())
    })
    .await;
    assert_eq!(bench.look(&open).await, format!("l_{suffix}_1 true, l_{suffix}_2 false"));
    assert!(bench.done(&["describe", "sto", "acme"]).contains("PasswordRotated"));
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_means_hands_off() {
    let Some(bench) = Bench::open().await else { return };
    bench.apply("acme", Bench::spec(json!({ "isolation": "Pooled" }))).await.unwrap();
    bench.until_ready("acme").await;
    bench.done(&["annotate", "sto", "acme", "souk.dev/paused=true"]);
    bench.until("acme", ConditionType::Paused, "True", Reason::Paused).await;
    bench.apply("acme", Bench::spec(json!({ "isolation": "Pooled", "displayName": "Other" }))).await.unwrap();
    let store = bench.until("acme", ConditionType::Paused, "True", Reason::Paused).await;
    bench.until_quiet().await;
    assert_eq!(bench.record(&store).await.name, "Acme Bakery");
    bench.done(&["annotate", "sto", "acme", "souk.dev/paused-"]);
    let store = bench.until_ready("acme").await;
    assert_eq!(bench.record(&store).await.name, "Other");
}
