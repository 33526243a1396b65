//! Bundles: sold, sent and given back as what they are made of.

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk_kernel::VariantId;

use crate::testing::Answer;
use crate::testing::shop::{Shop, Thing, ada, key, pay_with};

async fn made_of(shop: &Shop, bundle: Thing, parts: &[(VariantId, u32)]) -> Answer {
    let parts: Vec<Value> =
        parts.iter().map(|(variant, quantity)| json!({ "variant": variant, "quantity": quantity })).collect();
    let path = format!("/admin/v1/variants/{}/components", bundle.variant);
    shop.owner_call("PUT", &path).json(&json!({ "components": parts })).send().await
}

/// Nine cups, seven saucers, and a set of two cups and one saucer for 25.00 with no stock of its own.
async fn tea_set(shop: &Shop) -> (Thing, Thing, Thing) {
    let (cup, saucer, set) = (shop.thing(9, 1000).await, shop.thing(7, 700).await, shop.thing(0, 2500).await);
    made_of(shop, set, &[(cup.variant, 2), (saucer.variant, 1)]).await.expect(200);
    (cup, saucer, set)
}

/// on hand/committed/reserved of cups and saucers
async fn shelf(shop: &Shop, things: [Thing; 2]) -> String {
    let mut words = Vec::new();
    for thing in things {
        let path = format!("/admin/v1/inventory-levels?variant={}", thing.variant);
        let level = shop.owner_call("GET", &path).send().await.expect(200).data()[0].clone();
        words.push(format!("{}/{}/{}", level["on_hand"], level["committed"], level["reserved"]));
    }
    words.join(" ")
}

async fn there_are(shop: &Shop, variant: VariantId) -> (i64, bool) {
    let product = shop
        .words("SELECT product_id::text AS word FROM bundle_components b JOIN product_variants v ON v.id = b.variant_id LIMIT 1")
        .await;
    let product = souk_kernel::ProductId::from_uuid(product.parse().unwrap());
    let view = shop.owner_call("GET", &format!("/admin/v1/products/{product}")).send().await.expect(200);
    let found = view.json["variants"].as_array().unwrap();
    let found = found.iter().find(|found| found["id"] == json!(variant)).unwrap();
    (found["stock"].as_i64().unwrap(), found["available"].as_bool().unwrap())
}

#[actix_web::test]
async fn a_bundle_is_sold_sent_and_given_back_as_its_components() {
    let shop = Shop::open().await;
    let (cup, saucer, set) = tea_set(&shop).await;
    let both = [cup, saucer];
    assert_eq!(there_are(&shop, set.variant).await, (4, true), "nine cups are four pairs");
    let basket = shop.basket(set, 3).await;
    let bought =
        shop.checkout(&basket, &key(), &pay_with(3 * 2500, "tok_ok")).await.expect(201).json["order"].clone();
    assert_eq!(shelf(&shop, both).await, "9/6/0 7/3/0");
    let order = shop.order(bought["id"].as_str().unwrap()).await;
    let line = &order["lines"][0];
    assert_eq!((&line["quantity"], &line["unit_price"]["amount_minor"]), (&json!(3), &json!(2500)));
    let parts: Vec<_> =
        line["components"].as_array().unwrap().iter().map(|part| part["quantity"].clone()).collect();
    assert_eq!(parts, [json!(2), json!(1)]);
    assert_eq!(there_are(&shop, set.variant).await, (1, true));
    // What it is made of from now on says nothing about what was bought.
    made_of(&shop, set, &[(cup.variant, 1)]).await.expect(200);
    let path = format!("/admin/v1/orders/{}", order["id"].as_str().unwrap());
    let back =
        json!({ "lines": [{ "line": line["id"], "quantity": 1, "stock": "restock" }], "reason": "damaged" });
    shop.staff("POST", &format!("{path}/refunds"), Some(back)).await.expect(200);
    assert_eq!(shelf(&shop, both).await, "9/4/0 7/2/0");
    let back = json!({ "lines": [{ "line": line["id"], "quantity": 1, "stock": "write_off" }], "reason": "damaged" });
    shop.staff("POST", &format!("{path}/refunds"), Some(back)).await.expect(200);
    assert_eq!(shelf(&shop, both).await, "7/2/0 6/1/0");
    let sent = shop.staff("POST", &format!("{path}/fulfillments"), Some(json!({}))).await.expect(201);
    assert_eq!(shelf(&shop, both).await, "5/0/0 5/0/0");
    // It did not leave after all.
    let cancel = format!("/admin/v1/fulfillments/{}/cancel", sent.text("/id"));
    shop.staff("POST", &cancel, Some(json!({}))).await.expect(200);
    assert_eq!(shelf(&shop, both).await, "7/2/0 6/1/0");
    let cancel = json!({ "reason": "customer" });
    shop.staff("POST", &format!("{path}/cancel"), Some(cancel)).await.expect(200);
    assert_eq!((shelf(&shop, both).await.as_str(), shop.unexplained_levels().await), ("7/0/0 6/0/0", 0));
}

#[actix_web::test]
async fn of_a_bundle_there_are_as_many_as_of_its_rarest_component() {
    let shop = Shop::open().await;
    let (cup, saucer, set) = tea_set(&shop).await;
    // Cut to four, as for a plain thing.
    let body = json!({ "lines": [{ "variant": set.variant, "quantity": 9 }] });
    let cart = shop.call("POST", "/store/v1/carts").json(&body).send().await.expect(201);
    assert_eq!(cart.json["warnings"][0]["quantity"], 4);
    // Cups alone leave too few for a pair.
    let basket = shop.basket(cup, 8).await;
    shop.buys(&basket, 8000, "tok_ok").await.expect(201);
    assert_eq!(there_are(&shop, set.variant).await, (0, false));
    let none = json!({ "lines": [{ "variant": set.variant, "quantity": 1 }] });
    shop.call("POST", "/store/v1/carts").json(&none).send().await.refused(422, "validation_failed");
    assert_eq!(
        shop.number("SELECT count(*) AS number FROM bundle_components WHERE crossed_at IS NOT NULL").await,
        1,
        "shoppers' pages were told"
    );
    assert_eq!(shelf(&shop, [cup, saucer]).await, "9/8/0 7/0/0");
}

#[actix_web::test]
async fn the_last_component_is_sold_once() {
    let shop = Shop::open().await;
    let (cup, saucer, set) = tea_set(&shop).await;
    // Nine cups: each set takes two, each cup one. Whoever comes first has them.
    let mut baskets = Vec::new();
    for thing in [set, cup, set, cup, set, cup, set, cup] {
        let total = if thing.variant == set.variant { 2990 } else { 1490 };
        baskets.push((shop.basket(thing, 1).await, total));
    }
    let answers = join_all(baskets.iter().map(|(basket, total)| shop.buys(basket, *total, "tok_ok"))).await;
    assert!(answers.iter().all(|answer| [201, 409].contains(&answer.status)));
    let sold = |total: i64| {
        let orders =
            answers.iter().zip(&baskets).filter(|(answer, basket)| answer.status == 201 && basket.1 == total);
        orders.count()
    };
    let (sets, cups) = (sold(2990), sold(1490));
    let committed = 2 * sets + cups;
    assert!(committed <= 9 && 9 - committed < 2, "{sets} sets and {cups} cups");
    assert_eq!(shelf(&shop, [cup, saucer]).await, format!("9/{committed}/0 7/{sets}/0"));
    assert_eq!(shop.unexplained_levels().await, 0);
}

#[actix_web::test]
async fn bundles_of_bundles_are_refused_and_components_stay() {
    let shop = Shop::open().await;
    let (cup, _, set) = tea_set(&shop).await;
    let plain = shop.thing(1, 100).await;
    let before = shop.digest().await;
    for (bundle, part, pointer) in [
        (plain, set, "/components/0/variant"),
        (set, set, "/components/0/variant"),
        (cup, plain, "/components"),
    ] {
        made_of(&shop, bundle, &[(part.variant, 1)]).await.refused(422, "validation_failed").about(pointer);
    }
    let lost = "var_01h455vb4pex5vsknk084sn02q".parse().unwrap();
    for (part, quantity, pointer) in
        [(lost, 1, "/components/0/variant"), (plain.variant, 101, "/components/0/quantity")]
    {
        made_of(&shop, set, &[(part, quantity)]).await.refused(422, "validation_failed").about(pointer);
    }
    made_of(&shop, Thing { variant: lost }, &[]).await.refused(404, "not_found");
    let product = shop.words("SELECT p.product_id::text AS word FROM bundle_components b JOIN product_variants p ON p.id = b.component_id ORDER BY b.position LIMIT 1").await;
    let product = souk_kernel::ProductId::from_uuid(product.parse().unwrap());
    let path = format!("/admin/v1/products/{product}");
    shop.owner_call("DELETE", &path).send().await.refused(409, "part_of_bundle");
    assert_eq!(shop.digest().await, before);
    // Each of two is to be made of the other, at the same moment: one of them is.
    let other = shop.thing(1, 100).await;
    let (one, two) = ([(other.variant, 1)], [(plain.variant, 1)]);
    let answers = join_all([made_of(&shop, plain, &one), made_of(&shop, other, &two)]).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
    // Made of nothing, the set is a plain thing again, and its cups may go.
    made_of(&shop, set, &[]).await.expect(200);
    shop.owner_call("DELETE", &path).send().await.expect(204);
    let basket = json!({ "lines": [{ "variant": set.variant, "quantity": 1 }], "email": "ada@example.com", "shipping_address": ada() });
    shop.call("POST", "/store/v1/carts").json(&basket).send().await.refused(422, "validation_failed");
}
