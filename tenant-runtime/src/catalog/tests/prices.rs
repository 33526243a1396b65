//! Prices are shown before they change: exactly what would, and a token that does nothing else.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{eur, simple};
use crate::testing::{Answer, TestShop};

async fn adjusts(shop: &TestShop, query: &str, body: &Value) -> Answer {
    shop.owner_call("POST", &format!("/admin/v1/prices:adjust{query}")).keyed().json(body).send().await
}

fn change(product: &Value, before: i64, after: i64) -> Value {
    json!({ "variant": product["variants"][0]["id"], "min_quantity": 1, "before": eur(before), "after": eur(after),
        "compare_at_before": null, "compare_at_after": null })
}

#[actix_web::test]
async fn many_prices_change_as_they_were_previewed_or_not_at_all() {
    let shop = TestShop::open(None).await;
    let (mug, bowl) = (simple(&shop, "Mug", 1995).await, simple(&shop, "Bowl", 3000).await);
    let other = simple(&shop, "Print", 500).await;
    let on = json!({ "products": [mug["id"], bowl["id"]] });
    let tenth = json!({ "on": on, "currency": "EUR", "percent_ppm": -100_000, "round_to_minor": 10 });
    let before = shop.digest().await;
    let seen = adjusts(&shop, "?dry_run=true", &tenth).await.expect(200);
    assert_eq!(seen.json["changes"], json!([change(&mug, 1995, 1800), change(&bowl, 3000, 2700)]));
    let query = format!("?preview={}", seen.text("/token"));
    let more = json!({ "on": on, "currency": "EUR", "percent_ppm": -200_000, "round_to_minor": 10 });
    adjusts(&shop, &query, &more).await.refused(409, "preview_stale");
    for (pointer, body) in [
        ("/on", json!({ "on": {}, "currency": "EUR", "set_minor": 1 })),
        ("/percent_ppm", json!({ "on": on, "currency": "EUR" })),
        ("/percent_ppm", json!({ "on": on, "currency": "EUR", "set_minor": 1, "add_minor": 1 })),
        ("/add_minor", json!({ "on": on, "currency": "EUR", "add_minor": -1996 })),
        ("/set_minor", json!({ "on": on, "currency": "EUR", "set_minor": i64::MAX })),
        ("/round_to_minor", json!({ "on": on, "currency": "EUR", "set_minor": 1, "round_to_minor": 0 })),
    ] {
        adjusts(&shop, "", &body).await.refused(422, "validation_failed").about(pointer);
    }
    assert_eq!(shop.digest().await, before);
    let done = adjusts(&shop, &query, &tenth).await.expect(200);
    assert_eq!(done.json["changes"], seen.json["changes"]);
    let prices = "SELECT string_agg(amount_minor::text, ' ' ORDER BY amount_minor) AS word FROM prices";
    assert_eq!(shop.words(prices).await, "500 1800 2700");
    // Once done, the same preview is of something else.
    adjusts(&shop, &query, &tenth).await.refused(409, "preview_stale");
    // A sale strikes the price before through, and its end takes that away.
    let sale = json!({ "on": { "products": [other["id"]] }, "currency": "EUR", "set_minor": 400, "compare_at": "before" });
    let changes = adjusts(&shop, "", &sale).await.expect(200).json["changes"].clone();
    assert_eq!((&changes[0]["after"], &changes[0]["compare_at_after"]), (&eur(400), &eur(500)));
    let over = json!({ "on": { "products": [other["id"]] }, "currency": "EUR", "set_minor": 500, "compare_at": "clear" });
    let changes = adjusts(&shop, "", &over).await.expect(200).json["changes"].clone();
    assert_eq!((&changes[0]["after"], &changes[0]["compare_at_after"]), (&eur(500), &Value::Null));
}

#[actix_web::test]
async fn many_products_cost_no_more_statements_than_one() {
    let shop = TestShop::open(None).await;
    let rules = json!({ "title": "Cheap", "rules": { "match": "all", "rules": [
        { "field": "price", "relation": "less_than", "amount": eur(500) }] } });
    let cheap = shop.owner_call("POST", "/admin/v1/collections").json(&rules).send().await.expect(201);
    let mut products = Vec::new();
    for number in 0..50 {
        products.push(simple(&shop, &format!("Mug {number}"), 1000).await["id"].clone());
    }
    let to = |products: &[Value], minor: i64| json!({ "on": { "products": products }, "currency": "EUR", "set_minor": minor });
    let one = adjusts(&shop, "", &to(&products[..1], 900)).await.expect(200);
    let told = shop.told().await.len();
    let all = adjusts(&shop, "", &to(&products, 400)).await.expect(200);
    assert_eq!((all.json["changes"].as_array().unwrap().len(), all.cost), (50, one.cost));
    // Each of them is counted, judged and told of, once.
    let told = shop.told().await.split_off(told);
    assert_eq!(told.iter().filter(|kind| *kind == "product.updated").count(), 50, "{told:?}");
    let path = format!("/admin/v1/collections/{}", cheap.text("/id"));
    assert_eq!(shop.owner_call("GET", &path).send().await.expect(200).json["product_count"], 50);
    let versions = "SELECT count(*) AS number FROM products WHERE version = 2";
    assert_eq!(shop.number(versions).await, 49);
}

#[actix_web::test]
async fn price_lists_are_made_written_and_deleted_as_they_were_previewed() {
    let shop = TestShop::open(None).await;
    let mug = simple(&shop, "Mug", 1995).await;
    let asks = async |method: &str, path: &str, body: Option<&Value>| {
        let call =
            shop.owner_call(method, &format!("/admin/v1/price-lists{path}")).header("if-match", "*").keyed();
        match body {
            Some(body) => call.json(body).send().await,
            None => call.send().await,
        }
    };
    let listed = |before: Option<i64>, after: Option<i64>| {
        json!([{ "variant": mug["variants"][0]["id"], "min_quantity": 1, "before": before.map(eur), "after": after.map(eur),
            "compare_at_before": null, "compare_at_after": null }])
    };
    let of = |ppm: i32| json!({ "name": "Spring", "currency": "EUR", "kind": "percent", "adjust_ppm": ppm });
    let before = shop.digest().await;
    let seen = asks("POST", "?dry_run=true", Some(&of(-100_000))).await.expect(200);
    let change = &seen.json["changes"][0];
    assert_eq!(
        (&change["before"], &change["after"]["name"], &change["price_list"]),
        (&Value::Null, &json!("Spring"), &Value::Null)
    );
    assert_eq!((&change["prices"], &change["more_prices"]), (&listed(None, Some(1795)), &json!(false)));
    let apply = format!("?preview={}", seen.text("/token"));
    asks("POST", &apply, Some(&of(-200_000))).await.refused(409, "preview_stale");
    let lost = json!({ "name": "Lost", "currency": "EUR", "kind": "fixed", "market": "mkt_01h455vb4pex5vsknk084sn02q" });
    asks("POST", "?dry_run=true", Some(&lost)).await.refused(422, "validation_failed").about("/market");
    assert_eq!(shop.digest().await, before);
    let made = asks("POST", &apply, Some(&of(-100_000))).await.expect(201);
    asks("POST", "?dry_run=true", Some(&of(-100_000))).await.refused(409, "price_list_name_taken");
    // Another percentage; a price that changed since makes the preview stale.
    let path = format!("/{}", made.text("/id"));
    let dry = asks("PUT", &format!("{path}?dry_run=true"), Some(&of(-200_000))).await.expect(200);
    assert_eq!(dry.json["changes"][0]["prices"], listed(Some(1795), Some(1596)));
    let same = asks("PUT", &format!("{path}?dry_run=true"), Some(&of(-100_000))).await.expect(200);
    assert_eq!(same.json["changes"], json!([]));
    let price = format!("/admin/v1/variants/{}/price", mug["variants"][0]["id"].as_str().unwrap());
    let set = shop.owner_call("PUT", &price).header("if-match", "*").json(&json!({ "price": eur(1000) }));
    set.send().await.expect(200);
    let before = shop.digest().await;
    let stale = format!("{path}?preview={}", dry.text("/token"));
    asks("PUT", &stale, Some(&of(-200_000))).await.refused(409, "preview_stale");
    assert_eq!(shop.digest().await, before);
    let dry = asks("PUT", &format!("{path}?dry_run=true"), Some(&of(-200_000))).await.expect(200);
    let apply = format!("{path}?preview={}", dry.text("/token"));
    assert_eq!(asks("PUT", &apply, Some(&of(-200_000))).await.expect(200).json["adjust_ppm"], -200_000);
    // What a list that is deleted said goes with it.
    let dry = asks("DELETE", &format!("{path}?dry_run=true"), None).await.expect(200);
    assert_eq!(
        (&dry.json["changes"][0]["prices"], &dry.json["changes"][0]["after"]),
        (&listed(Some(800), None), &Value::Null)
    );
    let (gone, before) = (format!("{path}?preview={}", dry.text("/token")), shop.digest().await);
    asks("DELETE", &format!("{path}?preview=x"), None).await.refused(409, "preview_stale");
    assert_eq!(shop.digest().await, before);
    asks("DELETE", &gone, None).await.expect(204);
    asks("DELETE", &gone, None).await.refused(404, "not_found");
}

#[actix_web::test]
async fn one_price_and_the_prices_of_a_list_are_previewed_too() {
    let shop = TestShop::open(None).await;
    let mug = simple(&shop, "Mug", 1995).await;
    let path = format!("/admin/v1/variants/{}/price", mug["variants"][0]["id"].as_str().unwrap());
    let sets = async |query: &str, price: i64| {
        let call = shop.owner_call("PUT", &format!("{path}{query}")).header("if-match", "*");
        call.json(&json!({ "price": eur(price) })).send().await
    };
    let before = shop.digest().await;
    let seen = sets("?dry_run=true", 1800).await.expect(200);
    assert_eq!(seen.json["changes"], json!([change(&mug, 1995, 1800)]));
    let query = format!("?preview={}", seen.text("/token"));
    sets(&query, 1700).await.refused(409, "preview_stale");
    assert_eq!(shop.digest().await, before);
    sets(&query, 1800).await.expect(200);
    sets(&query, 1800).await.refused(409, "preview_stale");

    let list = json!({ "name": "Wholesale", "currency": "EUR", "kind": "fixed" });
    let list = shop.owner_call("POST", "/admin/v1/price-lists").keyed().json(&list).send().await.expect(201);
    let path = format!("/admin/v1/price-lists/{}/prices", list.text("/id"));
    let lists = async |query: &str, price: Value| {
        let prices = json!({ "prices": [{ "variant": mug["variants"][0]["id"], "min_quantity": 10, "price": price }] });
        let call = shop.owner_call("PUT", &format!("{path}{query}")).header("if-match", "*");
        call.json(&prices).send().await
    };
    let before = shop.digest().await;
    let seen = lists("?dry_run=true", eur(1500)).await.expect(200);
    assert_eq!(
        (&seen.json["changes"][0]["before"], &seen.json["changes"][0]["after"]),
        (&Value::Null, &eur(1500))
    );
    let query = format!("?preview={}", seen.text("/token"));
    lists(&query, eur(1400)).await.refused(409, "preview_stale");
    assert_eq!(shop.digest().await, before);
    lists(&query, eur(1500)).await.expect(200);
    let gone = lists("?dry_run=true", Value::Null).await.expect(200);
    assert_eq!(
        (&gone.json["changes"][0]["before"], &gone.json["changes"][0]["after"]),
        (&eur(1500), &Value::Null)
    );
}

#[actix_web::test]
async fn the_lowest_price_is_what_everybody_paid_before_a_reduction() {
    let shop = TestShop::open(None).await;
    let mug = simple(&shop, "Mug", 1000).await;
    let variant = mug["variants"][0]["id"].as_str().unwrap().to_owned();
    // What a piece costs, and the lowest of thirty days: of one, and in a list of many.
    let seen = async |country: &str| {
        let path = format!("/store/v1/variants/{variant}/price?{country}");
        let one = shop.call("GET", &path).send().await.expect(200).json;
        let many = format!("/store/v1/prices?variants={variant}&{country}");
        let many = shop.call("GET", many.trim_end_matches('&')).send().await.expect(200).json;
        assert_eq!(one["lowest_price_30_days"], many["data"][0]["lowest_price_30_days"]);
        let minor = |name: &str| one[name]["amount_minor"].as_i64().unwrap();
        (minor("unit_price"), minor("lowest_price_30_days"))
    };
    let later = |hours: u64| shop.clock.advance(Duration::from_secs(hours * 3600));
    let made = async |path: &str, body: &Value| {
        shop.owner_call("POST", &format!("/admin/v1/{path}"))
            .keyed()
            .json(body)
            .send()
            .await
            .expect(201)
            .text("/id")
    };
    let put = async |path: &str, body: &Value| {
        let call = shop.owner_call("PUT", &format!("/admin/v1/price-lists/{path}")).header("if-match", "*");
        call.json(body).send().await.expect(200);
    };
    later(40 * 24);
    let austria = json!({ "name": "Austria", "countries": ["AT"], "currency": "EUR", "locale": "de-AT", "prices_include_tax": true });
    let austria = made("markets", &austria).await;
    made("price-lists", &json!({ "name": "There", "currency": "EUR", "kind": "percent", "adjust_ppm": -500_000, "market": austria })).await;
    // One that is planned is no price yet.
    let starts = shop.clock.now() + TimeDelta::hours(1);
    let sale = |ppm: i32| json!({ "name": "Sale", "currency": "EUR", "kind": "percent", "adjust_ppm": ppm, "starts_at": starts });
    let list = made("price-lists", &sale(-100_000)).await;
    assert_eq!((seen("").await, seen("country=AT").await), ((1000, 1000), (500, 1000)));
    later(2);
    assert_eq!(seen("").await, (900, 1000));
    later(24);
    assert_eq!(seen("").await, (900, 1000), "however long it lasts");
    // Once more off: what it cost before that.
    put(&list, &sale(-200_000)).await;
    later(1);
    assert_eq!(seen("").await, (800, 900));
    let path = format!("/admin/v1/price-lists/{list}");
    shop.owner_call("DELETE", &path).send().await.expect(204);
    later(1);
    assert_eq!(seen("").await, (1000, 800), "the list is gone, what it said was paid");
    // Fixed prices: of one list, one after the other.
    let fixed = made("price-lists", &json!({ "name": "Fixed", "currency": "EUR", "kind": "fixed" })).await;
    let path = format!("{fixed}/prices");
    let step = |price: Value| json!({ "prices": [{ "variant": variant, "price": price }] });
    put(&path, &step(eur(700))).await;
    later(1);
    assert_eq!(seen("").await, (700, 800));
    put(&path, &step(eur(600))).await;
    later(1);
    assert_eq!(seen("").await, (600, 700));
    put(&path, &step(Value::Null)).await;
    later(1);
    assert_eq!(seen("").await, (1000, 600));
    assert_eq!(seen("country=AT").await, (500, 1000), "there it has been half price all the while");
    // A month later nobody remembers.
    later(31 * 24);
    assert_eq!((seen("").await, seen("country=AT").await), ((1000, 1000), (500, 1000)));
    // The base price itself.
    let path = format!("/admin/v1/variants/{variant}/price");
    let set = shop.owner_call("PUT", &path).header("if-match", "*").json(&json!({ "price": eur(950) }));
    set.send().await.expect(200);
    later(1);
    assert_eq!(seen("").await, (950, 1000));
}
