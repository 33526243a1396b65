//! Sales channels over HTTP: what a key sees, and when.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::channels;
use crate::testing::{Answer, TestShop};

const PATH: &str = "/admin/v1/channels";

async fn owner(shop: &TestShop, method: &str, path: &str, body: Option<Value>) -> Answer {
    let call = shop.owner_call(method, path).keyed();
    match body {
        Some(body) => call.json(&body).send().await,
        None => call.send().await,
    }
}

/// A channel and a key that sees it.
async fn channel(shop: &TestShop, name: &str) -> (String, String) {
    let channel = owner(shop, "POST", PATH, Some(json!({ "name": name }))).await.expect(201).text("/id");
    let wish = json!({ "name": name, "kind": "publishable", "channel": channel });
    let key = owner(shop, "POST", "/admin/v1/api-keys", Some(wish)).await.expect(201);
    assert_eq!(key.json["channel"], json!(channel));
    (channel, key.text("/secret"))
}

async fn product(shop: &TestShop, title: &str) -> String {
    let price = json!({ "amount_minor": 100, "currency": "EUR" });
    let body = json!({ "title": title, "price": price, "stock": 3, "vendor": "Souk" });
    owner(shop, "POST", "/admin/v1/products", Some(body)).await.expect(201).text("/id")
}

async fn asked(shop: &TestShop, key: Option<&str>, path: &str) -> Answer {
    let call = shop.call("GET", &format!("/store/v1/{path}"));
    match key {
        Some(key) => call.header("x-souk-publishable-key", key).send().await,
        None => call.send().await,
    }
}

async fn seen(shop: &TestShop, key: Option<&str>, path: &str) -> Vec<String> {
    let page = asked(shop, key, path).await.expect(200);
    page.data().iter().map(|product| product["title"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn a_key_sees_what_is_published_on_its_channel() {
    let shop = TestShop::open(None).await;
    let (mug, _) = (product(&shop, "Mug").await, product(&shop, "Print").await);
    let (stall, key) = channel(&shop, "Stall").await;
    let collection = json!({ "title": "All" });
    let collection =
        owner(&shop, "POST", "/admin/v1/collections", Some(collection)).await.expect(201).text("/id");
    let path = format!("/admin/v1/collections/{collection}/products/{mug}");
    owner(&shop, "PUT", &path, None).await.expect(204);
    // What there is, is on the default channel and on no other.
    assert_eq!(seen(&shop, None, "products?sort=title").await, ["Mug", "Print"]);
    assert_eq!(seen(&shop, Some(&key), "products?sort=title").await, Vec::<String>::new());
    asked(&shop, Some(&key), "products/mug").await.refused(404, "not_found");
    asked(&shop, Some(&key), "products/mug/availability").await.refused(404, "not_found");
    let place = format!("/admin/v1/products/{mug}/publications");
    let put = owner(&shop, "PUT", &format!("{place}/{stall}"), Some(json!({}))).await.expect(200);
    assert_eq!((&put.json["published"], &put.json["channel_name"]), (&json!(true), &json!("Stall")));
    for (path, cost) in [("products", (2, 1)), ("search?q=mug", (1, 1))] {
        let page = asked(&shop, Some(&key), path).await.expect(200);
        assert_eq!((page.data()[0]["title"].as_str(), page.cost), (Some("Mug"), cost), "{path}");
    }
    assert_eq!(asked(&shop, Some(&key), "search").await.json["total"], 1);
    assert_eq!(asked(&shop, None, "search").await.json["total"], 2);
    assert_eq!(asked(&shop, Some(&key), "collections/all").await.json["product_count"], 1);
    asked(&shop, Some(&key), "products/mug").await.expect(200);
    // Off the default channel, it is only there.
    let all = shop.owner_call("GET", &place).send().await.expect(200);
    assert_eq!((&all.data()[0]["channel_name"], all.data().len()), (&json!("Online store"), 2));
    let default = format!("{place}/{}", all.data()[0]["channel"].as_str().unwrap());
    owner(&shop, "DELETE", &default, None).await.expect(204);
    assert_eq!(seen(&shop, None, "products?sort=title").await, ["Print"]);
    asked(&shop, None, "products/mug").await.refused(404, "not_found");
    assert_eq!(asked(&shop, None, "collections/all").await.json["product_count"], 0);
    assert_eq!(seen(&shop, Some(&key), "products").await, ["Mug"]);
    // Staff see all of it, whatever is published where.
    let staff = shop.owner_call("GET", "/admin/v1/products").send().await.expect(200);
    assert_eq!(staff.data().len(), 2);
    // What is published nowhere is put into no cart.
    let variant =
        shop.owner_call("GET", &format!("/admin/v1/products/{mug}")).send().await.text("/variants/0/id");
    let cart = json!({ "lines": [{ "variant": variant, "quantity": 1 }] });
    shop.call("POST", "/store/v1/carts").json(&cart).send().await.expect(201);
    owner(&shop, "DELETE", &format!("{place}/{stall}"), None).await.expect(204);
    shop.call("POST", "/store/v1/carts").json(&cart).send().await.refused(422, "validation_failed");
    let told = shop.told().await;
    assert_eq!(told.iter().filter(|kind| *kind == "product.updated").count(), 3);
}

#[actix_web::test]
async fn pages_in_memory_are_kept_apart_by_channel() {
    let shop = TestShop::open(None).await.keeping_pages();
    let mug = product(&shop, "Mug").await;
    let (stall, key) = channel(&shop, "Stall").await;
    for _ in 0..2 {
        assert_eq!(seen(&shop, None, "products").await, ["Mug"]);
        assert_eq!(seen(&shop, Some(&key), "products").await, Vec::<String>::new());
    }
    let path = format!("/admin/v1/products/{mug}/publications/{stall}");
    owner(&shop, "PUT", &path, Some(json!({}))).await.expect(200);
    for _ in 0..2 {
        assert_eq!(seen(&shop, Some(&key), "products").await, ["Mug"]);
    }
}

#[actix_web::test]
async fn a_product_comes_and_goes_at_its_times() {
    let shop = TestShop::open(None).await;
    let mug = product(&shop, "Mug").await;
    let (stall, key) = channel(&shop, "Stall").await;
    let path = format!("/admin/v1/products/{mug}/publications/{stall}");
    let now = shop.clock.now();
    let (from, until) = (now + TimeDelta::hours(1), now + TimeDelta::hours(3));
    let wish = json!({ "publish_at": from, "unpublish_at": until });
    assert_eq!(owner(&shop, "PUT", &path, Some(wish)).await.expect(200).json["published"], false);
    let worker = shop.gate.worker(shop.store.id, "test", "publications").unwrap();
    let after = async |hours: u64| {
        shop.clock.advance(Duration::from_secs(hours * 3600));
        channels::publish_due(&worker).await.unwrap();
        seen(&shop, Some(&key), "products").await.len()
    };
    assert_eq!([after(0).await, after(1).await, after(1).await, after(1).await], [0, 1, 1, 0]);
    let told = shop.told().await;
    assert_eq!(told.iter().filter(|kind| *kind == "product.updated").count(), 3, "planned, come, gone");
    let before = shop.digest().await;
    assert!(!channels::publish_due(&worker).await.unwrap());
    assert_eq!(shop.digest().await, before, "once");
    // Both over before anybody looked: it is not there.
    let now = shop.clock.now();
    let wish = json!({ "publish_at": now + TimeDelta::hours(1), "unpublish_at": now + TimeDelta::hours(2) });
    owner(&shop, "PUT", &path, Some(wish)).await.expect(200);
    assert_eq!(after(5).await, 0);
    for (pointer, body) in [
        ("/publish_at", json!({ "publish_at": "2001-01-01T00:00:00Z" })),
        ("/unpublish_at", json!({ "unpublish_at": "2001-01-01T00:00:00Z" })),
    ] {
        owner(&shop, "PUT", &path, Some(body)).await.refused(422, "validation_failed").about(pointer);
    }
}

#[actix_web::test]
async fn new_products_go_where_channels_say_and_channels_with_keys_stay() {
    let shop = TestShop::open(None).await;
    let (stall, key) = channel(&shop, "Stall").await;
    let path = format!("{PATH}/{stall}");
    let edit =
        shop.owner_call("PATCH", &path).header("if-match", "\"1\"").json(&json!({ "publishes_new": true }));
    assert_eq!(edit.send().await.expect(200).header("etag"), "\"2\"");
    product(&shop, "Mug").await;
    assert_eq!(seen(&shop, Some(&key), "products").await, ["Mug"]);
    let before = shop.digest().await;
    let late = shop.owner_call("PATCH", &path).header("if-match", "\"1\"").json(&json!({ "name": "x" }));
    late.send().await.refused(412, "precondition_failed");
    owner(&shop, "POST", PATH, Some(json!({ "name": "Stall" }))).await.refused(409, "conflict");
    shop.owner_call("DELETE", &path).send().await.refused(409, "channel_in_use");
    let all = shop.owner_call("GET", PATH).send().await.expect(200);
    assert_eq!((&all.data()[0]["is_default"], &all.data()[1]["product_count"]), (&json!(true), &json!(1)));
    let default = format!("{PATH}/{}", all.data()[0]["id"].as_str().unwrap());
    shop.owner_call("DELETE", &default).send().await.refused(409, "channel_fixed");
    let lost = "chn_01h455vb4pex5vsknk084sn02q";
    let wish =
        |kind: &str, channel: &str| json!({ "name": "x", "kind": kind, "channel": channel, "scopes": [] });
    let keys = "/admin/v1/api-keys";
    for (kind, channel) in [("publishable", lost), ("secret", stall.as_str())] {
        let wish = Some(wish(kind, channel));
        owner(&shop, "POST", keys, wish).await.refused(422, "validation_failed").about("/channel");
    }
    let nowhere = "/admin/v1/products/prd_01h455vb4pex5vsknk084sn02q/publications";
    shop.owner_call("GET", nowhere).send().await.refused(404, "not_found");
    owner(&shop, "PUT", &format!("{nowhere}/{stall}"), Some(json!({}))).await.refused(404, "not_found");
    assert_eq!(shop.digest().await, before);
    // Without its key it goes.
    let listed = shop.owner_call("GET", keys).send().await.expect(200);
    let theirs = listed.data().iter().find(|key| key["channel"] == json!(stall)).unwrap();
    let revoke = format!("{keys}/{}", theirs["id"].as_str().unwrap());
    shop.owner_call("DELETE", &revoke).send().await.expect(204);
    shop.owner_call("DELETE", &path).send().await.expect(204);
    shop.owner_call("DELETE", &path).send().await.refused(404, "not_found");
}
