//! When a delivery is handed over and arrives, over HTTP: by the clock and the days where the store is.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::eur;
use crate::testing::shop::{Shop, Thing, ada};

const SETTINGS: &str = "/admin/v1/shipping-settings";

async fn shop(rate: Value) -> (Shop, Thing) {
    let shop = Shop::open().await;
    let mug = shop.thing(10, 1000).await;
    shop.admin("DELETE FROM {s}.shipping_zones; UPDATE {s}.store_settings SET time_zone = 'Europe/Berlin'")
        .await;
    let zone = json!({ "name": "Germany", "countries": ["DE"], "rates": [rate] });
    shop.staff("POST", "/admin/v1/shipping-zones", Some(zone)).await.expect(201);
    (shop, mug)
}

/// What an option says at this time: ships, arrives at the earliest and at the latest.
async fn told(shop: &Shop, mug: Thing, at: &str) -> [Value; 3] {
    let at: DateTime<Utc> = at.parse().unwrap();
    shop.clock.advance((at - shop.clock.now()).to_std().unwrap());
    let body = json!({ "lines": [{ "variant": mug.variant, "quantity": 1 }], "shipping_address": ada() });
    let quote =
        shop.send("POST", "/store/v1/quotes", Some(body.to_string().into_bytes()), &[]).await.expect(200);
    let option = &quote.json["shipping_options"][0];
    ["ships_on", "delivered_from", "delivered_to"].map(|name| option[name].clone())
}

#[actix_web::test]
async fn the_cut_off_is_by_the_clock_of_the_store_in_winter_and_in_summer() {
    let rate =
        json!({ "name": "Post", "price": eur(490), "min_days": 1, "processing_days": 0, "cut_off": "14:00" });
    let (shop, mug) = shop(rate).await;
    // The clocks go forward in the night to Sunday, 29 March 2037: 13:00 of the universal time before, 12:00 after it.
    for (at, ships, arrives) in [
        ("2037-03-27T12:59:59Z", "2037-03-27", "2037-03-30"),
        ("2037-03-27T13:00:00Z", "2037-03-30", "2037-03-31"),
        ("2037-03-30T11:59:59Z", "2037-03-30", "2037-03-31"),
        ("2037-03-30T12:00:00Z", "2037-03-31", "2037-04-01"),
        // It is tomorrow there already.
        ("2037-03-31T22:30:00Z", "2037-04-01", "2037-04-02"),
    ] {
        assert_eq!(told(&shop, mug, at).await, [json!(ships), json!(arrives), Value::Null], "{at}");
    }
}

#[actix_web::test]
async fn a_store_says_on_which_days_it_works() {
    let rate = json!({ "name": "Post", "price": eur(490), "max_days": 2, "processing_days": 1 });
    let (shop, mug) = shop(rate).await;
    let seen = shop.owner_call("GET", SETTINGS).send().await.expect(200);
    let usual = json!({ "working_days": ["mon", "tue", "wed", "thu", "fri"], "holidays": [], "version": 1 });
    assert_eq!((&seen.json, seen.header("etag"), seen.cost), (&usual, "\"1\"", (1, 1)));
    let wish = json!({ "working_days": ["sat", "tue", "thu"], "holidays": ["2037-05-02", "2037-04-30", "2037-05-02"] });
    let put = |seen: &str, wish: &Value| shop.owner_call("PUT", SETTINGS).header("if-match", seen).json(wish);
    shop.owner_call("PUT", SETTINGS).json(&wish).send().await.refused(428, "precondition_required");
    put("\"7\"", &wish).send().await.refused(412, "precondition_failed");
    for (wrong, pointer) in [
        (json!({ "working_days": [] }), "/working_days"),
        (json!({ "working_days": ["mon"], "holidays": vec!["2037-05-02"; 401] }), "/holidays"),
        (json!({ "working_days": ["mon"], "holidays": ["1969-12-31"] }), "/holidays"),
    ] {
        put("\"1\"", &wrong).send().await.refused(422, "validation_failed").about(pointer);
    }
    assert_eq!(shop.owner_call("GET", SETTINGS).send().await.json, usual);
    let put = put("\"1\"", &wish).send().await.expect(200);
    let kept = json!({ "working_days": ["tue", "thu", "sat"], "holidays": ["2037-04-30", "2037-05-02"], "version": 2 });
    assert_eq!(put.json, kept);
    // Ordered on a Tuesday; Thursday and Saturday are holidays.
    let days = told(&shop, mug, "2037-04-28T10:00:00Z").await;
    assert_eq!(days, [json!("2037-05-05"), Value::Null, json!("2037-05-09")]);
}

#[actix_web::test]
async fn an_order_keeps_the_days_its_buyer_was_told() {
    let rate = json!({ "name": "Post", "price": eur(490), "min_days": 1, "max_days": 2, "processing_days": 1, "cut_off": "09:30" });
    let (shop, mug) = shop(rate).await;
    let zones = shop.staff("GET", "/admin/v1/shipping-zones", None).await.expect(200);
    let rate = &zones.data()[0]["rates"][0];
    assert_eq!((&rate["processing_days"], &rate["cut_off"]), (&json!(1), &json!("09:30")));
    let basket = shop.basket(mug, 1).await;
    let headers = [("x-cart-secret", basket.secret.as_str())];
    let cart = shop.send("GET", &format!("/store/v1/carts/{}", basket.id), None, &headers).await.expect(200);
    let bought = shop.buys(&basket, 1490, "tok_ok").await.expect(201);
    // What changes later is not what was told.
    shop.admin("UPDATE {s}.shipping_rates SET processing_days = 9").await;
    let order = shop.order(&bought.text("/order/id")).await;
    for name in ["ships_on", "delivered_from", "delivered_to"] {
        let said = &cart.json["shipping_options"][0][name];
        assert!(said.is_string(), "{name}: {}", cart.json);
        assert_eq!((&cart.json["shipping"][name], &order["shipping_lines"][0][name]), (said, said), "{name}");
    }
}

#[actix_web::test]
async fn without_processing_days_no_dates_are_told() {
    let (shop, mug) = shop(json!({ "name": "Post", "price": eur(490), "min_days": 1, "max_days": 2 })).await;
    assert_eq!(told(&shop, mug, "2037-03-27T12:00:00Z").await, [Value::Null, Value::Null, Value::Null]);
    for (wrong, pointer) in [
        (json!({ "processing_days": 61 }), "/processing_days"),
        (json!({ "processing_days": -1 }), "/processing_days"),
        (json!({ "cut_off": "14:00" }), "/cut_off"),
        (json!({ "processing_days": 0, "cut_off": "25:00" }), "/cut_off"),
        (json!({ "processing_days": 0, "cut_off": "noon" }), "/cut_off"),
    ] {
        let mut rate = json!({ "name": "Late", "price": eur(300) });
        rate.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let zone = json!({ "name": "Austria", "countries": ["AT"], "rates": [rate] });
        let refused = shop.staff("POST", "/admin/v1/shipping-zones", Some(zone)).await;
        refused.refused(422, "validation_failed").about(pointer);
    }
    assert_eq!(shop.number("SELECT count(*) AS number FROM shipping_zones").await, 1);
}
