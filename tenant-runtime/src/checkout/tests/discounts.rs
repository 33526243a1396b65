//! Discounts over HTTP: made by staff, entered by shoppers, counted by the checkout.

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk_tenancy::StatementCount;

use super::shop::{Basket, Shop};
use crate::testing::Answer;

impl Shop {
    /// A discount by staff.
    async fn discount(&self, body: Value) -> Value {
        let answer = self.staff("POST", "/admin/v1/discounts", Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        answer.json
    }

    async fn enter(&self, basket: &Basket, code: &str) -> Answer {
        let path = format!("/store/v1/carts/{}/discount-codes", basket.id);
        let body = json!({ "code": code }).to_string().into_bytes();
        self.inner.send("POST", &path, Some(body), &[("x-cart-secret", basket.secret.as_str())]).await
    }

    async fn cart(&self, basket: &Basket) -> Value {
        let path = format!("/store/v1/carts/{}", basket.id);
        self.inner.send("GET", &path, None, &[("x-cart-secret", basket.secret.as_str())]).await.json
    }
}

fn off(rate: u32, codes: &[&str]) -> Value {
    let method = if codes.is_empty() { "automatic" } else { "code" };
    json!({ "title": "Summer sale", "method": method, "codes": codes, "terms": { "kind": "percentage", "rate_ppm": rate } })
}

#[actix_web::test]
async fn a_code_takes_its_share_and_the_order_keeps_a_copy() {
    let shop = Shop::open().await;
    let discount = shop.discount(off(100_000, &["SUMMER"])).await;
    let basket = shop.basket(shop.thing(5, 1000).await, 2).await;
    let cart = shop.enter(&basket, "summer").await.json;
    assert_eq!(cart["discount"]["amount_minor"], 200, "{cart}");
    assert_eq!(
        (&cart["subtotal"]["amount_minor"], &cart["total"]["amount_minor"]),
        (&json!(2000), &json!(2290))
    );
    assert_eq!(cart["lines"][0]["total"]["amount_minor"], 1800);
    assert_eq!(cart["lines"][0]["discounts"][0]["discount"], discount["id"]);
    assert_eq!(cart["discount_codes"][0]["applies"], true);
    assert_eq!(cart["discounts"][0]["code"], "SUMMER");
    let count = StatementCount::new();
    let bought = count.scope(shop.buys(&basket, 2290, "tok_ok")).await;
    assert_eq!(bought.status, 201, "{}", bought.json);
    println!("checkout with a code: {} statements", count.statements());
    assert!(count.statements() <= 36, "{}", count.statements());
    let order = shop.order(bought.json["order"]["id"].as_str().unwrap()).await;
    assert_eq!(
        (&order["subtotal"]["amount_minor"], &order["discount"]["amount_minor"]),
        (&json!(2000), &json!(200))
    );
    assert_eq!(
        (&order["total"]["amount_minor"], &order["lines"][0]["total"]["amount_minor"]),
        (&json!(2290), &json!(1800))
    );
    assert_eq!(order["discounts"][0]["code"], "SUMMER");
    assert_eq!(order["discounts"][0]["amount"]["amount_minor"], 200);
    assert_eq!(shop.taken().await, (2290, 0));
    // 1800 gross = 1513 + 287 tax; the 200 off are 168 without tax; delivery 412 + 78.
    let books = (shop.balance_of("4000").await, shop.balance_of("4800").await, shop.balance_of("2200").await);
    assert_eq!(books, (-1681, 168, -365));
    assert_eq!((shop.balance_of("1000").await, shop.balance_of("1100").await), (2290, 0));
    // Changing or deleting the discount does not reach the order; cancelling gives back what was paid and the use.
    assert_eq!(shop.number("SELECT used AS number FROM discounts").await, 1);
    let path = format!("/admin/v1/orders/{}/cancel", order["id"].as_str().unwrap());
    let cancelled = shop.staff("POST", &path, Some(json!({ "reason": "customer" }))).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.json);
    assert_eq!(shop.number("SELECT used AS number FROM discounts").await, 0);
    shop.sweep().await;
    assert_eq!(shop.taken().await, (2290, 2290));
    assert_eq!((shop.balance_of("1000").await, shop.balance_of("1100").await), (0, 0));
    let path = format!("/admin/v1/discounts/{}", discount["id"].as_str().unwrap());
    assert_eq!(shop.staff("DELETE", &path, None).await.status, 204);
    let order = shop.order(order["id"].as_str().unwrap()).await;
    assert_eq!(order["discounts"][0]["title"], "Summer sale");
    assert_eq!(shop.told().await[0], "discount.created");
}

#[actix_web::test]
async fn everything_off_is_an_order_without_a_payment() {
    let shop = Shop::open().await;
    shop.discount(json!({ "title": "All", "method": "automatic", "combines_with": ["shipping"],
        "terms": { "kind": "percentage", "rate_ppm": 1_000_000 } }))
        .await;
    shop.discount(json!({ "title": "Free delivery", "method": "automatic", "combines_with": ["order"],
        "terms": { "kind": "free_shipping", "countries": ["DE"] } }))
        .await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let cart = shop.cart(&basket).await;
    assert_eq!(
        (&cart["total"]["amount_minor"], &cart["shipping"]["discount"]["amount_minor"]),
        (&json!(0), &json!(490))
    );
    let bought = shop.buys(&basket, 0, "tok_ok").await;
    assert_eq!(
        (bought.status, &bought.json["order"]["financial_status"]),
        (201, &json!("paid")),
        "{}",
        bought.json
    );
    assert_eq!(shop.taken().await, (0, 0));
    let books = (shop.balance_of("4000").await, shop.balance_of("4100").await, shop.balance_of("4800").await);
    assert_eq!(books, (-1000, -490, 1490));
    let attempt =
        shop.words("SELECT amount_minor::text AS word FROM discount_allocations ORDER BY amount_minor").await;
    assert_eq!(attempt, "490 1000");
}

#[actix_web::test]
async fn a_code_that_does_not_apply_says_why() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let unknown = shop.enter(&basket, "NOPE").await;
    assert_eq!(
        (unknown.status, &unknown.json["code"], &unknown.json["reason"]),
        (422, &json!("discount_code_refused"), &json!("unknown_code"))
    );
    let mut wish = off(100_000, &["BIG"]);
    wish["minimum"] = json!({ "amount": { "amount_minor": 1500, "currency": "EUR" } });
    shop.discount(wish).await;
    let cart = shop.enter(&basket, "BIG").await;
    assert_eq!(cart.status, 200, "{}", cart.json);
    let code = &cart.json["discount_codes"][0];
    assert_eq!((&code["applies"], &code["reason"]), (&json!(false), &json!("minimum_amount")));
    assert_eq!(code["missing_amount"]["amount_minor"], 500);
    assert_eq!(cart.json["total"]["amount_minor"], 1490);
    let path = format!("/store/v1/carts/{}/discount-codes/big", basket.id);
    let secret = [("x-cart-secret", basket.secret.as_str())];
    let removed = shop.inner.send("DELETE", &path, None, &secret).await;
    assert_eq!((removed.status, &removed.json["discount_codes"]), (200, &json!([])));
    let mut wish = off(100_000, &["OLD"]);
    wish["starts_at"] = json!("2020-01-01T00:00:00Z");
    wish["ends_at"] = json!("2020-02-01T00:00:00Z");
    let old = shop.discount(wish).await;
    assert_eq!(old["status"], "ended");
    assert_eq!(shop.enter(&basket, "OLD").await.json["reason"], "ended");
    assert_eq!(shop.words("SELECT array_to_string(discount_codes, ',') AS word FROM carts").await, "");
}

#[actix_web::test]
async fn once_for_each_customer_and_again_after_a_declined_card() {
    let shop = Shop::open().await;
    let mut wish = off(500_000, &["ONCE"]);
    wish["per_customer_limit"] = json!(1);
    shop.discount(wish).await;
    let mug = shop.thing(9, 1000).await;
    let basket = shop.basket(mug, 1).await;
    shop.enter(&basket, "ONCE").await;
    assert_eq!(shop.buys(&basket, 990, "tok_declined").await.status, 402);
    assert_eq!(shop.number("SELECT used AS number FROM discounts").await, 0);
    assert_eq!(shop.buys(&basket, 990, "tok_ok").await.status, 201);
    let second = shop.basket(mug, 1).await;
    let cart = shop.enter(&second, "ONCE").await.json;
    assert_eq!(cart["discount_codes"][0]["reason"], "used_by_customer", "{cart}");
    // Known by a digest, also what a program of before the migration writes; the address is nowhere.
    let counts =
        "SELECT count(*) AS number FROM discount_uses WHERE email_key = '' AND length(customer_digest) = 32";
    assert_eq!(shop.number(counts).await, 1);
    let old = "INSERT INTO {s}.discount_uses (discount_id, order_id, email_key, at)
        SELECT id, gen_random_uuid(), 'Eve@Example.com', now() FROM {s}.discounts";
    shop.inner.admin(old).await;
    let eve = "SELECT count(*) AS number FROM discount_uses WHERE customer_digest = customer_digest('Eve@Example.com') AND email_key = ''";
    assert_eq!((shop.number(counts).await, shop.number(eve).await), (2, 1));
    let refused = shop.buys(&second, 990, "tok_ok").await;
    assert_eq!((refused.status, &refused.json["code"]), (409, &json!("price_changed")));
    assert_eq!(shop.taken().await, (990, 0));
}

/// Twelve carts of Ada's with a code that has a limit of three, bought at once: three have it, and nothing else is counted or taken.
async fn three_of_twelve(limit: &str) {
    let shop = Shop::open().await;
    let mut wish = off(100_000, &["LAST"]);
    wish[limit] = json!(3);
    shop.discount(wish).await;
    let mug = shop.thing(50, 1000).await;
    let mut baskets = Vec::new();
    for _ in 0..12 {
        let basket = shop.basket(mug, 1).await;
        assert_eq!(shop.enter(&basket, "LAST").await.status, 200);
        baskets.push(basket);
    }
    let answers = join_all(baskets.iter().map(async |basket| {
        loop {
            let answer = shop.buys(basket, 1390, "tok_ok").await;
            if answer.status != 503 {
                return answer;
            }
        }
    }))
    .await;
    let bought = answers.iter().filter(|answer| answer.status == 201).count();
    let codes = ["discount_gone", "price_changed"];
    let refused = answers
        .iter()
        .filter(|answer| codes.contains(&answer.json["code"].as_str().unwrap_or_default()))
        .count();
    assert_eq!(
        (bought, refused),
        (3, 9),
        "{:?}",
        answers.iter().map(|answer| &answer.json).collect::<Vec<_>>()
    );
    assert_eq!(shop.number("SELECT used AS number FROM discounts").await, 3);
    assert_eq!(shop.number("SELECT count(*) AS number FROM discount_uses").await, 3);
    assert_eq!((shop.taken().await, shop.stock().await.as_str()), ((4170, 0), "50/3/0"));
}

#[actix_web::test]
async fn the_last_use_of_a_code_is_had_once() {
    three_of_twelve("usage_limit").await;
}

#[actix_web::test]
async fn the_last_use_that_a_customer_has_is_had_once() {
    three_of_twelve("per_customer_limit").await;
}

#[actix_web::test]
async fn staff_write_discounts_and_mistakes_change_nothing() {
    let shop = Shop::open().await;
    let refuse = async |body: Value, status: u16, pointer: &str| {
        let answer = shop.staff("POST", "/admin/v1/discounts", Some(body)).await;
        assert_eq!(
            (answer.status, answer.json["errors"][0]["pointer"].as_str()),
            (status, Some(pointer)),
            "{}",
            answer.json
        );
    };
    refuse(off(0, &["A"]), 422, "/terms/rate_ppm").await;
    refuse(off(1_000_001, &["A"]), 422, "/terms/rate_ppm").await;
    refuse(off(1, &["A", "a"]), 422, "/codes").await;
    let mut twice = off(1, &["A"]);
    twice["usage_limit"] = json!(0);
    refuse(twice, 422, "/usage_limit").await;
    let negative = json!({ "title": "x", "method": "automatic", "terms": { "kind": "fixed_amount", "amount": { "amount_minor": -5, "currency": "EUR" } } });
    refuse(negative, 422, "/terms/amount").await;
    assert_eq!(shop.number("SELECT count(*) AS number FROM discounts").await, 0);
    let made = shop.discount(off(100_000, &["AX7", "B"])).await;
    assert_eq!((&made["status"], &made["class"]), (&json!("active"), &json!("order")));
    let taken = shop.staff("POST", "/admin/v1/discounts", Some(off(1, &["b"]))).await;
    assert_eq!((taken.status, &taken.json["code"]), (409, &json!("discount_code_taken")));
    let path = format!("/admin/v1/discounts/{}", made["id"].as_str().unwrap());
    let mut paused = off(200_000, &["B", "C"]);
    paused["paused"] = json!(true);
    let bearer = format!("Bearer {}", shop.inner.owner());
    let put = async |seen: &str, body: &Value| {
        let headers = [("authorization", bearer.as_str()), ("if-match", seen)];
        shop.inner.send("PUT", &path, Some(body.to_string().into_bytes()), &headers).await
    };
    assert_eq!(put("\"7\"", &paused).await.status, 412);
    let changed = put("\"1\"", &paused).await;
    assert_eq!(
        (changed.status, &changed.json["status"], &changed.json["codes"]),
        (200, &json!("paused"), &json!(["B", "C"]))
    );
    for (query, found) in [
        ("status=paused", 1),
        ("status=active", 0),
        ("q=c", 1),
        ("q=AX7", 0),
        ("q=summer", 1),
        ("method=automatic", 0),
    ] {
        let list = shop.staff("GET", &format!("/admin/v1/discounts?{query}"), None).await;
        assert_eq!(list.json["data"].as_array().map(Vec::len), Some(found), "{query} {}", list.json);
    }
    assert_eq!(shop.inner.send("GET", "/admin/v1/discounts", None, &[]).await.status, 401);
}
