//! Ways to pay over HTTP: how they are set up, and what each magic token does.

use serde_json::{Value, json};

use crate::testing::shop::{Basket, Shop, key, pay_with};

const PATH: &str = "/admin/v1/payment-providers";

#[actix_web::test]
async fn a_provider_is_set_up_by_who_has_seen_it() {
    let shop = Shop::open().await;
    let seen = shop.owner_call("GET", PATH).send().await.expect(200);
    let codes: Vec<_> = seen.data().iter().map(|provider| provider["code"].as_str().unwrap()).collect();
    assert_eq!((codes, seen.cost), (vec!["manual", "stripe", "test"], (1, 1)));
    assert_eq!((&seen.data()[2]["enabled"], &seen.data()[2]["version"]), (&json!(true), &json!(1)));
    let path = format!("{PATH}/test");
    let wish = json!({ "title": "Card", "capture_later": true, "return_hosts": ["Shop.Example.com", "shop.example.com"] });
    let before = shop.digest().await;
    shop.owner_call("PATCH", &path).json(&wish).send().await.refused(428, "precondition_required");
    shop.owner_call("PATCH", &path)
        .header("if-match", "\"9\"")
        .json(&wish)
        .send()
        .await
        .refused(412, "precondition_failed");
    let first = |body| shop.owner_call("PATCH", &path).header("if-match", "\"1\"").json(&body).send();
    first(json!({ "return_hosts": ["ok.example", "https://evil.example/"] }))
        .await
        .refused(422, "validation_failed")
        .about("/return_hosts/1");
    first(json!({ "secret": "x" })).await.refused(422, "unknown_field");
    shop.owner_call("PATCH", &format!("{PATH}/paypal"))
        .header("if-match", "\"1\"")
        .json(&wish)
        .send()
        .await
        .refused(404, "not_found");
    shop.call("PATCH", &path)
        .header("if-match", "\"1\"")
        .json(&wish)
        .send()
        .await
        .refused(401, "unauthenticated");
    assert_eq!(shop.digest().await, before);
    let set = first(wish.clone()).await.expect(200);
    assert_eq!(
        (set.json, set.headers.get("etag").unwrap().to_str().unwrap()),
        (
            json!({ "code": "test", "title": "Card", "enabled": true, "capture_later": true, "return_hosts": ["shop.example.com"], "credentials": null, "version": 2 }),
            "\"2\""
        )
    );
    // The next checkout holds the money, and may send the shopper to the merchant's own host.
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let mut body = pay_with(1490, "tok_ok");
    body["payment"]["return_url"] = json!("https://shop.example.com/thanks");
    let bought = shop.checkout(&basket, &key(), &body).await.expect(201);
    assert_eq!(bought.json["order"]["financial_status"], "authorized");
    let offers = shop.call("GET", "/store/v1/payment-providers").send().await.expect(200);
    assert_eq!(offers.data()[1], json!({ "code": "test", "title": "Card" }));
    shop.owner_call("PATCH", &path)
        .header("if-match", "\"2\"")
        .json(&json!({ "enabled": false }))
        .send()
        .await
        .expect(200);
    let offers = shop.call("GET", "/store/v1/payment-providers").send().await.expect(200);
    assert_eq!(offers.data().len(), 1);
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    shop.buys(&basket, 1490, "tok_ok")
        .await
        .refused(422, "payment_provider_unknown")
        .about("/payment/provider");
}

#[actix_web::test]
async fn a_refund_that_was_refused_is_tried_again() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let order = shop
        .checkout(&basket, &key(), &pay_with(1490, "tok_refund_declined"))
        .await
        .expect(201)
        .text("/order/id");
    let path = format!("/admin/v1/orders/{order}");
    let body = json!({ "shipping": { "amount_minor": 490, "currency": "EUR" }, "reason": "late" });
    let promised =
        shop.owner_call("POST", &format!("{path}/refunds")).keyed().json(&body).send().await.expect(200);
    let retry = format!("{path}/refunds/{}/retry", promised.text("/refunds/0/id"));
    let asks = |path: &str| shop.owner_call("POST", path).keyed().json(&json!({})).send();
    asks(&retry).await.refused(409, "order_state");
    assert_eq!(shop.sweep().await.refunds, 1);
    assert_eq!(shop.order(&order).await["refunds"][0]["state"], "failed");
    asks(&format!("{path}/refunds/rfd_01h455vb4pex5vsknk084sn02q/retry")).await.refused(404, "not_found");
    let again = asks(&retry).await.expect(200);
    assert_eq!(
        (&again.json["refunds"][0]["state"], &again.json["refunds"][0]["failure_message"]),
        (&json!("pending"), &json!(null))
    );
    // The bank still says no: it is owed as before, and once.
    assert_eq!(shop.sweep().await.refunds, 1);
    assert_eq!(shop.order(&order).await["refunds"][0]["state"], "failed");
    assert_eq!((shop.taken().await, shop.balance_of("2300").await), ((1490, 0), -490));
}

#[actix_web::test]
async fn a_live_key_does_not_pay_with_play_money() {
    let shop = Shop::open().await;
    let make = async |mode: &str| {
        let wish = json!({ "name": "Storefront", "kind": "publishable", "mode": mode });
        let made = shop.owner_call("POST", "/admin/v1/api-keys").json(&wish).send().await.expect(201);
        assert_eq!(made.json["mode"], json!(mode));
        made.text("/secret")
    };
    let (test, live) = (make("test").await, make("live").await);
    let offers = async |key: &str| {
        let call = shop.call("GET", "/store/v1/payment-providers").header("x-souk-publishable-key", key);
        let offers = call.send().await.expect(200);
        offers.data().iter().map(|offer| offer["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(offers(&test).await, ["manual", "test"]);
    assert_eq!(offers(&live).await, ["manual"]);
    let pay = async |key: &str, basket: &Basket, body: &Value| {
        let call = shop.call("POST", &format!("/store/v1/carts/{}/checkout", basket.id));
        let call = call.header("x-souk-publishable-key", key).header("x-cart-secret", &basket.secret);
        call.keyed().json(body).send().await
    };
    let play = pay_with(1490, "tok_ok");
    let mut transfer = play.clone();
    transfer["payment"] = json!({ "provider": "manual" });
    let traces = async || (shop.number("SELECT count(*) AS number FROM orders").await, shop.stock().await);
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let before = traces().await;
    pay(&live, &basket, &play).await.refused(422, "payment_key_mode").about("/payment/provider");
    assert_eq!(traces().await, before);
    // The cart is still there to be bought: a transfer moves no money by itself and is for both.
    pay(&live, &basket, &transfer).await.expect(201);
    for body in [&play, &transfer] {
        let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
        pay(&test, &basket, body).await.expect(201);
    }
}
