//! What the shopper saw, and what they agreed to.

use serde_json::{Value, json};

use super::shop::{Basket, Shop, key, pay_with};

impl Shop {
    async fn writes_terms(&self, terms: &str) {
        let body = json!({ "body_html": terms });
        self.owner_call("PUT", "/admin/v1/policies/terms").json(&body).send().await.expect(200);
    }

    async fn asks_for_terms(&self) {
        let call = self.owner_call("PATCH", "/admin/v1/settings").header("if-match", "*");
        call.json(&json!({ "terms_required": true })).send().await.expect(200);
    }

    async fn first_line(&self, basket: &Basket) -> Value {
        let path = format!("/store/v1/carts/{}", basket.id);
        let cart = self.call("GET", &path).header("x-cart-secret", &basket.secret).send().await.expect(200);
        cart.json["lines"][0]["id"].clone()
    }
}

fn agreeing(total: i64, version: i64) -> Value {
    let mut body = pay_with(total, "tok_ok");
    body["accepted_terms"] = json!(version);
    body
}

#[actix_web::test]
async fn an_order_keeps_which_terms_were_accepted() {
    let shop = Shop::open().await;
    shop.asks_for_terms().await;
    assert_eq!(shop.call("GET", "/store/v1/store").send().await.expect(200).json["terms_required"], true);
    // Without terms there is nothing to agree to, and the store sells.
    let mug = shop.thing(9, 1000).await;
    shop.buys(&shop.basket(mug, 1).await, 1490, "tok_ok").await.expect(201);
    shop.checkout(&shop.basket(mug, 1).await, &key(), &agreeing(1490, 1))
        .await
        .refused(422, "terms_not_accepted");
    shop.writes_terms("<p>Be kind.</p>").await;
    shop.writes_terms("<p>Be very kind.</p>").await;
    let basket = shop.basket(mug, 1).await;
    let before = shop.digest().await;
    for body in [pay_with(1490, "tok_ok"), agreeing(1490, 1), agreeing(1490, 3)] {
        let refused = shop.checkout(&basket, &key(), &body).await;
        let refused = refused.refused(422, "terms_not_accepted").about("/accepted_terms");
        assert_eq!(refused.json["terms_version"], 2);
    }
    assert_eq!(shop.digest().await, before);
    let bought = shop.checkout(&basket, &key(), &agreeing(1490, 2)).await.expect(201);
    let order = shop.order(bought.json["order"]["id"].as_str().unwrap()).await;
    assert_eq!(order["terms"]["version"], 2);
    assert_eq!(bought.json["order"]["terms"], order["terms"]);
    let kept =
        "SELECT count(*) AS number FROM orders WHERE terms_version = 2 AND octet_length(terms_network) = 32";
    assert_eq!(shop.number(kept).await, 1);
    // Newer terms change no order.
    shop.writes_terms("<p>Be kindest.</p>").await;
    assert_eq!(shop.order(order["id"].as_str().unwrap()).await["terms"], order["terms"]);
}

#[actix_web::test]
async fn what_changed_since_the_shopper_looked_names_its_line() {
    let shop = Shop::open().await;
    let mug = shop.thing(9, 1000).await;
    let basket = shop.basket(mug, 1).await;
    let line = shop.first_line(&basket).await;
    let seen = |total: i64, of_line: i64| {
        let mut body = pay_with(total, "tok_ok");
        body["expected_lines"] =
            json!([{ "line": line, "total": { "amount_minor": of_line, "currency": "EUR" } }]);
        body
    };
    let path = format!("/admin/v1/variants/{}/price", mug.variant);
    let price = json!({ "price": { "amount_minor": 1200, "currency": "EUR" } });
    shop.owner_call("PUT", &path).header("if-match", "*").json(&price).send().await.expect(200);
    let before = shop.digest().await;
    let changed = shop.checkout(&basket, &key(), &seen(1490, 1000)).await;
    let changed = changed.refused(409, "price_changed").about("/expected_lines/0/total");
    let message = changed.text("/errors/0/message");
    assert!(
        message.contains(line.as_str().unwrap()) && message.contains("12.00") && message.contains("10.00")
    );
    assert_eq!(changed.json["lines"][0]["line"], line);
    assert_eq!(changed.json["lines"][0]["unit_price"]["amount_minor"], 1200);
    // Also where the total happens to be as it was seen.
    shop.checkout(&basket, &key(), &seen(1690, 1000)).await.refused(409, "price_changed");
    assert_eq!(shop.digest().await, before);
    shop.checkout(&basket, &key(), &seen(1690, 1200)).await.expect(201);
}

#[actix_web::test]
async fn what_is_gone_names_its_line() {
    let shop = Shop::open().await;
    let last = shop.thing(1, 1000).await;
    let (quick, slow) = (shop.basket(last, 1).await, shop.basket(last, 1).await);
    shop.buys(&quick, 1490, "tok_ok").await.expect(201);
    let refused =
        shop.buys(&slow, 1490, "tok_ok").await.refused(409, "out_of_stock").about("/lines/0/quantity");
    assert_eq!(refused.json["shortages"][0]["available"], 0);
    let line = shop.first_line(&slow).await;
    assert!(refused.text("/errors/0/message").starts_with(line.as_str().unwrap()));
    shop.admin("UPDATE {s}.products SET status = 'draft'").await;
    let refused =
        shop.buys(&slow, 1490, "tok_ok").await.refused(422, "checkout_incomplete").about("/lines/0");
    assert!(refused.text("/errors/0/message").contains(line.as_str().unwrap()));
}
