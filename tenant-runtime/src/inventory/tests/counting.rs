//! Cycle counts.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::{first_place, mug, posts, seen};
use crate::testing::shop::{Shop, Thing};
use crate::testing::{Answer, TestShop};

async fn counts(shop: &TestShop, query: &str, place: &str, lines: Value) -> Answer {
    let path = format!("/admin/v1/inventory-levels:count{query}");
    posts(shop, &path, &json!({ "location": place, "lines": lines })).await
}

#[actix_web::test]
async fn what_was_counted_is_taken_over_unless_it_moved_meanwhile() {
    let shop = TestShop::open(None).await;
    let ((_, mugs), (_, bowls)) = (mug(&shop, 5).await, mug(&shop, 8).await);
    let place = first_place(&shop).await;
    let line =
        |item: &str, seen: i64, counted: i64| json!({ "item": item, "seen": seen, "counted": counted });
    let (fewer, same) = (line(&mugs, 5, 4), line(&bowls, 8, 8));
    let whole = shop.digest().await;
    let preview = counts(&shop, "?dry_run=true", &place, json!([fewer, same])).await.expect(200);
    let change = json!({ "item": mugs, "location": place, "before": 5, "after": 4 });
    assert_eq!((&preview.json["changes"], shop.digest().await), (&json!([change.clone()]), whole));
    let query = format!("?preview={}", preview.text("/token"));
    counts(&shop, &query, &place, json!([line(&mugs, 5, 3), same])).await.refused(409, "preview_stale");
    let counted = counts(&shop, &query, &place, json!([fewer, same])).await.expect(200);
    assert_eq!((&counted.json["counted"], &counted.json["changes"]), (&json!(2), &json!([change])));
    assert_eq!(
        (seen(&shop, &mugs, &place).await, seen(&shop, &bowls, &place).await),
        ("4/0/0/0".into(), "8/0/0/0".into())
    );

    let whole = shop.digest().await;
    let moved =
        counts(&shop, "", &place, json!([line(&bowls, 8, 7), fewer])).await.refused(409, "stock_moved");
    assert_eq!(moved.json["lines"], json!([{ "item": mugs, "seen": 5, "on_hand": 4 }]));
    for (pointer, lines) in [
        ("/lines", json!([])),
        ("/lines", json!([line(&mugs, 4, -1)])),
        ("/lines", json!([line(&mugs, 4, 4), line(&mugs, 4, 3)])),
        ("/lines", json!([line("iit_01h455vb4pex5vsknk084sn02q", 0, 1)])),
        ("/lines", json!([same, line("iit_01h455vb4pex5vsknk084sn02q", 0, 1)])),
    ] {
        counts(&shop, "", &place, lines).await.refused(422, "validation_failed").about(pointer);
    }
    counts(&shop, "", "loc_01h455vb4pex5vsknk084sn02q", json!([same]))
        .await
        .refused(422, "validation_failed")
        .about("/location");
    assert_eq!((shop.digest().await, shop.unexplained_levels().await), (whole, 0));
}

/// What is promised cannot be counted away, whoever is faster.
#[actix_web::test]
async fn counting_against_buyers() {
    let shop = Shop::open().await;
    let (variant, item) = mug(&shop, 4).await;
    let place = first_place(&shop).await;
    let thing = Thing { variant: variant.parse().unwrap() };
    let mut baskets = Vec::new();
    for _ in 0..4 {
        baskets.push(shop.basket(thing, 1).await);
    }
    let buyers = join_all(baskets.iter().map(|basket| shop.buys(basket, 590, "tok_ok")));
    let counters = join_all(
        (0..3).map(|_| counts(&shop, "", &place, json!([{ "item": item, "seen": 4, "counted": 2 }]))),
    );
    let (buyers, counters) = join(buyers, counters).await;
    let sold = buyers.iter().filter(|answer| answer.status == 201).count();
    let counted = counters.iter().filter(|answer| answer.status == 200).count();
    assert!(counters.iter().all(|answer| answer.status == 200
        || ["stock_moved", "stock_in_use"].contains(&answer.json["code"].as_str().unwrap_or_default())));
    assert!(buyers.iter().all(|answer| answer.status == 201 || answer.json["code"] == "out_of_stock"));
    // One count at most: the second was shown what is there no more.
    assert_eq!((counted <= 1, sold), (true, if counted == 1 { 2 } else { 4 }));
    assert_eq!(seen(&shop, &item, &place).await, format!("{}/{sold}/0/0", 4 - 2 * counted));
    assert_eq!(shop.unexplained_levels().await, 0);
}
