//! What an endpoint was told before, what it was never told, and who is told that it is told nothing any more.

use std::time::Duration;

use serde_json::{Value, json};
use souk_event_bus::{Consumer as _, Fact as _};
use souk_tenancy::WriteTx;
use uuid::Uuid;

use super::Stage;
use super::http::{ENDPOINTS, create, state};
use crate::customers::tests::people::outbox_after;
use crate::messages::OrderMail;
use crate::testing::TestShop;
use crate::webhooks::error::WebhookError;
use crate::webhooks::model::Ordering;
use crate::webhooks::{WebhookDisabled, actions};

async fn endpoint(shop: &TestShop, kind: &str) -> String {
    let wish = json!({ "url": "https://erp.example.com/a", "types": [kind] });
    create(shop, wish).await.expect(201).text("/id")
}

/// How many deliveries a wish comes to.
async fn resends(shop: &TestShop, id: &str, wish: Value) -> i64 {
    let call = shop.owner_call("POST", &format!("{ENDPOINTS}/{id}/resend"));
    call.json(&wish).send().await.expect(202).json["deliveries"].as_i64().unwrap()
}

const DELIVERED: &str =
    "UPDATE {s}.webhook_deliveries SET state = 'delivered', next_attempt_at = NULL, finished_at = now()";

#[actix_web::test]
async fn a_range_is_told_again_up_to_its_end() {
    let shop = TestShop::open(None).await;
    let id = endpoint(&shop, "order.placed").await;
    let from = shop.clock.now();
    let early = state(&shop, "order.placed").await;
    shop.clock.advance(Duration::from_secs(3600));
    let until = shop.clock.now();
    let late = state(&shop, "order.placed").await;
    shop.admin(DELIVERED).await;
    assert_eq!(resends(&shop, &id, json!({ "from": from, "until": from })).await, 0);
    assert_eq!(resends(&shop, &id, json!({ "from": from, "until": until })).await, 1);
    let told = "SELECT event_id || '/' || round AS word FROM webhook_deliveries WHERE round = 1";
    assert_eq!(shop.words(told).await, format!("{}/1", early.uuid()));
    assert_eq!(resends(&shop, &id, json!({ "from": until })).await, 1);
    shop.admin(DELIVERED).await;
    assert_eq!(resends(&shop, &id, json!({ "from": from, "until": "2999-01-01T00:00:00Z" })).await, 2);
    let rounds = "SELECT round::text AS word FROM webhook_deliveries ORDER BY event_id, round";
    assert_eq!(shop.words(rounds).await, "0 1 2 0 1 2");
    assert_ne!(early, late);
}

#[actix_web::test]
async fn what_was_stated_while_it_was_disabled_is_told_when_asked_for() {
    let shop = TestShop::open(None).await;
    let from = shop.clock.now();
    let id = endpoint(&shop, "product.created").await;
    let path = format!("{ENDPOINTS}/{id}");
    let enable = async |enabled: bool| {
        shop.owner_call("PATCH", &path).json(&json!({ "enabled": enabled })).send().await.expect(200);
    };
    enable(false).await;
    let mug =
        json!({ "title": "Enamel mug", "price": { "amount_minor": 1000, "currency": "EUR" }, "stock": 3 });
    shop.owner_call("POST", "/admin/v1/products").json(&mug).send().await.expect(201);
    enable(true).await;
    assert_eq!(shop.number("SELECT count(*) AS number FROM webhook_deliveries").await, 0);
    let (_, event) =
        outbox_after(&shop, 0).await.into_iter().find(|(_, event)| event.kind == "product.created").unwrap();
    assert_eq!(resends(&shop, &id, json!({ "from": from, "only_failed": true })).await, 0);
    assert_eq!(
        resends(&shop, &id, json!({ "from": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z" })).await,
        0
    );
    assert_eq!(resends(&shop, &id, json!({ "from": from })).await, 1);
    let list = shop.owner_call("GET", &format!("{path}/deliveries")).send().await.expect(200);
    assert_eq!((list.data().len(), list.text("/data/0/event_id")), (1, event.id.to_string()));
    assert_eq!(
        (list.text("/data/0/state"), &list.json["data"][0]["round"]),
        ("pending".to_owned(), &json!(0))
    );
    let delivery = format!("/admin/v1/webhook-deliveries/{}", list.text("/data/0/id"));
    let shown = shop.owner_call("GET", &delivery).send().await.expect(200);
    let body: Value = serde_json::from_str(&shown.text("/request_body")).unwrap();
    assert_eq!(
        (&body["envelope"], &body["id"], &body["type"], &body["sequence"], &body["data"]),
        (&json!(1), &json!(event.id), &json!("product.created"), &json!(1), &event.payload)
    );
    // Heard in the regular way after all, or asked for again: it waits once.
    let worker = shop.gate.worker(shop.store.id, "webhooks", "test").unwrap();
    let plan = async move |tx: &mut WriteTx<'_>| actions::plan(tx, &event).await;
    worker.write("test", plan).await.unwrap();
    assert_eq!(resends(&shop, &id, json!({ "from": from })).await, 0);
    shop.admin(DELIVERED).await;
    assert_eq!(resends(&shop, &id, json!({ "from": from })).await, 1);
    let rounds = "SELECT round || '/' || state AS word FROM webhook_deliveries ORDER BY round";
    assert_eq!(shop.words(rounds).await, "0/delivered 1/pending");
    // What was stated before there was an endpoint is none of its business, nor is another store's.
    shop.clock.advance(Duration::from_secs(3600));
    let young = endpoint(&shop, "product.created").await;
    assert_eq!(resends(&shop, &young, json!({ "from": from })).await, 0);
    let stranger = TestShop::open(None).await;
    let theirs = endpoint(&stranger, "product.created").await;
    let event = list.text("/data/0/event_id");
    let resend = format!("{ENDPOINTS}/{theirs}/resend");
    let wish = json!({ "event": event });
    stranger.owner_call("POST", &resend).json(&wish).send().await.refused(404, "not_found");
    assert_eq!(resends(&shop, &young, wish).await, 0, "there is one; it is of a time before this endpoint");
}

#[actix_web::test]
async fn an_event_that_there_is_not_cannot_be_told_again() {
    let shop = TestShop::open(None).await;
    let id = endpoint(&shop, "order.placed").await;
    let told = state(&shop, "order.placed").await;
    // So that it is seen that nobody is woken either.
    shop.admin("UPDATE {s}.webhook_endpoints SET next_attempt_at = now() + interval '1 hour'").await;
    let whole = shop.digest().await;
    let path = format!("{ENDPOINTS}/{id}/resend");
    for wish in [
        json!({ "event": "evt_01h455vb4pex5vsknk084sn02q" }),
        json!({ "event": "evt_01h455vb4pex5vsknk084sn02q", "only_failed": true }),
        json!({ "event": "evt_01h455vb4pex5vsknk084sn02q", "from": "2026-01-01T00:00:00Z" }),
    ] {
        shop.owner_call("POST", &path).json(&wish).send().await.refused(404, "not_found");
        assert_eq!(shop.digest().await, whole, "{wish}");
    }
    // One that is there is found, told or not: it waits, and it did not fail.
    assert_eq!(resends(&shop, &id, json!({ "event": told })).await, 0);
    assert_eq!(resends(&shop, &id, json!({ "event": told, "only_failed": true })).await, 0);
    shop.admin(DELIVERED).await;
    assert_eq!(resends(&shop, &id, json!({ "event": told })).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stores_contact_is_mailed_that_an_endpoint_is_gone() {
    let stage = Stage::set().await;
    stage.shop.admin("UPDATE {s}.store_settings SET locale = 'en'").await;
    stage.endpoint("/gone", Ordering::None).await;
    stage.state(Uuid::now_v7(), 1).await;
    assert_eq!(stage.round().await, 1);
    let told = outbox_after(&stage.shop, 0).await;
    let (_, event) = told.iter().find(|(_, event)| event.kind == WebhookDisabled::KIND).unwrap();
    let hear = async move |tx: &mut WriteTx<'_>| {
        OrderMail.hear(tx, event).await.unwrap();
        Ok::<_, WebhookError>(())
    };
    stage.worker.write("test", hear).await.unwrap();
    let mail = "SELECT template || '|' || recipient || '|' || subject AS word FROM email_messages";
    let store = stage.shop.words("SELECT contact_email || '|' || name AS word FROM store_settings").await;
    let expected = format!("webhook_disabled|{store}: a webhook endpoint was switched off");
    assert_eq!(stage.shop.words(mail).await, expected);
    let text = stage.shop.words("SELECT body_text AS word FROM email_messages").await;
    let said = format!(
        "Nothing is sent to {}/gone any more: {}.",
        stage.receiver.url,
        event.payload["reason"].as_str().unwrap()
    );
    assert!(text.contains(&said), "{text}");
    assert!(said.contains("410"), "{said}");
}
