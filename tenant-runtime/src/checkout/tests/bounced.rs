//! Refunds at Stripe that fail, late perhaps, and that overtake each other.

use serde_json::{Value, json};

use super::stripe::{Till, ask, both};

/// Refunds by Stripe's own book, youngest first.
async fn given_back(till: &Till) -> Vec<Value> {
    ask(&till.shop, "/v1/refunds?limit=100", None).await["data"].as_array().unwrap().clone()
}

/// What the bank says about a refund.
async fn bank_says(till: &Till, refund: &Value, outcome: &str) {
    let path = format!("/stripe/refund/{}", refund["id"].as_str().unwrap());
    let said = ask(&till.shop, &path, Some(&format!("outcome={outcome}"))).await;
    assert_eq!(said["status"], outcome, "{said}");
}

async fn refunds(till: &Till, order: &str, shipping: i64) {
    let wish = json!({ "shipping": { "amount_minor": shipping, "currency": "EUR" }, "reason": "late" });
    till.shop.staff("POST", &format!("/admin/v1/orders/{order}/refunds"), Some(wish)).await.expect(200);
    assert_eq!(till.shop.sweep().await.refunds, 1);
}

/// States of our refunds, oldest first.
async fn states(till: &Till, order: &str) -> Vec<String> {
    let order = till.shop.order(order).await;
    let refunds = order["refunds"].as_array().unwrap().iter();
    refunds.map(|refund| refund["state"].as_str().unwrap().to_owned()).collect()
}

async fn books(till: &Till) -> (i64, i64) {
    (till.shop.balance_of("1000").await, till.shop.balance_of("2300").await)
}

#[actix_web::test]
async fn a_refund_that_comes_back_is_owed_again_and_leaves_again() {
    let till = Till::open().await;
    let bought = till.buys(&till.basket().await, Some("pm_card_visa")).await.expect(201);
    let order = bought.text("/order/id");
    refunds(&till, &order, 490).await;
    assert_eq!(till.hears_of("charge.refunded").await, "known");
    assert_eq!(
        (till.standing(&order).await, books(&till).await),
        (both("open", "partially_refunded"), (1000, 0))
    );
    // Days later the bank returns it: the card was closed.
    bank_says(&till, &given_back(&till).await[0], "failed").await;
    assert_eq!(till.hears_of("refund.failed").await, "settled");
    assert_eq!((till.standing(&order).await, books(&till).await), (both("open", "paid"), (1490, -490)));
    assert_eq!(states(&till, &order).await, ["failed"]);
    assert_eq!(till.shop.number("SELECT refunded_minor AS number FROM payments").await, 0);
    let view = till.shop.order(&order).await;
    let note = view["timeline"].as_array().unwrap().last().unwrap().clone();
    let details = &note["details"];
    assert_eq!((&note["kind"], &details["came_back"]), (&json!("refund.failed"), &json!(true)));
    assert_eq!(details["code"], "lost_or_stolen_card");
    // Told once more, in whatever order, it changes nothing.
    let before = till.shop.order(&order).await;
    for kind in ["refund.failed", "charge.refunded", "payment_intent.succeeded"] {
        let mut again = till.events(kind).await.pop().unwrap();
        again["id"] = json!(format!("evt_again_{kind}"));
        assert_eq!(till.hears(&again).await.expect(200).text("/outcome"), "known", "{kind}");
        assert_eq!(till.hears(&again).await.expect(200).text("/outcome"), "duplicate", "{kind}");
    }
    assert_eq!(till.shop.order(&order).await, before);
    // Staff asks for it anew.
    let refund = before["refunds"][0]["id"].as_str().unwrap();
    let path = format!("/admin/v1/orders/{order}/refunds/{refund}/retry");
    till.shop.staff("POST", &path, Some(json!({}))).await.expect(200);
    assert_eq!(till.shop.sweep().await.refunds, 1);
    assert_eq!(till.hears_of("charge.refunded").await, "known");
    assert_eq!(
        (till.standing(&order).await, books(&till).await),
        (both("open", "partially_refunded"), (1000, 0))
    );
    assert_eq!(states(&till, &order).await, ["succeeded"]);
    assert_eq!(till.taken().await, (1490, 980));
    let told = ["order.placed", "order.paid", "order.refunded", "order.refund_bounced", "order.refunded"];
    assert_eq!(till.shop.told().await, told);
}

#[actix_web::test]
async fn the_refund_that_arrived_is_the_one_that_is_settled() {
    let till = Till::open().await;
    let bought = till.buys(&till.basket().await, Some("pm_fake_slow_refunds")).await.expect(201);
    let order = bought.text("/order/id");
    // The same amount twice: only their names tell them apart.
    refunds(&till, &order, 100).await;
    refunds(&till, &order, 100).await;
    assert_eq!(states(&till, &order).await, ["pending", "pending"]);
    let [younger, older] = <[Value; 2]>::try_from(given_back(&till).await).unwrap();
    bank_says(&till, &younger, "succeeded").await;
    assert_eq!(till.hears_of("refund.updated").await, "settled");
    assert_eq!(states(&till, &order).await, ["pending", "succeeded"]);
    assert_eq!(
        (till.standing(&order).await, books(&till).await),
        (both("open", "partially_refunded"), (1390, -100))
    );
    bank_says(&till, &older, "failed").await;
    assert_eq!(till.hears_of("refund.failed").await, "settled");
    assert_eq!(states(&till, &order).await, ["failed", "succeeded"]);
    // It had never left: nothing is taken back.
    assert_eq!(
        (till.standing(&order).await, books(&till).await),
        (both("open", "partially_refunded"), (1390, -100))
    );
    assert_eq!(till.shop.told().await, ["order.placed", "order.paid", "order.refunded"]);
}
