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
