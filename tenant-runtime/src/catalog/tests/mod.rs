//! The catalogue over HTTP.

mod categories;
mod collections;
mod media;
mod metafields;
mod pictures;
mod prices;
mod products;
mod rules;

use serde_json::{Value, json};

use crate::testing::TestShop;

fn eur(minor: i64) -> Value {
    json!({ "amount_minor": minor, "currency": "EUR" })
}

/// A product of one variant.
async fn simple(shop: &TestShop, title: &str, price: i64) -> Value {
    let body = json!({ "title": title, "price": eur(price), "stock": 3 });
    shop.owner_call("POST", "/admin/v1/products").json(&body).send().await.expect(201).json
}
