//! Goods between locations.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::{first_place, mug, posts, second_place, seen};
use crate::testing::shop::{Shop, Thing};
use crate::testing::{Answer, TestShop};

const TRANSFERS: &str = "/admin/v1/stock-transfers";

/// A draft of so many pieces from the first location to the second; its path.
async fn draft(shop: &TestShop, item: &str, places: &[String; 2], pieces: i64) -> String {
    let body = json!({ "origin": places[0], "destination": places[1], "reference": "TR-1",
        "lines": [{ "item": item, "quantity": pieces }] });
    let made = posts(shop, TRANSFERS, &body).await.expect(201);
    assert_eq!((&made.json["state"], made.header("etag")), (&json!("draft"), "\"1\""));
    format!("{TRANSFERS}/{}", made.text("/id"))
}

async fn acts(shop: &TestShop, path: &str, act: &str, body: Option<&Value>) -> Answer {
    let call = shop.owner_call("POST", &format!("{path}/{act}")).keyed();
    body.into_iter().fold(call, |call, body| call.json(body)).send().await
}

#[actix_web::test]
async fn from_one_shelf_to_the_other_piece_by_piece() {
    let shop = TestShop::open(None).await;
    let (_, item) = mug(&shop, 10).await;
    let places = [first_place(&shop).await, second_place(&shop).await];
    let path = draft(&shop, &item, &places, 7).await;
    let levels = async || (seen(&shop, &item, &places[0]).await, seen(&shop, &item, &places[1]).await);
    assert_eq!(levels().await, ("10/0/0/0".into(), String::new()));
    acts(&shop, &path, "receive", Some(&json!({}))).await.refused(409, "transfer_state");
    let edit = json!({ "lines": [{ "item": item, "quantity": 6 }], "note": "By van" });
    let edited =
        shop.owner_call("PATCH", &path).header("if-match", "\"1\"").json(&edit).send().await.expect(200);
    assert_eq!(edited.json["lines"][0]["quantity"], 6);

    let sent = acts(&shop, &path, "send", None).await.expect(200);
    assert_eq!((&sent.json["state"], &sent.json["lines"][0]["incoming"]), (&json!("in_transit"), &json!(6)));
    let part = json!({ "lines": [{ "item": item, "received": 3, "lost": 1 }] });
    let part = acts(&shop, &path, "receive", Some(&part)).await.expect(200);
    assert_eq!(
        (&part.json["state"], &part.json["lines"][0]["incoming"]),
        (&json!("partly_received"), &json!(2))
    );
    assert_eq!(levels().await, ("4/0/0/0".into(), "3/0/0/2".into()));
    for (pointer, body) in [
        ("/lines", json!({ "lines": [{ "item": item, "received": 3 }] })),
        ("/lines", json!({ "lines": [{ "item": item, "received": 0 }] })),
        ("/lines", json!({ "lines": [] })),
        ("/lines", json!({ "lines": [{ "item": "iit_01h455vb4pex5vsknk084sn02q", "received": 1 }] })),
    ] {
        acts(&shop, &path, "receive", Some(&body)).await.refused(422, "validation_failed").about(pointer);
    }
    acts(&shop, &path, "send", None).await.refused(409, "transfer_state");
    // While something is on its way, the destination stays.
    let closes =
        shop.owner_call("PATCH", &format!("/admin/v1/locations/{}", places[1])).header("if-match", "*");
    closes.json(&json!({ "active": false })).send().await.refused(409, "location_in_use");
    let rest = acts(&shop, &path, "receive", Some(&json!({}))).await.expect(200);
    assert_eq!((&rest.json["state"], rest.json["ended_at"].is_string()), (&json!("received"), true));
    assert_eq!(levels().await, ("4/0/0/0".into(), "5/0/0/0".into()));
    acts(&shop, &path, "cancel", None).await.refused(409, "transfer_state");
    let moved =
        shop.owner_call("GET", &format!("/admin/v1/stock-movements?item={item}")).send().await.expect(200);
    let kinds: Vec<_> = moved.data().iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["arrived", "arrived", "sent", "received"]);
    assert!(path.ends_with(moved.data()[0]["transfer"].as_str().unwrap()));
    let told = shop.told().await;
    assert_eq!(told.iter().filter(|kind| *kind == "stock_transfer.moved").count(), 3);
    assert_eq!(shop.unexplained_levels().await, 0);
}

#[actix_web::test]
async fn what_is_cancelled_is_where_it_was_and_nonsense_changes_nothing() {
    let shop = TestShop::open(None).await;
    let (_, item) = mug(&shop, 5).await;
    let places = [first_place(&shop).await, second_place(&shop).await];
    let path = draft(&shop, &item, &places, 4).await;
    acts(&shop, &path, "send", None).await.expect(200);
    let back = acts(&shop, &path, "cancel", None).await.expect(200);
    assert_eq!((&back.json["state"], &back.json["lines"][0]["returned"]), (&json!("cancelled"), &json!(4)));
    assert_eq!(seen(&shop, &item, &places[0]).await, "5/0/0/0");
    let path = draft(&shop, &item, &places, 6).await;
    let whole = shop.digest().await;
    let short = acts(&shop, &path, "send", None).await.refused(409, "out_of_stock");
    assert_eq!(short.json["shortages"][0], json!({ "item": item, "wanted": 6, "available": 5 }));
    let line = |quantity: i64| json!([{ "item": item, "quantity": quantity }]);
    for (pointer, origin, destination, lines) in [
        ("/destination", &places[0], &places[0], line(1)),
        ("/origin", &places[0], &"loc_01h455vb4pex5vsknk084sn02q".to_owned(), line(1)),
        ("/lines", &places[0], &places[1], line(0)),
        ("/lines", &places[0], &places[1], json!([])),
        (
            "/lines",
            &places[0],
            &places[1],
            json!([{ "item": "iit_01h455vb4pex5vsknk084sn02q", "quantity": 1 }]),
        ),
    ] {
        let body = json!({ "origin": origin, "destination": destination, "lines": lines });
        posts(&shop, TRANSFERS, &body).await.refused(422, "validation_failed").about(pointer);
    }
    shop.owner_call("GET", &format!("{TRANSFERS}/stt_01h455vb4pex5vsknk084sn02q"))
        .send()
        .await
        .refused(404, "not_found");
    assert_eq!((shop.digest().await, shop.unexplained_levels().await), (whole, 0));
    let open =
        shop.owner_call("GET", &format!("{TRANSFERS}?state=draft&item={item}")).send().await.expect(200);
    assert_eq!((open.data().len(), open.cost), (1, (1, 1)));
}

#[actix_web::test]
async fn a_preview_says_what_would_move_and_holds_for_as_long_as_it_is_true() {
    let shop = TestShop::open(None).await;
    let (variant, item) = mug(&shop, 5).await;
    let places = [first_place(&shop).await, second_place(&shop).await];
    let path = draft(&shop, &item, &places, 2).await;
    let whole = shop.digest().await;
    let preview = acts(&shop, &path, "send?dry_run=true", None).await.expect(200);
    let change = json!({ "item": item, "location": places[0], "before": 5, "after": 3 });
    assert_eq!((&preview.json["changes"], shop.digest().await), (&json!([change]), whole));
    let token = preview.text("/token");
    let received = json!({ "variant": variant, "delta": 1, "reason": "received" });
    posts(&shop, "/admin/v1/inventory-levels:adjust", &received).await.expect(200);
    let whole = shop.digest().await;
    acts(&shop, &path, &format!("send?preview={token}"), None).await.refused(409, "preview_stale");
    assert_eq!(shop.digest().await, whole);
    let token = acts(&shop, &path, "send?dry_run=true", None).await.expect(200).text("/token");
    acts(&shop, &path, &format!("send?preview={token}"), None).await.expect(200);
    assert_eq!(seen(&shop, &item, &places[0]).await, "4/0/0/0");
}

/// What left for another shelf is not sold from this one, whoever is faster.
#[actix_web::test]
async fn sending_against_buyers() {
    let shop = Shop::open().await;
    let (variant, item) = mug(&shop, 6).await;
    let places = [first_place(&shop).await, second_place(&shop).await];
    let thing = Thing { variant: variant.parse().unwrap() };
    let (mut baskets, mut paths) = (Vec::new(), Vec::new());
    for _ in 0..6 {
        baskets.push(shop.basket(thing, 1).await);
        paths.push(draft(&shop, &item, &places, 1).await);
    }
    let buyers = join_all(baskets.iter().map(|basket| shop.buys(basket, 590, "tok_ok")));
    let senders = join_all(paths.iter().map(|path| acts(&shop, path, "send", None)));
    let (buyers, senders) = join(buyers, senders).await;
    let sold = buyers.iter().filter(|answer| answer.status == 201).count();
    let sent = senders.iter().filter(|answer| answer.status == 200).count();
    assert!(buyers.iter().all(|answer| answer.status == 201 || answer.json["code"] == "out_of_stock"));
    assert!(senders.iter().all(|answer| answer.status == 200 || answer.json["code"] == "out_of_stock"));
    assert_eq!(sold + sent, 6);
    assert_eq!(seen(&shop, &item, &places[0]).await, format!("{}/{sold}/0/0", 6 - sent));
    assert_eq!(shop.unexplained_levels().await, 0);
}
