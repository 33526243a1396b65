//! Taxes worked out by a service of the store's, which may hang, lie or be gone.

use std::time::Duration;

use actix_web::{App, HttpServer};
use serde_json::{Value, json};
use souk_event_bus::{Consumer as _, ConsumerError};
use souk_payment_provider::taxes::{self, TaxBehaviour, Taxes};
use souk_tenancy::{TenancyError, WriteTx};

use super::shop::{Basket, Shop, ada, key, pay_with};
use crate::customers::tests::people::outbox_after;
use crate::tax::{TaxFiling, file_due};
use crate::testing::{Answer, WEBHOOK_SECRET};

/// A shop that has its taxes worked out elsewhere: ten per cent, where its own rate is nineteen.
struct Taxed {
    shop: Shop,
    taxes: Taxes,
    url: String,
}

impl std::ops::Deref for Taxed {
    type Target = Shop;

    fn deref(&self) -> &Shop {
        &self.shop
    }
}

impl Taxed {
    async fn open(on_failure: &str) -> Self {
        let shop = Shop::open().await;
        let taxes = Taxes::new(WEBHOOK_SECRET.parse().unwrap());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/taxes/estimates", listener.local_addr().unwrap());
        let served = taxes.clone();
        let server = HttpServer::new(move || App::new().configure(taxes::routes(served.clone())));
        tokio::spawn(server.workers(1).disable_signals().shutdown_timeout(0).listen(listener).unwrap().run());
        let taxed = Self { shop, taxes, url };
        taxed.sets_up(&json!({ "on_failure": on_failure, "secret": WEBHOOK_SECRET })).await.expect(200);
        taxed
    }

    async fn sets_up(&self, changes: &Value) -> Answer {
        let mut body = json!({ "enabled": true, "url": self.url, "timeout_ms": 700, "cache_seconds": 900, "on_failure": "own_rates" });
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.owner_call("PUT", "/admin/v1/tax/provider").json(&body).send().await
    }

    async fn cart(&self, basket: &Basket) -> Value {
        let path = format!("/store/v1/carts/{}", basket.id);
        self.call("GET", &path).header("x-cart-secret", &basket.secret).send().await.expect(200).json
    }

    async fn refunds(&self, order: &Value, body: &Value) -> Value {
        let path = format!("/admin/v1/orders/{}/refunds", order["id"].as_str().unwrap());
        self.owner_call("POST", &path).keyed().json(body).send().await.expect(200).json
    }
}

/// Tax, total and who says so.
fn seen(priced: &Value) -> (i64, i64, &str) {
    let minor = |name: &str| priced[name]["amount_minor"].as_i64().unwrap();
    (minor("tax"), minor("total"), priced["tax_source"].as_str().unwrap())
}

#[actix_web::test]
async fn what_the_provider_says_is_kept_and_becomes_the_order() {
    let shop = Taxed::open("refuse").await;
    let basket = shop.basket(shop.thing(9, 1000).await, 1).await;
    // Inside 10.00 and 4.90.
    assert_eq!(seen(&shop.cart(&basket).await), (91 + 45, 1490, "provider"));
    assert_eq!(shop.taxes.asked(), 1);
    let bought = shop.checkout(&basket, &key(), &pay_with(1490, "tok_ok")).await.expect(201);
    let order = shop.order(&bought.text("/order/id")).await;
    assert_eq!((seen(&order), shop.taxes.asked()), ((136, 1490, "provider"), 1));
    let tax = &order["lines"][0]["tax_lines"][0];
    assert_eq!(
        (&tax["name"], &tax["jurisdiction"], &tax["rate_ppm"], &tax["taxable"]["amount_minor"]),
        (&json!("Sales tax"), &json!("DE-BE"), &json!(100_000), &json!(909))
    );
    // Asked again when the answer is old, or the basket another.
    let other = shop.basket(shop.thing(9, 1000).await, 2).await;
    assert_eq!(shop.taxes.asked(), 2);
    shop.clock.advance(Duration::from_secs(901));
    assert_eq!((seen(&shop.cart(&other).await).2, shop.taxes.asked()), ("provider", 3));
}

#[actix_web::test]
async fn pieces_come_back_with_the_tax_that_the_provider_took() {
    let shop = Taxed::open("refuse").await;
    let basket = shop.basket(shop.thing(9, 1000).await, 3).await;
    let bought = shop.checkout(&basket, &key(), &pay_with(3490, "tok_ok")).await.expect(201);
    let order = bought.json["order"].clone();
    // 2.73 inside 30.00, and 0.45 inside 4.90.
    assert_eq!(shop.balance_of("2200").await, -(273 + 45));
    for left in [182, 91, 0] {
        let piece =
            json!({ "lines": [{ "line": order["lines"][0]["id"], "quantity": 1 }], "reason": "damaged" });
        shop.refunds(&order, &piece).await;
        assert_eq!(shop.balance_of("2200").await, -(left + 45));
    }
    let delivery = json!({ "shipping": { "amount_minor": 490, "currency": "EUR" }, "reason": "late" });
    shop.refunds(&order, &delivery).await;
    assert_eq!(shop.balance_of("2200").await, 0);
    assert_eq!(shop.taxes.asked(), 1);
}

#[actix_web::test]
async fn however_it_fails_the_own_rates_count_and_the_order_says_so() {
    let shop = Taxed::open("own_rates").await;
    let thing = shop.thing(9, 1000).await;
    for (times, behaviour) in [
        TaxBehaviour::Hangs,
        TaxBehaviour::Down,
        TaxBehaviour::Nonsense,
        TaxBehaviour::Huge,
        TaxBehaviour::Greedy,
        TaxBehaviour::Foreign,
        TaxBehaviour::Forgetful,
    ]
    .into_iter()
    .enumerate()
    {
        shop.taxes.behave(behaviour);
        // Set up anew it is asked again, and the secret stays.
        shop.sets_up(&json!({})).await.expect(200);
        let basket = shop.basket(thing, 1).await;
        assert_eq!(shop.taxes.asked(), u32::try_from(times * 2 + 1).unwrap(), "{behaviour:?}");
        assert_eq!(seen(&shop.cart(&basket).await), (160 + 78, 1490, "fallback"), "{behaviour:?}");
    }
    let basket = shop.basket(thing, 1).await;
    let bought = shop.checkout(&basket, &key(), &pay_with(1490, "tok_ok")).await.expect(201);
    let order = shop.order(&bought.text("/order/id")).await;
    assert_eq!(seen(&order), (238, 1490, "fallback"));
    assert_eq!(order["lines"][0]["tax_lines"][0]["rate_ppm"], 190_000);
}

#[actix_web::test]
async fn a_store_that_refuses_sells_nothing_until_somebody_answers() {
    let shop = Taxed::open("refuse").await;
    shop.taxes.behave(TaxBehaviour::Down);
    let basket = shop.basket(shop.thing(9, 1000).await, 1).await;
    let before = shop.digest().await;
    for asked in [2, 3, 3] {
        let refused = shop.checkout(&basket, &key(), &pay_with(1490, "tok_ok")).await;
        let refused = refused.refused(503, "taxes_unavailable");
        assert_eq!((refused.header("retry-after"), shop.taxes.asked()), ("5", asked));
        assert_eq!(shop.digest().await, before);
    }
    // Three times in vain, it is left alone for half a minute.
    shop.taxes.behave(TaxBehaviour::Well);
    shop.clock.advance(Duration::from_secs(29));
    shop.checkout(&basket, &key(), &pay_with(1490, "tok_ok")).await.refused(503, "taxes_unavailable");
    assert_eq!(shop.taxes.asked(), 3);
    shop.clock.advance(Duration::from_secs(2));
    let bought = shop.checkout(&basket, &key(), &pay_with(1490, "tok_ok")).await.expect(201);
    assert_eq!((seen(&bought.json["order"]).0, shop.taxes.asked()), (136, 4));
    assert_eq!(shop.order(&bought.text("/order/id")).await["tax_source"], "provider");
}

#[actix_web::test]
async fn on_top_of_prices_another_tax_is_another_total() {
    let shop = Taxed::open("own_rates").await;
    shop.admin("UPDATE {s}.store_settings SET prices_include_tax = false").await;
    shop.taxes.behave(TaxBehaviour::Down);
    let basket = shop.basket(shop.thing(9, 1000).await, 1).await;
    assert_eq!(seen(&shop.cart(&basket).await), (190 + 93, 1773, "fallback"));
    // The shopper has not seen what the provider says by now.
    shop.taxes.behave(TaxBehaviour::Well);
    let refused = shop.checkout(&basket, &key(), &pay_with(1773, "tok_ok")).await;
    refused.refused(409, "price_changed");
    assert_eq!(seen(&shop.cart(&basket).await), (100 + 49, 1639, "provider"));
    shop.checkout(&basket, &key(), &pay_with(1639, "tok_ok")).await.expect(201);
    assert_eq!(shop.balance_of("2200").await, -149);
}

#[actix_web::test]
async fn a_draft_order_is_completed_by_what_the_provider_says() {
    let shop = Taxed::open("refuse").await;
    let thing = shop.thing(9, 1000).await;
    let draft = json!({ "lines": [{ "variant": thing.variant, "quantity": 1 }], "email": "ada@example.com", "shipping_address": ada() });
    let draft =
        shop.owner_call("POST", "/admin/v1/draft-orders").keyed().json(&draft).send().await.expect(201);
    let path = format!("/admin/v1/draft-orders/{}/complete", draft.text("/id"));
    shop.taxes.behave(TaxBehaviour::Nonsense);
    let before = shop.digest().await;
    let refused = shop.owner_call("POST", &path).keyed().json(&json!({})).send().await;
    refused.refused(503, "taxes_unavailable");
    assert_eq!(shop.digest().await, before);
    shop.taxes.behave(TaxBehaviour::Well);
    let order = shop.owner_call("POST", &path).keyed().json(&json!({})).send().await.expect(201).json;
    assert_eq!((seen(&order), shop.taxes.asked()), ((136, 1490, "provider"), 2));
}

#[actix_web::test]
async fn it_is_set_up_by_its_owner_and_its_secret_is_never_shown() {
    let shop = Shop::open().await;
    let path = "/admin/v1/tax/provider";
    let show = async || shop.owner_call("GET", path).send().await.expect(200);
    assert_eq!(show().await.json, json!({ "provider": null }));
    let body = json!({ "enabled": true, "url": "https://tax.example.com/", "timeout_ms": 2000, "cache_seconds": 900, "on_failure": "refuse" });
    let put = async |pointer: &str, value: Value| {
        let mut body = body.clone();
        body[pointer] = value;
        shop.owner_call("PUT", path).json(&body).send().await
    };
    let before = shop.digest().await;
    put("enabled", json!(true)).await.refused(422, "validation_failed").about("/secret");
    put("timeout_ms", json!(10_001)).await.refused(422, "validation_failed").about("/timeout_ms");
    put("cache_seconds", json!(59)).await.refused(422, "validation_failed").about("/cache_seconds");
    put("url", json!("ftp://tax.example.com/")).await.refused(422, "validation_failed").about("/url");
    assert_eq!(shop.digest().await, before);
    let set = put("secret", json!(WEBHOOK_SECRET)).await.expect(200);
    assert_eq!(
        (&set.json["on_failure"], &set.json["url"]),
        (&json!("refuse"), &json!("https://tax.example.com/"))
    );
    assert_eq!(show().await.json["provider"], set.json);
    assert!(set.json.get("secret").is_none());
    put("enabled", json!(false)).await.expect(200);
    for _ in 0..2 {
        shop.owner_call("DELETE", path).send().await.expect(204);
    }
    assert_eq!(show().await.json, json!({ "provider": null }));
}

#[derive(Debug)]
#[expect(dead_code, reason = "shown when a test fails")]
struct Heard(ConsumerError);

impl From<TenancyError> for Heard {
    fn from(error: TenancyError) -> Self {
        Self(error.into())
    }
}

/// Has everything that was stated be heard, and tells what is due; how much that was.
async fn told(shop: &Shop) -> u32 {
    let worker = shop.gate.worker(shop.store.id, "test", "files").unwrap();
    for (_, event) in outbox_after(shop, 0).await {
        if TaxFiling.wants(&event.kind) {
            let event = &event;
            let work = async move |tx: &mut WriteTx<'_>| TaxFiling.hear(tx, event).await.map_err(Heard);
            worker.write("test.hear", work).await.unwrap();
        }
    }
    let mut told = 0;
    while file_due(&worker, &shop.till.advisers.taxes).await.unwrap() {
        told += 1;
    }
    told
}

#[actix_web::test]
async fn the_provider_is_told_what_became_of_an_order_until_it_takes_it() {
    let shop = Taxed::open("own_rates").await;
    let thing = shop.thing(9, 1000).await;
    let basket = shop.basket(thing, 2).await;
    let bought = shop.checkout(&basket, &key(), &pay_with(2490, "tok_ok")).await.expect(201);
    let (order, id) = (bought.json["order"].clone(), bought.text("/order/id"));
    shop.taxes.behave(TaxBehaviour::Down);
    assert_eq!((told(&shop).await, told(&shop).await, shop.taxes.filed()), (1, 0, Vec::new()));
    shop.taxes.behave(TaxBehaviour::Well);
    shop.clock.advance(Duration::from_secs(121));
    assert_eq!((told(&shop).await, told(&shop).await), (1, 0));
    let filed = shop.taxes.filed();
    assert_eq!(
        (
            &filed[0]["type"],
            &filed[0]["order"],
            &filed[0]["total_minor"],
            &filed[0]["tax_minor"],
            filed.len()
        ),
        (&json!("tax.commit"), &json!(id), &json!(2490), &json!(182 + 45), 1)
    );
    // A piece goes back, then the rest comes to nothing.
    let piece = json!({ "lines": [{ "line": order["lines"][0]["id"], "quantity": 1 }], "reason": "damaged" });
    shop.refunds(&order, &piece).await;
    shop.sweep().await;
    assert_eq!(told(&shop).await, 1);
    let refund = &shop.taxes.filed()[1];
    assert_eq!(
        (&refund["type"], &refund["order"], &refund["amount_minor"], &refund["tax_minor"]),
        (&json!("tax.refund"), &json!(id), &json!(1000), &json!(91))
    );
    let path = format!("/admin/v1/orders/{id}/cancel");
    shop.owner_call("POST", &path).keyed().json(&json!({ "reason": "customer" })).send().await.expect(200);
    shop.sweep().await;
    assert_eq!((told(&shop).await, told(&shop).await), (1, 0));
    assert_eq!(shop.taxes.filed()[2..], [json!({ "type": "tax.void", "order": id })]);
}

#[actix_web::test]
async fn nobody_is_told_of_what_the_store_works_out_itself() {
    let shop = Taxed::open("own_rates").await;
    shop.sets_up(&json!({ "enabled": false })).await.expect(200);
    let basket = shop.basket(shop.thing(9, 1000).await, 1).await;
    let bought = shop.checkout(&basket, &key(), &pay_with(1490, "tok_ok")).await.expect(201);
    assert_eq!(bought.json["order"]["tax_source"], "own");
    shop.sets_up(&json!({})).await.expect(200);
    assert_eq!((told(&shop).await, shop.taxes.asked(), shop.taxes.filed()), (0, 0, Vec::new()));
}
