//! Draft orders over HTTP: put together, sent, paid, completed, run out, and everybody at once.

mod agreeing;
mod ending;
mod links;
mod paying;
mod racing;

use serde_json::{Value, json};

use crate::testing::Answer;
use crate::testing::shop::{Shop, Thing, ada, key, pay_with};

/// Two pieces of something for Ada in Berlin: 20.00 and 4.90 for delivery while a piece costs 10.00.
fn two_of(thing: Thing) -> Value {
    json!({ "lines": [{ "variant": thing.variant, "quantity": 2 }], "email": "ada@example.com", "shipping_address": ada() })
}

/// A draft order by staff.
async fn drafted(shop: &Shop, body: Value) -> Answer {
    shop.staff("POST", "/admin/v1/draft-orders", Some(body)).await.expect(201)
}

/// The same, and a link to pay it.
async fn offered(shop: &Shop, body: Value) -> (String, String) {
    let id = drafted(shop, body).await.text("/id");
    let secret = linked(shop, &id).await;
    (id, secret)
}

async fn linked(shop: &Shop, id: &str) -> String {
    let made = shop.staff("POST", &format!("/admin/v1/draft-orders/{id}/payment-link"), None).await;
    let (url, secret) = (made.text("/url"), made.text("/secret"));
    assert!(url.ends_with(&format!("/draft-orders/{id}#{secret}")), "{url}");
    made.expect(201);
    secret
}

async fn staff(shop: &Shop, id: &str, what: &str, body: Option<Value>) -> Answer {
    shop.staff("POST", &format!("/admin/v1/draft-orders/{id}/{what}"), body).await
}

async fn edited(shop: &Shop, id: &str, seen: &str, body: &Value) -> Answer {
    let path = format!("/admin/v1/draft-orders/{id}");
    shop.owner_call("PATCH", &path).header("if-match", seen).json(body).send().await
}

async fn read(shop: &Shop, id: &str) -> Value {
    shop.staff("GET", &format!("/admin/v1/draft-orders/{id}"), None).await.expect(200).json
}

/// What whoever has the link sees.
async fn opened(shop: &Shop, id: &str, secret: &str) -> Answer {
    let path = format!("/store/v1/draft-orders/{id}");
    shop.call("GET", &path).header("x-draft-order-secret", secret).send().await
}

/// Pays with a token of the test provider.
async fn pays(shop: &Shop, (id, secret): (&str, &str), total: i64, token: &str) -> Answer {
    let path = format!("/store/v1/draft-orders/{id}/checkout");
    let call = shop.call("POST", &path).header("x-draft-order-secret", secret);
    call.header("idempotency-key", &key()).json(&pay_with(total, token)).send().await
}

fn minor(value: &Value) -> i64 {
    value["amount_minor"].as_i64().unwrap_or_else(|| panic!("no amount: {value}"))
}

async fn orders(shop: &Shop) -> i64 {
    shop.number("SELECT count(*) AS number FROM orders WHERE number IS NOT NULL").await
}

async fn states(shop: &Shop) -> String {
    shop.words("SELECT state AS word FROM draft_orders ORDER BY number").await
}
