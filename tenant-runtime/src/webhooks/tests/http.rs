//! Endpoints and deliveries over HTTP, as a merchant's program uses them.

use serde_json::{Value, json};
use souk_event_bus::Event;
use souk_kernel::EventId;
use souk_tenancy::WriteTx;
use uuid::Uuid;

use crate::testing::TestShop;
use crate::webhooks::actions;

pub const ENDPOINTS: &str = "/admin/v1/webhook-endpoints";
const DELIVERIES: &str = "/admin/v1/webhook-deliveries";

pub async fn create(shop: &TestShop, body: Value) -> crate::testing::Answer {
    shop.owner_call("POST", ENDPOINTS).json(&body).send().await
}

/// States an event, as the consumer hears it.
pub async fn state(shop: &TestShop, kind: &'static str) -> EventId {
    let event = Event {
        id: EventId::new(),
        store: shop.store.id,
        aggregate_type: "order".to_owned(),
        aggregate_id: Uuid::now_v7(),
        sequence: 1,
        kind: kind.to_owned(),
        version: 1,
        occurred_at: shop.clock.now(),
        payload: json!({ "name": "#1001" }),
        traceparent: None,
    };
    let id = event.id;
    let worker = shop.gate.worker(shop.store.id, "webhooks", "test").unwrap();
    let plan = async move |tx: &mut WriteTx<'_>| actions::plan(tx, &event).await;
    worker.write("test", plan).await.unwrap();
    id
}

#[actix_web::test]
async fn an_endpoint_is_made_seen_changed_and_removed() {
    let shop = TestShop::open(None).await;
    let whole = shop.digest().await;
    for (body, pointer) in [
        (json!({ "url": "http://erp.example.com/" }), "/url"),
        (json!({ "url": "https://169.254.169.254/latest" }), "/url"),
        (json!({ "url": "https://10.0.0.1/" }), "/url"),
        (json!({ "url": "https://[::1]/" }), "/url"),
        (json!({ "url": "https://localhost/" }), "/url"),
        (json!({ "url": "https://u:p@erp.example.com/" }), "/url"),
        (json!({ "url": "https://erp.example.com/", "types": ["order.eaten"] }), "/types"),
        (json!({ "url": "https://erp.example.com/", "ordering": "random" }), "/ordering"),
    ] {
        create(&shop, body).await.refused(422, "validation_failed").about(pointer);
    }
    let own = json!({ "url": "https://erp.example.com/", "secret": "mine" });
    create(&shop, own).await.refused(422, "unknown_field").about("/secret");
    shop.call("POST", ENDPOINTS)
        .json(&json!({ "url": "https://erp.example.com/" }))
        .send()
        .await
        .refused(401, "unauthenticated");
    assert_eq!(shop.digest().await, whole);
    let made = create(
        &shop,
        json!({ "url": "https://erp.example.com/a", "types": ["order.placed"], "ordering": "aggregate" }),
    )
    .await
    .expect(201);
    let (id, secret) = (made.text("/id"), made.text("/secret"));
    assert!(secret.starts_with("whsec_"));
    let path = format!("{ENDPOINTS}/{id}");
    let seen = shop.owner_call("GET", &path).send().await.expect(200);
    assert_eq!(seen.json["secret"], Value::Null, "shown once");
    assert_eq!(
        (seen.json["ordering"].clone(), seen.json["state"].clone()),
        (json!("aggregate"), json!("enabled"))
    );
    assert_eq!(shop.owner_call("GET", ENDPOINTS).send().await.expect(200).data().len(), 1);
    let edit = json!({ "description": "the ERP", "types": [], "ordering": "none", "enabled": false });
    let edited = shop.owner_call("PATCH", &path).json(&edit).send().await.expect(200);
    assert_eq!(
        (edited.json["state"].clone(), edited.json["disabled_reason"].clone()),
        (json!("disabled"), json!("by hand"))
    );
    shop.owner_call("PATCH", &path)
        .json(&json!({ "url": "https://127.0.0.1/" }))
        .send()
        .await
        .refused(422, "validation_failed")
        .about("/url");
    shop.owner_call("POST", &format!("{path}/test")).send().await.refused(409, "webhook_endpoint_disabled");
    let all = json!({ "from": "2026-01-01T00:00:00Z" });
    shop.owner_call("POST", &format!("{path}/resend"))
        .json(&all)
        .send()
        .await
        .refused(409, "webhook_endpoint_disabled");
    shop.owner_call("PATCH", &path).json(&json!({ "enabled": true })).send().await.expect(200);
    let rotated = shop.owner_call("POST", &format!("{path}/rotate-secret")).send().await.expect(200);
    assert_ne!(rotated.text("/secret"), secret);
    let until = chrono::DateTime::parse_from_rfc3339(&rotated.text("/old_secret_until")).unwrap();
    assert_eq!((until.to_utc() - shop.clock.now()).num_hours(), 24, "both sign for a day");
    shop.owner_call("DELETE", &path).send().await.expect(204);
    for method in ["GET", "DELETE"] {
        shop.owner_call(method, &path).send().await.refused(404, "not_found");
    }
    for sub in ["rotate-secret", "test"] {
        shop.owner_call("POST", &format!("{path}/{sub}")).send().await.refused(404, "not_found");
    }
    shop.owner_call("POST", &format!("{path}/resend")).json(&all).send().await.refused(404, "not_found");
    shop.owner_call("GET", &format!("{path}/deliveries")).send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn fifty_endpoints_and_no_more() {
    let shop = TestShop::open(None).await;
    for number in 0..50 {
        create(&shop, json!({ "url": format!("https://erp.example.com/{number}") })).await.expect(201);
    }
    let whole = shop.digest().await;
    create(&shop, json!({ "url": "https://erp.example.com/51" }))
        .await
        .refused(409, "too_many_webhook_endpoints");
    assert_eq!(shop.digest().await, whole);
}

#[actix_web::test]
async fn deliveries_are_listed_shown_tested_and_told_again() {
    let shop = TestShop::open(None).await;
    let made = create(&shop, json!({ "url": "https://erp.example.com/a", "types": ["order.placed"] }))
        .await
        .expect(201);
    let id = made.text("/id");
    let path = format!("{ENDPOINTS}/{id}");
    let event = state(&shop, "order.placed").await;
    state(&shop, "order.paid").await;
    let list = shop.owner_call("GET", &format!("{path}/deliveries")).send().await.expect(200);
    assert_eq!(list.data().len(), 1, "only what it wants");
    let delivery = list.text("/data/0/id");
    let shown = shop.owner_call("GET", &format!("{DELIVERIES}/{delivery}")).send().await.expect(200);
    assert_eq!((shown.text("/event_id"), shown.text("/state")), (event.to_string(), "pending".to_owned()));
    let body: Value = serde_json::from_str(&shown.text("/request_body")).unwrap();
    assert_eq!((&body["type"], &body["data"]["name"]), (&json!("order.placed"), &json!("#1001")));
    assert_eq!(shown.json["log"], json!([]));
    // What is still to be told is not told twice.
    let again = shop.owner_call("POST", &format!("{DELIVERIES}/{delivery}/resend")).send().await.expect(202);
    assert_eq!(again.json["deliveries"], 0);
    shop.admin(
        "UPDATE {s}.webhook_deliveries SET state = 'failed', next_attempt_at = NULL, finished_at = now()",
    )
    .await;
    let failed = shop.owner_call("GET", &format!("{path}/deliveries?state=failed")).send().await.expect(200);
    assert_eq!(failed.data().len(), 1);
    let again = shop.owner_call("POST", &format!("{DELIVERIES}/{delivery}/resend")).send().await.expect(202);
    assert_eq!(again.json["deliveries"], 1);
    let rounds =
        shop.words("SELECT round || '/' || state AS word FROM webhook_deliveries ORDER BY round").await;
    assert_eq!(rounds, "0/failed 1/pending");
    shop.admin(
        "UPDATE {s}.webhook_deliveries SET state = 'delivered', next_attempt_at = NULL, finished_at = now()",
    )
    .await;
    let resend =
        async |wish: Value| shop.owner_call("POST", &format!("{path}/resend")).json(&wish).send().await;
    resend(json!({})).await.refused(422, "validation_failed").about("/from");
    assert_eq!(
        resend(json!({ "from": "2020-01-01T00:00:00Z", "only_failed": true })).await.expect(202).json["deliveries"],
        0
    );
    assert_eq!(resend(json!({ "from": "2999-01-01T00:00:00Z" })).await.expect(202).json["deliveries"], 0);
    assert_eq!(resend(json!({ "event": event })).await.expect(202).json["deliveries"], 1);
    let test = shop.owner_call("POST", &format!("{path}/test")).send().await.expect(202);
    assert_eq!(test.json["type"], "webhook_endpoint.test");
    let stranger = TestShop::open(None).await;
    stranger.owner_call("GET", &format!("{DELIVERIES}/{delivery}")).send().await.refused(404, "not_found");
    stranger
        .owner_call("POST", &format!("{DELIVERIES}/{delivery}/resend"))
        .send()
        .await
        .refused(404, "not_found");
    stranger.owner_call("GET", &format!("{path}/deliveries")).send().await.refused(404, "not_found");
    stranger
        .owner_call("PATCH", &path)
        .json(&json!({ "enabled": false }))
        .send()
        .await
        .refused(404, "not_found");
    assert_eq!(shop.words("SELECT state AS word FROM webhook_endpoints").await, "enabled");
}
