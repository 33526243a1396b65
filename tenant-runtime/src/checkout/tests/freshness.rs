//! Shoppers' pages come from memory, and are never older than what was acknowledged.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::shop::{Shop, key, pay_with};
use crate::testing::{Answer, TestShop};

const PAGE: &str = "/store/v1/products?limit=20";

/// A shop whose pages are kept, with one thing in it.
async fn shop_with(pieces: i64, price: i64) -> (Shop, super::shop::Thing) {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let thing = shop.thing(pieces, price).await;
    let shop = Shop { inner: shop.inner.keeping_pages(), provider: shop.provider };
    warm(&shop, PAGE).await;
    (shop, thing)
}

/// Looks until the page costs nothing: what the shop's opening stirred up has settled.
async fn warm(shop: &TestShop, path: &str) {
    let end = Instant::now() + Duration::from_secs(5);
    while look(shop, path).await.cost.0 != 0 {
        assert!(Instant::now() < end, "never from memory");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn look(shop: &TestShop, path: &str) -> Answer {
    shop.call("GET", path).send().await.expect(200)
}

fn lowest(page: &Answer) -> i64 {
    page.json["data"][0]["price_from"]["amount_minor"].as_i64().unwrap()
}

async fn reprice(shop: &TestShop, variant: &str, amount: i64) {
    let body = json!({ "price": { "amount_minor": amount, "currency": "EUR" } });
    let call = shop.owner_call("PUT", &format!("/admin/v1/variants/{variant}/price")).keyed();
    call.header("if-match", "*").json(&body).send().await.expect(200);
}

#[actix_web::test]
async fn a_second_look_costs_no_statement_and_says_304_to_who_has_it() {
    let (shop, _) = shop_with(3, 1900).await;
    let page = look(&shop, PAGE).await;
    assert_eq!((page.cost, lowest(&page)), ((0, 0), 1900));
    let again = shop.call("GET", PAGE).header("if-none-match", page.header("etag")).send().await;
    assert_eq!((again.status, again.bytes.len(), again.cost), (304, 0, (0, 0)));
    assert_eq!(page.json["data"][0].get("stock"), None, "no counts in what is kept");
    let handle = page.text("/data/0/handle");
    for path in [
        format!("/store/v1/products/{handle}"),
        "/store/v1/collections".to_owned(),
        "/store/v1/search?q=mug".to_owned(),
        "/store/v1/search/suggestions?q=mu".to_owned(),
    ] {
        warm(&shop, &path).await;
    }
    assert_eq!(look(&shop, &format!("/store/v1/products/{handle}")).await.text("/handle"), handle);
}

/// Races readers of one runtime with a writer of it; whoever begins after a write was acknowledged must see it. A second runtime has a
/// second for it.
#[actix_web::test]
async fn no_read_that_begins_after_a_write_was_acknowledged_shows_what_was_before() {
    let (shop, thing) = shop_with(3, 1000).await;
    let other = shop.another_runtime().await.keeping_pages();
    let variant = thing.variant.to_string();
    let (acknowledged, over) = (AtomicI64::new(1000), AtomicBool::new(false));
    let (reads, from_memory) = (AtomicI64::new(0), AtomicI64::new(0));
    let reader = async || {
        while !over.load(Ordering::SeqCst) {
            let at_least = acknowledged.load(Ordering::SeqCst);
            let page = look(&shop, PAGE).await;
            let seen = lowest(&page);
            assert!(seen >= at_least, "saw {seen} when {at_least} was acknowledged");
            reads.fetch_add(1, Ordering::SeqCst);
            from_memory.fetch_add(i64::from(page.cost.0 == 0), Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    };
    let elsewhere = async {
        // What was acknowledged a second before a look begins; the newest last.
        let mut known: Vec<(Instant, i64)> = vec![(Instant::now(), 1000)];
        while !over.load(Ordering::SeqCst) {
            let now = Instant::now();
            let newest = acknowledged.load(Ordering::SeqCst);
            if known.last().is_some_and(|(_, last)| *last != newest) {
                known.push((now, newest));
            }
            let old = known.iter().rev().find(|(at, _)| now.duration_since(*at) >= Duration::from_secs(1));
            let seen = lowest(&look(&other, PAGE).await);
            assert!(
                old.is_none_or(|(_, amount)| seen >= *amount),
                "{seen} is older than a second: {known:?}"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let writer = async {
        for amount in 1001..1017 {
            reprice(&shop, &variant, amount).await;
            acknowledged.store(amount, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(if amount % 5 == 0 { 400 } else { 15 })).await;
        }
        over.store(true, Ordering::SeqCst);
    };
    futures_util::join!(writer, reader(), reader(), elsewhere);
    let (reads, from_memory) = (reads.into_inner(), from_memory.into_inner());
    assert!(
        from_memory > 0 && from_memory < reads,
        "{from_memory} of {reads} from memory: nothing was raced"
    );
}

#[actix_web::test]
async fn what_another_process_changes_is_seen_within_a_second_whatever_it_is() {
    let (shop, _) = shop_with(3, 1000).await;
    for (change, pointer, expected) in [
        ("UPDATE {s}.prices SET amount_minor = 1100", "/data/0/price_from/amount_minor", json!(1100)),
        ("UPDATE {s}.products SET title = 'Enamel cup'", "/data/0/title", json!("Enamel cup")),
        ("UPDATE {s}.inventory_levels SET on_hand = 0", "/data/0/available", json!(false)),
        ("UPDATE {s}.inventory_levels SET on_hand = 2", "/data/0/available", json!(true)),
        ("UPDATE {s}.locations SET active = false", "/data/0/available", json!(false)),
        ("DELETE FROM {s}.prices", "/data/0/price_from", Value::Null),
    ] {
        warm(&shop, PAGE).await;
        shop.admin(change).await;
        let changed = Instant::now();
        while look(&shop, PAGE).await.json.pointer(pointer).unwrap_or(&Value::Null) != &expected {
            assert!(changed.elapsed() < Duration::from_secs(1), "{change} was not seen");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[actix_web::test]
async fn the_last_piece_sold_shows_at_once_and_the_one_before_changes_nothing() {
    let (shop, thing) = shop_with(2, 1000).await;
    let buy = async || {
        let basket = shop.basket(thing, 1).await;
        let mut wish = pay_with(1490, "");
        wish["payment"] = json!({ "provider": "manual" });
        shop.checkout(&basket, &key(), &wish).await.expect(201)
    };
    let available = |page: &Answer| page.json["data"][0]["available"].as_bool();
    buy().await;
    // Long enough for news from the database.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let page = look(&shop, PAGE).await;
    assert_eq!((available(&page), page.cost), (Some(true), (0, 0)), "still one there");
    let order = buy().await.text("/order/id");
    assert_eq!(available(&look(&shop, PAGE).await), Some(false));
    warm(&shop, PAGE).await;
    let path = format!("/admin/v1/orders/{order}/cancel");
    let body = json!({ "reason": "customer", "restock": true });
    shop.owner_call("POST", &path).keyed().json(&body).send().await.expect(200);
    assert_eq!(available(&look(&shop, PAGE).await), Some(true), "back on sale");
}
