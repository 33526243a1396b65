//! Cancelling and giving back.

use std::time::Duration;

use serde_json::{Value, json};

use super::shop::{Shop, key, pay_with};

impl Shop {
    async fn bought(&self, token: &str) -> String {
        let basket = self.basket(self.thing(5, 1000).await, 1).await;
        let bought = self.checkout(&basket, &key(), &pay_with(1490, token)).await;
        assert_eq!(bought.status, 201, "{}", bought.json);
        bought.json["order"]["id"].as_str().unwrap().to_owned()
    }

    async fn cancels(&self, id: &str, body: Value) -> crate::testing::Answer {
        self.staff("POST", &format!("/admin/v1/orders/{id}/cancel"), Some(body)).await
    }
}

#[actix_web::test]
async fn a_cancelled_order_gives_everything_back() {
    let shop = Shop::open().await;
    let id = shop.bought("tok_ok").await;
    let cancelled = shop.cancels(&id, json!({ "reason": "customer" })).await;
    assert_eq!(
        (cancelled.status, &cancelled.json["state"]),
        (200, &json!("cancelled")),
        "{}",
        cancelled.json
    );
    assert_eq!(cancelled.json["refunds"][0]["state"], "pending");
    assert_eq!((shop.stock().await.as_str(), shop.taken().await), ("5/0/0", (1490, 0)));
    assert_eq!((shop.balance_of("2300").await, shop.balance_of("1100").await), (-1490, 0));
    let again = shop.cancels(&id, json!({ "reason": "customer" })).await;
    assert_eq!(
        (again.status, &again.json["code"], &again.json["allowed_actions"]),
        (409, &json!("order_state"), &json!([]))
    );
    assert_eq!(shop.sweep().await.refunds, 1);
    assert_eq!(shop.sweep().await.refunds, 0);
    let order = shop.order(&id).await;
    assert_eq!(
        (&order["financial_status"], &order["refunds"][0]["state"]),
        (&json!("refunded"), &json!("succeeded")),
        "{order}"
    );
    assert_eq!(
        (shop.taken().await, shop.balance_of("2300").await, shop.balance_of("1000").await),
        ((1490, 1490), 0, 0)
    );
    // Revenue and its return are both in the books: 840 goods and 412 delivery without tax.
    assert_eq!(
        shop.balance_of("4900").await,
        -(shop.balance_of("4000").await + shop.balance_of("4100").await)
    );
    assert_eq!(shop.balance_of("2200").await, 0);
    assert_eq!(shop.told().await, ["order.placed", "order.paid", "order.cancelled", "order.refunded"]);
}

#[actix_web::test]
async fn cancelling_may_keep_goods_and_money() {
    let shop = Shop::open().await;
    let id = shop.bought("tok_ok").await;
    let body = json!({ "reason": "fraud", "restock": false, "refund": false, "note": "looks odd" });
    assert_eq!(shop.cancels(&id, body).await.status, 200);
    assert_eq!((shop.stock().await.as_str(), shop.sweep().await.refunds), ("4/0/0", 0));
    assert_eq!((shop.balance_of("1100").await, shop.balance_of("2100").await), (0, -1490));
    for wrong in [json!({}), json!({ "reason": "bored" }), json!({ "reason": "fraud", "x": 1 })] {
        assert_eq!(shop.cancels(&id, wrong).await.status, 422);
    }
}

#[actix_web::test]
async fn a_transfer_goes_back_by_hand() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let body = json!({ "expected_total": { "amount_minor": 1490, "currency": "EUR" }, "payment": { "provider": "manual" } });
    let bought = shop.checkout(&basket, &key(), &body).await;
    let id = bought.json["order"]["id"].as_str().unwrap();
    shop.staff("POST", &format!("/admin/v1/orders/{id}/mark-paid"), Some(json!({}))).await;
    assert_eq!(shop.cancels(id, json!({ "reason": "customer" })).await.status, 200);
    assert_eq!(shop.sweep().await.refunds, 1);
    assert_eq!(shop.order(id).await["financial_status"], "refunded");
    assert_eq!((shop.balance_of("1000").await, shop.balance_of("2300").await), (0, 0));
}

#[actix_web::test]
async fn a_refund_the_bank_refuses_stays_owed() {
    let shop = Shop::open().await;
    let id = shop.bought("tok_refund_declined").await;
    assert_eq!(shop.cancels(&id, json!({ "reason": "customer" })).await.status, 200);
    assert_eq!(shop.sweep().await.refunds, 1);
    assert_eq!(shop.sweep().await.refunds, 0);
    let order = shop.order(&id).await;
    assert_eq!(
        (&order["refunds"][0]["state"], &order["financial_status"]),
        (&json!("failed"), &json!("paid")),
        "{order}"
    );
    assert_eq!((shop.taken().await, shop.balance_of("2300").await), ((1490, 0), -1490));
}

#[actix_web::test]
async fn held_money_of_a_cancelled_order_is_let_go() {
    let shop = Shop::open().await;
    shop.inner
        .admin("UPDATE {s}.payment_providers SET settings = '{\"capture_later\": true}' WHERE code = 'test'")
        .await;
    let id = shop.bought("tok_ok").await;
    assert_eq!(shop.cancels(&id, json!({ "reason": "staff" })).await.status, 200);
    assert_eq!(shop.sweep().await.sessions, 1);
    let order = shop.order(&id).await;
    assert_eq!(
        (&order["financial_status"], &order["payments"][0]["state"]),
        (&json!("voided"), &json!("canceled")),
        "{order}"
    );
    assert_eq!(shop.book().await["payments"][0]["status"], "voided");
    assert_eq!(shop.balance_of("1100").await, 0);
}

#[actix_web::test]
async fn money_that_comes_when_the_goods_are_gone_goes_back() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(1, 1000).await, 1).await;
    let waiting = shop.buys(&basket, 1490, "tok_3ds").await;
    assert_eq!(waiting.status, 202, "{}", waiting.json);
    // The reservation runs out and somebody else takes the piece.
    shop.inner
        .admin(
            "UPDATE {s}.reservations SET state = 'expired';
             UPDATE {s}.inventory_levels SET reserved = 0, committed = 1",
        )
        .await;
    let url = waiting.json["next_action"]["url"].as_str().unwrap();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let form =
        client.post(url).header("content-type", "application/x-www-form-urlencoded").body("decision=approve");
    form.send().await.unwrap();
    shop.inner.clock.advance(Duration::from_secs(46));
    let swept = shop.sweep().await;
    assert_eq!((swept.sessions, swept.refunds), (1, 1));
    let order = shop.order(waiting.json["order"]["id"].as_str().unwrap()).await;
    assert_eq!(
        (&order["state"], &order["cancel_reason"], &order["name"]),
        (&json!("cancelled"), &json!("inventory"), &json!("#1001"))
    );
    assert_eq!(order["financial_status"], "refunded");
    assert_eq!((shop.taken().await, shop.stock().await.as_str()), ((1490, 1490), "1/1/0"));
    // No sale, no revenue.
    for account in ["1000", "1100", "2100", "2300", "4000", "4900"] {
        assert_eq!(shop.balance_of(account).await, 0, "{account}");
    }
    assert_eq!(shop.told().await, ["order.cancelled", "order.refunded"]);
}

/// Staff cancels while the money arrives: either the money comes back or it never came; nothing is lost, nothing is kept.
#[actix_web::test]
async fn cancelling_races_with_paying() {
    let shop = Shop::open().await;
    let mug = shop.thing(50, 1000).await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for _ in 0..8 {
        let basket = shop.basket(mug, 1).await;
        let waiting = shop.buys(&basket, 1490, "tok_3ds").await;
        let (id, url) = (
            waiting.json["order"]["id"].as_str().unwrap(),
            waiting.json["next_action"]["url"].as_str().unwrap(),
        );
        let form = client.post(url).header("content-type", "application/x-www-form-urlencoded");
        form.body("decision=approve").send().await.unwrap();
        let session = shop.order(id).await["payments"][0]["id"].as_str().unwrap().to_owned();
        let back = format!("/store/v1/payment-return/{session}");
        let (back, cancelled, twice) = futures_util::join!(
            shop.inner.send("GET", &back, None, &[]),
            shop.cancels(id, json!({ "reason": "customer" })),
            shop.cancels(id, json!({ "reason": "staff" })),
        );
        assert_eq!(back.status, 303, "{}", back.json);
        let mut ends = [cancelled.status, twice.status];
        ends.sort_unstable();
        assert_eq!(ends, [200, 409], "{} {}", cancelled.json, twice.json);
    }
    shop.inner.clock.advance(Duration::from_secs(3600));
    shop.sweep().await;
    shop.inner.clock.advance(Duration::from_secs(3600));
    shop.sweep().await;
    assert_eq!((shop.taken().await, shop.stock().await.as_str()), ((8 * 1490, 8 * 1490), "50/0/0"));
    for account in ["1000", "1100", "2100", "2200", "2300"] {
        assert_eq!(shop.balance_of(account).await, 0, "{account}");
    }
}
