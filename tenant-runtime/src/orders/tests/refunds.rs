//! Giving a part back, and what the stock, the books and the provider make of it.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::testing::Answer;
use crate::testing::shop::{Shop, ada, key, pay_with};

/// An order of Ada's for so many mugs of 10.00 and delivery of 4.90.
async fn bought(shop: &Shop, pieces: u32) -> Value {
    let basket = shop.basket(shop.thing(9, 1000).await, pieces).await;
    let total = i64::from(pieces) * 1000 + 490;
    shop.checkout(&basket, &key(), &pay_with(total, "tok_ok")).await.expect(201).json["order"].clone()
}

impl Shop {
    async fn refunds(&self, order: &Value, body: Value) -> Answer {
        let path = format!("/admin/v1/orders/{}/refunds", order["id"].as_str().unwrap());
        self.owner_call("POST", &path).keyed().json(&body).send().await
    }
}

fn pieces(order: &Value, quantity: u32, stock: &str) -> Value {
    json!({ "lines": [{ "line": order["lines"][0]["id"], "quantity": quantity, "stock": stock }], "reason": "damaged" })
}

fn eur(minor: i64) -> Value {
    json!({ "amount_minor": minor, "currency": "EUR" })
}

#[actix_web::test]
async fn pieces_come_back_one_by_one_and_add_up_to_what_was_paid() {
    let shop = Shop::open().await;
    let order = bought(&shop, 3).await;
    let id = order["id"].as_str().unwrap();
    assert_eq!(
        (shop.stock().await.as_str(), order["lines"][0]["refunded_quantity"].as_i64()),
        ("9/3/0", Some(0))
    );
    // One back on sale, one broken, one that the shopper keeps.
    let first = shop.refunds(&order, pieces(&order, 1, "restock")).await.expect(200);
    assert_eq!(
        first.json["refunds"][0]["lines"],
        json!([{ "line": order["lines"][0]["id"], "quantity": 1, "amount": eur(1000), "tax": eur(160), "stock": "restock" }])
    );
    assert_eq!(
        (&first.json["lines"][0]["refunded_quantity"], &first.json["allowed_actions"]),
        (&json!(1), &json!(["cancel", "refund", "fulfill"]))
    );
    let version = first.json["version"].as_i64().unwrap();
    assert_eq!(first.header("etag"), format!("\"{version}\""));
    assert_eq!(shop.stock().await, "9/2/0");
    shop.refunds(&order, pieces(&order, 1, "write_off")).await.expect(200);
    assert_eq!(shop.stock().await, "8/1/0");
    shop.refunds(&order, pieces(&order, 1, "keep")).await.expect(200);
    assert_eq!(shop.stock().await, "8/1/0");
    // 30.00 and 4.90 were paid; nothing has left yet, 30.00 is promised.
    assert_eq!(
        (shop.taken().await, shop.balance_of("2300").await, shop.balance_of("1100").await),
        ((3490, 0), -3000, 0)
    );
    // The tax of 3 mugs is 4.79, whatever one mug's would be: 160 + 159 + 160.
    assert_eq!((shop.balance_of("4900").await, shop.balance_of("2200").await), (3000 - 479, -78));
    let refused = shop.refunds(&order, pieces(&order, 1, "restock")).await.refused(409, "refund_exceeds");
    refused.about("/lines/0/quantity");
    let shipping = json!({ "shipping": eur(490), "reason": "late" });
    shop.refunds(&order, shipping.clone()).await.expect(200);
    shop.refunds(&order, shipping).await.refused(409, "refund_exceeds").about("/shipping");
    assert_eq!(shop.sweep().await.refunds, 4);
    let done = shop.order(id).await;
    assert_eq!(
        (&done["financial_status"], &done["allowed_actions"]),
        (&json!("refunded"), &json!(["cancel", "fulfill"]))
    );
    assert_eq!(shop.taken().await, (3490, 3490));
    for account in ["1000", "1100", "2200", "2300"] {
        assert_eq!(shop.balance_of(account).await, 0, "{account}");
    }
    assert_eq!(
        shop.balance_of("4900").await,
        -(shop.balance_of("4000").await + shop.balance_of("4100").await)
    );
    let events = shop.told().await;
    assert_eq!(events[..2], ["order.placed", "order.paid"]);
    assert_eq!(events[2..], ["order.refunded"; 4]);
    let returns = shop.owner_call("GET", "/admin/v1/ledger/entries?kind=return").send().await.expect(200);
    assert_eq!(returns.data().len(), 4);
}

#[actix_web::test]
async fn pieces_with_a_discount_give_back_what_was_paid_for_them_and_no_less() {
    let shop = Shop::open().await;
    let sale = json!({ "title": "Sale", "method": "automatic", "terms": { "kind": "percentage", "rate_ppm": 33_400 } });
    shop.staff("POST", "/admin/v1/discounts", Some(sale)).await.expect(201);
    let basket = shop.basket(shop.thing(9, 1000).await, 3).await;
    // 30.00 less 1.00, and 4.90 for delivery.
    let order =
        shop.checkout(&basket, &key(), &pay_with(3390, "tok_ok")).await.expect(201).json["order"].clone();
    let mut given = Vec::new();
    for _ in 0..3 {
        let answer = shop.refunds(&order, pieces(&order, 1, "restock")).await.expect(200);
        let refunds = answer.json["refunds"].as_array().unwrap().clone();
        given = refunds.iter().map(|refund| refund["amount"]["amount_minor"].as_i64().unwrap()).collect();
    }
    given.sort_unstable();
    assert_eq!(given, [966, 967, 967]);
    shop.refunds(&order, pieces(&order, 1, "restock")).await.refused(409, "refund_exceeds");
    assert_eq!(shop.sweep().await.refunds, 3);
    assert_eq!((shop.taken().await, shop.balance_of("1100").await), ((3390, 2900), 0));
}

#[actix_web::test]
async fn a_preview_says_the_same_and_does_nothing() {
    let shop = Shop::open().await;
    let order = bought(&shop, 3).await;
    let body = json!({
        "lines": [{ "line": order["lines"][0]["id"], "amount": eur(250) }], "shipping": eur(100), "reason": "late", "note": "sorry",
    });
    let before = shop.digest().await;
    let path = format!("/admin/v1/orders/{}/refunds:preview", order["id"].as_str().unwrap());
    let preview = shop.owner_call("POST", &path).json(&body).send().await.expect(200);
    assert_eq!(
        preview.json,
        json!({
            "lines": [
                { "line": order["lines"][0]["id"], "quantity": 0, "amount": eur(250), "tax": eur(40), "stock": "keep" },
                { "line": null, "quantity": 0, "amount": eur(100), "tax": eur(16), "stock": "keep" },
            ],
            "amount": eur(350), "tax": eur(56),
        })
    );
    assert_eq!(shop.digest().await, before);
    let done = shop.refunds(&order, body).await.expect(200);
    assert_eq!(
        (&done.json["refunds"][0]["lines"], &done.json["refunds"][0]["amount"]),
        (&preview.json["lines"], &eur(350))
    );
    assert_eq!(shop.stock().await, "9/3/0");
    // What was a gesture is made up for by the pieces: 10.00 + 10.00 + 10.00 − 2.50.
    let rest = shop.refunds(&order, pieces(&order, 3, "restock")).await.expect(200);
    assert_eq!(rest.json["refunds"][1]["amount"], eur(2750));
    assert_eq!((shop.stock().await.as_str(), shop.unexplained_levels().await), ("9/0/0", 0));
}

#[actix_web::test]
async fn what_cannot_be_given_back_changes_nothing() {
    let shop = Shop::open().await;
    let order = bought(&shop, 2).await;
    let other = bought(&shop, 1).await;
    let before = shop.digest().await;
    let line = &order["lines"][0]["id"];
    for (pointer, body) in [
        ("/lines", json!({ "reason": "x" })),
        ("/reason", json!({ "shipping": eur(1) })),
        ("/lines/0", json!({ "lines": [{ "line": line }], "reason": "x" })),
        ("/lines/0", json!({ "lines": [{ "line": line, "quantity": 1, "amount": eur(1) }], "reason": "x" })),
        ("/lines/0/quantity", json!({ "lines": [{ "line": line, "quantity": 0 }], "reason": "x" })),
        (
            "/lines/0/line",
            json!({ "lines": [{ "line": other["lines"][0]["id"], "quantity": 1 }], "reason": "x" }),
        ),
        (
            "/lines/1/line",
            json!({ "lines": [{ "line": line, "quantity": 1 }, { "line": line, "quantity": 1 }], "reason": "x" }),
        ),
        ("/lines/0/amount", json!({ "lines": [{ "line": line, "amount": eur(-1) }], "reason": "x" })),
        ("/shipping", json!({ "shipping": { "amount_minor": 1, "currency": "JPY" }, "reason": "x" })),
    ] {
        shop.refunds(&order, body).await.refused(422, "validation_failed").about(pointer);
    }
    shop.refunds(&order, json!({ "reason": "x", "total": 1 })).await.refused(422, "unknown_field");
    shop.refunds(&order, pieces(&order, 3, "restock")).await.refused(409, "refund_exceeds");
    let unknown = json!({ "id": "ord_01h455vb4pex5vsknk084sn02q", "lines": order["lines"] });
    shop.refunds(&unknown, pieces(&order, 1, "restock")).await.refused(404, "not_found");
    let path = format!("/admin/v1/orders/{}/refunds", order["id"].as_str().unwrap());
    let body = pieces(&order, 1, "restock");
    shop.owner_call("POST", &path).json(&body).send().await.refused(400, "idempotency_key_missing");
    shop.call("POST", &path).keyed().json(&body).send().await.refused(401, "unauthenticated");
    assert_eq!(shop.digest().await, before);
}

#[actix_web::test]
async fn a_refund_happens_once_for_its_key() {
    let shop = Shop::open().await;
    let order = bought(&shop, 2).await;
    let (path, key) = (format!("/admin/v1/orders/{}/refunds", order["id"].as_str().unwrap()), key());
    let asks = async |body: Value| {
        shop.owner_call("POST", &path).header("idempotency-key", &key).json(&body).send().await
    };
    let first = asks(pieces(&order, 1, "restock")).await.expect(200);
    let again = asks(pieces(&order, 1, "restock")).await.expect(200);
    assert_eq!((first.bytes, again.header("idempotent-replayed")), (again.bytes.clone(), "true"));
    asks(pieces(&order, 2, "restock")).await.refused(422, "idempotency_key_reused");
    assert_eq!((shop.sweep().await.refunds, shop.taken().await), (1, (2490, 1000)));
}

#[actix_web::test]
async fn the_same_piece_is_given_back_once_however_many_ask() {
    let shop = Shop::open().await;
    let order = bought(&shop, 1).await;
    let answers = join_all((0..8).map(|_| shop.refunds(&order, pieces(&order, 1, "restock")))).await;
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    let refused = answers.iter().filter(|answer| answer.json["code"] == "refund_exceeds").count();
    assert_eq!(
        (done, refused),
        (1, 7),
        "{:?}",
        answers.iter().map(|answer| answer.status).collect::<Vec<_>>()
    );
    assert_eq!((shop.sweep().await.refunds, shop.taken().await), (1, (1490, 1000)));
    assert_eq!(shop.stock().await, "9/0/0");
    assert_eq!(shop.order(order["id"].as_str().unwrap()).await["financial_status"], "partially_refunded");
}

#[actix_web::test]
async fn cancelling_after_a_refund_gives_back_the_rest_and_no_more() {
    let shop = Shop::open().await;
    let order = bought(&shop, 3).await;
    shop.refunds(&order, pieces(&order, 1, "restock")).await.expect(200);
    // The promise has not been kept yet when the order is cancelled.
    let path = format!("/admin/v1/orders/{}/cancel", order["id"].as_str().unwrap());
    let cancelled = shop
        .owner_call("POST", &path)
        .keyed()
        .json(&json!({ "reason": "customer" }))
        .send()
        .await
        .expect(200);
    assert_eq!(cancelled.json["refunds"][1]["amount"], eur(2490));
    assert_eq!((shop.stock().await.as_str(), shop.sweep().await.refunds), ("9/0/0", 2));
    assert_eq!(shop.taken().await, (3490, 3490));
    for account in ["1000", "1100", "2200", "2300"] {
        assert_eq!(shop.balance_of(account).await, 0, "{account}");
    }
    shop.refunds(&order, pieces(&order, 1, "restock")).await.refused(409, "order_state");
}

#[actix_web::test]
async fn only_money_that_is_ours_goes_back() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let body = json!({ "expected_total": eur(1490), "payment": { "provider": "manual" } });
    let order = shop.checkout(&basket, &key(), &body).await.expect(201).json["order"].clone();
    let refused = shop.refunds(&order, pieces(&order, 1, "restock")).await.refused(409, "order_state");
    assert_eq!(refused.json["allowed_actions"], json!(["cancel", "mark_paid", "fulfill"]));
    let path = format!("/admin/v1/orders/{}/mark-paid", order["id"].as_str().unwrap());
    shop.owner_call("POST", &path).keyed().json(&json!({})).send().await.expect(200);
    shop.refunds(&order, pieces(&order, 1, "restock")).await.expect(200);
    assert_eq!(shop.sweep().await.refunds, 1);
    let done = shop.order(order["id"].as_str().unwrap()).await;
    assert_eq!(
        (&done["financial_status"], &done["refunds"][0]["state"]),
        (&json!("partially_refunded"), &json!("succeeded"))
    );
    assert_eq!((shop.balance_of("1000").await, shop.balance_of("2300").await), (490, 0));
}

/// Two lines of one thing, which only staff can put into an order: a draft's.
#[actix_web::test]
async fn two_lines_of_one_thing_both_go_back_on_the_shelf() {
    let shop = Shop::open().await;
    let mug = shop.thing(9, 1000).await;
    let line = |quantity: u32| json!({ "variant": mug.variant, "quantity": quantity });
    let body = json!({ "lines": [line(2), line(3)], "email": "ada@example.com", "shipping_address": ada() });
    let draft =
        shop.owner_call("POST", "/admin/v1/draft-orders").keyed().json(&body).send().await.expect(201);
    let path = format!("/admin/v1/draft-orders/{}/complete", draft.text("/id"));
    let bought =
        shop.owner_call("POST", &path).keyed().json(&json!({ "paid": true })).send().await.expect(201);
    let order = shop.order(&bought.text("/id")).await;
    assert_eq!(shop.stock().await, "9/5/0");
    let of = |place: usize, quantity: u32, stock: &str| json!({ "line": order["lines"][place]["id"], "quantity": quantity, "stock": stock });
    // One of each back on sale.
    let both = json!({ "lines": [of(0, 1, "restock"), of(1, 1, "restock")], "reason": "damaged" });
    shop.refunds(&order, both).await.expect(200);
    assert_eq!((shop.stock().await.as_str(), shop.unexplained_levels().await), ("9/3/0", 0));
    // Of the rest, one is broken and one is not.
    let mixed = json!({ "lines": [of(0, 1, "write_off"), of(1, 1, "restock")], "reason": "damaged" });
    shop.refunds(&order, mixed).await.expect(200);
    assert_eq!((shop.stock().await.as_str(), shop.unexplained_levels().await), ("8/1/0", 0));
    shop.refunds(&order, json!({ "lines": [of(1, 1, "restock")], "reason": "damaged" })).await.expect(200);
    assert_eq!((shop.stock().await.as_str(), shop.unexplained_levels().await), ("8/0/0", 0));
}
