//! A draft order becomes an order: its buyer pays, or staff says so.

use std::time::Duration;

use serde_json::{Value, json};
use souk_kernel::{CartId, DraftOrderId};

use super::{drafted, edited, minor, offered, opened, orders, pays, read, staff, states, two_of};
use crate::testing::shop::{Shop, key, pay_with};

/// The provider says no; what is kept of that answer for the key has no request of its own.
async fn declined(shop: &Shop, (id, secret): (&str, &str)) {
    let answer = pays(shop, (id, secret), 2490, "tok_declined").await.expect(402);
    assert_eq!(answer.json["code"], "payment_declined");
}

#[actix_web::test]
async fn the_link_opens_it_without_a_sign_in_and_nothing_else_does() {
    let shop = Shop::open().await;
    let (id, secret) = offered(&shop, two_of(shop.thing(5, 1000).await)).await;
    let shown = opened(&shop, &id, &secret).await.expect(200);
    assert_eq!(shown.header("cache-control"), "no-store");
    assert_eq!((minor(&shown.json["total"]), &shown.json["payable"]), (2490, &json!(true)));
    assert_eq!((&shown.json["state"], &shown.json["tags"]), (&json!("open"), &Value::Null));
    let whole = shop.digest().await;
    let other = souk_access::LinkSecret::mint().unwrap().expose().to_owned();
    for wrong in [other.as_str(), "short", ""] {
        opened(&shop, &id, wrong).await.refused(404, "not_found");
        pays(&shop, (&id, wrong), 2490, "tok_ok").await.refused(404, "not_found");
    }
    // It is no shopper's cart: nobody looks into it or changes it as one.
    let cart = CartId::from_uuid(id.parse::<DraftOrderId>().unwrap().uuid());
    let path = format!("/store/v1/carts/{cart}");
    let asks = |method: &str, path: &str| shop.call(method, path).header("x-cart-secret", &secret);
    asks("GET", &path).send().await.refused(404, "not_found");
    asks("PATCH", &path).json(&json!({ "note": "cheaper" })).send().await.refused(404, "not_found");
    let code = json!({ "code": "SUMMER" });
    asks("POST", &format!("{path}/discount-codes")).json(&code).send().await.refused(404, "not_found");
    asks("PUT", &format!("{path}/reminder"))
        .json(&json!({ "wanted": true }))
        .send()
        .await
        .refused(404, "not_found");
    // Nor does it buy as one, whatever is paid; and no shopper's cart is a draft order.
    let buys = |path: String, header: &'static str, secret: &str| {
        let call = shop.call("POST", &path).header(header, secret).header("idempotency-key", &key());
        call.json(&pay_with(2490, "tok_ok")).send()
    };
    buys(format!("{path}/checkout"), "x-cart-secret", &secret).await.refused(404, "not_found");
    assert_eq!(shop.digest().await, whole);
    let basket = shop.basket(shop.thing(5, 1000).await, 2).await;
    let whole = shop.digest().await;
    let draft = DraftOrderId::from_uuid(basket.id.uuid());
    let path = format!("/store/v1/draft-orders/{draft}/checkout");
    buys(path, "x-draft-order-secret", &basket.secret).await.refused(404, "not_found");
    assert_eq!((shop.digest().await, orders(&shop).await), (whole, 0));
    // A new link takes the place of the one before.
    let anew = super::linked(&shop, &id).await;
    opened(&shop, &id, &secret).await.refused(404, "not_found");
    opened(&shop, &id, &anew).await.expect(200);
}

#[actix_web::test]
async fn a_declined_payment_leaves_it_to_be_paid_and_a_paid_one_is_one_order() {
    let shop = Shop::open().await;
    let (id, secret) = offered(&shop, two_of(shop.thing(5, 1000).await)).await;
    declined(&shop, (&id, &secret)).await;
    assert_eq!(
        (states(&shop).await.as_str(), shop.stock().await.as_str(), orders(&shop).await),
        ("open", "5/0/0", 0)
    );
    assert_eq!(opened(&shop, &id, &secret).await.json["payable"], true);
    edited(&shop, &id, "\"1\"", &json!({ "note": "Try another card" })).await.expect(200);
    let bought = pays(&shop, (&id, &secret), 2490, "tok_ok").await.expect(201);
    assert_eq!(
        (shop.taken().await, shop.stock().await.as_str(), orders(&shop).await),
        ((2490, 0), "5/2/0", 1)
    );
    // Whoever comes again gets the order there is, and is charged nothing.
    let again = pays(&shop, (&id, &secret), 2490, "tok_ok").await.expect(200);
    assert_eq!((again.text("/order/id"), shop.taken().await), (bought.text("/order/id"), (2490, 0)));
    let seen = opened(&shop, &id, &secret).await.expect(200).json;
    assert_eq!((&seen["state"], &seen["payable"]), (&json!("completed"), &json!(false)));
    let whole = shop.digest().await;
    edited(&shop, &id, "*", &json!({ "note": "late" })).await.refused(409, "draft_order_state");
    for (what, body) in [
        ("cancel", None),
        ("payment-link", None),
        ("send-invoice", Some(json!({}))),
        ("complete", Some(json!({}))),
    ] {
        let refused = staff(&shop, &id, what, body).await.refused(409, "draft_order_state");
        assert_eq!(refused.json["state"], "completed", "{what}");
    }
    assert_eq!(shop.digest().await, whole);
    assert_eq!(shop.unexplained_levels().await, 0);
}

#[actix_web::test]
async fn staff_waits_while_its_buyer_is_at_the_provider() {
    let shop = Shop::open().await;
    let (id, secret) = offered(&shop, two_of(shop.thing(5, 1000).await)).await;
    let begun = pays(&shop, (&id, &secret), 2490, "tok_3ds").await.expect(202);
    assert_eq!(read(&shop, &id).await["paying"], true);
    let whole = shop.digest().await;
    edited(&shop, &id, "\"1\"", &json!({ "lines": [] })).await.refused(409, "draft_order_paying");
    for (what, body) in [("cancel", None), ("complete", Some(json!({ "paid": true })))] {
        staff(&shop, &id, what, body).await.refused(409, "draft_order_paying");
    }
    assert_eq!(shop.digest().await, whole);
    // Staff may undo the attempt, as any order that is not paid yet; then the draft order is theirs again.
    let path = format!("/admin/v1/orders/{}/cancel", begun.text("/order/id"));
    shop.staff("POST", &path, Some(json!({ "reason": "customer" }))).await.expect(200);
    assert_eq!((shop.stock().await.as_str(), states(&shop).await.as_str()), ("5/0/0", "open"));
    staff(&shop, &id, "cancel", None).await.expect(200);
    pays(&shop, (&id, &secret), 2490, "tok_ok").await.refused(409, "draft_order_state");
    assert_eq!(orders(&shop).await, 0);
}

#[actix_web::test]
async fn staff_completes_it_paid_by_hand_or_to_be_paid_later() {
    let shop = Shop::open().await;
    let mug = shop.thing(9, 1000).await;
    let id = drafted(&shop, two_of(mug)).await.text("/id");
    let paid = staff(&shop, &id, "complete", Some(json!({ "paid": true }))).await.expect(201);
    assert_eq!(paid.header("location"), format!("/admin/v1/orders/{}", paid.text("/id")));
    assert_eq!((&paid.json["financial_status"], &paid.json["state"]), (&json!("paid"), &json!("open")));
    assert_eq!(paid.json["payments"][0]["provider"], "manual");
    assert_eq!(minor(&paid.json["payments"][0]["captured"]), 2490);
    assert_eq!((shop.stock().await.as_str(), shop.taken().await), ("9/2/0", (0, 0)));
    assert_eq!((shop.balance_of("1000").await, shop.balance_of("1100").await), (2490, 0));
    assert_eq!(
        shop.told().await,
        ["draft_order.created", "draft_order.completed", "order.placed", "order.paid"]
    );

    let later = drafted(&shop, two_of(mug)).await.text("/id");
    let later = staff(&shop, &later, "complete", Some(json!({ "paid": false }))).await.expect(201);
    assert_eq!((&later.json["financial_status"], shop.balance_of("1100").await), (&json!("pending"), 2490));
    let path = format!("/admin/v1/orders/{}/mark-paid", later.text("/id"));
    shop.staff("POST", &path, Some(json!({}))).await.expect(200);
    assert_eq!((shop.balance_of("1000").await, shop.balance_of("1100").await), (4980, 0));

    // All of it a present: there is nothing to pay by any way.
    let mut present = two_of(mug);
    present["discount"] = json!({ "rate_ppm": 1_000_000 });
    present["shipping"] = json!({ "title": "Free", "price": { "amount_minor": 0, "currency": "EUR" } });
    let present = drafted(&shop, present).await.text("/id");
    let present = staff(&shop, &present, "complete", Some(json!({}))).await.expect(201);
    assert_eq!((&present.json["financial_status"], minor(&present.json["total"])), (&json!("paid"), 0));
    assert_eq!((states(&shop).await.as_str(), orders(&shop).await), ("completed completed completed", 3));
    assert_eq!(shop.unexplained_levels().await, 0);
}

#[actix_web::test]
async fn what_is_not_whole_not_there_or_not_as_seen_is_not_completed() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let mug = shop.thing(1, 1000).await;
    let id = drafted(&shop, two_of(mug)).await.text("/id");
    let bare =
        drafted(&shop, json!({ "lines": [{ "variant": mug.variant, "quantity": 1 }] })).await.text("/id");
    let empty = drafted(&shop, json!({ "email": "ada@example.com" })).await.text("/id");
    let whole = shop.digest().await;
    staff(&shop, &id, "complete", Some(json!({}))).await.refused(409, "out_of_stock");
    let seen = json!({ "expected_total": { "amount_minor": 1, "currency": "EUR" } });
    staff(&shop, &id, "complete", Some(seen)).await.refused(409, "price_changed");
    let missing = staff(&shop, &bare, "complete", Some(json!({}))).await.refused(422, "checkout_incomplete");
    missing.about("/email").about("/shipping_address");
    let missing = staff(&shop, &bare, "send-invoice", Some(json!({}))).await;
    missing.refused(422, "draft_order_incomplete").about("/email").about("/shipping_address");
    staff(&shop, &empty, "payment-link", None).await.refused(422, "draft_order_incomplete").about("/lines");
    let nobody = DraftOrderId::new().to_string();
    staff(&shop, &nobody, "complete", Some(json!({}))).await.refused(404, "not_found");
    assert_eq!(shop.digest().await, whole);
    // A variant that is gone stands in the way, and is named.
    shop.admin(&format!("DELETE FROM {{s}}.product_variants WHERE id = '{}'", mug.variant.uuid())).await;
    let gone = read(&shop, &bare).await;
    assert_eq!((gone["unavailable_lines"].as_array().unwrap().len(), &gone["lines"]), (1, &json!([])));
    assert_eq!(gone["missing"], json!(["lines", "email"]));
}

#[actix_web::test]
async fn stock_that_staff_keeps_stays_kept_whatever_becomes_of_a_payment() {
    let shop = Shop::open().await;
    let mug = shop.thing(2, 1000).await;
    let mut wish = two_of(mug);
    let until = shop.clock.now() + chrono::TimeDelta::days(2);
    wish["reserve_until"] = json!(until);
    let (id, secret) = offered(&shop, wish).await;
    assert_eq!(shop.stock().await, "2/0/2");
    let line = json!({ "lines": [{ "variant": mug.variant, "quantity": 1 }] });
    shop.call("POST", "/store/v1/carts").json(&line).send().await.refused(422, "validation_failed");
    declined(&shop, (&id, &secret)).await;
    assert_eq!(shop.stock().await, "2/0/2", "it is kept for the next card");
    let one = edited(&shop, &id, "\"1\"", &line).await.expect(200);
    assert_eq!((minor(&one.json["total"]), shop.stock().await.as_str()), (1490, "2/0/1"));
    // Too much is refused, and what is kept stays.
    let whole = shop.digest().await;
    let more = json!({ "lines": [{ "variant": mug.variant, "quantity": 3 }] });
    edited(&shop, &id, "\"2\"", &more).await.refused(409, "out_of_stock");
    assert_eq!(shop.digest().await, whole);
    edited(&shop, &id, "\"2\"", &json!({ "reserve_until": null })).await.expect(200);
    assert_eq!(shop.stock().await, "2/0/0");
    edited(&shop, &id, "\"3\"", &json!({ "reserve_until": until })).await.expect(200);
    assert_eq!(shop.stock().await, "2/0/1");
    // The day comes, and the clock frees it; paid then, it is taken if it is there.
    shop.clock.advance(Duration::from_secs(2 * 24 * 3600 + 120));
    shop.sweep().await;
    assert_eq!(shop.stock().await, "2/0/0");
    pays(&shop, (&id, &secret), 1490, "tok_ok").await.expect(201);
    assert_eq!((shop.stock().await.as_str(), shop.unexplained_levels().await), ("2/1/0", 0));
}

#[actix_web::test]
async fn what_staff_made_up_alone_needs_no_stock_even_where_stock_was_kept_before() {
    let shop = Shop::open().await;
    let mut wish = two_of(shop.thing(2, 1000).await);
    wish["reserve_until"] = json!(shop.clock.now() + chrono::TimeDelta::days(2));
    let (id, secret) = offered(&shop, wish).await;
    let work = json!({ "lines": [{ "title": "An hour's work", "price": { "amount_minor": 6000, "currency": "EUR" },
        "taxable": false, "requires_shipping": false, "quantity": 1 }], "reserve_until": null });
    let work = edited(&shop, &id, "\"1\"", &work).await.expect(200).json;
    assert_eq!(
        (minor(&work["total"]), minor(&work["tax"]), &work["shipping_required"]),
        (6000, 0, &json!(false))
    );
    assert_eq!(shop.stock().await, "2/0/0");
    pays(&shop, (&id, &secret), 6000, "tok_ok").await.expect(201);
    assert_eq!(
        (shop.taken().await, shop.stock().await.as_str(), orders(&shop).await),
        ((6000, 0), "2/0/0", 1)
    );
    assert_eq!((shop.balance_of("4000").await, shop.balance_of("1000").await), (-6000, 6000));
}
