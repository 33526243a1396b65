//! What a carrier's program says a parcel costs: asked once, signed, outside of transactions, and not believed when it lies.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use souk_payment_provider::webhook::WebhookSecret;

use super::eur;
use crate::testing::Answer;
use crate::testing::shop::{Basket, Shop, Thing, ada};

const PATH: &str = "/admin/v1/shipping-calculators";
/// What an answer holds for.
const HOLDS: Duration = Duration::from_secs(60);

/// A shop whose only rate is a carrier's, with a mark-up of 0.50.
struct Carried {
    shop: Shop,
    calculator: String,
    secret: String,
    mug: Thing,
}

impl Carried {
    async fn open(fallback: Option<i64>) -> Self {
        let shop = Shop::open().await;
        let mug = shop.thing(100, 1000).await;
        shop.admin("UPDATE {s}.product_variants SET weight_grams = 400; DELETE FROM {s}.shipping_zones")
            .await;
        let made = shop.staff("POST", PATH, Some(wish(&shop, fallback))).await.expect(201);
        let (calculator, secret) = (made.text("/id"), made.text("/secret"));
        let zone = json!({
            "name": "Germany", "countries": ["DE"],
            "rates": [{ "name": "Carrier", "price": eur(50), "calculator": calculator }],
        });
        let zone = shop.staff("POST", "/admin/v1/shipping-zones", Some(zone)).await.expect(201);
        assert_eq!(zone.json["rates"][0]["calculator"], json!(calculator));
        Self { shop, calculator, secret, mug }
    }

    async fn behaves(&self, manner: &str) {
        let body = json!({ "manner": manner }).to_string();
        let url = format!("{}/carrier", self.shop.provider);
        let answer = reqwest::Client::new().put(url).body(body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 204);
    }

    /// What the program was asked, first to last.
    async fn asked(&self) -> Vec<Value> {
        let url = format!("{}/carrier", self.shop.provider);
        let seen: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        seen["asked"].as_array().unwrap().clone()
    }

    async fn cart(&self, method: &str, basket: &Basket, below: &str, body: Option<Value>) -> Answer {
        let path = format!("/store/v1/carts/{}{below}", basket.id);
        let headers = [("x-cart-secret", basket.secret.as_str())];
        self.shop.send(method, &path, body.map(|body| body.to_string().into_bytes()), &headers).await
    }

    async fn complaint(&self) -> Value {
        let seen = self.shop.staff("GET", &format!("{PATH}/{}", self.calculator), None).await.expect(200);
        seen.json["last_error"].clone()
    }

    async fn quoted(&self, pieces: u32) -> Answer {
        let lines = json!([{ "variant": self.mug.variant, "quantity": pieces }]);
        let body = json!({ "lines": lines, "shipping_address": ada() }).to_string();
        self.shop.send("POST", "/store/v1/quotes", Some(body.into_bytes()), &[]).await.expect(200)
    }
}

fn wish(shop: &Shop, fallback: Option<i64>) -> Value {
    json!({ "name": "Parcel service", "url": format!("{}/carrier/rates", shop.provider), "timeout_ms": 500,
        "cache_seconds": HOLDS.as_secs(), "fallback_price": fallback.map(eur) })
}

fn options(answer: &Answer) -> Vec<(&str, i64)> {
    let options = answer.json["shipping_options"].as_array().unwrap().iter();
    options
        .map(|option| (option["title"].as_str().unwrap(), option["price"]["amount_minor"].as_i64().unwrap()))
        .collect()
}

#[actix_web::test]
async fn a_calculator_from_first_to_last() {
    let carried = Carried::open(Some(700)).await;
    let (shop, path) = (&carried.shop, format!("{PATH}/{}", carried.calculator));
    let listed = shop.staff("GET", PATH, None).await.expect(200);
    assert_eq!((listed.data().len(), &listed.data()[0]["secret"]), (1, &Value::Null));
    assert_eq!((&listed.data()[0]["fallback_price"], listed.cost), (&eur(700), (1, 1)));
    // Sealed: what is kept is not the secret, nor its bytes.
    let kept = shop.words("SELECT encode(secret, 'hex') AS word FROM shipping_calculators").await;
    let plain = STANDARD.decode(carried.secret.trim_start_matches("whsec_")).unwrap();
    let plain: String = plain.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(plain.len() == 64 && !kept.contains(&plain));
    shop.staff("POST", PATH, Some(wish(shop, None))).await.refused(409, "shipping_name_taken");
    for (wrong, pointer) in [
        (json!({ "timeout_ms": 99 }), "/timeout_ms"),
        (json!({ "timeout_ms": 5001 }), "/timeout_ms"),
        (json!({ "cache_seconds": 59 }), "/cache_seconds"),
        (json!({ "fallback_price": eur(-1) }), "/fallback_price"),
        (json!({ "url": "ftp://rates.example.com" }), "/url"),
        (json!({ "url": "https://ada:secret@rates.example.com" }), "/url"),
    ] {
        let mut body = wish(shop, None);
        body["name"] = json!("Another");
        body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        shop.staff("POST", PATH, Some(body.clone())).await.refused(422, "validation_failed").about(pointer);
        shop.staff("PUT", &path, Some(body)).await.refused(422, "validation_failed").about(pointer);
    }
    assert_eq!(shop.staff("GET", PATH, None).await.json, listed.json);
    // Another secret signs from now on.
    carried.quoted(1).await;
    let turned = shop.staff("POST", &format!("{path}/rotate-secret"), None).await.expect(200);
    assert_ne!(turned.text("/secret"), carried.secret);
    // Written anew, it is asked again about what it was asked before.
    let put = shop.staff("PUT", &path, Some(wish(shop, None))).await.expect(200);
    assert_eq!((&put.json["fallback_price"], put.text("/id")), (&Value::Null, carried.calculator.clone()));
    carried.quoted(1).await;
    let asked = carried.asked().await;
    let signs = |secret: &str, asked: &Value| {
        let text = |name: &str| asked[name].as_str().unwrap();
        let secret: WebhookSecret = secret.parse().unwrap();
        text("signature") == secret.sign(text("id"), text("timestamp").parse().unwrap(), text("body"))
    };
    assert_eq!(asked.len(), 2);
    assert!(signs(&carried.secret, &asked[0]) && signs(&turned.text("/secret"), &asked[1]));
    assert_eq!(asked[0]["body"], asked[1]["body"]);
    // It stays while rates are of it.
    shop.staff("DELETE", &path, None).await.refused(409, "shipping_calculator_in_use");
    shop.admin("DELETE FROM {s}.shipping_zones").await;
    shop.staff("DELETE", &path, None).await.expect(204);
    shop.staff("DELETE", &path, None).await.refused(404, "not_found");
    assert_eq!(shop.number("SELECT count(*) AS number FROM shipping_quotes").await, 0);
    let zone = json!({ "name": "Germany", "countries": ["DE"], "rates": [{ "name": "Carrier", "price": eur(0), "calculator": carried.calculator }] });
    let refused = shop.staff("POST", "/admin/v1/shipping-zones", Some(zone)).await;
    refused.refused(422, "validation_failed").about("/calculator");
    assert_eq!(shop.number("SELECT count(*) AS number FROM shipping_zones").await, 0);
}

#[actix_web::test]
async fn a_parcel_is_asked_about_once_while_the_answer_holds() {
    let carried = Carried::open(None).await;
    let shop = &carried.shop;
    let basket = shop.basket(carried.mug, 3).await;
    // 1.2 kg are two kilograms begun; on top of it the mark-up.
    let expected = vec![("Standard parcel", 750), ("Express parcel", 1250)];
    let seen = carried.cart("GET", &basket, "", None).await.expect(200);
    assert_eq!((options(&seen), seen.json["total"]["amount_minor"].as_i64()), (expected.clone(), Some(3750)));
    assert_eq!(seen.cost.1, 1, "nobody is asked again");
    let asked = carried.asked().await;
    assert_eq!(asked.len(), 1);
    let question: Value = serde_json::from_str(asked[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        question,
        json!({
            "type": "shipping.rates", "currency": "EUR",
            "destination": { "country": "DE", "province": null, "postal_code": "10117" },
            "parcels": [{ "weight_grams": 1200, "pieces": 3, "value": eur(3000) }],
        })
    );
    // Another basket of the same goods goes the same way: the answer is about the parcel.
    assert_eq!(options(&carried.quoted(3).await), expected);
    assert_eq!(carried.asked().await.len(), 1);
    // Another parcel is another question, and so is this one when the answer is old.
    assert_eq!(options(&carried.quoted(1).await)[0], ("Standard parcel", 650));
    shop.clock.advance(HOLDS);
    assert_eq!(options(&carried.cart("GET", &basket, "", None).await.expect(200)), expected);
    assert_eq!(carried.asked().await.len(), 3);
    // What holds no more is swept out.
    shop.clock.advance(HOLDS);
    let worker = shop.gate.worker(shop.store.id, "housekeeping", "test").unwrap();
    let sweep = async |tx: &mut souk_tenancy::WriteTx<'_>| {
        Ok::<_, souk_tenancy::TenancyError>(crate::shipping::forget(tx, 100).await?)
    };
    assert_eq!(worker.write("housekeeping.forget", sweep).await.unwrap(), 2);
    assert_eq!(shop.number("SELECT count(*) AS number FROM shipping_quotes").await, 0);
}

#[actix_web::test]
async fn a_program_that_is_away_or_lies_is_replaced_by_the_fallback() {
    let carried = Carried::open(Some(700)).await;
    for (pieces, (manner, complaint)) in (1_u32..).zip([
        ("hangs", "no whole answer in time"),
        ("fails", "it answered 500"),
        ("wrong_currency", "the price of \"standard\" is not in EUR"),
        ("negative", "the price of \"standard\" is none that anybody pays"),
        ("floods", "its answer has more than 65536 bytes"),
        ("redirects", "it answered 307"),
    ]) {
        carried.behaves(manner).await;
        assert_eq!(options(&carried.quoted(pieces).await), [("Carrier", 750)], "{manner}");
        assert_eq!(carried.complaint().await, json!(complaint), "{manner}");
        // Asked once: for a moment nobody waits for it again.
        carried.quoted(pieces).await;
        assert_eq!(carried.asked().await.len(), pieces as usize, "{manner}");
    }
    carried.behaves("broken_json").await;
    assert_eq!(options(&carried.quoted(9).await), [("Carrier", 750)]);
    assert!(carried.complaint().await.as_str().unwrap().starts_with("EOF while parsing"));
    carried.behaves("answers").await;
    assert_eq!(options(&carried.quoted(10).await).len(), 2);
    assert_eq!(carried.complaint().await, Value::Null);
}

#[actix_web::test]
async fn without_a_fallback_nothing_is_offered() {
    let carried = Carried::open(None).await;
    carried.behaves("fails").await;
    let basket = carried.shop.basket(carried.mug, 1).await;
    let seen = carried.cart("GET", &basket, "", None).await.expect(200);
    assert_eq!((options(&seen), &seen.json["shipping"]), (Vec::new(), &Value::Null));
    let before = carried.shop.number("SELECT count(*) AS number FROM orders").await;
    let bought = carried.shop.buys(&basket, 1000, "tok_ok").await;
    bought.refused(422, "checkout_incomplete").about("/shipping_option");
    assert_eq!(carried.shop.number("SELECT count(*) AS number FROM orders").await, before);
}

#[actix_web::test]
async fn who_does_not_answer_is_left_alone() {
    let carried = Carried::open(Some(700)).await;
    carried.behaves("fails").await;
    for pieces in 1..=8 {
        carried.quoted(pieces).await;
    }
    assert_eq!(carried.asked().await.len(), 8);
    carried.behaves("answers").await;
    assert_eq!(options(&carried.quoted(9).await), [("Carrier", 750)]);
    assert_eq!(carried.asked().await.len(), 8);
    carried.shop.clock.advance(Duration::from_secs(5));
    assert_eq!(options(&carried.quoted(10).await).len(), 2);
    assert_eq!(carried.asked().await.len(), 9);
}

#[actix_web::test]
async fn a_service_keeps_its_price_through_the_checkout_while_the_answer_holds() {
    let carried = Carried::open(Some(700)).await;
    let shop = &carried.shop;
    let express = async |basket: &Basket| {
        let seen = carried.cart("GET", basket, "", None).await.expect(200);
        let choice = json!({ "shipping_rate": seen.json["shipping_options"][1]["id"] });
        let chosen = carried.cart("PUT", basket, "/shipping-option", Some(choice)).await.expect(200);
        assert_eq!(chosen.json["total"]["amount_minor"], 2250);
    };
    let (first, second) = (shop.basket(carried.mug, 1).await, shop.basket(carried.mug, 1).await);
    express(&first).await;
    express(&second).await;
    carried.behaves("hangs").await;
    let bought = shop.buys(&first, 2250, "tok_ok").await.expect(201);
    let order = shop.order(&bought.text("/order/id")).await;
    assert_eq!(order["shipping"]["amount_minor"], 1250);
    assert_eq!(carried.asked().await.len(), 1);
    // The answer is old and the carrier away: the fallback stands there, and the shopper says first that they saw it.
    shop.clock.advance(HOLDS);
    let refused = shop.buys(&second, 2250, "tok_ok").await.refused(409, "price_changed");
    assert_eq!(refused.json["total"]["amount_minor"], 1750);
    assert_eq!(carried.asked().await.len(), 2);
    assert_eq!(shop.number("SELECT count(*) AS number FROM orders").await, 1);
    shop.buys(&second, 1750, "tok_ok").await.expect(201);
    assert_eq!(shop.taken().await.0, 2250 + 1750);
}

#[actix_web::test]
async fn a_checkout_asks_anew_what_it_does_not_know_any_more() {
    let carried = Carried::open(None).await;
    let basket = carried.shop.basket(carried.mug, 1).await;
    carried.shop.clock.advance(HOLDS);
    carried.shop.buys(&basket, 1650, "tok_ok").await.expect(201);
    assert_eq!(carried.asked().await.len(), 2);
    assert_eq!(carried.shop.taken().await.0, 1650);
}

#[actix_web::test]
async fn a_draft_order_asks_when_it_is_changed_and_keeps_the_service_that_was_chosen() {
    let carried = Carried::open(None).await;
    let shop = &carried.shop;
    let draft =
        json!({ "lines": [{ "variant": carried.mug.variant, "quantity": 1 }], "email": "ada@example.com" });
    let draft = shop.staff("POST", "/admin/v1/draft-orders", Some(draft)).await.expect(201);
    let path = format!("/admin/v1/draft-orders/{}", draft.text("/id"));
    let edit =
        async |wish: Value| shop.owner_call("PATCH", &path).header("if-match", "*").json(&wish).send().await;
    let seen = edit(json!({ "shipping_address": ada() })).await.expect(200);
    assert_eq!(options(&seen), [("Standard parcel", 650), ("Express parcel", 1250)]);
    let express = seen.json["shipping_options"][1]["id"].clone();
    let chosen = edit(json!({ "shipping": { "rate": express } })).await.expect(200);
    assert_eq!((&chosen.json["total"], carried.asked().await.len()), (&eur(2250), 1));
}
