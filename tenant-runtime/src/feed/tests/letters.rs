//! Dead letters and replays, over HTTP.

use serde_json::json;
use souk_kernel::EventId;
use uuid::Uuid;

use crate::testing::TestShop;

/// A dead letter of the shop's, as the bus leaves one.
async fn dead(shop: &TestShop, consumer: &str) -> EventId {
    let id = EventId::new();
    let text = format!(
        "INSERT INTO platform.undelivered (consumer, event_id, store_id, aggregate_type, aggregate_id, sequence, type, version, payload, \
             occurred_at, attempts, last_error, dead_at) \
         VALUES ('{consumer}', '{}', '{}', 'order', '{}', 1, 'order.placed', 1, '{{\"name\": \"#1001\"}}', now(), 12, 'the template is gone', now())",
        id.uuid(),
        shop.store.id.uuid(),
        Uuid::now_v7()
    );
    shop.admin(&text).await;
    id
}

async fn ids(shop: &TestShop, filter: &str) -> Vec<i64> {
    let page = shop.owner_call("GET", &format!("/admin/v1/dead-letters{filter}")).send().await.expect(200);
    page.data().iter().map(|letter| letter["id"].as_i64().unwrap()).collect()
}

#[actix_web::test]
async fn dead_letters_are_seen_tried_again_and_given_up_with_a_reason() {
    let (shop, other) = (TestShop::open(None).await, TestShop::open(None).await);
    for consumer in ["order_mail", "order_mail", "webhooks"] {
        dead(&shop, consumer).await;
    }
    let event = dead(&shop, "order_mail").await;
    dead(&other, "order_mail").await;
    let all = ids(&shop, "").await;
    assert_eq!(all.len(), 4);
    assert!(all.is_sorted_by(|a, b| a > b), "newest first: {all:?}");
    assert_eq!(ids(&shop, "?consumer=webhooks").await.len(), 1);
    assert_eq!(ids(&shop, "?limit=1").await, all[..1]);
    let one = shop.owner_call("GET", &format!("/admin/v1/dead-letters/{}", all[0])).send().await.expect(200);
    assert_eq!(
        (one.text("/event_id"), one.text("/last_error")),
        (event.to_string(), "the template is gone".to_owned())
    );
    assert_eq!(
        (one.json["attempts"].clone(), one.json["data"].clone()),
        (json!(12), json!({ "name": "#1001" }))
    );
    let standings = shop.owner_call("GET", "/admin/v1/event-consumers").send().await.expect(200);
    let of =
        |name: &str| standings.data().iter().find(|row| row["consumer"] == name).unwrap()["dead"].clone();
    assert_eq!(
        (of("order_mail"), of("webhooks"), of("customer_mail"), of("notice_mail")),
        (json!(3), json!(1), json!(0), json!(0))
    );

    // Nobody else's can be seen or touched.
    let theirs = ids(&other, "").await[0];
    let (get, retry, discard) = (format!("/admin/v1/dead-letters/{theirs}"), "retry", "discard");
    shop.owner_call("GET", &get).send().await.refused(404, "not_found");
    shop.owner_call("POST", &format!("{get}/{retry}")).send().await.refused(404, "not_found");
    let why = json!({ "reason": "told by telephone" });
    shop.owner_call("POST", &format!("{get}/{discard}")).json(&why).send().await.refused(404, "not_found");
    shop.owner_call("GET", "/admin/v1/dead-letters/0").send().await.refused(404, "not_found");
    assert_eq!(ids(&other, "").await, [theirs]);

    shop.owner_call("POST", &format!("/admin/v1/dead-letters/{}/discard", all[0]))
        .json(&json!({}))
        .send()
        .await
        .refused(422, "validation_failed");
    shop.owner_call("POST", &format!("/admin/v1/dead-letters/{}/discard", all[0]))
        .json(&why)
        .send()
        .await
        .expect(204);
    shop.owner_call("POST", &format!("/admin/v1/dead-letters/{}/discard", all[0]))
        .json(&why)
        .send()
        .await
        .refused(404, "not_found");
    let log = shop.words("SELECT action || ' ' || (details ->> 'because') AS word FROM audit_entries WHERE action LIKE 'dead%'").await;
    assert_eq!(log, "dead_letter.discarded told by telephone");

    shop.owner_call("POST", &format!("/admin/v1/dead-letters/{}/retry", all[1])).send().await.expect(202);
    shop.owner_call("POST", &format!("/admin/v1/dead-letters/{}/retry", all[1]))
        .send()
        .await
        .refused(404, "not_found");
    let retry = async |consumer: &str| {
        shop.owner_call("POST", "/admin/v1/dead-letters/retry")
            .json(&json!({ "consumer": consumer }))
            .send()
            .await
    };
    retry("nobody").await.refused(422, "validation_failed").about("/consumer");
    let left = ids(&shop, "?consumer=order_mail").await.len() as i64;
    assert_eq!(retry("order_mail").await.expect(202).json["events"], left);
    assert_eq!(retry("order_mail").await.expect(202).json["events"], 0);
    assert!(ids(&shop, "?consumer=order_mail").await.is_empty());
    let standings = shop.owner_call("GET", "/admin/v1/event-consumers").send().await.expect(200);
    let row = standings.data().iter().find(|row| row["consumer"] == "order_mail").unwrap();
    assert_eq!((row["dead"].clone(), row["waiting"].clone()), (json!(0), json!(left)));
    assert!(row["oldest_at"].is_string());
    assert_eq!(ids(&other, "").await, [theirs], "another store's life is its own");
}

#[actix_web::test]
async fn whoever_has_not_read_the_broker_to_its_end_is_said_to() {
    let shop = TestShop::open(None).await;
    let consumers = async || {
        let page = shop.owner_call("GET", "/admin/v1/event-consumers").send().await.expect(200);
        let row = |row: &serde_json::Value| {
            (row["consumer"].clone(), row["waiting"].clone(), row["unread_since"].clone())
        };
        page.data().iter().map(row).collect::<Vec<_>>()
    };
    let of = |all: &[(serde_json::Value, serde_json::Value, serde_json::Value)], name: &str| {
        all.iter().find(|row| row.0 == name).unwrap().clone()
    };
    shop.admin(
        "INSERT INTO platform.consumer_readings (consumer, unread, oldest_at, measured_at) VALUES \
             ('customer_mail', 2, '2026-01-01T10:00:00Z', '2026-01-01T12:00:00Z'), \
             ('notice_mail', 1, NULL, '2026-01-01T12:00:00Z'), ('webhooks', 0, NULL, '2026-01-01T12:00:00Z') \
         ON CONFLICT (consumer) DO NOTHING",
    )
    .await;
    let all = consumers().await;
    let said = |name: &str, since: serde_json::Value| (json!(name), json!(0), since);
    assert_eq!(of(&all, "customer_mail"), said("customer_mail", json!("2026-01-01T10:00:00Z")));
    // What could not be looked at in time is no older than the question.
    assert_eq!(of(&all, "notice_mail"), said("notice_mail", json!("2026-01-01T12:00:00Z")));
    assert_eq!(of(&all, "webhooks"), said("webhooks", json!(null)));
    assert_eq!(of(&all, "order_mail"), said("order_mail", json!(null)), "nobody asked about it");
}

#[actix_web::test]
async fn a_consumer_hears_one_event_or_a_time_again_once_for_each_name() {
    let shop = TestShop::open(None).await;
    for number in 1..=3 {
        let text = format!(
            "INSERT INTO platform.outbox (event_id, store_id, aggregate_type, aggregate_id, sequence, type, version, payload, published_at, occurred_at) \
             VALUES (gen_random_uuid(), '{}', 'order', gen_random_uuid(), 1, '{}', 1, '{{}}', now(), '2026-01-0{number}T12:00:00Z')",
            shop.store.id.uuid(),
            if number == 3 { "order.paid" } else { "order.placed" },
        );
        shop.admin(&text).await;
    }
    let replay = async |wish: serde_json::Value| {
        shop.owner_call("POST", "/admin/v1/event-replays").json(&wish).send().await
    };
    replay(json!({ "consumer": "webhooks", "name": "a" }))
        .await
        .refused(422, "validation_failed")
        .about("/from");
    replay(json!({ "consumer": "nobody", "name": "a", "from": "2026-01-01T00:00:00Z" }))
        .await
        .refused(422, "validation_failed");
    let whole = json!({ "consumer": "webhooks", "name": "a", "from": "2026-01-01T00:00:00Z" });
    assert_eq!(replay(whole.clone()).await.expect(202).json["events"], 3);
    assert_eq!(replay(whole).await.expect(202).json["events"], 0, "the same name adds nothing");
    let part = json!({ "consumer": "webhooks", "name": "b", "from": "2026-01-02T00:00:00Z", "until": "2026-01-03T00:00:00Z" });
    assert_eq!(replay(part).await.expect(202).json["events"], 1);
    let kind = json!({ "consumer": "webhooks", "name": "c", "from": "2026-01-01T00:00:00Z", "types": ["order.paid"] });
    assert_eq!(replay(kind).await.expect(202).json["events"], 1);
    let one = json!({ "consumer": "webhooks", "name": "d", "event": EventId::new() });
    replay(one).await.refused(422, "validation_failed").about("/event");
    let known = EventId::new();
    let text = format!(
        "INSERT INTO platform.outbox (event_id, store_id, aggregate_type, aggregate_id, sequence, type, version, payload, published_at) \
         VALUES ('{}', '{}', 'order', gen_random_uuid(), 1, 'order.placed', 1, '{{}}', now())",
        known.uuid(),
        shop.store.id.uuid()
    );
    shop.admin(&text).await;
    let one = json!({ "consumer": "webhooks", "name": "d", "event": known });
    assert_eq!(replay(one.clone()).await.expect(202).json["events"], 1);
    assert_eq!(replay(one).await.expect(202).json["events"], 0, "it waits under this name already");
    let standings = shop.owner_call("GET", "/admin/v1/event-consumers").send().await.expect(200);
    let row = standings.data().iter().find(|row| row["consumer"] == "webhooks").unwrap();
    assert_eq!(row["waiting"], 6, "three, one, one and one");
}
