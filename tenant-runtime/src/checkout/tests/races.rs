//! Many at once, and nobody there any more.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use souk_access::LinkSecret;
use souk_kernel::Money;

use super::shop::{Basket, Shop, key, pay_with};
use crate::checkout::actions::prepare::{Door, Prepared, Purchase, prepare};
use crate::checkout::error::CheckoutError;
use crate::checkout::model::Wish;
use crate::payments::{ProviderCode, StartPayment};

impl Shop {
    /// Prepares a checkout as a process does that dies right afterwards.
    async fn prepares(&self, basket: &Basket, total: i64, token: &str) -> StartPayment {
        let worker = self.inner.gate.worker(self.inner.store.id, "test", "dies").unwrap();
        let wish = Wish {
            expected_total: Money::new(total, "EUR".parse().unwrap()),
            expected_due: None,
            provider: ProviderCode::Test,
            token: Some(token.to_owned()),
            return_url: None,
            expected_lines: Vec::new(),
            accepted_terms: None,
        };
        let secret = LinkSecret::parse(&basket.secret).unwrap();
        let purchase = Purchase {
            entry: worker.entry().clone(),
            door: Door::Carts,
            cart: basket.id,
            secret,
            wish,
            actor: "anonymous".to_owned(),
            mode: None,
            network: "local".to_owned(),
        };
        let till = self.inner.till.clone();
        let work = async move |tx: &mut souk_tenancy::WriteTx<'_>| prepare(tx, &till, &purchase).await;
        match worker.write::<_, CheckoutError, _>("test.prepare", work).await.unwrap() {
            Prepared::Pay(start) => start,
            Prepared::Standing { .. } => panic!("there is a payment to make"),
        }
    }
}

#[actix_web::test]
async fn five_hundred_buyers_and_one_piece() {
    let shop = Shop::open().await;
    let mug = shop.thing(1, 1000).await;
    let mut baskets = Vec::new();
    for _ in 0..500 {
        baskets.push(shop.basket(mug, 1).await);
    }
    let answers = join_all(baskets.iter().map(async |basket| {
        loop {
            let answer = shop.buys(basket, 1490, "tok_ok").await;
            // Too many at once is a polite refusal, to be tried again.
            if answer.status != 503 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }))
    .await;
    let bought = answers.iter().filter(|answer| answer.status == 201).count();
    let refused =
        answers.iter().filter(|answer| answer.status == 409 && answer.json["code"] == "out_of_stock").count();
    assert_eq!((bought, refused), (1, 499));
    assert_eq!((shop.stock().await.as_str(), shop.taken().await), ("1/1/0", (1490, 0)));
    assert_eq!(shop.number("SELECT count(*) AS number FROM orders").await, 1);
    assert_eq!(shop.number("SELECT next_order_number AS number FROM store_settings").await, 1002);
}

#[actix_web::test]
async fn the_same_key_again_is_the_same_answer() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let (key, body) = (key(), pay_with(1490, "tok_slow"));
    let answers = join_all((0..10).map(|_| shop.checkout(&basket, &key, &body))).await;
    assert!(
        answers.iter().all(|answer| matches!(answer.status, 201 | 409)),
        "{:?}",
        answers.iter().map(|a| a.status).collect::<Vec<_>>()
    );
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let first = answers.iter().find(|answer| answer.status == 201).unwrap();
    let again = shop.checkout(&basket, &key, &body).await;
    assert_eq!((again.status, &again.bytes), (201, &first.bytes));
    assert_eq!(again.headers.get("idempotent-replayed").unwrap(), "true");
    assert_eq!(again.headers.get("location"), first.headers.get("location"));
    let other = shop.checkout(&basket, &key, &pay_with(1491, "tok_slow")).await;
    assert_eq!((other.status, &other.json["code"]), (422, &json!("idempotency_key_reused")));
    assert_eq!(
        (shop.taken().await, shop.number("SELECT count(*) AS number FROM orders").await),
        ((1490, 0), 1)
    );
}

#[actix_web::test]
async fn two_keys_for_one_cart_are_one_order() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let answers = join_all((0..8).map(|_| shop.buys(&basket, 1490, "tok_ok"))).await;
    let ids: std::collections::HashSet<_> =
        answers.iter().filter_map(|answer| answer.json["order"]["id"].as_str()).collect();
    let secrets: std::collections::HashSet<_> =
        answers.iter().filter_map(|answer| answer.json["secret"].as_str()).collect();
    assert_eq!(
        (ids.len(), secrets.len()),
        (1, 1),
        "{:?}",
        answers.iter().map(|answer| &answer.json).collect::<Vec<_>>()
    );
    assert!(answers.iter().all(|answer| matches!(answer.status, 200..=202)));
    assert_eq!((shop.taken().await, shop.stock().await.as_str()), ((1490, 0), "5/1/0"));
    let later = shop.buys(&basket, 1490, "tok_ok").await;
    assert_eq!((later.status, &later.json["status"]), (200, &json!("completed")));
}

#[actix_web::test]
async fn a_client_that_hangs_up_has_bought_all_the_same() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let impatient =
        tokio::time::timeout(Duration::from_millis(250), shop.buys(&basket, 1490, "tok_slow")).await;
    assert!(impatient.is_err());
    for _ in 0..100 {
        if shop.stock().await == "5/1/0" {
            assert_eq!((shop.taken().await, shop.told().await.len()), ((1490, 0), 2));
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the order was never finished: {}", shop.stock().await);
}

#[actix_web::test]
async fn the_poller_finishes_what_a_dead_process_began() {
    let shop = Shop::open().await;
    let mug = shop.thing(9, 1000).await;
    // Died after the provider took the money.
    let paid = shop.basket(mug, 1).await;
    let start = shop.prepares(&paid, 1490, "tok_ok").await;
    let provider = shop.inner.till.providers.of(ProviderCode::Test).unwrap();
    provider.start(&start).await.unwrap();
    // Died before the provider heard of it.
    let unpaid = shop.basket(mug, 1).await;
    shop.prepares(&unpaid, 1490, "tok_ok").await;
    assert_eq!(shop.stock().await, "9/0/2");
    // The checkout itself may still be at work: not yet.
    assert_eq!(shop.sweep().await.sessions, 0);
    shop.inner.clock.advance(Duration::from_secs(46));
    assert_eq!(shop.sweep().await.sessions, 2);
    assert_eq!(shop.words("SELECT state AS word FROM orders ORDER BY id").await, "open pending_payment");
    shop.inner.clock.advance(Duration::from_secs(180));
    assert_eq!(shop.sweep().await.sessions, 1);
    assert_eq!(shop.words("SELECT state AS word FROM orders ORDER BY id").await, "open cancelled");
    assert_eq!(shop.words("SELECT state AS word FROM carts ORDER BY id").await, "completed active");
    assert_eq!((shop.stock().await.as_str(), shop.taken().await), ("9/1/0", (1490, 0)));
    assert_eq!(shop.told().await, ["order.placed", "order.paid"]);
    assert_eq!(shop.sweep().await, crate::checkout::Swept::default());
}

#[actix_web::test]
async fn a_process_that_died_is_resumed_by_the_same_key() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(9, 1000).await, 1).await;
    let start = shop.prepares(&basket, 1490, "tok_ok").await;
    shop.inner.till.providers.of(ProviderCode::Test).unwrap().start(&start).await.unwrap();
    let waiting = shop.buys(&basket, 1490, "tok_ok").await;
    assert_eq!((waiting.status, &waiting.json["status"]), (202, &json!("processing")), "{}", waiting.json);
    shop.inner.clock.advance(Duration::from_secs(46));
    shop.sweep().await;
    let done = shop.buys(&basket, 1490, "tok_ok").await;
    assert_eq!((done.status, &done.json["status"]), (200, &json!("completed")), "{}", done.json);
    assert_eq!(shop.taken().await, (1490, 0));
}

#[actix_web::test]
async fn a_shopper_who_stays_away_gives_the_stock_back() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(1, 1000).await, 1).await;
    assert_eq!(shop.buys(&basket, 1490, "tok_3ds").await.status, 202);
    shop.inner.clock.advance(Duration::from_secs(31 * 60));
    assert_eq!(shop.sweep().await.sessions, 1);
    assert_eq!(
        shop.words("SELECT state || ' ' || cancel_reason || ' ' || financial_status AS word FROM orders")
            .await,
        "cancelled expired expired"
    );
    assert_eq!(
        (shop.stock().await.as_str(), shop.words("SELECT state AS word FROM carts").await.as_str()),
        ("1/0/0", "active")
    );
    // ... and pays in the end.
    let url = shop.words("SELECT redirect_url AS word FROM payment_sessions").await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let form =
        client.post(url).header("content-type", "application/x-www-form-urlencoded").body("decision=approve");
    form.send().await.unwrap();
    shop.inner.clock.advance(Duration::from_secs(3600));
    let swept = shop.sweep().await;
    assert_eq!((swept.sessions, swept.refunds), (1, 1));
    assert_eq!(shop.taken().await, (1490, 1490));
    assert_eq!(
        (shop.balance_of("1000").await, shop.balance_of("2100").await, shop.balance_of("2300").await),
        (0, 0, 0)
    );
    assert_eq!(shop.told().await, ["order.refunded"]);
}
