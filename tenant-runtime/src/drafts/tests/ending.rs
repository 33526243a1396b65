//! Draft orders that nobody paid in time, and people who are forgotten.

use std::time::Duration;

use serde_json::{Value, json};

use super::{drafted, edited, offered, opened, orders, pays, read, staff, states, two_of};
use crate::drafts::expire_due;
use crate::testing::shop::Shop;

const HOUR: Duration = Duration::from_secs(3600);

async fn clock(shop: &Shop) {
    let worker = shop.gate.worker(shop.store.id, "test", "ends drafts").unwrap();
    while expire_due(&worker).await.unwrap() {}
}

/// Two mugs, stock kept, to be paid within the hour.
async fn for_an_hour(shop: &Shop) -> Value {
    let mut wish = two_of(shop.thing(5, 1000).await);
    wish["valid_until"] = json!(shop.clock.now() + chrono::TimeDelta::hours(1));
    wish["reserve_until"] = json!(shop.clock.now() + chrono::TimeDelta::days(9));
    wish
}

#[actix_web::test]
async fn when_its_time_is_over_it_cannot_be_paid_and_its_stock_is_free() {
    let shop = Shop::open().await;
    let wish = for_an_hour(&shop).await;
    let (id, secret) = offered(&shop, wish).await;
    clock(&shop).await;
    assert_eq!((states(&shop).await.as_str(), shop.stock().await.as_str()), ("open", "5/0/2"));
    shop.clock.advance(HOUR);
    // At once, whether or not the clock has come round.
    let whole = shop.digest().await;
    assert_eq!((&read(&shop, &id).await["state"], states(&shop).await.as_str()), (&json!("expired"), "open"));
    let late = pays(&shop, (&id, &secret), 2490, "tok_ok").await.refused(409, "draft_order_state");
    assert_eq!(late.json["state"], "expired");
    edited(&shop, &id, "\"1\"", &json!({ "valid_until": null })).await.refused(409, "draft_order_state");
    assert_eq!((shop.digest().await, shop.taken().await), (whole, (0, 0)));
    clock(&shop).await;
    assert_eq!((states(&shop).await.as_str(), shop.stock().await.as_str()), ("expired", "5/0/0"));
    let ended = shop.digest().await;
    clock(&shop).await;
    assert_eq!(
        (shop.digest().await, shop.told().await),
        (ended, vec!["draft_order.created".to_owned(), "draft_order.expired".to_owned()])
    );
    assert_eq!(opened(&shop, &id, &secret).await.expect(200).json["payable"], false);
}

#[actix_web::test]
async fn more_time_is_more_time_and_whoever_pays_in_time_has_paid() {
    let shop = Shop::open().await;
    let wish = for_an_hour(&shop).await;
    let (id, secret) = offered(&shop, wish).await;
    let more = json!({ "valid_until": shop.clock.now() + chrono::TimeDelta::hours(3) });
    edited(&shop, &id, "\"1\"", &more).await.expect(200);
    shop.clock.advance(2 * HOUR);
    clock(&shop).await;
    assert_eq!(states(&shop).await, "open");
    // At the provider when the time is over: the clock waits, and what comes of it counts.
    pays(&shop, (&id, &secret), 2490, "tok_3ds").await.expect(202);
    shop.clock.advance(HOUR);
    clock(&shop).await;
    assert_eq!((states(&shop).await.as_str(), shop.stock().await.as_str()), ("open", "5/0/2"));
    assert_eq!(read(&shop, &id).await["paying"], true);
    // Nobody comes back: the attempt ends, and the draft order with it.
    shop.sweep().await;
    shop.clock.advance(HOUR);
    clock(&shop).await;
    assert_eq!(
        (states(&shop).await.as_str(), shop.stock().await.as_str(), orders(&shop).await),
        ("expired", "5/0/0", 0)
    );
    assert_eq!(shop.unexplained_levels().await, 0);
}

#[actix_web::test]
async fn staff_takes_it_back_once_and_its_stock_is_free() {
    let shop = Shop::open().await;
    let wish = for_an_hour(&shop).await;
    let (id, secret) = offered(&shop, wish).await;
    let gone = staff(&shop, &id, "cancel", None).await.expect(200);
    assert_eq!((&gone.json["state"], gone.header("etag")), (&json!("cancelled"), "\"2\""));
    assert_eq!(shop.stock().await, "5/0/0");
    let whole = shop.digest().await;
    let late = pays(&shop, (&id, &secret), 2490, "tok_ok").await.refused(409, "draft_order_state");
    assert_eq!(late.json["state"], "cancelled");
    staff(&shop, &id, "cancel", None).await.refused(409, "draft_order_state");
    shop.clock.advance(2 * HOUR);
    clock(&shop).await;
    assert_eq!(shop.digest().await, whole);
    assert_eq!(shop.told().await, ["draft_order.created", "draft_order.cancelled"]);
}

#[actix_web::test]
async fn carts_of_shoppers_end_and_merge_without_them() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let id = drafted(&shop, two_of(shop.thing(5, 1000).await)).await.text("/id");
    shop.clock.advance(61 * 24 * HOUR);
    let worker = shop.gate.worker(shop.store.id, "test", "keeps house").unwrap();
    let expire = async |tx: &mut souk_tenancy::WriteTx<'_>| {
        let before = tx.now() - chrono::TimeDelta::days(60);
        Ok::<_, souk_tenancy::TenancyError>(crate::cart::expire(tx, before, 100).await?)
    };
    assert_eq!(worker.write("test.expire", expire).await.unwrap(), 0);
    assert_eq!(read(&shop, &id).await["state"], "open");
}
