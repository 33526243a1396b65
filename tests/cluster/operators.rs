//! More than one operator.

use std::time::Duration;

use serde_json::json;
use souk_operator::controller::lead;
use souk_telemetry::Shutdown;

use crate::bench::{Bench, eventually};

/// The lease is a courtesy; the ledger's locks and fences are what two operators at once cannot get around.
#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_make_every_store_once() {
    let Some(mut bench) = Bench::idle(|_| {}).await else { return };
    let names: Vec<String> = (1..=12).map(|number| format!("shop-{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        let isolation = if number % 4 == 0 { "Dedicated" } else { "Pooled" };
        bench.apply(name, Bench::spec(json!({ "isolation": isolation }))).await.unwrap();
    }
    bench.start().await;
    bench.start().await;
    for name in &names {
        let store = bench.until_ready(name).await;
        assert_eq!(bench.record(&store).await.last_error, None);
    }
    let made =
        format!("SELECT count(*) FROM platform.store_ledger WHERE owner_scope = '{}'", bench.namespace);
    assert_eq!(bench.look(&made).await, "12");
    let schemas = format!(
        "SELECT count(*) FROM platform.store_ledger JOIN pg_namespace ON nspname = schema_name WHERE owner_scope = '{}'",
        bench.namespace
    );
    assert_eq!(bench.look(&schemas).await, "12");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_leads_and_another_takes_over() {
    let Some(bench) = Bench::idle(|_| {}).await else { return };
    let (first, second) = (Shutdown::manual(), Shutdown::manual());
    let run = async |name: &str, shutdown: Shutdown| {
        let operator = bench.operator(|config| config.lease_identity = Some(name.into())).await;
        (tokio::spawn(async move { lead(operator, &shutdown).await }),)
    };
    let holder = async || {
        let leases: kube::Api<k8s_openapi::api::coordination::v1::Lease> = bench.api();
        leases.get_opt("souk-operator").await.unwrap()?.spec?.holder_identity
    };
    let (leader,) = run("first", first.clone()).await;
    eventually("the first one leads", async || (holder().await? == "first").then_some(())).await;
    let (standby,) = run("second", second.clone()).await;
    bench.apply("acme", Bench::spec(json!({ "isolation": "Pooled" }))).await.unwrap();
    bench.until_ready("acme").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(holder().await.as_deref(), Some("first"));
    first.begin();
    leader.await.unwrap().unwrap();
    eventually("the second one leads", async || (holder().await? == "second").then_some(())).await;
    bench.apply("more", Bench::spec(json!({ "isolation": "Pooled" }))).await.unwrap();
    bench.until_ready("more").await;
    second.begin();
    standby.await.unwrap().unwrap();
}
