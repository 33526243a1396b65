//! Attempts to pay that end without anybody having said so: what they held is free, and money that comes later goes back.

use std::time::Duration;

use serde_json::{Value, json};

use super::shop::{Basket, Shop, key};
use super::stripe::{Till, ask, both};
use crate::testing::Answer;

/// Goes to Stripe's page with 9.90 of 14.90; a gift card pays the rest.
async fn goes_to_the_page(shop: &Shop, basket: &Basket) -> Answer {
    let eur = |minor: i64| json!({ "amount_minor": minor, "currency": "EUR" });
    let body =
        json!({ "expected_total": eur(1490), "expected_due": eur(990), "payment": { "provider": "stripe" } });
    shop.checkout(basket, &key(), &body).await.expect(202)
}

async fn left(shop: &Shop, card: &str) -> i64 {
    shop.card(card).await["balance"]["amount_minor"].as_i64().unwrap()
}

#[actix_web::test]
async fn a_debit_for_goods_that_are_gone_holds_nothing_and_its_money_goes_back() {
    let till = Till::open().await;
    let shop = &till.shop;
    let (card, code) = shop.gift_card(500).await;
    let mug = shop.thing(1, 1000).await;
    let basket = shop.basket(mug, 1).await;
    shop.pays_with(&basket, &code).await.expect(200);
    let order = goes_to_the_page(shop, &basket).await.text("/order/id");
    let page = shop.words("SELECT reference AS word FROM payment_sessions").await;
    // The last mug is not kept for ever, and somebody else buys it.
    shop.clock.advance(Duration::from_secs(16 * 60));
    till.buys(&shop.basket(mug, 1).await, Some("pm_card_visa")).await.expect(201);
    assert_eq!((left(shop, &card).await, shop.stock().await.as_str()), (0, "1/1/0"));
    ask(shop, &format!("/stripe/pay/{page}"), Some("decision=debit")).await;
    assert_eq!(till.hears_of("checkout.session.completed").await, "settled");
    assert_eq!(till.standing(&order).await, both("cancelled", "expired"));
    assert_eq!((left(shop, &card).await, shop.stock().await.as_str()), (500, "1/1/0"));
    shop.credit_adds_up().await;
    assert_eq!(till.hears_of("payment_intent.processing").await, "known");
    // The bank's money takes longer than two days, and no event says that it came.
    shop.clock.advance(Duration::from_secs(3 * 86_400));
    assert_eq!(shop.sweep().await.sessions, 1);
    let intent = ask(shop, &format!("/v1/checkout/sessions/{page}"), None).await["payment_intent"].clone();
    let path = format!("/stripe/settle/{}", intent.as_str().unwrap());
    ask(shop, &path, Some("outcome=succeeded")).await;
    shop.clock.advance(Duration::from_secs(2 * 3600));
    let swept = shop.sweep().await;
    assert_eq!((swept.sessions, swept.refunds), (1, 1));
    assert_eq!(till.standing(&order).await, both("cancelled", "refunded"));
    assert_eq!((till.taken().await, left(shop, &card).await), ((2480, 990), 500));
    // The sale to the other, and the gift card that was sold.
    let books = (shop.balance_of("1000").await, shop.balance_of("2100").await, shop.balance_of("2300").await);
    assert_eq!(books, (1990, 0, 0));
    shop.credit_adds_up().await;
}

#[actix_web::test]
async fn an_order_that_nobody_found_out_about_holds_nothing() {
    let till = Till::open().await;
    let shop = &till.shop;
    let (card, code) = shop.gift_card(500).await;
    let basket = till.basket().await;
    shop.pays_with(&basket, &code).await.expect(200);
    let order = goes_to_the_page(shop, &basket).await.text("/order/id");
    assert_eq!(left(shop, &card).await, 0);
    // For two days no worker and no event came by.
    shop.clock.advance(Duration::from_secs(49 * 3600));
    assert_eq!(shop.sweep().await.sessions, 1);
    assert_eq!(till.standing(&order).await, both("cancelled", "expired"));
    assert_eq!((left(shop, &card).await, shop.stock().await.as_str()), (500, "5/0/0"));
    shop.credit_adds_up().await;
    // Nor is it forgotten: the page is closed.
    shop.clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(shop.sweep().await.sessions, 1);
    let page = shop.words("SELECT reference AS word FROM payment_sessions").await;
    let page: Value = ask(shop, &format!("/v1/checkout/sessions/{page}"), None).await;
    assert_eq!((&page["status"], till.taken().await), (&json!("expired"), (0, 0)));
}
