//! What many buy at once: dealt into buckets, and gathered again.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::{first_place, mug, posts, puts, second_place, seen, terms};
use crate::testing::shop::{Shop, Thing};

/// Free pieces of every row of the shelf.
const ROWS: &str = "SELECT (l.on_hand - l.committed - l.reserved)::text AS word FROM inventory_levels l \
    JOIN locations loc ON loc.id = l.location_id ORDER BY loc.bucket NULLS FIRST, loc.priority";

#[actix_web::test]
async fn dealt_out_sold_from_adjusted_and_gathered() {
    let shop = Shop::open().await;
    let (variant, item) = mug(&shop, 10).await;
    let place = first_place(&shop).await;
    let dealt = terms(&shop, &item, &json!({ "buckets": 4, "safety_stock": 1 })).await.expect(200);
    assert_eq!((&dealt.json["buckets"], &dealt.json["on_hand"]), (&json!(4), &json!(10)));
    assert_eq!(shop.words(ROWS).await, "1 3 2 2 2");
    assert_eq!(seen(&shop, &item, &place).await, "10/0/0/0");
    // More than any bucket has, and still no more than there is.
    let thing = Thing { variant: variant.parse().unwrap() };
    let basket = shop.basket(thing, 8).await;
    assert_eq!(shop.buys(&basket, 1290, "tok_ok").await.status, 201);
    assert_eq!(seen(&shop, &item, &place).await, "10/8/0/0");
    let (one, two) = (shop.basket(thing, 1).await, shop.basket(thing, 1).await);
    let sold = shop.buys(&one, 590, "tok_ok").await.expect(201);
    shop.buys(&two, 590, "tok_ok").await.refused(409, "out_of_stock");
    puts(&shop, &item, &place, 14).await;
    assert_eq!(shop.words(ROWS).await, "1 1 1 1 1");
    let less = json!({ "item": item, "delta": -6, "reason": "lost" });
    posts(&shop, "/admin/v1/inventory-levels:adjust", &less).await.refused(409, "stock_in_use");
    terms(&shop, &item, &json!({})).await.expect(200);
    assert_eq!(shop.words(ROWS).await, "5 0 0 0 0");
    assert_eq!(seen(&shop, &item, &place).await, "14/9/0/0");
    // Nobody sees buckets: not as locations, nor as movements between them.
    let places = shop.owner_call("GET", "/admin/v1/locations").send().await.expect(200);
    assert_eq!(places.data().len(), 1);
    let path = format!("/admin/v1/stock-movements?location={place}&limit=100");
    let moved = shop.owner_call("GET", &path).send().await.expect(200);
    assert!(moved.data().iter().all(|row| row["kind"] != "dealt" && row["location"] == json!(place)));
    let check = shop.owner_call("GET", "/admin/v1/inventory-levels:check").send().await.expect(200);
    assert_eq!(check.json, json!({ "levels": 1, "different": 0, "differences": [] }));
    // What was sold from buckets is sent and given up as ever.
    let path = format!("/admin/v1/orders/{}/fulfillments", sold.text("/order/id"));
    posts(&shop, &path, &json!({})).await.expect(201);
    assert_eq!((seen(&shop, &item, &place).await, shop.unexplained_levels().await), ("13/8/0/0".into(), 0));
}

#[actix_web::test]
async fn five_hundred_buyers_and_a_hundred_pieces_in_buckets() {
    let shop = Shop::open().await;
    let (variant, item) = mug(&shop, 60).await;
    let second = second_place(&shop).await;
    puts(&shop, &item, &second, 40).await;
    terms(&shop, &item, &json!({ "buckets": 8 })).await.expect(200);
    let thing = Thing { variant: variant.parse().unwrap() };
    let mut baskets = Vec::new();
    for _ in 0..500 {
        baskets.push(shop.basket(thing, 1).await);
    }
    let answers = join_all(baskets.iter().map(async |basket| {
        loop {
            let answer = shop.buys(basket, 590, "tok_ok").await;
            if answer.status != 503 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }))
    .await;
    let bought = answers.iter().filter(|answer| answer.status == 201).count();
    let refused =
        answers.iter().filter(|answer| answer.status == 409 && answer.json["code"] == "out_of_stock").count();
    assert_eq!((bought, refused), (100, 400));
    assert_eq!(shop.taken().await, (59_000, 0));
    let first = first_place(&shop).await;
    assert_eq!(
        (seen(&shop, &item, &first).await, seen(&shop, &item, &second).await),
        ("60/60/0/0".into(), "40/40/0/0".into())
    );
    assert_eq!(shop.unexplained_levels().await, 0);
    terms(&shop, &item, &json!({})).await.expect(200);
    assert_eq!(shop.unexplained_levels().await, 0);
}

/// While everybody buys, the shelf is dealt anew, gathered and filled: nothing is lost, and nobody hears that it is sold out before it is.
#[actix_web::test]
async fn dealing_against_buyers() {
    let shop = Shop::open().await;
    let (variant, item) = mug(&shop, 20).await;
    let thing = Thing { variant: variant.parse().unwrap() };
    let mut baskets = Vec::new();
    for _ in 0..20 {
        baskets.push(shop.basket(thing, 1).await);
    }
    let deals = async {
        for buckets in [4, 0, 16, 2, 0] {
            // Whoever waits for whom is decided by the database; the loser asks again.
            while terms(&shop, &item, &json!({ "buckets": buckets })).await.status == 503 {}
        }
    };
    let buyers = join_all(baskets.iter().map(async |basket| {
        loop {
            let answer = shop.buys(basket, 590, "tok_ok").await;
            if answer.status != 503 {
                return answer.status;
            }
        }
    }));
    let ((), bought) = futures_util::future::join(deals, buyers).await;
    assert!(bought.iter().all(|status| *status == 201), "{bought:?}");
    let place = first_place(&shop).await;
    assert_eq!((seen(&shop, &item, &place).await, shop.unexplained_levels().await), ("20/20/0/0".into(), 0));
}
