//! Fees and payouts over HTTP, with the project's own provider playing Stripe: told late, thrice, in another order, or not at all.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk_payment_provider::stripe::sender::signature;

use crate::testing::Answer;
use crate::testing::shop::{Shop, key};

const KEY: &str = "sk_test_51Souk4242";
/// What the provider keeps of 14.90 at 2.9 % and 0.30.
const FEE: i64 = 73;

/// A shop with an account at Stripe.
struct Till {
    shop: Shop,
    secret: String,
}

impl Till {
    async fn open(terms: &str) -> Self {
        let till = Self { shop: Shop::open().await, secret: String::new() };
        let endpoint = Some("url=http://127.0.0.1:9/&enabled_events[0]=*");
        let secret = till.ask("/v1/webhook_endpoints", endpoint).await["secret"].as_str().unwrap().to_owned();
        till.ask("/stripe/balance", Some(terms)).await;
        let path = "/admin/v1/payment-providers/stripe";
        let keys = json!({ "secret_key": KEY, "webhook_secret": secret });
        let call = till.shop.owner_call("PATCH", &format!("{path}/credentials"));
        call.json(&keys).send().await.expect(200);
        let call = till.shop.owner_call("PATCH", path).header("if-match", "\"2\"");
        call.json(&json!({ "enabled": true })).send().await.expect(200);
        Self { secret, ..till }
    }

    /// Asks the provider as the account; a body is a form.
    async fn ask(&self, path: &str, form: Option<&str>) -> Value {
        let (client, url) = (reqwest::Client::new(), format!("{}{path}", self.shop.provider));
        let call = match form {
            Some(form) => client
                .post(url)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.to_owned()),
            None => client.get(url),
        };
        call.bearer_auth(KEY).send().await.unwrap().json().await.unwrap()
    }

    /// Somebody buys for 14.90; gives the order.
    async fn buys(&self, token: &str) -> String {
        let basket = self.shop.basket(self.shop.thing(5, 1000).await, 1).await;
        let body = json!({ "expected_total": { "amount_minor": 1490, "currency": "EUR" },
            "payment": { "provider": "stripe", "token": token } });
        self.shop.checkout(&basket, &key(), &body).await.expect(201).text("/order/id")
    }

    /// The same, and Stripe's event tells the fee.
    async fn sells(&self, token: &str) -> String {
        let order = self.buys(token).await;
        assert_eq!(self.hears_of("charge.updated").await, "settled");
        order
    }

    /// 4.90 of an order go back.
    async fn refunds(&self, order: &str) {
        let wish = json!({ "shipping": { "amount_minor": 490, "currency": "EUR" }, "reason": "late" });
        self.shop.staff("POST", &format!("/admin/v1/orders/{order}/refunds"), Some(wish)).await.expect(200);
        assert_eq!(self.shop.sweep().await.refunds, 1);
    }

    async fn pays_out(&self, form: &str) -> String {
        self.ask("/stripe/payouts", Some(form)).await["id"].as_str().unwrap().to_owned()
    }

    async fn payout_is(&self, payout: &str, status: &str) {
        self.ask(&format!("/stripe/payout/{payout}"), Some(&format!("status={status}"))).await;
    }

    /// The newest event of a kind.
    async fn event(&self, kind: &str) -> Value {
        let list = self.ask(&format!("/v1/events?limit=1&type={kind}"), None).await;
        list["data"][0].clone()
    }

    async fn hears(&self, event: &Value) -> Answer {
        let body = event.to_string();
        let header = signature(std::slice::from_ref(&self.secret), self.shop.clock.now(), &body);
        let headers = [("stripe-signature", header.as_str())];
        self.shop.inner.send("POST", "/webhooks/payments/stripe", Some(body.into_bytes()), &headers).await
    }

    /// The newest event of a kind is heard; gives what became of it.
    async fn hears_of(&self, kind: &str) -> String {
        self.hears(&self.event(kind).await).await.expect(200).text("/outcome")
    }

    /// The worker goes on until there is nothing to do.
    async fn works(&self) {
        for _ in 0..10 {
            let worker = self.shop.gate.worker(self.shop.store.id, "payouts", "test").unwrap();
            if !super::reconcile_due(&worker, &self.shop.till.providers).await.unwrap() {
                return;
            }
        }
        panic!("the worker does not come to an end");
    }

    async fn later(&self, hours: u64) {
        self.shop.clock.advance(Duration::from_secs(hours * 3600));
        self.works().await;
    }

    /// A balance in the books, which add up.
    async fn books(&self, account: &str, currency: &str) -> i64 {
        let books = self.shop.owner_call("GET", "/admin/v1/ledger/trial-balance").send().await.expect(200);
        for total in books.json["totals"].as_array().unwrap() {
            assert_eq!(total["balance"]["amount_minor"], 0, "{}", books.json);
        }
        let mut accounts = books.json["accounts"].as_array().unwrap().iter();
        let found = accounts.find(|one| one["code"] == account && one["balance"]["currency"] == currency);
        found.map_or(0, |one| one["balance"]["amount_minor"].as_i64().unwrap())
    }

    /// What the provider owes by its own book: its balance, and payouts that have not arrived.
    async fn owed(&self, currency: &str) -> i64 {
        let sum = |list: &Value, name: &str, fits: fn(&Value) -> bool| -> i64 {
            let ours = list["data"].as_array().unwrap().iter();
            let ours = ours.filter(|one| one["currency"] == currency.to_lowercase() && fits(one));
            ours.map(|one| one[name].as_i64().unwrap()).sum()
        };
        let moved = self.ask("/v1/balance_transactions?limit=100", None).await;
        let payouts = self.ask("/v1/payouts?limit=100", None).await;
        let on_its_way = |one: &Value| one["status"] == "pending" || one["status"] == "in_transit";
        sum(&moved, "net", |_| true) + sum(&payouts, "amount", on_its_way)
    }

    async fn payouts(&self, query: &str) -> Vec<Value> {
        let path = format!("/admin/v1/payouts{query}");
        self.shop.owner_call("GET", &path).send().await.expect(200).data().clone()
    }

    /// The newest payout, whole.
    async fn payout(&self) -> Value {
        let id = self.payouts("?limit=1").await[0]["id"].as_str().unwrap().to_owned();
        let path = format!("/admin/v1/payouts/{id}");
        self.shop.owner_call("GET", &path).send().await.expect(200).json
    }

    /// What was told of payouts.
    async fn told(&self) -> Vec<String> {
        let told = self.shop.told().await;
        told.into_iter().filter(|kind| kind.starts_with("payout.")).collect()
    }
}

fn minor(money: &Value) -> i64 {
    money["amount_minor"].as_i64().unwrap()
}

#[actix_web::test]
async fn a_fee_is_booked_with_its_payment_and_once() {
    let till = Till::open("rate=290&fixed=30").await;
    let order = till.buys("pm_card_visa").await;
    assert_eq!((till.books("6200", "EUR").await, till.books("1000", "EUR").await), (0, 1490));
    assert_eq!(till.hears_of("payment_intent.succeeded").await, "settled");
    assert_eq!((till.books("6200", "EUR").await, till.books("1000", "EUR").await), (FEE, 1490 - FEE));
    assert_eq!(till.hears_of("charge.updated").await, "known");
    assert_eq!(till.books("6200", "EUR").await, FEE);
    assert_eq!(till.owed("EUR").await, 1490 - FEE);
    let path = format!("/admin/v1/orders/{order}/payments");
    let payments = till.shop.owner_call("GET", &path).send().await.expect(200);
    let payment = &payments.data()[0];
    assert_eq!((minor(&payment["fee"]), minor(&payment["net"])), (FEE, 1490 - FEE));
}

#[actix_web::test]
async fn a_fee_that_is_told_later_is_booked_then() {
    let till = Till::open("rate=290&fixed=30&late=true").await;
    let order = till.buys("pm_card_visa").await;
    assert_eq!(till.hears_of("payment_intent.succeeded").await, "known");
    assert_eq!((till.books("6200", "EUR").await, till.books("1000", "EUR").await), (0, 1490));
    assert_eq!(till.shop.order(&order).await["payments"][0]["fee"], Value::Null);
    till.ask("/stripe/balance", Some("late=false")).await;
    assert_eq!(till.hears_of("charge.updated").await, "settled");
    assert_eq!((till.books("6200", "EUR").await, till.books("1000", "EUR").await), (FEE, 1490 - FEE));
    assert_eq!(minor(&till.shop.order(&order).await["payments"][0]["fee"]), FEE);
}

#[actix_web::test]
async fn what_the_provider_owes_is_what_the_books_say() {
    let till = Till::open("rate=290&fixed=30").await;
    for _ in 0..2 {
        till.sells("pm_card_visa").await;
    }
    let order = till.sells("pm_card_visa").await;
    till.refunds(&order).await;
    till.sells("pm_card_createDispute").await;
    assert_eq!(till.hears_of("charge.dispute.created").await, "settled");
    let owed = 4 * (1490 - FEE) - 490 - 1490 - 1500;
    assert_eq!((till.books("1000", "EUR").await, till.owed("EUR").await), (owed, owed));
    // Something that is no payment's: known when it is paid out.
    till.ask("/stripe/balance", Some("move=-100&type=stripe_fee&currency=eur")).await;
    let owed = owed - 100;
    let payout = till.pays_out("currency=eur").await;
    assert_eq!(till.hears_of("payout.created").await, "settled");
    till.works().await;
    assert_eq!((till.books("1000", "EUR").await, till.owed("EUR").await), (owed, owed));
    let seen = till.payout().await;
    assert_eq!((&seen["payout"]["state"], &seen["payout"]["reference"]), (&json!("pending"), &json!(payout)));
    let sums = &seen["reconciliation"];
    assert_eq!((minor(&sums["net"]), minor(&sums["difference"]), &sums["complete"]), (owed, 0, &json!(true)));
    assert_eq!((&sums["entry_count"], &sums["unmatched_count"]), (&json!(7), &json!(0)));
    let entries = seen["entries"].as_array().unwrap();
    let refunded = entries.iter().find(|entry| entry["kind"] == "refund").unwrap();
    assert_eq!((&refunded["order"], minor(&refunded["gross"])), (&json!(order), -490));
    till.payout_is(&payout, "paid").await;
    assert_eq!(till.hears_of("payout.paid").await, "settled");
    assert_eq!((till.books("1000", "EUR").await, till.books("1010", "EUR").await), (0, owed));
    assert_eq!((till.owed("EUR").await, till.told().await), (0, vec!["payout.paid".to_owned()]));
}

#[actix_web::test]
async fn payouts_told_thrice_and_backwards_are_booked_once() {
    let till = Till::open("rate=290&fixed=30").await;
    till.buys("pm_card_visa").await;
    till.pays_out("currency=eur&status=paid").await;
    // Paid is heard before created, by three at once.
    let paid = till.event("payout.paid").await;
    let heard = join_all((0..3).map(|_| till.hears(&paid))).await;
    let outcomes: Vec<_> = heard.into_iter().map(|answer| answer.expect(200).text("/outcome")).collect();
    let count = |word: &str| outcomes.iter().filter(|outcome| *outcome == word).count();
    assert_eq!((count("settled"), count("duplicate")), (1, 2), "{outcomes:?}");
    assert_eq!(till.hears_of("payout.created").await, "known");
    let mut again = paid.clone();
    again["id"] = json!("evt_again");
    assert_eq!(till.hears(&again).await.expect(200).text("/outcome"), "known");
    let worker = || till.shop.gate.worker(till.shop.store.id, "payouts", "test").unwrap();
    let (one, two) = (worker(), worker());
    let (first, second) = futures_util::join!(
        super::reconcile_due(&one, &till.shop.till.providers),
        super::reconcile_due(&two, &till.shop.till.providers)
    );
    assert!(first.is_ok() && second.is_ok());
    till.works().await;
    assert_eq!(till.told().await, ["payout.paid"]);
    assert_eq!((till.books("1000", "EUR").await, till.books("1010", "EUR").await), (0, 1490 - FEE));
    assert_eq!(till.shop.number("SELECT count(*) AS number FROM payout_entries").await, 1);
    assert_eq!(till.payout().await["reconciliation"]["complete"], true);
}

#[actix_web::test]
async fn a_payout_that_comes_back_is_owed_again_and_paid_out_again() {
    let till = Till::open("rate=290&fixed=30").await;
    till.sells("pm_card_visa").await;
    let payout = till.pays_out("currency=eur&status=paid").await;
    assert_eq!(till.hears_of("payout.paid").await, "settled");
    till.payout_is(&payout, "failed").await;
    assert_eq!(till.hears_of("payout.failed").await, "settled");
    let owed = 1490 - FEE;
    assert_eq!((till.books("1000", "EUR").await, till.books("1010", "EUR").await), (owed, 0));
    let seen = till.payout().await;
    assert_eq!(
        (&seen["payout"]["state"], &seen["payout"]["failure_code"]),
        (&json!("failed"), &json!("account_closed"))
    );
    // Late news of its better days.
    let mut late = till.event("payout.paid").await;
    late["id"] = json!("evt_late");
    assert_eq!(till.hears(&late).await.expect(200).text("/outcome"), "known");
    till.pays_out("currency=eur&status=paid").await;
    assert_eq!(till.hears_of("payout.paid").await, "settled");
    till.works().await;
    let seen = till.payout().await;
    assert_eq!(
        (&seen["entries"][0]["kind"], &seen["reconciliation"]["complete"]),
        (&json!("payout_return"), &json!(true))
    );
    assert_eq!((till.books("1000", "EUR").await, till.books("1010", "EUR").await), (0, owed));
    assert_eq!(till.told().await, ["payout.paid", "payout.failed", "payout.paid"]);
}

#[actix_web::test]
async fn a_payout_that_never_arrived_leaves_the_books_alone() {
    for (status, told) in [("failed", vec!["payout.failed".to_owned()]), ("canceled", Vec::new())] {
        let till = Till::open("rate=290&fixed=30").await;
        till.buys("pm_card_visa").await;
        till.pays_out(&format!("currency=eur&status={status}")).await;
        assert_eq!(till.hears_of(&format!("payout.{status}")).await, "settled");
        till.works().await;
        assert_eq!((till.books("1000", "EUR").await, till.books("1010", "EUR").await), (1490 - FEE, 0));
        assert_eq!((till.owed("EUR").await, till.told().await), (1490 - FEE, told));
    }
}

#[actix_web::test]
async fn lost_webhooks_are_made_up_for() {
    let till = Till::open("rate=290&fixed=30").await;
    till.buys("pm_card_visa").await;
    let payout = till.pays_out("currency=eur").await;
    till.later(7).await;
    assert_eq!(till.payouts("?state=pending").await.len(), 1);
    till.payout_is(&payout, "paid").await;
    till.later(7).await;
    let seen = till.payout().await;
    assert_eq!(
        (&seen["payout"]["state"], &seen["reconciliation"]["complete"]),
        (&json!("paid"), &json!(true))
    );
    assert_eq!((till.books("1010", "EUR").await, till.told().await.len()), (1490 - FEE, 1));
    // Nothing is left to do but to ask again some day.
    let waiting = "SELECT count(*) AS number FROM payouts WHERE next_poll_at IS NOT NULL";
    assert_eq!(till.shop.number(waiting).await, 0);
}

#[actix_web::test]
async fn what_matches_nothing_is_shown_and_kept_apart_until_it_does() {
    let till = Till::open("rate=290&fixed=30").await;
    till.buys("pm_card_createDispute").await;
    // Another shop with the same account sells something.
    let form = "amount=1000&currency=eur&confirm=true&payment_method=pm_card_visa&return_url=http://a.b&metadata[souk_store]=sto_other";
    till.ask("/v1/payment_intents", Some(form)).await;
    let theirs = 1000 - 29 - 30;
    till.pays_out("currency=eur&status=paid").await;
    assert_eq!(till.hears_of("payout.paid").await, "settled");
    till.works().await;
    let net = 1490 - FEE - 1490 - 1500 + theirs;
    assert_eq!(till.books("1010", "EUR").await, net);
    // Nobody has heard of the dispute yet.
    let sums = till.payout().await["reconciliation"].clone();
    assert_eq!((&sums["unmatched_count"], minor(&sums["difference"])), (&json!(2), 0));
    assert_eq!(sums["complete"], false);
    assert_eq!(till.books("1000", "EUR").await, 0);
    assert_eq!(till.books("2500", "EUR").await, 2990 - theirs);
    assert_eq!(till.hears_of("charge.dispute.created").await, "settled");
    till.later(7).await;
    let seen = till.payout().await;
    assert_eq!(seen["reconciliation"]["unmatched_count"], 1);
    assert_eq!((till.books("1000", "EUR").await, till.books("2500", "EUR").await), (0, -theirs));
    assert_eq!((till.books("1300", "EUR").await, till.books("6200", "EUR").await), (1490, 1500 + FEE));
    let first = &seen["entries"][0];
    assert_eq!((&first["matched"], minor(&first["net"])), (&json!(false), theirs));
    let path = format!("/admin/v1/payouts/{}/entries.csv", seen["payout"]["id"].as_str().unwrap());
    let file = till.shop.owner_call("GET", &path).send().await.expect(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    let file = String::from_utf8(file.bytes).unwrap();
    assert_eq!(file.lines().count(), 4);
    assert!(file.lines().nth(1).unwrap().contains(",false,10.00,0.59,9.41,EUR,"), "{file}");
}

#[actix_web::test]
async fn money_that_is_changed_leaves_one_currency_and_arrives_in_another() {
    let till = Till::open("rate=290&fixed=30&settles=usd&exchange=1100").await;
    let order = till.sells("pm_card_visa").await;
    let (gross, fee) = (1639, 48 + 30);
    assert_eq!((till.books("1000", "EUR").await, till.books("1000", "USD").await), (0, gross - fee));
    assert_eq!((till.books("6400", "EUR").await, till.books("6400", "USD").await), (1490, -gross));
    assert_eq!(till.shop.order(&order).await["payments"][0]["net"]["currency"], "USD");
    till.refunds(&order).await;
    till.pays_out("currency=usd&status=paid").await;
    assert_eq!(till.hears_of("payout.paid").await, "settled");
    till.works().await;
    let net = gross - fee - 539;
    assert_eq!((till.books("1000", "EUR").await, till.books("1000", "USD").await), (0, 0));
    assert_eq!((till.books("1010", "USD").await, till.owed("USD").await), (net, 0));
    assert_eq!(till.payout().await["reconciliation"]["complete"], true);
}

#[actix_web::test]
async fn a_payout_that_cannot_be_itemised_says_so() {
    let till = Till::open("rate=290&fixed=30").await;
    till.sells("pm_card_visa").await;
    till.pays_out("currency=eur&status=paid&automatic=false").await;
    assert_eq!(till.hears_of("payout.paid").await, "settled");
    till.works().await;
    let seen = till.payout().await;
    let sums = &seen["reconciliation"];
    assert_eq!((&sums["itemised"], &sums["complete"]), (&json!(false), &json!(false)));
    assert_eq!((&sums["entry_count"], minor(&sums["difference"])), (&json!(0), 1490 - FEE));
    assert_eq!((till.books("1000", "EUR").await, till.books("1010", "EUR").await), (0, 1490 - FEE));
}

#[actix_web::test]
async fn payouts_are_listed_by_state_and_time() {
    let till = Till::open("").await;
    for status in ["paid", "failed"] {
        till.buys("pm_card_visa").await;
        till.pays_out(&format!("currency=eur&status={status}")).await;
        assert_eq!(till.hears_of(&format!("payout.{status}")).await, "settled");
    }
    let count = async |query: &str| till.payouts(query).await.len();
    assert_eq!((count("").await, count("?state=paid").await, count("?state=in_transit").await), (2, 1, 0));
    assert_eq!(count("?since=2020-01-01T00:00:00Z").await, 2);
    assert_eq!(count("?until=2020-01-01T00:00:00Z").await, 0);
    let page = till.shop.owner_call("GET", "/admin/v1/payouts?limit=1").send().await.expect(200);
    let next = format!("/admin/v1/payouts?limit=1&after={}", page.text("/page/next"));
    let next = till.shop.owner_call("GET", &next).send().await.expect(200);
    assert_ne!(page.data()[0]["id"], next.data()[0]["id"]);
    let before = till.shop.digest().await;
    for (path, status, code) in [
        ("/admin/v1/payouts?state=gone", 422, "validation_failed"),
        ("/admin/v1/payouts?status=paid", 422, "unknown_field"),
        ("/admin/v1/payouts/pyo_01h455vb4pex5vsknk084sn02q", 404, "not_found"),
        ("/admin/v1/payouts/pyo_01h455vb4pex5vsknk084sn02q/entries.csv", 404, "not_found"),
    ] {
        till.shop.owner_call("GET", path).send().await.refused(status, code);
    }
    assert_eq!(till.shop.digest().await, before);
}
