//! Every bad Store is refused by the API server or ends in a condition that says what to do.

use serde_json::{Value, json};
use souk_store_resource::{ConditionType, Reason};

use crate::bench::Bench;

async fn refused(bench: &Bench, name: &str, spec: Value, words: &str) {
    match bench.apply(name, spec.clone()).await {
        Err(kube::Error::Api(status)) => {
            assert!(
                [400, 422, 500].contains(&status.code) && status.message.contains(words),
                "{spec}: {status:?}"
            );
        }
        other => panic!("{spec} was not refused: {other:?}"),
    }
    assert!(bench.stores().get_opt(name).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_says_what_to_do() {
    let Some(bench) = Bench::idle(|_| {}).await else { return };
    let spec = Bench::spec;
    refused(&bench, "acme", spec(json!({ "ownerEmail": "nobody" })), "must be an e-mail address such as")
        .await;
    refused(&bench, "acme", spec(json!({ "displayName": "" })), "displayName").await;
    refused(&bench, "9lives", spec(json!({})), "must begin with a letter").await;
    refused(&bench, &"a".repeat(41), spec(json!({})), "at most 40 characters").await;
    refused(
        &bench,
        "acme",
        spec(json!({ "isolation": "Pooled", "runtime": {} })),
        "only for isolation: Dedicated",
    )
    .await;
    let sleepy = json!({ "isolation": "Pooled", "hibernation": { "afterMinutes": 30 } });
    refused(&bench, "acme", spec(sleepy), "no pods that could sleep").await;
    refused(&bench, "acme", spec(json!({ "hibernation": { "afterMinutes": 4 } })), "afterMinutes").await;
    refused(&bench, "acme", spec(json!({ "hibernation": {} })), "afterMinutes").await;
    let scaling = json!({ "minReplicas": 3, "maxReplicas": 2 });
    refused(
        &bench,
        "acme",
        spec(json!({ "runtime": { "autoscaling": scaling } })),
        "must not exceed maxReplicas",
    )
    .await;
    let both = json!({ "replicas": 1, "autoscaling": { "minReplicas": 1, "maxReplicas": 2 } });
    refused(&bench, "acme", spec(json!({ "runtime": both })), "exclude each other").await;
    refused(&bench, "acme", spec(json!({ "runtime": { "image": "souk:latest" } })), "pinned by digest").await;
    refused(
        &bench,
        "acme",
        spec(json!({ "domains": [{ "host": "*.acme.example" }] })),
        "fully qualified host name",
    )
    .await;
    let twice = json!([{ "host": "acme.example" }, { "host": "acme.example" }]);
    refused(&bench, "acme", spec(json!({ "domains": twice })), "duplicate entries").await;
    refused(&bench, "acme", spec(json!({ "database": { "adopt": true } })), "needs storeId").await;
    refused(&bench, "acme", spec(json!({ "storeId": "sto_1" })), "storeId").await;
    refused(&bench, "acme", spec(json!({ "deletionPolicy": "Shred" })), "Unsupported value").await;

    // What nobody writes is filled in by the server, and what was settled at birth stays.
    let born = bench.apply("acme", spec(json!({}))).await.unwrap();
    assert_eq!((born.spec.database.rotate_every_days, born.spec.plan.as_str()), (30, "free"));
    for (change, words) in [
        (json!({ "ownerEmail": "b@acme.example" }), "only for the store's birth"),
        (json!({ "locale": { "country": "FR" } }), "only for the store's birth"),
        (json!({ "storeId": "sto_01h455vb4pex5vsknk084sn02q" }), "cannot be added or removed"),
    ] {
        match bench.apply("acme", spec(change)).await {
            Err(kube::Error::Api(status)) => {
                assert!(status.code == 422 && status.message.contains(words), "{}", status.message)
            }
            other => panic!("not refused: {other:?}"),
        }
    }
    // A person who mistypes a field is told by kubectl.
    let output = bench.kubectl(&["patch", "sto", "acme", "--type=merge", "-p", r#"{"spec":{"replica":3}}"#]);
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("unknown field \"spec.replica\""), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_operator_can_know_ends_in_a_condition() {
    let Some(bench) = Bench::open().await else { return };
    let wrong = [
        ("gold", json!({ "plan": "gold" }), Reason::InvalidSpec, "there are free, growth"),
        ("admin", json!({}), Reason::InvalidSpec, "is reserved"),
        ("nowhere", json!({ "locale": { "country": "XX" } }), Reason::InvalidSpec, "spec.locale.country"),
        ("money", json!({ "locale": { "currency": "XYZ" } }), Reason::InvalidSpec, "spec.locale.currency"),
        (
            "lost",
            json!({ "storeId": "sto_01h455vb4pex5vsknk084sn02q", "database": { "adopt": true } }),
            Reason::SchemaConflict,
            "retained data",
        ),
        ("timid", json!({ "storeId": "sto_01h455vb4pex5vsknk084sn02q" }), Reason::InvalidSpec, "adopt: true"),
        (
            "greedy",
            json!({ "domains": [{ "host": format!("bank.{}.example", bench.namespace) }] }),
            Reason::InvalidSpec,
            "the platform's",
        ),
    ];
    for (name, more, reason, words) in wrong {
        bench.apply(name, Bench::spec(more)).await.unwrap();
        let store = bench.until(name, ConditionType::Ready, "False", reason).await;
        let degraded = store.status.as_ref().unwrap().condition(ConditionType::Degraded).cloned().unwrap();
        assert!(degraded.status == "True" && degraded.message.contains(words), "{}", degraded.message);
        assert!(bench.done(&["describe", "sto", name]).contains(words));
    }
    assert_eq!(
        bench
            .look(&format!(
                "SELECT count(*) FROM platform.store_ledger WHERE owner_scope = '{}'",
                bench.namespace
            ))
            .await,
        "0"
    );
    // None of them is a hot loop: what only a change can cure waits for it.
    let before = bench.until_quiet().await.len();
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    assert_eq!(bench.writes().len(), before);

    // A changed mind is enough.
    bench.apply("gold", Bench::spec(json!({ "plan": "growth", "isolation": "Pooled" }))).await.unwrap();
    let store = bench.until_ready("gold").await;
    assert_eq!(bench.record(&store).await.plan["id"], "growth");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_belongs_to_whoever_had_it_first() {
    let Some(bench) = Bench::open().await else { return };
    let host = format!("shop.{}.test", bench.namespace);
    let with = |domains: Value| Bench::spec(json!({ "isolation": "Pooled", "domains": domains }));
    bench.apply("first", with(json!([{ "host": host }]))).await.unwrap();
    bench.until_ready("first").await;
    bench.apply("second", with(json!([{ "host": host }]))).await.unwrap();
    let second = bench.until("second", ConditionType::Ready, "False", Reason::HostConflict).await;
    let routed = second.status.as_ref().unwrap().condition(ConditionType::Routed).unwrap();
    assert_eq!((routed.status.as_str(), routed.reason.as_str()), ("False", "HostConflict"));
    assert!(routed.message.contains("remove the domain"), "{}", routed.message);
    let first = bench.stores().get("first").await.unwrap();
    assert!(bench.record(&first).await.hosts.contains(&host));
    // The rightful one lets go; the other one gets it without being touched.
    bench.apply("first", with(json!([]))).await.unwrap();
    let second = bench.until_ready("second").await;
    assert!(bench.record(&second).await.hosts.contains(&host));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_database_and_a_missing_gateway_are_said() {
    let Some(bench) = Bench::open_with(|config| {
        config.stores_per_lane = 0;
    })
    .await
    else {
        return;
    };
    bench.apply("acme", Bench::spec(json!({ "isolation": "Pooled" }))).await.unwrap();
    let store = bench.until("acme", ConditionType::Ready, "False", Reason::NoDatabaseCapacity).await;
    let message = &store.status.as_ref().unwrap().condition(ConditionType::DatabaseReady).unwrap().message;
    assert!(message.contains("SOUK_STORES_PER_LANE"), "{message}");
    drop(bench);

    let Some(bench) = Bench::open_with(|config| {
        config.runtime.gateway = Some(("gateways".into(), "public".into()));
        config.runtime.ingress_class = None;
    })
    .await
    else {
        return;
    };
    bench.apply("acme", Bench::spec(json!({}))).await.unwrap();
    bench.until("acme", ConditionType::Routed, "False", Reason::GatewayAPIMissing).await;
    // It serves all the same: inside the cluster.
    bench.until_ready("acme").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_named_and_cured_by_raising_it() {
    let Some(bench) = Bench::open().await else { return };
    bench.done(&["create", "quota", "tight", "--hard=services=0"]);
    bench.apply("acme", Bench::spec(json!({}))).await.unwrap();
    let store = bench.until("acme", ConditionType::Ready, "False", Reason::QuotaExceeded).await;
    let message = &store.status.as_ref().unwrap().condition(ConditionType::RuntimeReady).unwrap().message;
    assert!(message.contains("exceeded quota: tight"), "{message}");
    bench.done(&["delete", "quota", "tight"]);
    bench.until_ready("acme").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_made_is_never_taken_over() {
    let Some(bench) = Bench::idle(|_| {}).await else { return };
    bench.done(&["create", "service", "clusterip", "acme", "--tcp=80:80"]);
    bench.done(&["create", "secret", "generic", "bread-keys", "--from-literal=mine=1"]);
    let mut bench = bench;
    bench.start().await;
    bench.apply("acme", Bench::spec(json!({}))).await.unwrap();
    bench.apply("bread", Bench::spec(json!({}))).await.unwrap();
    let acme = bench.until("acme", ConditionType::RuntimeReady, "False", Reason::NameTaken).await;
    let message = &acme.status.as_ref().unwrap().condition(ConditionType::RuntimeReady).unwrap().message;
    assert!(message.contains("the Service acme exists"), "{message}");
    bench.until("bread", ConditionType::CredentialsReady, "False", Reason::NameTaken).await;
    assert!(bench.done(&["get", "service", "acme", "-o", "yaml"]).contains("app: acme"));
    assert!(bench.done(&["get", "secret", "bread-keys", "-o", "jsonpath={.data}"]).contains("mine"));
    bench.done(&["delete", "service", "acme"]);
    bench.done(&["delete", "secret", "bread-keys"]);
    bench.until_ready("acme").await;
    bench.until_ready("bread").await;
}
