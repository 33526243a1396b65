//! Several locations: opened, changed, closed, and which of them sells.

use futures_util::future::join_all;
use serde_json::json;

use super::{first_place, mug, posts, puts, second_place, seen, terms};
use crate::testing::TestShop;
use crate::testing::shop::{Shop, Thing};

#[actix_web::test]
async fn a_location_is_opened_changed_and_closed_once_it_is_empty() {
    let shop = TestShop::open(None).await;
    let (_, item) = mug(&shop, 5).await;
    let (first, second) = (first_place(&shop).await, second_place(&shop).await);
    let listed = shop.owner_call("GET", "/admin/v1/locations").send().await.expect(200);
    let names: Vec<_> = listed.data().iter().map(|place| place["id"].as_str().unwrap()).collect();
    assert_eq!((names, listed.cost), (vec![first.as_str(), second.as_str()], (1, 1)));
    let edits = async |id: &str, version: &str, body: &serde_json::Value| {
        let path = format!("/admin/v1/locations/{id}");
        shop.owner_call("PATCH", &path).header("if-match", version).json(body).send().await
    };
    let whole = shop.digest().await;
    posts(&shop, "/admin/v1/locations", &json!({ "name": "Warehouse East", "country": "DE" }))
        .await
        .refused(409, "location_name_taken");
    posts(&shop, "/admin/v1/locations", &json!({ "name": "North", "country": "XX" }))
        .await
        .refused(422, "validation_failed");
    edits(&second, "\"1\"", &json!({ "priority": -1 }))
        .await
        .refused(422, "validation_failed")
        .about("/priority");
    edits(&second, "\"7\"", &json!({ "priority": 1 })).await.refused(412, "precondition_failed");
    edits(&second, "\"1\"", &json!({ "name": "Main location" })).await.refused(409, "location_name_taken");
    let refused = edits(&first, "*", &json!({ "active": false })).await.refused(409, "location_in_use");
    assert_eq!((&refused.json["items"], &refused.json["transfers"]), (&json!([item]), &json!(0)));
    assert_eq!(shop.digest().await, whole);

    let changed = edits(&second, "\"1\"", &json!({ "priority": 0, "pickup": false })).await.expect(200);
    assert_eq!(
        (&changed.json["pickup"], &changed.json["version"], changed.header("etag")),
        (&json!(false), &json!(2), "\"2\"")
    );
    puts(&shop, &item, &first, 0).await;
    edits(&first, "*", &json!({ "active": false })).await.expect(200);
    edits(&second, "*", &json!({ "active": false })).await.refused(409, "last_location");
    // What has no location goes to the one that is left.
    let (_, other) = mug(&shop, 3).await;
    assert_eq!(seen(&shop, &other, &second).await, "3/0/0/0");
    edits(&first, "*", &json!({ "active": true })).await.expect(200);
    assert_eq!(shop.unexplained_levels().await, 0);
}

/// Both close at once: one of them stays.
#[actix_web::test]
async fn the_last_location_stays_however_many_are_closed_at_once() {
    let shop = TestShop::open(None).await;
    let places = [first_place(&shop).await, second_place(&shop).await];
    let closes = async |id: &String| {
        let path = format!("/admin/v1/locations/{id}");
        shop.owner_call("PATCH", &path).header("if-match", "*").json(&json!({ "active": false })).send().await
    };
    let answers = join_all(places.iter().map(closes)).await;
    let mut states: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    states.sort_unstable();
    assert_eq!(states, [200, 409]);
}

#[actix_web::test]
async fn a_sale_takes_the_first_location_that_has_all_of_it_and_else_several() {
    let shop = Shop::open().await;
    let (variant, item) = mug(&shop, 2).await;
    let (first, second) = (first_place(&shop).await, second_place(&shop).await);
    puts(&shop, &item, &second, 9).await;
    let thing = Thing { variant: variant.parse().unwrap() };
    let basket = shop.basket(thing, 3).await;
    assert_eq!(shop.buys(&basket, 790, "tok_ok").await.status, 201);
    assert_eq!(
        (seen(&shop, &item, &first).await, seen(&shop, &item, &second).await),
        ("2/0/0/0".into(), "9/3/0/0".into())
    );
    let basket = shop.basket(thing, 8).await;
    assert_eq!(shop.buys(&basket, 1290, "tok_ok").await.status, 201);
    assert_eq!(
        (seen(&shop, &item, &first).await, seen(&shop, &item, &second).await),
        ("2/2/0/0".into(), "9/9/0/0".into())
    );
    assert_eq!(shop.unexplained_levels().await, 0);
}

#[actix_web::test]
async fn two_carts_and_one_piece_somewhere() {
    let shop = Shop::open().await;
    let (variant, item) = mug(&shop, 0).await;
    let (first, second) = (first_place(&shop).await, second_place(&shop).await);
    puts(&shop, &item, &second, 1).await;
    let thing = Thing { variant: variant.parse().unwrap() };
    let baskets = [shop.basket(thing, 1).await, shop.basket(thing, 1).await];
    let answers = join_all(baskets.iter().map(|basket| shop.buys(basket, 590, "tok_ok"))).await;
    let mut states: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    states.sort_unstable();
    assert_eq!(states, [201, 409]);
    assert!(answers.iter().any(|answer| answer.json["code"] == "out_of_stock"));
    assert_eq!(
        (seen(&shop, &item, &first).await, seen(&shop, &item, &second).await),
        ("0/0/0/0".into(), "1/1/0/0".into())
    );
    assert_eq!((shop.taken().await, shop.unexplained_levels().await), ((590, 0), 0));
}

#[actix_web::test]
async fn what_is_kept_back_is_not_sold_and_what_is_promised_has_a_limit() {
    let shop = Shop::open().await;
    let (variant, item) = mug(&shop, 3).await;
    let thing = Thing { variant: variant.parse().unwrap() };
    let set = terms(&shop, &item, &json!({ "safety_stock": 2 })).await.expect(200);
    assert_eq!((&set.json["safety_stock"], &set.json["version"]), (&json!(2), &json!(2)));
    let (one, two) = (shop.basket(thing, 1).await, shop.basket(thing, 1).await);
    assert_eq!(shop.buys(&one, 590, "tok_ok").await.status, 201);
    let refused = shop.buys(&two, 590, "tok_ok").await.refused(409, "out_of_stock");
    assert_eq!(refused.json["shortages"][0]["available"], 0);
    terms(&shop, &item, &json!({ "backorder_limit": 4 })).await.expect(200);
    let level = shop.owner_call("GET", &format!("/admin/v1/inventory-levels?item={item}")).send().await;
    let path = format!("/admin/v1/products/{}/variants/{variant}", level.text("/data/0/product"));
    let sells_on = json!({ "inventory_policy": "continue" });
    shop.owner_call("PATCH", &path).header("if-match", "*").json(&sells_on).send().await.expect(200);
    // Two are left, and four may be promised.
    let (all, more) = (shop.basket(thing, 6).await, shop.basket(thing, 1).await);
    assert_eq!(shop.buys(&all, 1090, "tok_ok").await.status, 201);
    shop.buys(&more, 590, "tok_ok").await.refused(409, "out_of_stock");
    assert_eq!(shop.stock().await, "3/7/0");
    let whole = shop.digest().await;
    for (pointer, body) in [
        ("/safety_stock", json!({ "safety_stock": -1 })),
        ("/backorder_limit", json!({ "backorder_limit": 0 })),
        ("/low_stock_threshold", json!({ "low_stock_threshold": 1_000_001 })),
        ("/buckets", json!({ "buckets": 1 })),
    ] {
        terms(&shop, &item, &body).await.refused(422, "validation_failed").about(pointer);
    }
    terms(&shop, "iit_01h455vb4pex5vsknk084sn02q", &json!({})).await.refused(404, "not_found");
    assert_eq!((shop.digest().await, shop.unexplained_levels().await), (whole, 0));
}
