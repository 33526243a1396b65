//! From nobody to a product that can be bought.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::json;

use crate::http::{Client, Request};
use crate::platform::open_shop;

/// Signs up, opens a store, makes a product and puts it into a cart.
pub async fn until_buyable(
    control: SocketAddr,
    runtime: SocketAddr,
    handle: &str,
) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let shop = open_shop(control, handle, Duration::from_millis(10)).await?;
    let mut client = Client::new(runtime);
    let bearer = format!("Bearer {}", shop.secret_key);
    let product = json!({
        "title": "The first thing", "status": "active",
        "variants": [{ "price": { "amount_minor": 1900, "currency": "EUR" }, "stock": 10 }],
    });
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", handle)];
    let made = Request::post(&shop.host, "/admin/v1/products", &headers, &product);
    let made = client.fine(&made).await.context("a product")?.json();
    let variant = made["variants"][0]["id"].as_str().context("a variant")?;
    let cart = json!({ "lines": [{ "variant": variant, "quantity": 1 }] });
    let cart = client.fine(&Request::post(&shop.host, "/store/v1/carts", &[], &cart)).await?.json();
    if cart["lines"].as_array().is_none_or(|lines| lines.len() != 1) {
        bail!("it cannot be bought: {cart}");
    }
    Ok(began.elapsed())
}
