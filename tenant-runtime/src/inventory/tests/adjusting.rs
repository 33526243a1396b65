//! Staff and the stock.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::testing::shop::{Shop, key};
use crate::testing::{Answer, TestShop};

const ADJUST: &str = "/admin/v1/inventory-levels:adjust";

/// A product made by the API, so that everything about it is explained.
async fn product(shop: &TestShop, stock: i64) -> Value {
    let body = json!({ "title": "Enamel mug", "price": { "amount_minor": 1000, "currency": "EUR" }, "stock": stock, "sku": key() });
    shop.owner_call("POST", "/admin/v1/products").json(&body).send().await.expect(201).json["variants"][0]
        .clone()
}

async fn adjusts(shop: &TestShop, body: Value) -> Answer {
    shop.owner_call("POST", ADJUST).keyed().json(&body).send().await
}

#[actix_web::test]
async fn by_a_difference_and_to_a_number_each_with_its_reason() {
    let shop = TestShop::open(None).await;
    let variant = product(&shop, 10).await;
    let id = &variant["id"];
    let more = adjusts(&shop, json!({ "variant": id, "delta": 5, "reason": "received" })).await.expect(200);
    assert_eq!(
        (&more.json["on_hand"], &more.json["available"], &more.json["sku"], &more.json["product_title"]),
        (&json!(15), &json!(15), &variant["sku"], &json!("Enamel mug"))
    );
    adjusts(&shop, json!({ "item": variant["inventory_item"], "set": 12, "reason": "counted" }))
        .await
        .expect(200);
    let same = adjusts(&shop, json!({ "variant": id, "set": 12, "reason": "counted" })).await.expect(200);
    assert_eq!((same.json["on_hand"].as_i64(), same.json["version"].as_i64()), (Some(12), Some(3)));
    let path = format!("/admin/v1/stock-movements?variant={}", id.as_str().unwrap());
    let moved = shop.owner_call("GET", &path).send().await.expect(200);
    let rows: Vec<_> = moved
        .data()
        .iter()
        .map(|row| {
            (row["kind"].as_str().unwrap(), row["on_hand_delta"].as_i64().unwrap(), row["reason"].clone())
        })
        .collect();
    assert_eq!(rows[..2], [("adjusted", -3, json!("counted")), ("received", 5, json!("received"))]);
    assert_eq!((rows.len(), rows[2].1), (3, 10));
    assert!(moved.data()[0]["actor"].as_str().unwrap().starts_with("staff:"));
    let check = shop.owner_call("GET", "/admin/v1/inventory-levels:check").send().await.expect(200);
    assert_eq!((check.json, check.cost), (json!({ "levels": 1, "different": 0, "differences": [] }), (1, 1)));
    // Somebody who writes past the API is found out.
    shop.admin("UPDATE {s}.inventory_levels SET on_hand = on_hand + 7").await;
    let check = shop.owner_call("GET", "/admin/v1/inventory-levels:check").send().await.expect(200);
    assert_eq!(check.json["different"], 1);
    assert_eq!(
        (
            &check.json["differences"][0]["level"]["on_hand"],
            &check.json["differences"][0]["movements"]["on_hand"]
        ),
        (&json!(19), &json!(12))
    );
}

#[actix_web::test]
async fn levels_and_movements_go_page_by_page() {
    let shop = TestShop::open(None).await;
    for stock in 0..5 {
        product(&shop, stock).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/admin/v1/inventory-levels?limit=2".to_owned());
    loop {
        let page = shop.owner_call("GET", &path).send().await.expect(200);
        assert_eq!(page.cost, (1, 1));
        seen.extend(page.data().iter().map(|level| level["on_hand"].as_i64().unwrap()));
        match page.header("link").strip_prefix('<').and_then(|link| link.split_once('>')) {
            Some((next, _)) => path = next.to_owned(),
            None => break,
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3, 4]);
    let few =
        shop.owner_call("GET", "/admin/v1/inventory-levels?available_at_most=1").send().await.expect(200);
    assert_eq!(few.data().len(), 2);
    let first = shop.owner_call("GET", "/admin/v1/stock-movements?limit=3").send().await.expect(200);
    product(&shop, 9).await;
    let path = format!("/admin/v1/stock-movements?limit=3&after={}", first.text("/page/next"));
    let second = shop.owner_call("GET", &path).send().await.expect(200);
    let ids = |page: &Answer| {
        page.data().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(ids(&second).iter().all(|id| !ids(&first).contains(id) && *id < ids(&first)[2]));
    let locations = shop.owner_call("GET", "/admin/v1/locations").send().await.expect(200);
    assert_eq!((locations.data().len(), &locations.data()[0]["active"]), (1, &json!(true)));
    for path in [
        "/admin/v1/inventory-levels?variant=mug",
        "/admin/v1/stock-movements?limit=101",
        "/admin/v1/inventory-levels?limit=0",
    ] {
        shop.owner_call("GET", path).send().await.refused(422, "validation_failed");
    }
    for path in [
        "/admin/v1/inventory-levels",
        "/admin/v1/stock-movements",
        "/admin/v1/locations",
        "/admin/v1/inventory-levels:check",
    ] {
        shop.call("GET", path).send().await.refused(401, "unauthenticated");
    }
}

#[actix_web::test]
async fn an_adjustment_that_makes_no_sense_changes_nothing() {
    let shop = TestShop::open(None).await;
    let variant = product(&shop, 10).await;
    let (id, item) = (&variant["id"], &variant["inventory_item"]);
    let before = shop.digest().await;
    for (pointer, body) in [
        ("/delta", json!({ "variant": id, "reason": "x" })),
        ("/delta", json!({ "variant": id, "delta": 1, "set": 1, "reason": "x" })),
        ("/delta", json!({ "variant": id, "delta": 0, "reason": "x" })),
        ("/delta", json!({ "variant": id, "delta": i64::MAX, "reason": "x" })),
        ("/delta", json!({ "variant": id, "delta": 999_999_999, "reason": "x" })),
        ("/set", json!({ "variant": id, "set": -1, "reason": "x" })),
        ("/reason", json!({ "variant": id, "delta": 1 })),
        ("/reason", json!({ "variant": id, "delta": 1, "reason": "" })),
        ("/variant", json!({ "delta": 1, "reason": "x" })),
        ("/variant", json!({ "variant": id, "item": item, "delta": 1, "reason": "x" })),
        ("/variant", json!({ "variant": "var_01h455vb4pex5vsknk084sn02q", "delta": 1, "reason": "x" })),
        (
            "/location",
            json!({ "variant": id, "location": "loc_01h455vb4pex5vsknk084sn02q", "delta": 1, "reason": "x" }),
        ),
    ] {
        adjusts(&shop, body).await.refused(422, "validation_failed").about(pointer);
    }
    adjusts(&shop, json!({ "variant": id, "delta": -11, "reason": "lost" }))
        .await
        .refused(409, "stock_in_use");
    let body = json!({ "variant": id, "delta": 1, "reason": "x" });
    shop.owner_call("POST", ADJUST).json(&body).send().await.refused(400, "idempotency_key_missing");
    shop.call("POST", ADJUST).keyed().json(&body).send().await.refused(401, "unauthenticated");
    assert_eq!(shop.digest().await, before);
}

#[actix_web::test]
async fn an_adjustment_happens_once_for_its_key() {
    let shop = TestShop::open(None).await;
    let variant = product(&shop, 10).await;
    let key = key();
    let asks = async |delta: i64| {
        let body = json!({ "variant": variant["id"], "delta": delta, "reason": "received" });
        shop.owner_call("POST", ADJUST).header("idempotency-key", &key).json(&body).send().await
    };
    let answers = join_all((0..6).map(|_| asks(3))).await;
    // One does it; whoever comes meanwhile is told to wait, whoever comes later gets the same bytes.
    assert!(
        answers.iter().all(|answer| answer.status == 200 || answer.json["code"] == "idempotency_key_running")
    );
    let again = asks(3).await.expect(200);
    assert_eq!((again.json["on_hand"].as_i64(), again.header("idempotent-replayed")), (Some(13), "true"));
    asks(4).await.refused(422, "idempotency_key_reused");
    assert_eq!(shop.stock().await, "13/0/0");
}

/// What is promised to shoppers cannot be taken off the shelf, whoever is faster.
#[actix_web::test]
async fn counting_down_against_buyers() {
    let shop = Shop::open().await;
    let variant = product(&shop, 5).await;
    let thing = crate::testing::shop::Thing { variant: variant["id"].as_str().unwrap().parse().unwrap() };
    let mut baskets = Vec::new();
    for _ in 0..5 {
        baskets.push(shop.basket(thing, 1).await);
    }
    let buyers = join_all(baskets.iter().map(|basket| shop.buys(basket, 1490, "tok_ok")));
    let counting = join_all(
        (0..5).map(|_| adjusts(&shop, json!({ "variant": variant["id"], "delta": -1, "reason": "lost" }))),
    );
    let (buyers, counting) = futures_util::future::join(buyers, counting).await;
    let sold = buyers.iter().filter(|answer| answer.status == 201).count();
    let lost = counting.iter().filter(|answer| answer.status == 200).count();
    assert!(buyers.iter().all(|answer| answer.status == 201 || answer.json["code"] == "out_of_stock"));
    assert!(counting.iter().all(|answer| answer.status == 200 || answer.json["code"] == "stock_in_use"));
    assert_eq!(sold + lost, 5);
    assert_eq!(shop.stock().await, format!("{}/{sold}/0", 5 - lost));
    assert_eq!(shop.unexplained_levels().await, 0);
}
