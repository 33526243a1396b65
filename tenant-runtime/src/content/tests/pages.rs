//! Pages: written, translated, renamed, shown at their time.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::owner;
use crate::content;
use crate::testing::{Answer, TestShop};

const PATH: &str = "/admin/v1/pages";

async fn written(shop: &TestShop, body: Value) -> Value {
    owner(shop, "POST", PATH, Some(body)).await.expect(201).json
}

async fn edited(shop: &TestShop, page: &Value, body: Value) -> Answer {
    let path = format!("{PATH}/{}", page["id"].as_str().unwrap());
    shop.owner_call("PATCH", &path).json(&body).send().await
}

async fn read(shop: &TestShop, page: &str) -> Answer {
    shop.call("GET", &format!("/store/v1/pages/{page}")).send().await
}

#[actix_web::test]
async fn a_page_is_cleaned_translated_renamed_and_deleted() {
    let shop = TestShop::open(None).await;
    let page = written(&shop, json!({
        "title": "About us", "body_html": "<p onclick=\"x()\">Three of us.</p><script>alert(1)</script>", "seo_title": "Who we are",
        "translations": [{ "locale": "de", "title": "Über uns", "body_html": "<p>Zu dritt.</p><iframe></iframe>" }],
    }))
    .await;
    assert_eq!(
        (&page["handle"], &page["status"], &page["version"]),
        (&json!("about-us"), &json!("published"), &json!(1))
    );
    assert_eq!(page["body_html"], "<p>Three of us.</p>");
    assert_eq!(page["translations"][0]["body_html"], "<p>Zu dritt.</p>");
    // The same title again gets a handle of its own.
    assert_eq!(written(&shop, json!({ "title": "About us" })).await["handle"], "about-us-2");
    let own = read(&shop, "about-us").await.expect(200);
    assert_eq!((&own.json["title"], &own.json["locale"]), (&json!("About us"), &Value::Null));
    assert_eq!((&own.json["seo_title"], own.cost), (&json!("Who we are"), (1, 1)));
    let german = read(&shop, "about-us?locale=de-CH").await.expect(200);
    assert_eq!((&german.json["title"], &german.json["locale"]), (&json!("Über uns"), &json!("de")));
    let french = read(&shop, "about-us?locale=fr").await.expect(200);
    assert_eq!((&french.json["title"], &french.json["locale"]), (&json!("About us"), &Value::Null));
    // Renamed, it answers under both names, with the new one.
    let renamed = edited(&shop, &page, json!({ "handle": "who-we-are", "seo_title": "" })).await.expect(200);
    assert_eq!((renamed.header("etag"), &renamed.json["seo_title"]), ("\"2\"", &Value::Null));
    for name in ["about-us", "who-we-are", page["id"].as_str().unwrap()] {
        assert_eq!(read(&shop, name).await.expect(200).json["handle"], "who-we-are", "{name}");
    }
    // Whoever takes the former handle has it.
    let other = written(&shop, json!({ "title": "Other", "handle": "about-us" })).await;
    assert_eq!(read(&shop, "about-us").await.expect(200).json["id"], other["id"]);
    let listed = shop.call("GET", "/store/v1/pages?limit=2").send().await.expect(200);
    assert_eq!((listed.data().len(), listed.cost), (2, (1, 1)));
    assert_eq!(listed.json["page"]["has_more"], true);
    let path = format!("{PATH}/{}", page["id"].as_str().unwrap());
    owner(&shop, "DELETE", &path, None).await.expect(204);
    owner(&shop, "DELETE", &path, None).await.refused(404, "not_found");
    read(&shop, "who-we-are").await.refused(404, "not_found");
}

#[actix_web::test]
async fn a_page_appears_when_its_time_has_come() {
    let shop = TestShop::open(None).await;
    let at = shop.clock.now() + TimeDelta::hours(2);
    let page = written(&shop, json!({ "title": "Sale", "publish_at": at })).await;
    assert_eq!(page["status"], "scheduled");
    let worker = shop.gate.worker(shop.store.id, "test", "pages").unwrap();
    assert!(!content::publish_due(&worker).await.unwrap());
    read(&shop, "sale").await.refused(404, "not_found");
    shop.clock.advance(Duration::from_secs(2 * 3600));
    content::publish_due(&worker).await.unwrap();
    let shown = read(&shop, "sale").await.expect(200);
    let since: chrono::DateTime<chrono::Utc> = shown.json["published_at"].as_str().unwrap().parse().unwrap();
    assert!((since - at).abs() < TimeDelta::milliseconds(1));
    let before = shop.digest().await;
    content::publish_due(&worker).await.unwrap();
    assert_eq!(shop.digest().await, before, "once");
    // Taken back, it is gone at once.
    edited(&shop, &page, json!({ "status": "draft" })).await.expect(200);
    read(&shop, "sale").await.refused(404, "not_found");
    let drafts = shop.owner_call("GET", &format!("{PATH}?status=draft")).send().await.expect(200);
    assert_eq!(drafts.data().len(), 1);
}

#[actix_web::test]
async fn what_cannot_be_changes_nothing() {
    let shop = TestShop::open(None).await;
    let page = written(&shop, json!({ "title": "About us" })).await;
    let other = written(&shop, json!({ "title": "Care", "status": "draft" })).await;
    read(&shop, "care").await.refused(404, "not_found");
    let before = shop.digest().await;
    let twice = json!([{ "locale": "de", "title": "a", "body_html": "" }, { "locale": "de", "title": "b", "body_html": "" }]);
    let long = "x".repeat(50_001);
    for (pointer, body) in [
        ("/publish_at", json!({ "title": "x", "publish_at": "2001-01-01T00:00:00Z" })),
        ("/publish_at", json!({ "title": "x", "status": "scheduled" })),
        ("/publish_at", json!({ "title": "x", "status": "draft", "publish_at": "2999-01-01T00:00:00Z" })),
        ("/translations/1/locale", json!({ "title": "x", "translations": twice })),
        ("/body_html", json!({ "title": "x", "body_html": long })),
        ("/title", json!({ "title": "" })),
    ] {
        owner(&shop, "POST", PATH, Some(body)).await.refused(422, "validation_failed").about(pointer);
    }
    let taken = json!({ "title": "x", "handle": "about-us" });
    owner(&shop, "POST", PATH, Some(taken)).await.refused(409, "handle_taken").about("/handle");
    edited(&shop, &other, json!({ "handle": "about-us" })).await.refused(409, "handle_taken");
    let path = format!("{PATH}/{}", page["id"].as_str().unwrap());
    let late = shop.owner_call("PATCH", &path).header("if-match", "\"7\"").json(&json!({ "title": "x" }));
    late.send().await.refused(412, "precondition_failed");
    shop.owner_call("POST", PATH)
        .json(&json!({ "title": "x" }))
        .send()
        .await
        .refused(400, "idempotency_key_missing");
    shop.call("GET", PATH).send().await.refused(401, "unauthenticated");
    assert_eq!(shop.digest().await, before);
}
