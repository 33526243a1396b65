//! Gift cards and store credit over HTTP: issued, spent together with a card, given back, and never spent twice.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::shop::{Basket, Shop, key, pay_with};
use crate::testing::Answer;

impl Shop {
    /// A gift card of so much; id and code.
    pub(super) async fn gift_card(&self, minor: i64) -> (String, String) {
        let body = json!({ "amount": { "amount_minor": minor, "currency": "EUR" }, "origin": "sold" });
        let answer = self.staff("POST", "/admin/v1/gift-cards", Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        let text = |name: &str| answer.json[name].as_str().unwrap().to_owned();
        (text("id"), text("code"))
    }

    pub(super) async fn pays_with(&self, basket: &Basket, code: &str) -> Answer {
        let path = format!("/store/v1/carts/{}/gift-cards", basket.id);
        let body = json!({ "code": code }).to_string().into_bytes();
        self.inner.send("POST", &path, Some(body), &[("x-cart-secret", basket.secret.as_str())]).await
    }

    pub(super) async fn card(&self, id: &str) -> Value {
        self.staff("GET", &format!("/admin/v1/gift-cards/{id}"), None).await.json
    }

    /// Entries add up to balances, and balances to the books.
    pub(super) async fn credit_adds_up(&self) {
        let off = "SELECT count(*) AS number FROM credit_accounts a WHERE balance_minor <> \
            (SELECT COALESCE(sum(amount_minor), 0) FROM credit_entries e WHERE e.account_id = a.id)";
        assert_eq!(self.number(off).await, 0);
        let owed = "SELECT COALESCE(sum(balance_minor), 0)::bigint AS number FROM credit_accounts";
        let held =
            "SELECT COALESCE(sum(amount_minor), 0)::bigint AS number FROM order_credits WHERE state = 'held'";
        let owed = self.number(owed).await + self.number(held).await;
        assert_eq!(self.balance_of("2400").await, -owed);
    }
}

fn due(total: i64, due: i64, token: &str) -> Value {
    let mut body = pay_with(total, token);
    body["expected_due"] = json!({ "amount_minor": due, "currency": "EUR" });
    body
}

#[actix_web::test]
async fn two_gift_cards_and_a_card_pay_together_and_get_their_own_back() {
    let shop = Shop::open().await;
    let (first, one) = shop.gift_card(500).await;
    let (second, two) = shop.gift_card(300).await;
    assert_eq!((shop.balance_of("2400").await, shop.balance_of("1000").await), (-800, 800));
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    shop.pays_with(&basket, &one.to_lowercase()).await;
    let cart = shop.pays_with(&basket, &two.replace('-', "")).await;
    assert_eq!(cart.status, 200, "{}", cart.json);
    assert_eq!(
        (&cart.json["total"]["amount_minor"], &cart.json["amount_due"]["amount_minor"]),
        (&json!(1490), &json!(690))
    );
    assert_eq!(cart.json["credits"][1]["amount"]["amount_minor"], 300);
    assert!(!cart.json.to_string().contains(&two));
    let unsure = shop.buys(&basket, 1490, "tok_ok").await;
    assert_eq!((unsure.status, unsure.json["errors"][0]["pointer"].as_str()), (422, Some("/expected_due")));
    let declined = shop.checkout(&basket, &key(), &due(1490, 690, "tok_declined")).await;
    assert_eq!(declined.status, 402, "{}", declined.json);
    assert_eq!(shop.card(&first).await["balance"]["amount_minor"], 500);
    shop.credit_adds_up().await;
    let bought = shop.checkout(&basket, &key(), &due(1490, 690, "tok_ok")).await;
    assert_eq!(
        (bought.status, &bought.json["order"]["financial_status"]),
        (201, &json!("paid")),
        "{}",
        bought.json
    );
    assert_eq!(shop.taken().await, (690, 0));
    assert_eq!(
        (shop.balance_of("1100").await, shop.balance_of("2400").await, shop.balance_of("1000").await),
        (0, 0, 1490)
    );
    shop.credit_adds_up().await;
    let id = bought.json["order"]["id"].as_str().unwrap();
    let order = shop.order(id).await;
    assert_eq!(
        (order["credits"].as_array().unwrap().len(), &order["credits"][0]["state"]),
        (2, &json!("spent"))
    );
    let body = Some(json!({ "reason": "customer" }));
    let cancelled = shop.staff("POST", &format!("/admin/v1/orders/{id}/cancel"), body).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.json);
    shop.sweep().await;
    assert_eq!(shop.taken().await, (690, 690));
    assert_eq!(
        (shop.balance_of("1100").await, shop.balance_of("2400").await, shop.balance_of("2300").await),
        (0, -800, 0)
    );
    let card = shop.card(&second).await;
    assert_eq!(card["balance"]["amount_minor"], 300);
    let kinds: Vec<_> =
        card["entries"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["issued", "held", "released", "held", "returned"]);
    assert_eq!(shop.order(id).await["financial_status"], "refunded");
    shop.credit_adds_up().await;
}

#[actix_web::test]
async fn a_gift_card_that_pays_all_needs_no_provider() {
    let shop = Shop::open().await;
    let (id, code) = shop.gift_card(5000).await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    shop.pays_with(&basket, &code).await;
    let bought = shop.checkout(&basket, &key(), &due(1490, 0, "tok_ok")).await;
    assert_eq!(
        (bought.status, &bought.json["order"]["financial_status"]),
        (201, &json!("paid")),
        "{}",
        bought.json
    );
    assert_eq!(
        (shop.taken().await, &shop.card(&id).await["balance"]["amount_minor"]),
        ((0, 0), &json!(3510))
    );
    let order = bought.json["order"]["id"].as_str().unwrap();
    let body = Some(json!({ "reason": "customer" }));
    let cancelled = shop.staff("POST", &format!("/admin/v1/orders/{order}/cancel"), body).await;
    assert_eq!((cancelled.status, &cancelled.json["financial_status"]), (200, &json!("refunded")));
    assert_eq!(shop.card(&id).await["balance"]["amount_minor"], 5000);
    shop.credit_adds_up().await;
}

#[actix_web::test]
async fn the_same_gift_card_in_many_carts_is_spent_once() {
    let shop = Shop::open().await;
    let (id, code) = shop.gift_card(3000).await;
    let mug = shop.thing(50, 1000).await;
    let mut baskets = Vec::new();
    for _ in 0..10 {
        let basket = shop.basket(mug, 1).await;
        assert_eq!(shop.pays_with(&basket, &code).await.json["amount_due"]["amount_minor"], 0);
        baskets.push(basket);
    }
    let answers = join_all(baskets.iter().map(async |basket| {
        loop {
            let answer = shop.checkout(basket, &key(), &due(1490, 0, "tok_ok")).await;
            if answer.status != 503 {
                return answer;
            }
        }
    }))
    .await;
    let bought = answers.iter().filter(|answer| answer.status == 201).count();
    let gone =
        answers.iter().filter(|answer| answer.status == 409 && answer.json["code"] == "credit_gone").count();
    // Those who see what is left find another amount to pay; those who raced find that it is gone.
    let asked =
        answers.iter().filter(|answer| answer.json["errors"][0]["pointer"] == "/expected_due").count();
    assert_eq!(
        (bought, gone + asked),
        (2, 8),
        "{:?}",
        answers.iter().map(|answer| &answer.json).collect::<Vec<_>>()
    );
    assert_eq!(shop.card(&id).await["balance"]["amount_minor"], 20);
    assert_eq!(
        (shop.stock().await.as_str(), shop.number("SELECT count(*) AS number FROM orders").await),
        ("50/2/0", 2)
    );
    shop.credit_adds_up().await;
}

#[actix_web::test]
async fn what_cannot_be_used_says_why_and_changes_nothing() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let refused = async |code: &str, reason: &str| {
        let answer = shop.pays_with(&basket, code).await;
        assert_eq!((answer.status, &answer.json["reason"]), (422, &json!(reason)), "{}", answer.json);
    };
    refused("0000-0000-0000-0000", "unknown").await;
    let (id, code) = shop.gift_card(500).await;
    let path = format!("/admin/v1/gift-cards/{id}");
    let bearer = format!("Bearer {}", shop.inner.owner());
    let put = async |seen: &str, body: Value| {
        let headers = [("authorization", bearer.as_str()), ("if-match", seen)];
        shop.inner.send("PUT", &path, Some(body.to_string().into_bytes()), &headers).await
    };
    assert_eq!(put("\"9\"", json!({ "disabled": true })).await.status, 412);
    assert_eq!(put("\"1\"", json!({ "disabled": true })).await.status, 200);
    refused(&code, "disabled").await;
    assert_eq!(
        put("\"2\"", json!({ "disabled": false, "expires_at": "2020-01-01T00:00:00Z" })).await.status,
        200
    );
    refused(&code, "expired").await;
    for amount in [0, -5, 100_000_001] {
        let body = json!({ "amount": { "amount_minor": amount, "currency": "EUR" }, "origin": "granted" });
        let answer = shop.staff("POST", "/admin/v1/gift-cards", Some(body)).await;
        assert_eq!((answer.status, answer.json["errors"][0]["pointer"].as_str()), (422, Some("/amount")));
    }
    assert_eq!(shop.number("SELECT count(*) AS number FROM credit_accounts").await, 1);
    assert_eq!(shop.words("SELECT gift_cards::text AS word FROM carts").await, "{}");
    let kept = shop.words("SELECT a::text AS word FROM credit_accounts a").await;
    assert!(kept.contains(&code[15..]) && !kept.contains(&code.replace('-', "")), "{kept}");
    shop.credit_adds_up().await;
}

#[actix_web::test]
async fn a_customers_store_credit_pays_their_cart() {
    let shop = Shop::open().await;
    let customer = souk_kernel::CustomerId::new();
    let text = format!(
        "INSERT INTO {{s}}.customers (id, email, email_key, created_at, updated_at) VALUES ('{}', 'ada@example.com', 'ada@example.com', now(), now())",
        customer.uuid()
    );
    shop.inner.admin(&text).await;
    let body = json!({ "customer": customer, "amount": { "amount_minor": 400, "currency": "EUR" }, "origin": "granted" });
    for _ in 0..2 {
        let answer = shop.staff("POST", "/admin/v1/store-credits", Some(body.clone())).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
    }
    assert_eq!((shop.balance_of("6100").await, shop.balance_of("2400").await), (800, -800));
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let path = format!("/store/v1/carts/{}", basket.id);
    let wish = json!({ "use_store_credit": true }).to_string().into_bytes();
    let headers = [("x-cart-secret", basket.secret.as_str())];
    let guest = shop.inner.send("PATCH", &path, Some(wish.clone()), &headers).await;
    assert_eq!(
        (guest.status, &guest.json["amount_due"]["amount_minor"]),
        (200, &json!(1490)),
        "{}",
        guest.json
    );
    shop.inner.admin(&format!("UPDATE {{s}}.carts SET customer_id = '{}'", customer.uuid())).await;
    let cart = shop.inner.send("PATCH", &path, Some(wish), &headers).await;
    assert_eq!(cart.json["credits"][0]["kind"], "store_credit", "{}", cart.json);
    let bought = shop.checkout(&basket, &key(), &due(1490, 690, "tok_ok")).await;
    assert_eq!((bought.status, shop.taken().await), (201, (690, 0)), "{}", bought.json);
    shop.credit_adds_up().await;
}

#[actix_web::test]
async fn no_more_goes_back_to_the_card_than_the_card_paid() {
    let shop = Shop::open().await;
    let (_, code) = shop.gift_card(1000).await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    assert_eq!(shop.pays_with(&basket, &code).await.status, 200);
    let bought = shop.checkout(&basket, &key(), &due(1490, 490, "tok_ok")).await.expect(201);
    let order = &bought.json["order"];
    // The mug cost 10.00, and the card paid 4.90 of the 14.90.
    let refunds = format!("/admin/v1/orders/{}/refunds", order["id"].as_str().unwrap());
    let mug = json!({ "lines": [{ "line": order["lines"][0]["id"], "quantity": 1 }], "reason": "damaged" });
    let before = shop.digest().await;
    shop.owner_call("POST", &refunds).keyed().json(&mug).send().await.refused(409, "refund_exceeds");
    shop.owner_call("POST", &format!("{refunds}:preview"))
        .json(&mug)
        .send()
        .await
        .refused(409, "refund_exceeds");
    assert_eq!(shop.digest().await, before);
    let part = json!({ "lines": [{ "line": order["lines"][0]["id"], "amount": { "amount_minor": 490, "currency": "EUR" } }], "reason": "late" });
    shop.owner_call("POST", &refunds).keyed().json(&part).send().await.expect(200);
    assert_eq!(shop.taken().await, (490, 0));
    shop.sweep().await;
    assert_eq!(shop.taken().await, (490, 490));
}
