//! Stock over HTTP, and against a model of it.

mod adjusting;
mod buckets;
mod counting;
mod model_based;
mod places;
mod several_places;
mod transfers;

use serde_json::{Value, json};

use crate::testing::shop::key;
use crate::testing::{Answer, TestShop};

/// A product made by the API; gives its variant and its item.
async fn mug(shop: &TestShop, stock: i64) -> (String, String) {
    let body = json!({ "title": "Enamel mug", "price": { "amount_minor": 100, "currency": "EUR" }, "stock": stock, "sku": key() });
    let made = shop.owner_call("POST", "/admin/v1/products").json(&body).send().await.expect(201);
    (made.text("/variants/0/id"), made.text("/variants/0/inventory_item"))
}

/// The location that every store begins with.
async fn first_place(shop: &TestShop) -> String {
    shop.owner_call("GET", "/admin/v1/locations").send().await.expect(200).text("/data/0/id")
}

/// One more location, which serves after the first.
async fn second_place(shop: &TestShop) -> String {
    let body = json!({ "name": "Warehouse East", "country": "DE", "priority": 10, "pickup": true });
    posts(shop, "/admin/v1/locations", &body).await.expect(201).text("/id")
}

async fn posts(shop: &TestShop, path: &str, body: &Value) -> Answer {
    shop.owner_call("POST", path).keyed().json(body).send().await
}

/// Puts so many pieces of an item there.
async fn puts(shop: &TestShop, item: &str, place: &str, pieces: i64) {
    let body = json!({ "item": item, "location": place, "set": pieces, "reason": "counted" });
    posts(shop, "/admin/v1/inventory-levels:adjust", &body).await.expect(200);
}

/// The terms of an item.
async fn terms(shop: &TestShop, item: &str, body: &Value) -> Answer {
    let path = format!("/admin/v1/inventory-items/{item}");
    shop.owner_call("PUT", &path).header("if-match", "*").json(body).send().await
}

/// on hand/committed/reserved/incoming of an item at a location, as people see it.
async fn seen(shop: &TestShop, item: &str, place: &str) -> String {
    let path = format!("/admin/v1/inventory-levels?item={item}&location={place}");
    let page = shop.owner_call("GET", &path).send().await.expect(200);
    let number = |level: &Value, name: &str| level[name].as_i64().unwrap();
    let word = |level: &Value| {
        let part = |name| number(level, name);
        format!("{}/{}/{}/{}", part("on_hand"), part("committed"), part("reserved"), part("incoming"))
    };
    page.data().iter().map(word).collect::<Vec<_>>().join(" ")
}
