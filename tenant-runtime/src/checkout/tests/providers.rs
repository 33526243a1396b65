//! What providers do to us: redirects, silence, and events that come twice, late, wrong or from elsewhere.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk_payment_provider::webhook::WebhookSecret;

use super::shop::{Basket, Shop, key, pay_with};
use crate::testing::{Answer, WEBHOOK_SECRET};

impl Shop {
    /// Delivers an event as the provider would, with everything right but what `change` makes wrong.
    async fn hears(&self, event: &Value, change: impl FnOnce(&mut [(String, String); 3])) -> Answer {
        let secret: WebhookSecret = WEBHOOK_SECRET.parse().unwrap();
        let (body, at) = (event.to_string(), self.inner.clock.now().timestamp());
        let id = event["id"].as_str().unwrap();
        let mut headers = [
            ("webhook-id".to_owned(), id.to_owned()),
            ("webhook-timestamp".to_owned(), at.to_string()),
            ("webhook-signature".to_owned(), secret.sign(id, at, &body)),
        ];
        change(&mut headers);
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.inner.send("POST", "/webhooks/payments/test", Some(body.into_bytes()), &headers).await
    }

    /// Starts a payment that needs the shopper; gives the payment as the provider has it.
    async fn half_way(&self, basket: &Basket) -> (Answer, Value) {
        let answer = self.buys(basket, 1490, "tok_3ds").await;
        assert_eq!(
            (answer.status, &answer.json["status"]),
            (202, &json!("action_required")),
            "{}",
            answer.json
        );
        let payment = self.book().await["payments"].as_array().unwrap().last().unwrap().clone();
        (answer, payment)
    }
}

fn event(number: u32, kind: &str, payment: &Value, change: Value) -> Value {
    let mut payment = payment.clone();
    for (name, value) in change.as_object().unwrap() {
        payment[name] = value.clone();
    }
    json!({ "id": format!("pev_{number}"), "type": kind, "sequence": number, "created_at": "2026-11-24T12:00:00Z", "data": { "payment": payment } })
}

fn captured() -> Value {
    json!({ "status": "captured", "authorized_minor": 1490, "captured_minor": 1490 })
}

fn session_of(payment: &Value) -> &str {
    payment["reference"].as_str().unwrap()
}

#[actix_web::test]
async fn the_shopper_comes_back_from_the_providers_page() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let (answer, payment) = shop.half_way(&basket).await;
    let url = answer.json["next_action"]["url"].as_str().unwrap();
    assert!(url.starts_with(&shop.provider), "{url}");
    assert_eq!(shop.stock().await, "5/0/1");
    let back = format!("/store/v1/payment-return/{}?payment=forged&status=paid", session_of(&payment));
    // Nobody paid yet, whatever the address says.
    let early = shop.inner.send("GET", &back, None, &[]).await;
    let went = early.headers.get("location").unwrap().to_str().unwrap().to_owned();
    assert_eq!(early.status, 303);
    assert!(
        went.starts_with("http://localhost:3000/thanks?order=ord_")
            && went.ends_with("status=action_required"),
        "{went}"
    );
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let approved = client
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("decision=approve")
        .send()
        .await
        .unwrap();
    assert_eq!(approved.status(), 303);
    let home = shop.inner.send("GET", &back, None, &[]).await;
    assert!(home.headers.get("location").unwrap().to_str().unwrap().ends_with("status=completed"));
    assert_eq!((shop.stock().await.as_str(), shop.taken().await), ("5/1/0", (1490, 0)));
    assert_eq!(shop.inner.send("GET", &back, None, &[]).await.status, 303);
    assert_eq!(shop.told().await, ["order.placed", "order.paid"]);
    let other = Shop::open().await;
    assert_eq!(other.inner.send("GET", &back, None, &[]).await.status, 404);
}

#[actix_web::test]
async fn silence_after_the_capture_is_not_a_second_capture() {
    let shop = Shop::open().await;
    let mug = shop.thing(9, 1000).await;
    for token in
        ["tok_timeout_after_capture", "tok_broken_json", "tok_500_then_ok", "tok_lost_webhook", "tok_slow"]
    {
        let basket = shop.basket(mug, 1).await;
        let bought = shop.buys(&basket, 1490, token).await;
        assert_eq!(
            (bought.status, &bought.json["order"]["financial_status"]),
            (201, &json!("paid")),
            "{token}: {}",
            bought.json
        );
    }
    assert_eq!((shop.taken().await, shop.stock().await.as_str()), ((5 * 1490, 0), "9/5/0"));
    assert_eq!(shop.balance_of("1000").await, 5 * 1490);
}

#[actix_web::test]
async fn a_provider_that_is_not_there_leaves_the_cart_open() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let answer = shop.buys(&basket, 1490, "tok_ok").await;
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (503, &json!("payment_unavailable")),
        "{}",
        answer.json
    );
    assert_eq!(
        (shop.stock().await.as_str(), shop.words("SELECT state AS word FROM carts").await.as_str()),
        ("5/0/0", "active")
    );
}

/// Takes connections and says nothing, for ever.
#[actix_web::test]
async fn a_provider_that_never_answers_is_waited_for_and_not_charged_again() {
    let hole = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let shop = Shop::at(&format!("http://{}", hole.local_addr().unwrap())).await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let (key, body) = (key(), pay_with(1490, "tok_ok"));
    let answer = shop.checkout(&basket, &key, &body).await;
    assert_eq!((answer.status, &answer.json["status"]), (202, &json!("processing")), "{}", answer.json);
    assert_eq!(answer.json["order"]["state"], "pending_payment");
    shop.inner.clock.advance(Duration::from_secs(600));
    assert_eq!(shop.sweep().await.sessions, 1);
    assert_eq!(shop.words("SELECT state AS word FROM orders").await, "pending_payment");
    assert_eq!(shop.words("SELECT state AS word FROM carts").await, "completing");
    assert_eq!(shop.checkout(&basket, &key, &body).await.bytes, answer.bytes);
}

#[actix_web::test]
async fn events_come_twice_and_in_any_order() {
    let shop = Shop::open().await;
    let mug = shop.thing(50, 1000).await;
    let steps = [
        ("payment.requires_action", json!({})),
        ("payment.authorized", json!({ "status": "authorized", "authorized_minor": 1490 })),
        ("payment.captured", captured()),
    ];
    for (round, order) in
        [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]].into_iter().enumerate()
    {
        let basket = shop.basket(mug, 1).await;
        let (answer, payment) = shop.half_way(&basket).await;
        for index in order {
            let (kind, change) = &steps[index];
            let number = u32::try_from(round * 10 + index).unwrap();
            let told = event(number, kind, &payment, change.clone());
            let heard = shop.hears(&told, |_| ()).await;
            assert_eq!(heard.status, 200, "{}", heard.json);
            assert_eq!(shop.hears(&told, |_| ()).await.json["outcome"], "duplicate");
        }
        let order = shop.order(answer.json["order"]["id"].as_str().unwrap()).await;
        assert_eq!(
            (&order["state"], &order["financial_status"]),
            (&json!("open"), &json!("paid")),
            "{order}"
        );
        let kinds: Vec<&str> = order["payments"][0]["transactions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["kind"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["authorization", "capture"]);
    }
    assert_eq!((shop.stock().await.as_str(), shop.balance_of("1000").await), ("50/6/0", 6 * 1490));
    assert_eq!(shop.number("SELECT count(*) AS number FROM journal_entries").await, 12);
}

#[actix_web::test]
async fn events_that_are_forged_stale_or_from_elsewhere_have_no_effect() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let (_, payment) = shop.half_way(&basket).await;
    let good = event(1, "payment.captured", &payment, captured());
    for (place, value) in
        [(0, "pev_other".to_owned()), (1, "1".to_owned()), (2, "v1,AAAA".to_owned()), (2, String::new())]
    {
        let refused = shop.hears(&good, |headers| headers[place].1 = value).await;
        assert_eq!(
            (refused.status, &refused.json["code"]),
            (400, &json!("webhook_refused")),
            "{}",
            refused.json
        );
    }
    let late = shop.hears(&good, |_| shop.inner.clock.advance(Duration::from_secs(301))).await;
    assert_eq!(late.status, 400);
    let other = Shop::open().await;
    assert_eq!(other.hears(&good, |_| ()).await.status, 404);
    let unknown =
        event(2, "payment.captured", &payment, json!({ "reference": "pse_01h455vb4pex5vsknk084sn02q" }));
    assert_eq!(shop.hears(&unknown, |_| ()).await.status, 404);
    let strange = event(3, "payment.captured", &payment, json!({ "reference": "whatever" }));
    assert_eq!(shop.hears(&strange, |_| ()).await.status, 404);
    assert_eq!(shop.number("SELECT count(*) AS number FROM provider_events").await, 0);
    assert_eq!(
        (shop.number("SELECT count(*) AS number FROM payments").await, shop.stock().await.as_str()),
        (0, "5/0/1")
    );
}

#[actix_web::test]
async fn a_wrong_amount_is_flagged_and_the_provider_asked() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let (answer, payment) = shop.half_way(&basket).await;
    for (number, wrong) in [
        json!({ "status": "captured", "authorized_minor": 1489, "captured_minor": 1489 }),
        json!({ "status": "captured", "authorized_minor": 1490, "captured_minor": 1490, "currency": "USD" }),
        json!({ "status": "captured", "amount_minor": 1, "authorized_minor": 1, "captured_minor": 1 }),
    ]
    .into_iter()
    .enumerate()
    {
        let heard = shop
            .hears(&event(u32::try_from(number).unwrap(), "payment.captured", &payment, wrong), |_| ())
            .await;
        assert_eq!((heard.status, &heard.json["outcome"]), (200, &json!("flagged")), "{}", heard.json);
    }
    assert_eq!(shop.number("SELECT count(*) AS number FROM payments").await, 0);
    // The provider itself says that nobody has paid.
    assert_eq!(shop.sweep().await.sessions, 1);
    let order = shop.order(answer.json["order"]["id"].as_str().unwrap()).await;
    assert_eq!(
        (&order["state"], &order["payments"][0]["state"]),
        (&json!("pending_payment"), &json!("requires_action"))
    );
    let notes = order["timeline"].as_array().unwrap();
    assert_eq!(notes.iter().filter(|note| note["kind"] == "payment.mismatch").count(), 1);
}

/// The shopper's browser, the provider's events and the poller learn of the same payment at the same moment.
#[actix_web::test]
async fn everybody_settles_at_once() {
    let shop = Shop::open().await;
    let mug = shop.thing(50, 1000).await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for round in 1..=8_u32 {
        let basket = shop.basket(mug, 1).await;
        let (answer, payment) = shop.half_way(&basket).await;
        let url = answer.json["next_action"]["url"].as_str().unwrap();
        let form = client.post(url).header("content-type", "application/x-www-form-urlencoded");
        form.body("decision=approve").send().await.unwrap();
        shop.inner.clock.advance(Duration::from_secs(46));
        let back = format!("/store/v1/payment-return/{}", session_of(&payment));
        let back = (0..4).map(|_| shop.inner.send("GET", &back, None, &[]));
        let told: Vec<Value> = (0..4)
            .map(|number| event(round * 100 + number, "payment.captured", &payment, captured()))
            .collect();
        let heard = told.iter().map(|event| shop.hears(event, |_| ()));
        let sweeps = (0..2).map(|_| shop.sweep());
        let (back, heard, _) = futures_util::join!(join_all(back), join_all(heard), join_all(sweeps));
        assert!(
            back.iter().all(|answer| answer.status == 303),
            "{:?}",
            back.iter().map(|a| &a.json).collect::<Vec<_>>()
        );
        assert!(
            heard.iter().all(|answer| answer.status == 200),
            "{:?}",
            heard.iter().map(|a| &a.json).collect::<Vec<_>>()
        );
        let paid = i64::from(round);
        assert_eq!(
            (shop.stock().await, shop.balance_of("1000").await),
            (format!("50/{paid}/0"), paid * 1490)
        );
        assert_eq!(shop.number("SELECT count(*) AS number FROM payment_transactions").await, paid * 2);
        assert_eq!(shop.told().await.len(), 2 * round as usize);
    }
}

#[actix_web::test]
async fn held_money_is_taken_by_staff() {
    let shop = Shop::open().await;
    shop.inner
        .admin("UPDATE {s}.payment_providers SET settings = '{\"capture_later\": true}' WHERE code = 'test'")
        .await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    let bought = shop.checkout(&basket, &key(), &pay_with(1490, "tok_ok")).await;
    assert_eq!(
        (bought.status, &bought.json["order"]["financial_status"]),
        (201, &json!("authorized")),
        "{}",
        bought.json
    );
    let id = bought.json["order"]["id"].as_str().unwrap();
    assert_eq!((shop.taken().await, shop.balance_of("1100").await), ((0, 0), 1490));
    assert_eq!(shop.order(id).await["allowed_actions"], json!(["cancel", "capture", "fulfill"]));
    let path = format!("/admin/v1/orders/{id}/capture");
    let paid = shop.staff("POST", &path, Some(json!({}))).await;
    assert_eq!((paid.status, &paid.json["financial_status"]), (200, &json!("paid")), "{}", paid.json);
    assert_eq!(shop.staff("POST", &path, Some(json!({}))).await.status, 409);
    assert_eq!((shop.taken().await, shop.balance_of("1100").await), ((1490, 0), 0));
    assert_eq!(shop.told().await, ["order.placed", "order.paid"]);
}
