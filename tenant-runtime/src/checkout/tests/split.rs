//! Refunds of orders that gift cards and a card paid together: each gets its own back, the card first.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::credit::due;
use super::shop::{Shop, key};
use crate::testing::Answer;

fn eur(minor: i64) -> Value {
    json!({ "amount_minor": minor, "currency": "EUR" })
}

/// A sent order of so many mugs of 10.00 and delivery of 4.90, paid by gift cards of these amounts and a card; and the gift cards.
async fn sent(shop: &Shop, pieces: u32, amounts: &[i64]) -> (Value, Vec<String>) {
    let basket = shop.basket(shop.thing(9, 1000).await, pieces).await;
    let mut cards = Vec::new();
    for amount in amounts {
        let (card, code) = shop.gift_card(*amount).await;
        shop.pays_with(&basket, &code).await.expect(200);
        cards.push(card);
    }
    let total = i64::from(pieces) * 1000 + 490;
    let rest = total - amounts.iter().sum::<i64>();
    let bought = shop.checkout(&basket, &key(), &due(total, rest, "tok_ok")).await.expect(201);
    let order = bought.json["order"].clone();
    let path = format!("/admin/v1/orders/{}/fulfillments", order["id"].as_str().unwrap());
    shop.staff("POST", &path, Some(json!({}))).await.expect(201);
    (order, cards)
}

async fn refunds(shop: &Shop, order: &Value, mut body: Value) -> Answer {
    body["reason"] = json!("damaged");
    let path = format!("/admin/v1/orders/{}/refunds", order["id"].as_str().unwrap());
    shop.owner_call("POST", &path).keyed().json(&body).send().await
}

fn pieces(order: &Value, quantity: u32) -> Value {
    json!({ "lines": [{ "line": order["lines"][0]["id"], "quantity": quantity, "stock": "keep" }] })
}

async fn balance(shop: &Shop, card: &str) -> i64 {
    shop.card(card).await["balance"]["amount_minor"].as_i64().unwrap()
}

async fn status(shop: &Shop, order: &Value) -> String {
    shop.order(order["id"].as_str().unwrap()).await["financial_status"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn the_card_gets_back_what_it_paid_and_the_gift_card_the_rest() {
    let shop = Shop::open().await;
    // The mug cost 10.00, and the card paid 4.90 of the 14.90.
    let (order, cards) = sent(&shop, 1, &[1000]).await;
    let mut body = pieces(&order, 1);
    body["reason"] = json!("damaged");
    let path = format!("/admin/v1/orders/{}/refunds:preview", order["id"].as_str().unwrap());
    let before = shop.digest().await;
    let preview = shop.owner_call("POST", &path).json(&body).send().await.expect(200);
    assert_eq!((&preview.json["amount"], &preview.json["credit"]), (&eur(1000), &eur(510)));
    assert_eq!(shop.digest().await, before);
    let done = refunds(&shop, &order, pieces(&order, 1)).await.expect(200);
    let refund = &done.json["refunds"][0];
    assert_eq!(
        (&refund["amount"], &refund["credit"], &refund["state"]),
        (&eur(1000), &eur(510), &json!("pending"))
    );
    assert_eq!(done.json["credits"][0]["returned"], eur(510));
    assert_eq!(done.json["financial_status"], "partially_refunded");
    // The credit is back at once, the card's money is promised.
    assert_eq!((balance(&shop, &cards[0]).await, shop.taken().await), (510, (490, 0)));
    assert_eq!((shop.balance_of("2400").await, shop.balance_of("2300").await), (-510, -490));
    assert_eq!((shop.sweep().await.refunds, shop.taken().await), (1, (490, 490)));
    assert_eq!(status(&shop, &order).await, "partially_refunded");
    // The card has all of its own: the delivery goes to the gift card, and nothing is to be waited for.
    let done = refunds(&shop, &order, json!({ "shipping": eur(490) })).await.expect(200);
    let refund = &done.json["refunds"][1];
    assert_eq!((&refund["credit"], &refund["state"]), (&eur(490), &json!("succeeded")));
    assert_eq!((&done.json["financial_status"], shop.sweep().await.refunds), (&json!("refunded"), 0));
    assert_eq!((balance(&shop, &cards[0]).await, shop.taken().await), (1000, (490, 490)));
    for account in ["1100", "2200", "2300"] {
        assert_eq!(shop.balance_of(account).await, 0, "{account}");
    }
    shop.credit_adds_up().await;
    let told = shop.told().await;
    let refunded = told.iter().filter(|kind| *kind == "order.refunded").count();
    assert_eq!(refunded, 2, "{told:?}");
    let whole = shop.digest().await;
    refunds(&shop, &order, pieces(&order, 1)).await.refused(409, "order_state");
    assert_eq!(shop.digest().await, whole);
}

#[actix_web::test]
async fn what_a_gift_card_paid_alone_goes_back_to_it_and_a_cancelled_order_gives_back_the_rest() {
    let shop = Shop::open().await;
    let (card, code) = shop.gift_card(5000).await;
    let basket = shop.basket(shop.thing(5, 1000).await, 2).await;
    shop.pays_with(&basket, &code).await.expect(200);
    let bought = shop.checkout(&basket, &key(), &due(2490, 0, "tok_ok")).await.expect(201);
    let order = &bought.json["order"];
    let done = refunds(&shop, order, pieces(order, 1)).await.expect(200);
    assert_eq!(
        (&done.json["financial_status"], balance(&shop, &card).await),
        (&json!("partially_refunded"), 3510)
    );
    let path = format!("/admin/v1/orders/{}/cancel", order["id"].as_str().unwrap());
    let cancelled = shop.staff("POST", &path, Some(json!({ "reason": "customer" }))).await.expect(200);
    assert_eq!(
        (&cancelled.json["financial_status"], &cancelled.json["credits"][0]["returned"]),
        (&json!("refunded"), &eur(2490))
    );
    assert_eq!((balance(&shop, &card).await, shop.balance_of("1100").await), (5000, 0));
    shop.credit_adds_up().await;
}

/// One step back.
#[derive(Clone, Copy, Debug)]
enum Step {
    Pieces(u32),
    Gesture(i64),
    Shipping(i64),
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1_u32..3).prop_map(Step::Pieces),
        (1_i64..700).prop_map(Step::Gesture),
        (1_i64..300).prop_map(Step::Shipping),
        Just(Step::Sweep),
    ]
}

/// In whatever pieces: never more than was paid, the card before the gift cards, and in the end exactly what each had paid.
#[actix_web::test]
async fn random_pieces_of_an_order_paid_by_two_gift_cards_and_a_card_add_up() {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let walks = (1_i64..1500, 1_i64..1500, prop::collection::vec(step(), 8));
    for _ in 0..5 {
        let (one, two, steps) = walks.new_tree(&mut runner).unwrap().current();
        let shop = Shop::open().await;
        let (order, cards) = sent(&shop, 3, &[one, two]).await;
        let (paid, mut back, mut shipping) = (3490 - one - two, 0, 0);
        let line = &order["lines"][0]["id"];
        let ends = [Step::Pieces(1), Step::Pieces(1), Step::Pieces(1), Step::Shipping(490), Step::Sweep];
        for step in steps.iter().copied().chain(ends) {
            let body = match step {
                Step::Pieces(quantity) => pieces(&order, quantity),
                Step::Gesture(minor) => {
                    json!({ "lines": [{ "line": line, "amount": eur(minor), "stock": "keep" }] })
                }
                // The last one asks for what is left.
                Step::Shipping(minor) => json!({ "shipping": eur(minor.min(490 - shipping).max(1)) }),
                Step::Sweep => {
                    shop.sweep().await;
                    continue;
                }
            };
            let answer = refunds(&shop, &order, body).await;
            let told = || format!("{one} {two} {steps:?}, {step:?}: {}", answer.json);
            assert!([200, 409, 422].contains(&answer.status), "{}", told());
            if answer.status == 200 {
                let sum = |name: &str| -> i64 {
                    let refunds = answer.json["refunds"].as_array().unwrap().iter();
                    refunds.map(|refund| refund[name]["amount_minor"].as_i64().unwrap()).sum()
                };
                if matches!(step, Step::Shipping(_)) {
                    shipping += sum("amount") - back;
                }
                assert!(sum("amount") > back, "{}", told());
                back = sum("amount");
                assert_eq!(sum("credit"), (back - paid).max(0), "{}", told());
                let cards = balance(&shop, &cards[0]).await + balance(&shop, &cards[1]).await;
                assert_eq!(cards, sum("credit"), "{}", told());
            }
        }
        let told = || format!("{one} {two} {steps:?}");
        assert_eq!((back, shop.taken().await), (3490, (paid, paid)), "{}", told());
        let balances = (balance(&shop, &cards[0]).await, balance(&shop, &cards[1]).await);
        assert_eq!(balances, (one, two), "{}", told());
        assert_eq!(status(&shop, &order).await, "refunded", "{}", told());
        for account in ["1100", "2200", "2300"] {
            assert_eq!(shop.balance_of(account).await, 0, "{account}: {}", told());
        }
        shop.credit_adds_up().await;
    }
}
