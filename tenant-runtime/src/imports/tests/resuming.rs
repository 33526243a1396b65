//! Whoever is killed loses nothing and repeats nothing.

use std::time::Duration;

use serde_json::json;

use super::super::Worked;
use super::{counts, send, shown, step, work, worker};
use crate::testing::TestShop;

const PRODUCTS: usize = 90;

/// Rows of some kilobytes, so that the file has several pieces.
fn file() -> String {
    let mut file = String::from(
        "Handle,Title,Body (HTML),Option1 Name,Option1 Value,Variant Price,Variant Inventory Qty\n",
    );
    for number in 0..PRODUCTS {
        let body = format!("<p>{}</p>", "Long \"\"words\"\",\n".repeat(300));
        file.push_str(&format!("p{number},P {number},\"{body}\",Size,S,1.00,2\np{number},,,,M,2.00,3\n"));
    }
    file
}

async fn is_whole(shop: &TestShop, id: &str) {
    let import = shown(shop, id).await;
    assert_eq!((counts(&import), import["state"].as_str()), (format!("{PRODUCTS}/0/0/0"), Some("done")));
    assert_eq!(import["rows"], json!({ "total": 2 * PRODUCTS, "done": 2 * PRODUCTS }));
    assert_eq!(shop.number("SELECT count(*) AS number FROM products").await, PRODUCTS as i64);
    assert_eq!(
        shop.number("SELECT sum(on_hand)::bigint AS number FROM inventory_levels").await,
        5 * PRODUCTS as i64
    );
    assert_eq!(shop.number("SELECT count(*) AS number FROM stock_movements").await, 2 * PRODUCTS as i64);
    assert_eq!(shop.told().await.iter().filter(|kind| *kind == "product.created").count(), PRODUCTS);
}

#[actix_web::test]
async fn another_worker_goes_on_where_one_was_killed() {
    let shop = TestShop::open(None).await;
    let id = send(&shop, "format=csv", &file()).await.expect(202).text("/id");
    assert!(shop.number("SELECT count(*) AS number FROM import_pieces").await > 1);
    // Dropped in the middle of whatever it does, again and again, with a little more time each time.
    let mut survived = 0;
    for pause in 0..60 {
        let (permit, mut reading) = (worker(&shop), None);
        let killed =
            tokio::time::timeout(Duration::from_millis(1 + pause * 3), step(&permit, &mut reading)).await;
        survived += u32::from(killed.is_ok());
    }
    let fresh = shop.another_runtime().await;
    work(&fresh).await;
    assert!(survived < 60, "nobody was killed");
    is_whole(&shop, &id).await;
}

#[actix_web::test]
async fn workers_at_the_same_time_do_no_harm() {
    let shop = TestShop::open(None).await;
    let other = shop.another_runtime().await;
    let id = send(&shop, "format=csv", &file()).await.expect(202).text("/id");
    futures_util::future::join(work(&shop), work(&other)).await;
    is_whole(&shop, &id).await;
}

#[actix_web::test]
async fn lines_go_on_at_their_mark_too() {
    let shop = TestShop::open(None).await;
    let line = |number: usize| {
        json!({ "handle": format!("p{number}"), "title": "P", "description_html": "word ".repeat(1000),
            "options": [{ "name": "Size", "values": ["S", "M"] }],
            "variants": [
                { "options": { "Size": "S" }, "price": { "amount_minor": 100, "currency": "EUR" }, "stock": 2 },
                { "options": { "Size": "M" }, "price": { "amount_minor": 200, "currency": "EUR" }, "stock": 3 },
            ] })
    };
    let file: String = (0..PRODUCTS).map(|number| format!("{}\n", line(number))).collect();
    let id = send(&shop, "format=jsonl", &file).await.expect(202).text("/id");
    // Each step by a worker that knows nothing of the one before.
    while step(&worker(&shop), &mut None).await.unwrap() == Worked::More {}
    let import = shown(&shop, &id).await;
    assert_eq!((counts(&import), &import["rows"]["done"]), (format!("{PRODUCTS}/0/0/0"), &json!(PRODUCTS)));
}
