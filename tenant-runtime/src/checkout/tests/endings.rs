//! How a checkout ends.

use serde_json::json;
use souk_tenancy::StatementCount;

use super::shop::{Basket, Shop, ada, key, pay_with};

#[actix_web::test]
async fn a_cart_is_bought() {
    let shop = Shop::open().await;
    let mug = shop.thing(5, 1000).await;
    let basket = shop.basket(mug, 2).await;
    let count = StatementCount::new();
    let answer = count.scope(shop.buys(&basket, 2490, "tok_ok")).await;
    assert_eq!(answer.status, 201, "{}", answer.json);
    let order = &answer.json["order"];
    assert_eq!((answer.json["status"].as_str(), order["name"].as_str()), (Some("completed"), Some("#1001")));
    assert_eq!((order["state"].as_str(), order["financial_status"].as_str()), (Some("open"), Some("paid")));
    assert_eq!(order["total"]["amount_minor"], 2490);
    assert_eq!(
        answer.headers.get("location").unwrap().to_str().unwrap(),
        format!("/store/v1/orders/{}", order["id"].as_str().unwrap())
    );
    assert_eq!(shop.stock().await, "5/2/0");
    assert_eq!(shop.words("SELECT state AS word FROM carts").await, "completed");
    assert_eq!(shop.told().await, ["order.placed", "order.paid"]);
    assert_eq!(shop.taken().await, (2490, 0));
    // 2490 gross = 1681 + 412 net + 319 + 78 tax.
    assert_eq!((shop.balance_of("1000").await, shop.balance_of("1100").await), (2490, 0));
    assert_eq!(
        (shop.balance_of("4000").await, shop.balance_of("4100").await, shop.balance_of("2200").await),
        (-1681, -412, -397)
    );
    println!("checkout: {} statements in {} transactions", count.statements(), count.transactions());
    assert!(count.statements() <= 32, "{}", count.statements());
}

#[actix_web::test]
async fn the_guest_finds_the_order_again_and_nobody_else_does() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let bought = shop.buys(&basket, 1490, "tok_ok").await;
    let (id, secret) =
        (bought.json["order"]["id"].as_str().unwrap(), bought.json["secret"].as_str().unwrap());
    let path = format!("/store/v1/orders/{id}");
    let seen = shop.inner.send("GET", &path, None, &[("x-order-secret", secret)]).await;
    assert_eq!((seen.status, &seen.json["name"]), (200, &json!("#1001")));
    assert!(seen.json.get("timeline").is_none() && seen.json.get("note").is_none());
    for number in ["1001", "%231001"] {
        let path = format!("/store/v1/orders:look-up?number={number}&secret={secret}");
        assert_eq!(shop.inner.send("GET", &path, None, &[]).await.status, 200, "{number}");
    }
    let wrong = "A".repeat(43);
    assert_eq!(shop.inner.send("GET", &path, None, &[]).await.status, 404);
    assert_eq!(shop.inner.send("GET", &path, None, &[("x-order-secret", wrong.as_str())]).await.status, 404);
    let path = format!("/store/v1/orders:look-up?number=1001&secret={wrong}");
    assert_eq!(shop.inner.send("GET", &path, None, &[]).await.status, 404);
}

#[actix_web::test]
async fn payment_by_transfer_is_an_order_that_waits_for_its_money() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let body = json!({ "expected_total": { "amount_minor": 1490, "currency": "EUR" }, "payment": { "provider": "manual" } });
    let bought = shop.checkout(&basket, &key(), &body).await;
    assert_eq!(bought.status, 201, "{}", bought.json);
    let id = bought.json["order"]["id"].as_str().unwrap().to_owned();
    assert_eq!(bought.json["order"]["financial_status"], "pending");
    assert_eq!((shop.stock().await.as_str(), shop.balance_of("1100").await), ("5/1/0", 1490));
    assert_eq!(shop.order(&id).await["allowed_actions"], json!(["cancel", "mark_paid", "fulfill"]));
    let path = format!("/admin/v1/orders/{id}/mark-paid");
    let paid = shop.staff("POST", &path, Some(json!({}))).await;
    assert_eq!((paid.status, &paid.json["financial_status"]), (200, &json!("paid")), "{}", paid.json);
    assert_eq!((shop.balance_of("1000").await, shop.balance_of("1100").await), (1490, 0));
    let again = shop.staff("POST", &path, Some(json!({}))).await;
    assert_eq!((again.status, &again.json["code"]), (409, &json!("order_state")));
    assert_eq!(again.json["allowed_actions"], json!(["cancel", "refund", "fulfill"]));
    assert_eq!(shop.told().await, ["order.placed", "order.paid"]);
}

#[actix_web::test]
async fn a_declined_card_leaves_the_cart_open_for_another() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let (first, body) = (key(), pay_with(1490, "tok_declined"));
    let declined = shop.checkout(&basket, &first, &body).await;
    assert_eq!(
        (declined.status, &declined.json["code"]),
        (402, &json!("payment_declined")),
        "{}",
        declined.json
    );
    assert_eq!(declined.json["failure_code"], "card_declined");
    assert_eq!(declined.headers.get("content-type").unwrap(), "application/problem+json");
    assert_eq!(shop.stock().await, "5/0/0");
    assert_eq!(
        shop.words("SELECT state || ' ' || cancel_reason AS word FROM orders").await,
        "cancelled declined"
    );
    assert_eq!(shop.words("SELECT state AS word FROM carts").await, "active");
    assert_eq!(shop.told().await, Vec::<String>::new());
    let again = shop.checkout(&basket, &first, &body).await;
    assert_eq!((again.status, again.bytes), (402, declined.bytes));
    let bought = shop.buys(&basket, 1490, "tok_ok").await;
    assert_eq!((bought.status, &bought.json["order"]["name"]), (201, &json!("#1001")), "{}", bought.json);
    // The attempt is not in the list unless asked for.
    let list = shop.staff("GET", "/admin/v1/orders", None).await;
    assert_eq!(list.json["data"].as_array().unwrap().len(), 1);
    let attempts = shop.staff("GET", "/admin/v1/orders?state=cancelled", None).await;
    assert_eq!(attempts.json["data"].as_array().unwrap().len(), 1);
    assert_eq!(shop.taken().await, (1490, 0));
}

#[actix_web::test]
async fn cards_are_not_tried_out_from_one_network_nor_in_one_cart() {
    let shop = Shop::open().await;
    let mug = shop.thing(50, 1000).await;
    let from = async |network: &'static str, basket: &Basket, token: &str| {
        let path = format!("/store/v1/carts/{}/checkout", basket.id);
        let key = key();
        let headers = [
            ("x-cart-secret", basket.secret.as_str()),
            ("idempotency-key", key.as_str()),
            ("x-forwarded-for", network),
        ];
        shop.inner.send("POST", &path, Some(pay_with(1490, token).to_string().into_bytes()), &headers).await
    };
    for _ in 0..20 {
        let basket = shop.basket(mug, 1).await;
        assert_eq!(from("203.0.113.7", &basket, "tok_declined").await.status, 402);
    }
    // A good card is refused like a bad one, and nobody asks the provider about it: the answer says nothing of the card.
    let basket = shop.basket(mug, 1).await;
    let asked = async || shop.book().await["payments"].as_array().unwrap().len();
    let before = (shop.inner.digest().await, asked().await);
    for token in ["tok_ok", "tok_declined"] {
        let refused = from("203.0.113.7", &basket, token).await;
        assert_eq!((refused.status, &refused.json["code"]), (429, &json!("too_many_requests")));
        let wait: i64 = refused.headers.get("retry-after").unwrap().to_str().unwrap().parse().unwrap();
        assert!((1..=600).contains(&wait), "{wait}");
    }
    assert_eq!((shop.inner.digest().await, asked().await), before);
    assert_eq!(before.1, 20);
    // Others are not held up, and neither is this shop's own cart paid in another way.
    assert_eq!(from("198.51.100.9", &basket, "tok_ok").await.status, 201);
    let transfer = json!({ "expected_total": { "amount_minor": 1490, "currency": "EUR" }, "payment": { "provider": "manual" } });
    let basket = shop.basket(mug, 1).await;
    assert_eq!(shop.checkout(&basket, &key(), &transfer).await.status, 201);
    // One cart, from ever new networks.
    let basket = shop.basket(mug, 1).await;
    let networks: Vec<&'static str> = (0..10).map(|i| &*format!("192.0.2.{i}").leak()).collect();
    for network in networks {
        assert_eq!(from(network, &basket, "tok_declined").await.status, 402);
    }
    let refused = from("192.0.2.99", &basket, "tok_ok").await;
    assert_eq!((refused.status, &refused.json["code"]), (429, &json!("too_many_requests")));
    // The window ends.
    shop.inner.admin("UPDATE {s}.throttles SET window_ends_at = now() - interval '1 hour'").await;
    assert_eq!(from("192.0.2.99", &basket, "tok_ok").await.status, 201);
}

#[actix_web::test]
async fn what_cannot_be_bought_changes_nothing() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(1, 1000).await, 1).await;
    let refuse = async |body: serde_json::Value, status: u16, code: &str| {
        let answer = shop.checkout(&basket, &key(), &body).await;
        assert_eq!((answer.status, answer.json["code"].as_str()), (status, Some(code)), "{}", answer.json);
        answer.json
    };
    let changed = refuse(pay_with(1480, "tok_ok"), 409, "price_changed").await;
    assert_eq!(changed["total"], json!({ "amount_minor": 1490, "currency": "EUR" }));
    refuse(pay_with(1490, "4242 4242 4242 4242"), 422, "card_number").await;
    let mut elsewhere = pay_with(1490, "tok_ok");
    for url in
        ["https://evil.example/x", "javascript:alert(1)", "http://user@localhost/", "//evil.example", "x"]
    {
        elsewhere["payment"]["return_url"] = json!(url);
        refuse(elsewhere.clone(), 422, "return_url_not_allowed").await;
    }
    let mut unknown = pay_with(1490, "tok_ok");
    unknown["payment"]["provider"] = json!("cheque");
    refuse(unknown, 422, "validation_failed").await;
    let mut extra = pay_with(1490, "tok_ok");
    extra["total"] = json!(1);
    refuse(extra, 422, "unknown_field").await;
    let mut yen = pay_with(1490, "tok_ok");
    yen["expected_total"]["currency"] = json!("JPY");
    refuse(yen, 409, "price_changed").await;
    // Another's secret, no secret, no key.
    let path = format!("/store/v1/carts/{}/checkout", basket.id);
    let body = || Some(pay_with(1490, "tok_ok").to_string().into_bytes());
    let (wrong, fresh) = ("A".repeat(43), key());
    let with = async |headers: &[(&str, &str)]| shop.inner.send("POST", &path, body(), headers).await.status;
    assert_eq!(with(&[("x-cart-secret", &wrong), ("idempotency-key", &fresh)]).await, 404);
    assert_eq!(with(&[("idempotency-key", &fresh)]).await, 404);
    assert_eq!(with(&[("x-cart-secret", &basket.secret)]).await, 400);
    assert_eq!(with(&[("x-cart-secret", &basket.secret), ("idempotency-key", "short")]).await, 400);
    // Nothing of all that left a trace.
    assert_eq!(shop.number("SELECT count(*) AS number FROM orders").await, 0);
    assert_eq!(shop.number("SELECT count(*) AS number FROM idempotency_keys").await, 0);
    assert_eq!((shop.stock().await.as_str(), shop.taken().await), ("1/0/0", (0, 0)));
    assert_eq!(shop.words("SELECT state AS word FROM carts").await, "active");
}

#[actix_web::test]
async fn a_free_cart_is_an_order_without_a_payment() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(1, 0).await, 1).await;
    let bought = shop.buys(&basket, 0, "tok_ok").await;
    assert_eq!(
        (bought.status, &bought.json["order"]["financial_status"]),
        (201, &json!("paid")),
        "{}",
        bought.json
    );
    assert_eq!(shop.number("SELECT count(*) AS number FROM payment_sessions").await, 0);
    assert_eq!(shop.told().await, ["order.placed", "order.paid"]);
    let id = bought.json["order"]["id"].as_str().unwrap();
    let path = format!("/admin/v1/orders/{id}/cancel");
    let cancelled = shop.staff("POST", &path, Some(json!({ "reason": "customer" }))).await;
    assert_eq!((cancelled.status, shop.stock().await.as_str()), (200, "1/0/0"), "{}", cancelled.json);
}

#[actix_web::test]
async fn the_list_goes_page_by_page_and_filters() {
    let shop = Shop::open().await;
    let mug = shop.thing(50, 1000).await;
    for _ in 0..5 {
        let basket = shop.basket(mug, 1).await;
        assert_eq!(shop.buys(&basket, 1490, "tok_ok").await.status, 201);
    }
    for (sort, wanted) in
        [("-created_at", [1005, 1004, 1003, 1002, 1001]), ("created_at", [1001, 1002, 1003, 1004, 1005])]
    {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = shop.staff("GET", &format!("/admin/v1/orders?limit=2&sort={sort}{after}"), None).await;
            assert_eq!(page.status, 200, "{}", page.json);
            seen.extend(
                page.json["data"].as_array().unwrap().iter().map(|order| order["number"].as_i64().unwrap()),
            );
            match page.json["page"]["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen, wanted);
    }
    let count = async |query: &str| {
        let page = shop.staff("GET", &format!("/admin/v1/orders?{query}"), None).await;
        assert_eq!(page.status, 200, "{}", page.json);
        page.json["data"].as_array().unwrap().len()
    };
    assert_eq!(count("state=open&financial_status=paid&email=ADA@example.com").await, 5);
    assert_eq!(count("q=%231003").await, 1);
    assert_eq!(count("q=ada@").await, 5);
    assert_eq!(count("q=%25").await, 0);
    assert_eq!(count("financial_status=refunded").await, 0);
    assert_eq!(count("created%5Bgte%5D=2999-01-01T00:00:00Z").await, 0);
    for refused in ["state=gone", "sort=price", "colour=red", "limit=0", "created%5Bgte%5D=yesterday"] {
        let answer = shop.staff("GET", &format!("/admin/v1/orders?{refused}"), None).await;
        assert_eq!(answer.status, 422, "{refused}: {}", answer.json);
    }
    let entries = shop.staff("GET", "/admin/v1/ledger/entries?kind=sale&limit=3", None).await;
    assert_eq!(
        (entries.status, entries.json["data"].as_array().unwrap().len()),
        (200, 3),
        "{}",
        entries.json
    );
    assert_eq!(entries.json["page"]["has_more"], true);
}

#[actix_web::test]
async fn one_call_starts_a_hosted_checkout() {
    let shop = Shop::open().await;
    let mug = shop.thing(5, 1000).await;
    let session = async |change: serde_json::Value| {
        let mut body = json!({
            "lines": [{ "variant": mug.variant, "quantity": 1 }], "email": "ada@example.com", "shipping_address": ada(),
            "success_url": "http://localhost:3000/thanks",
        });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        shop.inner.send("POST", "/store/v1/checkout-sessions", Some(body.to_string().into_bytes()), &[]).await
    };
    let made = session(json!({})).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let (url, secret) = (made.json["url"].as_str().unwrap(), made.json["secret"].as_str().unwrap());
    let id = made.json["id"].as_str().unwrap();
    assert_eq!(
        url,
        format!(
            "http://{}/checkout/{id}?success_url=http%3A%2F%2Flocalhost%3A3000%2Fthanks#{secret}",
            shop.inner.store.host
        )
    );
    let basket =
        Basket { id: made.json["cart"].as_str().unwrap().parse().unwrap(), secret: secret.to_owned() };
    assert_eq!(shop.buys(&basket, 1490, "tok_ok").await.status, 201);
    let elsewhere = session(json!({ "cancel_url": "https://evil.example" })).await;
    assert_eq!((elsewhere.status, &elsewhere.json["code"]), (422, &json!("return_url_not_allowed")));
    assert_eq!(session(json!({ "lines": [{ "variant": mug.variant, "quantity": 0 }] })).await.status, 422);
}
