//! Goods: 1,000 products of three variants through the API; copies of them in other stores in bulk, by SQL.

use std::net::SocketAddr;

use anyhow::Context as _;
use futures_util::future::try_join_all;
use serde_json::json;

use crate::http::{Client, Request};
use crate::platform::Shop;

/// Products of the measured store.
pub const PRODUCTS: usize = 1000;
const WORDS: [&str; 10] =
    ["Enamel", "Linen", "Walnut", "Copper", "Woollen", "Glass", "Steel", "Cotton", "Bamboo", "Ceramic"];
const THINGS: [&str; 10] =
    ["mug", "shirt", "board", "kettle", "blanket", "lamp", "bottle", "towel", "basket", "vase"];

/// Fills a store over four connections.
pub async fn fill(runtime: SocketAddr, shop: &Shop) -> anyhow::Result<()> {
    let bearer = format!("Bearer {}", shop.secret_key);
    let lanes = (0..4).map(|lane| {
        let bearer = bearer.as_str();
        async move {
            let mut client = Client::new(runtime);
            for number in (lane..PRODUCTS).step_by(4) {
                let key = format!("bench-product-{number:06}");
                let headers = [("authorization", bearer), ("idempotency-key", key.as_str())];
                let request = Request::post(&shop.host, "/admin/v1/products", &headers, &product(number));
                client.fine(&request).await.with_context(|| format!("product {number}"))?;
            }
            anyhow::Ok(())
        }
    });
    try_join_all(lanes).await?;
    Ok(())
}

fn product(number: usize) -> serde_json::Value {
    let title = format!("{} {} No. {number}", WORDS[number % 10], THINGS[(number / 10) % 10]);
    let variants: Vec<_> = ["S", "M", "L"]
        .iter()
        .enumerate()
        .map(|(at, size)| {
            json!({
                "sku": format!("SKU-{number}-{size}"),
                "options": { "Size": size },
                "price": { "amount_minor": 900 + (number as i64 % 50) * 100 + at as i64 * 150, "currency": "EUR" },
                "stock": 100_000_000_i64,
                "weight_grams": 250 + 10 * at,
            })
        })
        .collect();
    json!({
        "handle": format!("bench-{number}"),
        "title": title,
        "description_html": "<p>Made to be used every day, repaired when it breaks, and handed on when you move.</p>".repeat(3),
        "vendor": "Bench & Sons",
        "product_type": THINGS[(number / 10) % 10],
        "tags": [WORDS[number % 10].to_lowercase(), THINGS[(number / 10) % 10]],
        "status": "active",
        "options": [{ "name": "Size", "values": ["S", "M", "L"] }],
        "variants": variants,
    })
}

/// Ids of variants to buy.
pub async fn variants(admin: &tokio_postgres::Client, shop: &Shop) -> anyhow::Result<Vec<String>> {
    let text = format!("SELECT id FROM {}.product_variants ORDER BY id", shop.schema);
    let rows = admin.query(&text, &[]).await?;
    Ok(rows.iter().map(|row| souk_kernel::VariantId::from_uuid(row.get(0)).to_string()).collect())
}

/// Statistics as autovacuum would have them by and by.
pub async fn analyze(admin: &tokio_postgres::Client) -> anyhow::Result<()> {
    Ok(admin.batch_execute("VACUUM ANALYZE").await?)
}
