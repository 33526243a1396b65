//! Shipping zones and rates over HTTP.

use serde_json::{Value, json};

use crate::testing::TestShop;
use crate::testing::shop::{Shop, ada};

const PATH: &str = "/admin/v1/shipping-zones";

fn eur(minor: i64) -> Value {
    json!({ "amount_minor": minor, "currency": "EUR" })
}

#[actix_web::test]
async fn a_zone_and_its_rates_from_first_to_last() {
    let shop = TestShop::open(None).await;
    let seeded = shop.owner_call("GET", PATH).send().await.expect(200);
    assert_eq!(seeded.cost, (1, 1));
    assert!(seeded.data().iter().any(|zone| zone["countries"] == json!(["DE"])), "{}", seeded.json);
    let body = json!({
        "name": "North", "countries": ["NO", "IS"],
        "rates": [{ "name": "Sea", "price": eur(900) }, { "name": "Air", "price": eur(1900), "min_total": eur(5000), "position": 1 }],
    });
    let made = shop.owner_call("POST", PATH).json(&body).send().await.expect(201);
    let zone = made.text("/id");
    assert_eq!(
        (&made.json["countries"], &made.json["rest_of_world"], made.json["rates"].as_array().unwrap().len()),
        (&json!(["NO", "IS"]), &json!(false), 2)
    );
    assert_eq!(
        (
            &made.json["rates"][1]["price"],
            &made.json["rates"][1]["min_total"],
            &made.json["rates"][1]["max_total"]
        ),
        (&eur(1900), &eur(5000), &json!(null))
    );
    let (sea, rates) = (made.text("/rates/0/id"), format!("{PATH}/{zone}/rates"));
    let edited = shop
        .owner_call("PATCH", &format!("{PATH}/{zone}"))
        .json(&json!({ "name": "Far north", "countries": ["NO"] }))
        .send()
        .await
        .expect(200);
    assert_eq!((&edited.json["name"], &edited.json["countries"]), (&json!("Far north"), &json!(["NO"])));
    let post = json!({ "name": "Post", "price": eur(500), "max_total": eur(4999) });
    assert_eq!(
        shop.owner_call("POST", &rates).json(&post).send().await.expect(201).json["rates"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let anew = json!({ "name": "Sea", "price": eur(950), "active": false });
    let put = shop.owner_call("PUT", &format!("{rates}/{sea}")).json(&anew).send().await.expect(200);
    let rate =
        put.json["rates"].as_array().unwrap().iter().find(|rate| rate["id"] == json!(sea)).unwrap().clone();
    assert_eq!((&rate["price"], &rate["active"]), (&eur(950), &json!(false)));
    shop.owner_call("DELETE", &format!("{rates}/{sea}")).send().await.expect(204);
    shop.owner_call("DELETE", &format!("{rates}/{sea}")).send().await.refused(404, "not_found");
    shop.owner_call("PUT", &format!("{rates}/{sea}")).json(&anew).send().await.refused(404, "not_found");
    shop.owner_call("DELETE", &format!("{PATH}/{zone}")).send().await.expect(204);
    shop.owner_call("PATCH", &format!("{PATH}/{zone}"))
        .json(&json!({}))
        .send()
        .await
        .refused(404, "not_found");
    assert_eq!(shop.owner_call("GET", PATH).send().await.expect(200).json, seeded.json);
}

#[actix_web::test]
async fn a_cart_is_offered_what_fits_its_place_and_its_worth() {
    let shop = Shop::open().await;
    let zones = shop.owner_call("GET", PATH).send().await.expect(200);
    let home = zones.data().iter().find(|zone| zone["countries"] == json!(["DE"])).unwrap();
    let rates = format!("{PATH}/{}/rates", home["id"].as_str().unwrap());
    let free = json!({ "name": "From 20", "price": eur(0), "min_total": eur(2000) });
    shop.owner_call("POST", &rates).json(&free).send().await.expect(201);
    let mug = shop.thing(9, 1000).await;
    let cart = async |pieces: u32, address: Value| {
        let body =
            json!({ "lines": [{ "variant": mug.variant, "quantity": pieces }], "shipping_address": address });
        let cart = shop.call("POST", "/store/v1/carts").json(&body).send().await.expect(201);
        let titles = cart.json["shipping_options"].as_array().unwrap().iter();
        (
            titles.map(|option| option["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>(),
            cart.json["total"].clone(),
        )
    };
    let (one, total) = cart(1, ada()).await;
    assert!(!one.contains(&"From 20".to_owned()) && one.contains(&"Standard".to_owned()), "{one:?}");
    assert_eq!(total, eur(1490));
    let (two, total) = cart(2, ada()).await;
    assert_eq!((two[0].as_str(), total), ("From 20", eur(2000)));
    let mut away = ada();
    away["country"] = json!("JP");
    away["postal_code"] = json!("100-0001");
    away["province"] = json!("Tokyo");
    let (abroad, _) = cart(2, away).await;
    assert!(!abroad.contains(&"From 20".to_owned()), "{abroad:?}");
}

#[actix_web::test]
async fn the_most_specific_zone_delivers() {
    let shop = Shop::open().await;
    let codes = |country: &str, from: &str, to: &str| json!([{ "country": country, "from": from, "to": to }]);
    for (name, places) in [
        ("California", json!({ "provinces": ["US-ca"] })),
        ("Hills", json!({ "postal_codes": codes("US", "90210", "90212") })),
        ("Berlin", json!({ "postal_codes": codes("DE", "10", "14") })),
        ("Mitte", json!({ "postal_codes": codes("DE", "10115", "10119") })),
        ("Belfast", json!({ "postal_codes": codes("GB", "bt1", "bt9") })),
    ] {
        let mut zone = json!({ "name": name, "rates": [{ "name": name, "price": eur(100) }] });
        zone.as_object_mut().unwrap().extend(places.as_object().unwrap().clone());
        let made = shop.owner_call("POST", PATH).json(&zone).send().await.expect(201);
        assert_eq!(made.json["countries"], json!([]));
    }
    let mug = shop.thing(9, 1000).await;
    for (country, province, postal_code, first) in [
        ("DE", None, "10117", "Mitte"),
        ("DE", None, "10114", "Berlin"),
        ("DE", None, "14999", "Berlin"),
        ("DE", None, "80331", "Standard"),
        ("US", Some("CA"), "90210", "Hills"),
        ("US", Some("CA"), "94103", "California"),
        ("US", Some("NY"), "10117", "International"),
        ("GB", None, "BT5 1AA", "Belfast"),
        ("GB", None, "SW1A 1AA", "International"),
    ] {
        let mut to = ada();
        to["country"] = json!(country);
        to["postal_code"] = json!(postal_code);
        if let Some(province) = province {
            to["province"] = json!(province);
        }
        let body = json!({ "lines": [{ "variant": mug.variant, "quantity": 1 }], "shipping_address": to });
        let cart = shop.call("POST", "/store/v1/carts").json(&body).send().await.expect(201);
        assert_eq!(cart.json["shipping_options"][0]["title"], json!(first), "{postal_code} {}", cart.json);
    }
}

#[actix_web::test]
async fn a_place_belongs_to_one_zone() {
    let shop = TestShop::open(None).await;
    let range = |from: &str, to: &str| json!([{ "country": "DE", "from": from, "to": to }]);
    let first =
        json!({ "name": "First", "provinces": ["US-CA", "US-HI"], "postal_codes": range("10000", "10999") });
    let made = shop.owner_call("POST", PATH).json(&first).send().await.expect(201);
    assert_eq!(
        (&made.json["provinces"], &made.json["postal_codes"]),
        (&first["provinces"], &first["postal_codes"])
    );
    let before = shop.digest().await;
    for (wrong, places) in [
        (json!({ "name": "Second", "provinces": ["US-hi", "US-NY"] }), json!(["US-HI"])),
        (json!({ "name": "Second", "postal_codes": range("10999", "11999") }), json!(["DE:10000:10999"])),
    ] {
        let refused = shop.owner_call("POST", PATH).json(&wrong).send().await;
        assert_eq!(refused.refused(409, "shipping_zone_overlap").json["places"], places);
    }
    for (wrong, pointer) in [
        (json!({ "name": "Second", "provinces": ["California"] }), "/provinces"),
        (json!({ "name": "Second", "postal_codes": range("2", "1") }), "/postal_codes"),
        (json!({ "name": "Second", "postal_codes": range("1", "10") }), "/postal_codes"),
    ] {
        let refused = shop.owner_call("POST", PATH).json(&wrong).send().await;
        refused.refused(422, "validation_failed").about(pointer);
    }
    assert_eq!(shop.digest().await, before);
    let beside = json!({ "name": "Second", "provinces": ["US-NY"], "postal_codes": range("101", "101") });
    shop.owner_call("POST", PATH).json(&beside).send().await.expect(201);
    let edit = format!("{PATH}/{}", made.text("/id"));
    let edited = shop.owner_call("PATCH", &edit).json(&json!({ "provinces": [] })).send().await.expect(200);
    assert_eq!(
        (&edited.json["provinces"], &edited.json["postal_codes"]),
        (&json!([]), &first["postal_codes"])
    );
    shop.owner_call("PATCH", &edit)
        .json(&json!({ "provinces": ["US-NY"] }))
        .send()
        .await
        .refused(409, "shipping_zone_overlap");
}

#[actix_web::test]
async fn what_cannot_be_a_zone_changes_nothing() {
    let shop = TestShop::open(None).await;
    let before = shop.digest().await;
    let rate = |price: Value, more: Value| {
        let mut rate = json!({ "name": "x", "price": price });
        rate.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "name": "Zone", "countries": ["NO"], "rates": [rate] })
    };
    for body in [
        rate(eur(-1), json!({})),
        rate(eur(1), json!({ "min_total": { "amount_minor": 1, "currency": "USD" } })),
        rate(eur(1), json!({ "min_total": eur(2), "max_total": eur(1) })),
        json!({ "name": "", "countries": ["NO"] }),
        json!({ "name": "Zone", "countries": ["XX"] }),
    ] {
        shop.owner_call("POST", PATH).json(&body).send().await.refused(422, "validation_failed");
    }
    let taken = shop
        .owner_call("POST", PATH)
        .json(&json!({ "name": "Mine", "countries": ["NO", "DE"] }))
        .send()
        .await;
    assert_eq!(taken.refused(409, "shipping_zone_overlap").json["countries"], json!(["DE"]));
    let name = shop.owner_call("GET", PATH).send().await.expect(200).text("/data/0/name");
    let twice = json!({ "name": name, "countries": ["NO"] });
    shop.owner_call("POST", PATH)
        .json(&twice)
        .send()
        .await
        .refused(409, "shipping_name_taken")
        .about("/name");
    shop.owner_call("POST", PATH)
        .json(&json!({ "name": "x", "zone": 1 }))
        .send()
        .await
        .refused(422, "unknown_field");
    for (method, path) in [
        ("GET", PATH.to_owned()),
        ("POST", PATH.to_owned()),
        ("DELETE", format!("{PATH}/szo_01h455vb4pex5vsknk084sn02q")),
    ] {
        shop.call(method, &path).json(&twice).send().await.refused(401, "unauthenticated");
    }
    assert_eq!(shop.digest().await, before);
}
