//! What happens to the data when the object goes, and who may have it back.

use kube::ResourceExt as _;
use kube::api::DeleteParams;
use serde_json::json;
use souk_provisioner::{State, StoreRecord};
use souk_store_resource::{ConditionType, Reason, Store};

use crate::bench::{Bench, eventually};

async fn born(bench: &Bench, name: &str, more: serde_json::Value) -> (Store, StoreRecord) {
    bench.apply(name, Bench::spec(more)).await.unwrap();
    let store = bench.until_ready(name).await;
    let record = bench.record(&store).await;
    (store, record)
}

async fn gone(bench: &Bench, name: &str) {
    bench.stores().delete(name, &DeleteParams::default()).await.unwrap();
    eventually("the object is gone", async || {
        bench.stores().get_opt(name).await.unwrap().is_none().then_some(())
    })
    .await;
}

async fn schemas(bench: &Bench, record: &StoreRecord) -> String {
    bench.look(&format!("SELECT count(*) FROM pg_namespace WHERE nspname = '{}'", record.schema)).await
}

async fn roles(bench: &Bench, record: &StoreRecord) -> String {
    let suffix = record.store_id.suffix();
    bench
        .look(&format!(
            "SELECT count(*) FROM pg_roles WHERE rolname = '{}' OR rolname LIKE 'l\\_{suffix}%'",
            record.role
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn retained_data_waits_and_comes_back_only_to_its_own() {
    let Some(bench) = Bench::open().await else { return };
    let (store, record) = born(&bench, "acme", json!({})).await;
    bench
        .look(&format!("UPDATE {}.store_settings SET contact_email = 'kept@acme.example'", record.schema))
        .await;
    gone(&bench, "acme").await;
    let kept = bench.record(&store).await;
    assert_eq!(kept.state, State::Deleting);
    assert!(kept.purge_after.unwrap() > kept.created_at + chrono::Duration::days(29));
    assert_eq!(schemas(&bench, &record).await, "1");
    let open = format!(
        "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'l\\_{}%' AND rolcanlogin",
        record.store_id.suffix()
    );
    assert_eq!(bench.look(&open).await, "0");

    // The name again is another store: it gets the host only when the first one's time is over.
    bench.apply("acme", Bench::spec(json!({}))).await.unwrap();
    let stranger = bench.until("acme", ConditionType::Ready, "False", Reason::HostConflict).await;
    assert_ne!(stranger.uid(), store.uid());
    gone(&bench, "acme").await;

    // Another namespace has no right to it, and learns nothing.
    let Some(other) = Bench::open().await else { return };
    let take = |adopt: bool| json!({ "isolation": "Pooled", "storeId": record.store_id.to_string(), "database": { "adopt": adopt } });
    other.apply("thief", Bench::spec(take(true))).await.unwrap();
    let thief = other.until("thief", ConditionType::Ready, "False", Reason::SchemaConflict).await;
    let message =
        thief.status.as_ref().unwrap().condition(ConditionType::DatabaseReady).unwrap().message.clone();
    assert!(message.contains("holds no retained data") && !message.contains(&bench.namespace), "{message}");
    assert_eq!(bench.record(&store).await.state, State::Deleting);

    // Its own takes it up again, data and all.
    bench.apply("acme", Bench::spec(take(true))).await.unwrap();
    let again = bench.until_ready("acme").await;
    let taken = bench.record(&again).await;
    assert_eq!((taken.store_id, taken.state, taken.purge_after), (record.store_id, State::Live, None));
    let email = format!("SELECT contact_email FROM {}.store_settings", record.schema);
    assert_eq!(bench.look(&email).await, "kept@acme.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_leaves_nothing_but_the_ledgers_memory() {
    let Some(bench) = Bench::open().await else { return };
    let (store, record) = born(&bench, "acme", json!({ "deletionPolicy": "Delete" })).await;
    assert_eq!((schemas(&bench, &record).await, roles(&bench, &record).await), ("1".into(), "2".into()));
    gone(&bench, "acme").await;
    assert_eq!((schemas(&bench, &record).await, roles(&bench, &record).await), ("0".into(), "0".into()));
    let record = bench.record(&store).await;
    assert_eq!((record.state, record.hosts), (State::Deleted, vec![]));
    // The name and the host are free at once.
    let (_, second) =
        born(&bench, "acme", json!({ "deletionPolicy": "Delete", "isolation": "Pooled" })).await;
    assert_ne!(second.store_id, record.store_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_can_always_go() {
    let Some(mut bench) = Bench::open().await else { return };
    let (first, _) = born(&bench, "first", json!({ "deletionPolicy": "Delete" })).await;
    let (second, _) = born(&bench, "second", json!({ "isolation": "Pooled" })).await;
    // One that was never made, because its plan does not exist.
    bench.apply("third", Bench::spec(json!({ "plan": "gold" }))).await.unwrap();
    bench.until("third", ConditionType::Degraded, "True", Reason::InvalidSpec).await;
    // The operator is away when it happens, and comes back to a namespace that takes nothing new.
    bench.stop().await;
    bench.done(&["delete", "namespace", &bench.namespace.clone(), "--wait=false"]);
    eventually("the namespace is going", async || {
        let namespaces: kube::Api<k8s_openapi::api::core::v1::Namespace> =
            kube::Api::all(bench.client.clone());
        namespaces.get(&bench.namespace).await.ok()?.metadata.deletion_timestamp
    })
    .await;
    bench.start().await;
    eventually("the namespace is gone", async || {
        let namespaces: kube::Api<k8s_openapi::api::core::v1::Namespace> =
            kube::Api::all(bench.client.clone());
        namespaces.get_opt(&bench.namespace).await.unwrap().is_none().then_some(())
    })
    .await;
    assert_eq!(bench.record(&first).await.state, State::Deleted);
    assert_eq!(bench.record(&second).await.state, State::Deleting);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_store_can_still_be_deleted() {
    let Some(bench) = Bench::open().await else { return };
    let (store, _) = born(&bench, "acme", json!({ "isolation": "Pooled", "deletionPolicy": "Delete" })).await;
    bench.done(&["annotate", "sto", "acme", "souk.dev/paused=true"]);
    bench.until("acme", ConditionType::Paused, "True", Reason::Paused).await;
    gone(&bench, "acme").await;
    assert_eq!(bench.record(&store).await.state, State::Deleted);
}
