//! Stripe, as the project's own provider speaks it: cards, pages, direct debits, disputes, and events that nobody can forge.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use futures_util::future::join_all;
use serde_json::{Value, json};
use souk_payment_provider::stripe::sender::signature;

use super::shop::{Basket, Shop, key};
use crate::testing::Answer;

const KEY: &str = "sk_test_51Souk4242";
const CREDENTIALS: &str = "/admin/v1/payment-providers/stripe/credentials";

/// A shop with an account at Stripe.
struct Till {
    shop: Shop,
    secret: String,
}

/// Asks the provider as whoever has the key; a body is a form.
async fn ask(shop: &Shop, path: &str, form: Option<&str>) -> Value {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let url = format!("{}{path}", shop.provider);
    let call = match form {
        Some(form) => {
            client.post(url).header("content-type", "application/x-www-form-urlencoded").body(form.to_owned())
        }
        None => client.get(url),
    };
    call.bearer_auth(KEY).send().await.unwrap().json().await.unwrap_or_default()
}

async fn set(shop: &Shop, wish: &Value) -> Answer {
    shop.owner_call("PATCH", CREDENTIALS).json(wish).send().await
}

async fn set_up(shop: &Shop, version: &str, wish: &Value) -> Answer {
    let call = shop.owner_call("PATCH", "/admin/v1/payment-providers/stripe").header("if-match", version);
    call.json(wish).send().await
}

impl Till {
    async fn open() -> Self {
        let shop = Shop::open().await;
        let made =
            ask(&shop, "/v1/webhook_endpoints", Some("url=http://127.0.0.1:9/&enabled_events[0]=*")).await;
        let secret = made["secret"].as_str().unwrap().to_owned();
        set(&shop, &json!({ "secret_key": KEY, "webhook_secret": secret })).await.expect(200);
        set_up(&shop, "\"2\"", &json!({ "enabled": true })).await.expect(200);
        Self { shop, secret }
    }

    async fn basket(&self) -> Basket {
        self.shop.basket(self.shop.thing(5, 1000).await, 1).await
    }

    async fn buys(&self, basket: &Basket, token: Option<&str>) -> Answer {
        let body = json!({ "expected_total": { "amount_minor": 1490, "currency": "EUR" },
            "payment": { "provider": "stripe", "token": token } });
        self.shop.checkout(basket, &key(), &body).await
    }

    /// Events of a kind, oldest first.
    async fn events(&self, kind: &str) -> Vec<Value> {
        let list = ask(&self.shop, &format!("/v1/events?limit=100&type={kind}"), None).await;
        let mut events = list["data"].as_array().unwrap().clone();
        events.reverse();
        events
    }

    async fn hears_signed(&self, event: &Value, secret: &str) -> Answer {
        let body = event.to_string();
        let header = signature(&[secret.to_owned()], self.shop.clock.now(), &body);
        let headers = [("stripe-signature", header.as_str())];
        self.shop.inner.send("POST", "/webhooks/payments/stripe", Some(body.into_bytes()), &headers).await
    }

    async fn hears(&self, event: &Value) -> Answer {
        self.hears_signed(event, &self.secret).await
    }

    /// The newest event of a kind is heard; gives what became of it.
    async fn hears_of(&self, kind: &str) -> String {
        let event = self.events(kind).await.pop().unwrap_or_else(|| panic!("no {kind}"));
        self.hears(&event).await.expect(200).text("/outcome")
    }

    /// The shopper's, or a bank's, word about the only payment.
    async fn says(&self, what: &str, form: &str) {
        let id = self.shop.words("SELECT reference AS word FROM payment_sessions").await;
        ask(&self.shop, &format!("/stripe/{what}/{id}"), Some(form)).await;
    }

    /// Received and given back, by Stripe's own book.
    async fn taken(&self) -> (i64, i64) {
        let sum = |list: Value, name: &str| -> i64 {
            list["data"].as_array().unwrap().iter().map(|one| one[name].as_i64().unwrap()).sum()
        };
        let intents = ask(&self.shop, "/v1/payment_intents?limit=100", None).await;
        let refunds = ask(&self.shop, "/v1/refunds?limit=100", None).await;
        (sum(intents, "amount_received"), sum(refunds, "amount"))
    }

    async fn standing(&self, order: &str) -> (String, String) {
        let order = self.shop.order(order).await;
        let text = |name: &str| order[name].as_str().unwrap().to_owned();
        (text("state"), text("financial_status"))
    }
}

fn both(state: &str, financial: &str) -> (String, String) {
    (state.to_owned(), financial.to_owned())
}

#[actix_web::test]
async fn a_card_is_charged_once_and_given_back_in_part() {
    let till = Till::open().await;
    let bought = till.buys(&till.basket().await, Some("pm_card_visa")).await.expect(201);
    let order = bought.text("/order/id");
    assert_eq!(bought.json["order"]["financial_status"], "paid");
    // What came back with the answer is no news, however often it is told.
    let told = till.events("payment_intent.succeeded").await.pop().unwrap();
    assert_eq!(till.hears(&told).await.expect(200).json["outcome"], "known");
    assert_eq!(till.hears(&told).await.expect(200).json["outcome"], "duplicate");
    let wish = json!({ "shipping": { "amount_minor": 490, "currency": "EUR" }, "reason": "late" });
    till.shop.staff("POST", &format!("/admin/v1/orders/{order}/refunds"), Some(wish)).await.expect(200);
    assert_eq!(till.shop.sweep().await.refunds, 1);
    assert_eq!(till.standing(&order).await, both("open", "partially_refunded"));
    assert_eq!(till.hears_of("charge.refunded").await, "known");
    assert_eq!(till.taken().await, (1490, 490));
    assert_eq!((till.shop.balance_of("1000").await, till.shop.balance_of("2300").await), (1000, 0));
    // Nothing of a person is kept of an event.
    let kept = till.shop.words("SELECT payload::text AS word FROM provider_events LIMIT 1").await;
    assert!(!kept.contains("metadata") && kept.contains("payment_intent"), "{kept}");
}

#[actix_web::test]
async fn a_declined_card_is_said_why_and_leaves_the_cart_open() {
    let till = Till::open().await;
    let basket = till.basket().await;
    let refused = till.buys(&basket, Some("pm_card_visa_chargeDeclinedInsufficientFunds")).await;
    assert_eq!((refused.status, &refused.json["code"]), (402, &json!("payment_declined")));
    assert_eq!(refused.json["failure_code"], "insufficient_funds");
    assert_eq!(refused.json["detail"], "Your card has insufficient funds.");
    assert_eq!(till.shop.stock().await, "5/0/0");
    // The event about it comes after another card has paid.
    till.buys(&basket, Some("pm_card_visa")).await.expect(201);
    assert_eq!(till.hears_of("payment_intent.payment_failed").await, "known");
    assert_eq!((till.taken().await, till.shop.stock().await.as_str()), ((1490, 0), "5/1/0"));
}

#[actix_web::test]
async fn the_page_the_event_and_the_poller_learn_of_it_at_once() {
    let till = Till::open().await;
    let waiting = till.buys(&till.basket().await, Some("pm_card_threeDSecure2Required")).await.expect(202);
    assert!(waiting.text("/next_action/url").starts_with(&till.shop.provider));
    till.says("pay", "decision=approve").await;
    till.shop.clock.advance(Duration::from_secs(46));
    let session = till.shop.words("SELECT id::text AS word FROM payment_sessions").await;
    let session = souk_kernel::PaymentSessionId::from_uuid(session.parse().unwrap());
    let back = format!("/store/v1/payment-return/{session}");
    let back = (0..3).map(|_| till.shop.inner.send("GET", &back, None, &[]));
    let events = till.events("payment_intent.succeeded").await;
    let heard = (0..3).map(|_| till.hears(&events[0]));
    let sweeps = (0..2).map(|_| till.shop.sweep());
    let (back, heard, _) = futures_util::join!(join_all(back), join_all(heard), join_all(sweeps));
    assert!(back.iter().chain(&heard).all(|answer| answer.status == 200), "{heard:?}");
    assert_eq!(till.standing(&waiting.text("/order/id")).await, both("open", "paid"));
    assert_eq!(till.shop.told().await, ["order.placed", "order.paid"]);
    assert_eq!((till.taken().await, till.shop.balance_of("1000").await), ((1490, 0), 1490));
}

#[actix_web::test]
async fn stripes_page_takes_the_shopper_and_gives_them_back() {
    let till = Till::open().await;
    let waiting = till.buys(&till.basket().await, None).await.expect(202);
    assert!(waiting.text("/next_action/url").contains("/stripe/pay/cs_"));
    // A card that is declined there is not the end.
    till.says("pay", "decision=decline").await;
    assert_eq!(till.hears_of("payment_intent.payment_failed").await, "known");
    till.says("pay", "decision=approve").await;
    assert_eq!(till.hears_of("checkout.session.completed").await, "settled");
    assert_eq!(till.hears_of("payment_intent.succeeded").await, "known");
    let order = waiting.text("/order/id");
    assert_eq!(till.standing(&order).await, both("open", "paid"));
    let cancelled = json!({ "reason": "customer" });
    till.shop.staff("POST", &format!("/admin/v1/orders/{order}/cancel"), Some(cancelled)).await.expect(200);
    till.shop.sweep().await;
    assert_eq!((till.taken().await, till.shop.stock().await.as_str()), ((1490, 1490), "5/0/0"));
}

#[actix_web::test]
async fn nobody_pays_on_a_page_that_was_given_up() {
    let till = Till::open().await;
    till.buys(&till.basket().await, None).await.expect(202);
    till.shop.clock.advance(Duration::from_secs(31 * 60));
    till.shop.sweep().await;
    assert_eq!(till.shop.stock().await, "5/0/0");
    till.shop.clock.advance(Duration::from_secs(3600));
    till.shop.sweep().await;
    let id = till.shop.words("SELECT reference AS word FROM payment_sessions").await;
    assert_eq!(ask(&till.shop, &format!("/v1/checkout/sessions/{id}"), None).await["status"], "expired");
    till.says("pay", "decision=approve").await;
    assert_eq!(till.taken().await, (0, 0));
}

#[actix_web::test]
async fn held_money_is_taken_let_go_or_runs_out() {
    let till = Till::open().await;
    set_up(&till.shop, "\"3\"", &json!({ "capture_later": true })).await.expect(200);
    let hold = async || {
        let bought = till.buys(&till.basket().await, Some("pm_card_visa")).await.expect(201);
        assert_eq!(bought.json["order"]["financial_status"], "authorized");
        bought.text("/order/id")
    };
    let taken = hold().await;
    till.shop.staff("POST", &format!("/admin/v1/orders/{taken}/capture"), Some(json!({}))).await.expect(200);
    assert_eq!(till.standing(&taken).await, both("open", "paid"));
    let undone = hold().await;
    let wish = json!({ "reason": "customer" });
    till.shop.staff("POST", &format!("/admin/v1/orders/{undone}/cancel"), Some(wish)).await.expect(200);
    till.shop.sweep().await;
    assert_eq!(till.standing(&undone).await, both("cancelled", "voided"));
    // Nobody took it in time: Stripe lets it go and says so.
    let late = hold().await;
    let held = ask(&till.shop, "/v1/payment_intents?limit=1", None).await["data"][0]["id"].clone();
    let path = format!("/v1/payment_intents/{}/cancel", held.as_str().unwrap());
    ask(&till.shop, &path, Some("cancellation_reason=abandoned")).await;
    assert_eq!(till.hears_of("payment_intent.canceled").await, "settled");
    assert_eq!(till.standing(&late).await, both("open", "voided"));
    assert_eq!((till.taken().await, till.shop.balance_of("1000").await), ((1490, 0), 1490));
}

#[actix_web::test]
async fn a_part_of_what_is_held_is_taken_and_no_more_given_back() {
    let till = Till::open().await;
    set_up(&till.shop, "\"3\"", &json!({ "capture_later": true })).await.expect(200);
    let order = till.buys(&till.basket().await, Some("pm_card_visa")).await.expect(201).text("/order/id");
    let path = format!("/admin/v1/orders/{order}");
    let part = json!({ "amount": { "amount_minor": 600, "currency": "EUR" } });
    till.shop.staff("POST", &format!("{path}/capture"), Some(part)).await.expect(200);
    assert_eq!(till.standing(&order).await, both("open", "partially_paid"));
    assert_eq!(till.hears_of("payment_intent.succeeded").await, "known");
    assert_eq!((till.taken().await, till.shop.balance_of("1000").await), ((600, 0), 600));
    // What Stripe let go was never ours to give back.
    assert_eq!(till.shop.number("SELECT refunded_minor AS number FROM payments").await, 0);
    let wish = json!({ "shipping": { "amount_minor": 490, "currency": "EUR" }, "reason": "late" });
    till.shop.staff("POST", &format!("{path}/refunds"), Some(wish)).await.expect(200);
    assert_eq!(till.shop.sweep().await.refunds, 1);
    assert_eq!(till.hears_of("charge.refunded").await, "known");
    assert_eq!(till.standing(&order).await, both("open", "partially_refunded"));
    assert_eq!((till.taken().await, till.shop.balance_of("1000").await), ((600, 490), 110));
}

/// A gift card pays 5.00 of 14.90 and Stripe the rest: each way that the rest can fail gives the gift card its own back.
#[actix_web::test]
async fn a_gift_card_and_a_card_pay_together_or_not_at_all() {
    let till = Till::open().await;
    let shop = &till.shop;
    let (card, code) = shop.gift_card(500).await;
    let left = async || shop.card(&card).await["balance"]["amount_minor"].as_i64().unwrap();
    let basket = till.basket().await;
    shop.pays_with(&basket, &code).await.expect(200);
    let buys = async |token: &str| {
        let body = json!({ "expected_total": { "amount_minor": 1490, "currency": "EUR" },
            "expected_due": { "amount_minor": 990, "currency": "EUR" },
            "payment": { "provider": "stripe", "token": token } });
        shop.checkout(&basket, &key(), &body).await
    };
    let refused = buys("pm_card_visa_chargeDeclined").await;
    assert_eq!((refused.status, &refused.json["code"]), (402, &json!("payment_declined")));
    assert_eq!((left().await, shop.stock().await.as_str()), (500, "5/0/0"));
    shop.credit_adds_up().await;
    // The shopper stays away; the money that comes all the same goes back.
    let waiting = buys("pm_card_threeDSecure2Required").await.expect(202).text("/order/id");
    assert_eq!(left().await, 0);
    shop.clock.advance(Duration::from_secs(31 * 60));
    shop.sweep().await;
    assert_eq!((left().await, shop.stock().await.as_str()), (500, "5/0/0"));
    let asked = ask(shop, "/v1/payment_intents?limit=1", None).await["data"][0]["id"].clone();
    ask(shop, &format!("/stripe/pay/{}", asked.as_str().unwrap()), Some("decision=approve")).await;
    assert_eq!(till.hears_of("payment_intent.succeeded").await, "settled");
    shop.sweep().await;
    assert_eq!((till.taken().await, till.standing(&waiting).await.0.as_str()), ((990, 990), "cancelled"));
    assert_eq!(left().await, 500);
    shop.credit_adds_up().await;
    // Both pay; an undone order gives each its own.
    let order = buys("pm_card_visa").await.expect(201).text("/order/id");
    assert_eq!(till.standing(&order).await, both("open", "paid"));
    assert_eq!((till.taken().await, left().await, shop.balance_of("1100").await), ((1980, 990), 0, 0));
    let wish = json!({ "reason": "customer" });
    shop.staff("POST", &format!("/admin/v1/orders/{order}/cancel"), Some(wish)).await.expect(200);
    shop.sweep().await;
    assert_eq!((till.taken().await, left().await), ((1980, 1980), 500));
    assert_eq!((shop.balance_of("1100").await, shop.balance_of("2300").await), (0, 0));
    shop.credit_adds_up().await;
}

/// A server that keeps the events it hears, as they come.
async fn ear() -> (String, Arc<Mutex<Vec<Value>>>) {
    let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
    let remembers = Arc::clone(&heard);
    let server = HttpServer::new(move || {
        let remembers = Arc::clone(&remembers);
        let hear = move |body: String| {
            remembers.lock().unwrap().push(serde_json::from_str(&body).unwrap());
            async { HttpResponse::NoContent().finish() }
        };
        App::new().route("/hook", web::post().to(hear))
    });
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", server.addrs()[0]);
    tokio::spawn(server.run());
    (url, heard)
}

#[actix_web::test]
async fn events_that_come_late_thrice_and_in_another_order_end_the_same() {
    for (manners, deliveries, first) in [
        ("", 2, "payment_intent.requires_action"),
        ("duplicate,delay,reorder", 6, "payment_intent.succeeded"),
    ] {
        let till = Till::open().await;
        let (url, heard) = ear().await;
        let form = format!("url={url}&enabled_events[0]=*&metadata[souk_delivery]={manners}");
        ask(&till.shop, "/v1/webhook_endpoints", Some(&form)).await;
        let waiting =
            till.buys(&till.basket().await, Some("pm_card_threeDSecure2Required")).await.expect(202);
        if manners.is_empty() {
            // The plain way is the order of what happened.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        till.says("pay", "decision=approve").await;
        let enough = || heard.lock().unwrap().len() >= deliveries;
        for _ in 0..400 {
            if enough() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let events = heard.lock().unwrap().clone();
        assert_eq!((events.len(), &events[0]["type"]), (deliveries, &json!(first)));
        let mut outcomes = Vec::new();
        for event in &events {
            outcomes.push(till.hears(event).await.expect(200).text("/outcome"));
        }
        let count = |word: &str| outcomes.iter().filter(|outcome| *outcome == word).count();
        assert_eq!((count("settled"), count("duplicate")), (1, deliveries - 2), "{outcomes:?}");
        assert_eq!(till.standing(&waiting.text("/order/id")).await, both("open", "paid"));
        assert_eq!(till.shop.told().await, ["order.placed", "order.paid"]);
        assert_eq!((till.taken().await, till.shop.balance_of("1000").await), ((1490, 0), 1490));
    }
}

#[actix_web::test]
async fn a_direct_debit_makes_an_order_that_waits_for_its_money() {
    for (outcome, kind, then) in [
        ("succeeded", "payment_intent.succeeded", both("open", "paid")),
        ("failed", "payment_intent.payment_failed", both("cancelled", "pending")),
    ] {
        let till = Till::open().await;
        let bought = till.buys(&till.basket().await, Some("pm_fake_sepa_debit")).await.expect(201);
        let order = bought.text("/order/id");
        assert_eq!(till.standing(&order).await, both("open", "pending"));
        assert_eq!((till.shop.stock().await.as_str(), till.shop.balance_of("1100").await), ("5/1/0", 1490));
        // Days later; nobody gives up in between.
        till.shop.clock.advance(Duration::from_secs(6 * 86_400));
        assert_eq!(till.shop.sweep().await.sessions, 1);
        assert_eq!(till.standing(&order).await, both("open", "pending"));
        till.says("settle", &format!("outcome={outcome}")).await;
        assert_eq!(till.hears_of(kind).await, "settled");
        assert_eq!(till.standing(&order).await, then);
        let stock = if outcome == "succeeded" { "5/1/0" } else { "5/0/0" };
        assert_eq!((till.shop.stock().await.as_str(), till.shop.balance_of("1100").await), (stock, 0));
    }
}

#[actix_web::test]
async fn answers_that_get_lost_charge_nobody_twice() {
    let till = Till::open().await;
    for token in ["pm_fake_500_then_ok", "pm_fake_timeout"] {
        let bought = till.buys(&till.basket().await, Some(token)).await.expect(201);
        assert_eq!(bought.json["order"]["financial_status"], "paid", "{token}");
    }
    assert_eq!((till.taken().await, till.shop.balance_of("1000").await), ((2980, 0), 2980));
}

#[actix_web::test]
async fn events_that_are_forged_or_of_others_have_no_effect() {
    let till = Till::open().await;
    let waiting = till.buys(&till.basket().await, Some("pm_card_threeDSecure2Required")).await.expect(202);
    let mut event = till.events("payment_intent.requires_action").await.pop().unwrap();
    till.hears_signed(&event, "whsec_wrong").await.refused(400, "webhook_refused");
    till.shop
        .call("POST", "/webhooks/payments/stripe")
        .json(&event)
        .send()
        .await
        .refused(400, "webhook_refused");
    // The body says what it likes: Stripe is asked.
    event["type"] = json!("payment_intent.succeeded");
    event["data"]["object"]["status"] = json!("succeeded");
    event["data"]["object"]["amount_received"] = json!(1490);
    assert_eq!(till.hears(&event).await.expect(200).json["outcome"], "known");
    assert_eq!(till.standing(&waiting.text("/order/id")).await.0, "pending_payment");
    // Of another shop with the same account: not ours, and nothing to send again.
    let form = "amount=1490&currency=eur&confirm=true&payment_method=pm_card_visa&return_url=http://a.b&metadata[souk_store]=sto_other";
    ask(&till.shop, "/v1/payment_intents", Some(form)).await;
    assert_eq!(till.hears_of("payment_intent.succeeded").await, "ignored");
    assert_eq!(till.shop.number("SELECT count(*) AS number FROM payments").await, 0);
    // A secret that was exchanged is believed for a day.
    set(&till.shop, &json!({ "webhook_secret": "whsec_the_next_one" })).await.expect(200);
    event["id"] = json!("evt_2");
    till.hears(&event).await.expect(200);
    event["id"] = json!("evt_3");
    till.hears_signed(&event, "whsec_the_next_one").await.expect(200);
    till.shop.clock.advance(Duration::from_secs(86_401));
    event["id"] = json!("evt_4");
    till.hears(&event).await.refused(400, "webhook_refused");
}

#[actix_web::test]
async fn a_dispute_is_booked_told_and_decided_once() {
    for (decision, event, lost) in [("won", "dispute.won", 0), ("lost", "dispute.lost", 1490)] {
        let till = Till::open().await;
        let bought = till.buys(&till.basket().await, Some("pm_card_createDispute")).await.expect(201);
        let order = bought.text("/order/id");
        assert_eq!(till.hears_of("charge.dispute.created").await, "settled");
        let books = async |code: &str| till.shop.balance_of(code).await;
        assert_eq!((books("1000").await, books("1300").await, books("6200").await), (-1500, 1490, 1500));
        let list =
            till.shop.owner_call("GET", "/admin/v1/disputes?state=needs_response").send().await.expect(200);
        let dispute = &list.data()[0];
        assert_eq!((&dispute["order"], &dispute["reason"]), (&json!(order), &json!("fraudulent")));
        assert_eq!(dispute["fee"], json!({ "amount_minor": 1500, "currency": "EUR" }));
        let id = dispute["reference"].as_str().unwrap().to_owned();
        ask(&till.shop, &format!("/stripe/dispute/{id}"), Some(&format!("status={decision}"))).await;
        let closed = till.events("charge.dispute.closed").await.pop().unwrap();
        assert_eq!(till.hears(&closed).await.expect(200).json["outcome"], "settled");
        assert_eq!(till.hears(&closed).await.expect(200).json["outcome"], "duplicate");
        // Late news of its beginning.
        let mut late = till.events("charge.dispute.created").await.pop().unwrap();
        late["id"] = json!("evt_late");
        assert_eq!(till.hears(&late).await.expect(200).json["outcome"], "known");
        assert_eq!((books("1300").await, books("6300").await), (0, lost));
        assert_eq!(books("1000").await, 1490 - lost - 1500);
        assert_eq!(till.shop.told().await, ["order.placed", "order.paid", "dispute.opened", event]);
        let view = till.shop.order(&order).await;
        let notes = view["timeline"].as_array().unwrap().iter();
        assert_eq!(notes.filter(|note| note["kind"].as_str().unwrap().starts_with("dispute.")).count(), 2);
    }
}

#[actix_web::test]
async fn keys_are_sealed_exchanged_and_taken_away() {
    let shop = Shop::open().await;
    // Without keys there is nothing to switch on, and nothing to pay with.
    set_up(&shop, "\"1\"", &json!({ "enabled": true }))
        .await
        .refused(422, "validation_failed")
        .about("/enabled");
    let before = shop.digest().await;
    for (wish, pointer) in [
        (json!({}), "/secret_key"),
        (json!({ "webhook_secret": "whsec_abcd" }), "/secret_key"),
        (json!({ "secret_key": "pk_test_51Souk4242" }), "/secret_key"),
        (json!({ "secret_key": KEY, "webhook_secret": "abcd" }), "/webhook_secret"),
        (json!({ "secret_key": "sk_test_revoked4242" }), "/secret_key"),
    ] {
        set(&shop, &wish).await.refused(422, "validation_failed").about(pointer);
    }
    let elsewhere = shop.owner_call("PATCH", "/admin/v1/payment-providers/test/credentials");
    elsewhere.json(&json!({ "secret_key": KEY })).send().await.refused(404, "not_found");
    assert_eq!(shop.digest().await, before);
    let kept = set(&shop, &json!({ "secret_key": KEY, "webhook_secret": "whsec_abcd" })).await.expect(200);
    let credentials = &kept.json["credentials"];
    assert_eq!((&credentials["mode"], &credentials["hint"]), (&json!("test"), &json!("sk_test_…4242")));
    let sealed = shop.words("SELECT encode(secret, 'escape') AS word FROM payment_credentials").await;
    let log = shop.words("SELECT string_agg(details::text, '') AS word FROM audit_entries").await;
    for secret in ["51Souk4242", "whsec_abcd"] {
        assert!(!kept.json.to_string().contains(secret) && !sealed.contains(secret) && !log.contains(secret));
    }
    let acts = "SELECT count(*) AS number FROM audit_entries WHERE action = 'payment_credentials.set'";
    assert_eq!(shop.number(acts).await, 1);
    set_up(&shop, "\"2\"", &json!({ "enabled": true })).await.expect(200);
    shop.owner_call("DELETE", CREDENTIALS).send().await.expect(204);
    shop.owner_call("DELETE", CREDENTIALS).send().await.expect(204);
    let till = Till { shop, secret: "whsec_abcd".to_owned() };
    let basket = till.basket().await;
    till.buys(&basket, Some("pm_card_visa")).await.refused(422, "payment_provider_unknown");
}
