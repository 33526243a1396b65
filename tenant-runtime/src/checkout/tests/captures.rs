//! Taking a part of what is held.

use serde_json::{Value, json};

use super::shop::{Shop, key, pay_with};
use crate::testing::Answer;

impl Shop {
    /// An order whose 14.90 are held: its id, and that of its only line.
    pub(super) async fn held(&self, token: &str) -> (String, String) {
        self.admin(
            "UPDATE {s}.payment_providers SET settings = '{\"capture_later\": true}' WHERE code = 'test'",
        )
        .await;
        let basket = self.basket(self.thing(5, 1000).await, 1).await;
        let bought = self.checkout(&basket, &key(), &pay_with(1490, token)).await.expect(201);
        assert_eq!(bought.json["order"]["financial_status"], "authorized");
        (bought.text("/order/id"), bought.text("/order/lines/0/id"))
    }

    async fn takes(&self, order: &str, wish: &Value) -> Answer {
        self.owner_call("POST", &format!("/admin/v1/orders/{order}/capture")).keyed().json(wish).send().await
    }
}

fn euros(minor: i64) -> Value {
    json!({ "amount": { "amount_minor": minor, "currency": "EUR" } })
}

#[actix_web::test]
async fn a_part_is_taken_and_the_rest_let_go() {
    let shop = Shop::open().await;
    let (order, line) = shop.held("tok_ok").await;
    let before = shop.digest().await;
    for wish in
        [euros(0), euros(-1), euros(1491), json!({ "amount": { "amount_minor": 1000, "currency": "USD" } })]
    {
        shop.takes(&order, &wish).await.refused(422, "validation_failed").about("/amount");
    }
    assert_eq!(shop.digest().await, before);
    let taken = shop.takes(&order, &euros(1000)).await.expect(200);
    assert_eq!(
        (&taken.json["financial_status"], &taken.json["payments"][0]["captured"]["amount_minor"]),
        (&json!("partially_paid"), &json!(1000))
    );
    assert_eq!(shop.book().await["payments"][0]["voided_minor"], 490);
    assert_eq!((shop.balance_of("1000").await, shop.balance_of("1100").await), (1000, 490));
    assert_eq!(shop.told().await, ["order.placed", "order.partially_paid"]);
    // There is one capture per payment.
    for wish in [euros(490), json!({})] {
        shop.takes(&order, &wish).await.refused(409, "order_state");
    }
    let refunds = format!("/admin/v1/orders/{order}/refunds");
    let mut wish = json!({ "lines": [{ "line": line, "quantity": 1 }], "reason": "damaged",
        "shipping": { "amount_minor": 490, "currency": "EUR" } });
    shop.owner_call("POST", &refunds).keyed().json(&wish).send().await.refused(409, "refund_exceeds");
    wish.as_object_mut().unwrap().remove("shipping");
    shop.owner_call("POST", &refunds).keyed().json(&wish).send().await.expect(200);
    shop.sweep().await;
    assert_eq!(
        (shop.taken().await, &shop.order(&order).await["financial_status"]),
        ((1000, 1000), &json!("refunded"))
    );
    assert_eq!((shop.balance_of("1000").await, shop.balance_of("2300").await), (0, 0));
}

#[actix_web::test]
async fn an_order_that_was_paid_in_part_is_undone_for_what_was_paid() {
    let shop = Shop::open().await;
    let (order, _) = shop.held("tok_ok").await;
    shop.takes(&order, &euros(400)).await.expect(200);
    let cancel = format!("/admin/v1/orders/{order}/cancel");
    shop.owner_call("POST", &cancel).keyed().json(&json!({ "reason": "customer" })).send().await.expect(200);
    shop.sweep().await;
    assert_eq!((shop.taken().await, shop.stock().await.as_str()), ((400, 400), "5/0/0"));
    for account in ["1000", "1100", "2300"] {
        assert_eq!(shop.balance_of(account).await, 0, "{account}");
    }
}

#[actix_web::test]
async fn all_that_is_held_may_be_named() {
    let shop = Shop::open().await;
    let (order, _) = shop.held("tok_ok").await;
    let taken = shop.takes(&order, &euros(1490)).await.expect(200);
    assert_eq!(taken.json["financial_status"], "paid");
    assert_eq!((shop.taken().await, shop.balance_of("1100").await), ((1490, 0), 0));
    assert_eq!(shop.told().await, ["order.placed", "order.paid"]);
}

#[actix_web::test]
async fn answers_that_get_lost_take_it_once() {
    let shop = Shop::open().await;
    for token in ["tok_broken_json", "tok_500_then_ok"] {
        let (order, _) = shop.held(token).await;
        let taken = shop.takes(&order, &euros(700)).await.expect(200);
        assert_eq!(taken.json["financial_status"], "partially_paid", "{token}");
    }
    assert_eq!((shop.taken().await, shop.balance_of("1000").await), ((1400, 0), 1400));
}

/// Two of the staff at once: the money is taken once, and the books say what the provider says.
#[actix_web::test]
async fn two_captures_of_different_parts_take_one() {
    let shop = Shop::open().await;
    let (order, _) = shop.held("tok_ok").await;
    let (small, large) = (euros(400), euros(900));
    let (one, two) = futures_util::future::join(shop.takes(&order, &small), shop.takes(&order, &large)).await;
    assert!(one.status == 200 || two.status == 200, "{} {}", one.json, two.json);
    assert!([one.status, two.status].iter().all(|status| matches!(status, 200 | 409 | 422 | 503)));
    let (taken, _) = shop.taken().await;
    assert!(taken == 400 || taken == 900, "{taken}");
    assert_eq!((shop.balance_of("1000").await, shop.balance_of("1100").await), (taken, 1490 - taken));
}
