//! Amounts that cannot be, dates that lie over each other, and carts that come to more than can be counted.

use serde_json::{Value, json};

use super::shop::Shop;

/// The most that a piece may cost.
const DEAREST: i64 = 1_000_000_000_000;

fn eur(minor: i64) -> Value {
    json!({ "amount_minor": minor, "currency": "EUR" })
}

#[actix_web::test]
async fn negative_and_endless_amounts_are_refused_where_they_stand() {
    let shop = Shop::open().await;
    let mug = shop.thing(9, 1000).await;
    let list = json!({ "name": "Wholesale", "currency": "EUR", "kind": "fixed" });
    let list = shop.owner_call("POST", "/admin/v1/price-lists").keyed().json(&list).send().await.expect(201);
    let (price, steps) = (
        format!("/admin/v1/variants/{}/price", mug.variant),
        format!("/admin/v1/price-lists/{}/prices", list.text("/id")),
    );
    let before = shop.digest().await;
    let puts = async |path: &str, body: Value, pointer: &str| {
        let answer = shop.owner_call("PUT", path).header("if-match", "*").json(&body).send().await;
        answer.refused(422, "validation_failed").about(pointer);
    };
    for minor in [-1, i64::MIN, DEAREST + 1, i64::MAX] {
        puts(&price, json!({ "price": eur(minor) }), "/price/amount_minor").await;
        puts(&price, json!({ "price": eur(1), "compare_at": eur(minor) }), "/compare_at/amount_minor").await;
        // The first is sound: not even that one is kept.
        let first = json!({ "variant": mug.variant, "price": eur(900) });
        let second = json!({ "variant": mug.variant, "min_quantity": 5, "price": eur(minor) });
        puts(&steps, json!({ "prices": [first, second] }), "/prices/1/price/amount_minor").await;
    }
    for minor in [0, -1, i64::MIN] {
        let body = json!({ "title": "Off", "method": "automatic", "terms": { "kind": "fixed_amount", "amount": eur(minor) } });
        let answer = shop.owner_call("POST", "/admin/v1/discounts").keyed().json(&body).send().await;
        answer.refused(422, "validation_failed").about("/terms/amount");
    }
    assert_eq!(shop.digest().await, before);
    // As much as there is to take off, and no more: the goods cost nothing.
    let body = json!({ "title": "Off", "method": "automatic", "terms": { "kind": "fixed_amount", "amount": eur(i64::MAX) } });
    shop.owner_call("POST", "/admin/v1/discounts").keyed().json(&body).send().await.expect(201);
    let basket = json!({ "lines": [{ "variant": mug.variant, "quantity": 2 }] });
    let quote = shop.call("POST", "/store/v1/quotes").json(&basket).send().await.expect(200);
    assert_eq!((&quote.json["discount"], &quote.json["total"]), (&eur(2000), &eur(0)));
}

#[actix_web::test]
async fn a_basket_that_comes_to_too_much_is_refused_and_nothing_is_kept() {
    const LINES: usize = 90;
    let shop = Shop::open().await;
    let values: Vec<String> = (0..LINES).map(|number| format!("No. {number}")).collect();
    let variant =
        |value: &String| json!({ "options": { "Number": value }, "price": eur(DEAREST), "stock": 9999 });
    let variants: Vec<Value> = values.iter().map(variant).collect();
    let body = json!({ "title": "Diamond", "status": "active", "options": [{ "name": "Number", "values": values }],
        "variants": variants });
    let made = shop.owner_call("POST", "/admin/v1/products").keyed().json(&body).send().await.expect(201);
    let line = |variant: &Value| json!({ "variant": variant["id"], "quantity": 9999 });
    let lines: Vec<Value> = made.json["variants"].as_array().unwrap().iter().map(line).collect();
    let basket = json!({ "lines": lines });
    let quote = shop.call("POST", "/store/v1/quotes").json(&basket).send().await.expect(200);
    let whole = i64::try_from(LINES).unwrap() * 9999 * DEAREST;
    assert_eq!((&quote.json["subtotal"], &quote.json["total"]), (&eur(whole), &eur(whole)));
    // Eleven times as much is more than there are numbers for.
    let dear = json!({ "name": "Dear", "currency": "EUR", "kind": "percent", "adjust_ppm": 10_000_000 });
    shop.owner_call("POST", "/admin/v1/price-lists").keyed().json(&dear).send().await.expect(201);
    let before = shop.digest().await;
    for path in ["/store/v1/quotes", "/store/v1/carts"] {
        let answer = shop.call("POST", path).json(&basket).send().await;
        answer.refused(422, "validation_failed").about("/lines");
    }
    assert_eq!(shop.digest().await, before);
    // A few of them can still be had.
    let few = json!({ "lines": lines.get(..50).unwrap() });
    let quote = shop.call("POST", "/store/v1/quotes").json(&few).send().await.expect(200);
    assert_eq!(quote.json["subtotal"], eur(50 * 9999 * 11 * DEAREST));
}

#[actix_web::test]
async fn of_lists_whose_dates_meet_one_counts_and_backward_dates_are_refused() {
    let shop = Shop::open().await;
    let mug = shop.thing(9, 1000).await;
    let at = |days: i64| (shop.clock.now() + chrono::TimeDelta::days(days)).to_rfc3339();
    let list = |name: &str, less: i32, priority: i32, from: i64, to: i64| {
        json!({ "name": name, "currency": "EUR", "kind": "percent", "adjust_ppm": -less, "priority": priority,
            "starts_at": at(from), "ends_at": at(to) })
    };
    let before = shop.digest().await;
    for (from, to) in [(3, 3), (3, 2), (0, -1)] {
        let body = list("Backwards", 1, 0, from, to);
        let answer = shop.owner_call("POST", "/admin/v1/price-lists").keyed().json(&body).send().await;
        answer.refused(422, "validation_failed").about("/ends_at");
    }
    assert_eq!(shop.digest().await, before);
    for body in
        [list("Ten", 100_000, 0, 1, 10), list("Half", 500_000, 0, 4, 6), list("Five", 50_000, 1, 5, 8)]
    {
        shop.owner_call("POST", "/admin/v1/price-lists").keyed().json(&body).send().await.expect(201);
    }
    let path = format!("/store/v1/variants/{}/price", mug.variant);
    let mut seen = Vec::new();
    shop.clock.advance(std::time::Duration::from_secs(3600));
    // A day each, from today. The higher priority counts; of the same, the lower price.
    for _ in 0..11 {
        let answer = shop.call("GET", &path).send().await.expect(200);
        let chosen = answer.json["considered"].as_array().unwrap().iter().filter(|one| one["chosen"] == true);
        assert_eq!(chosen.count(), usize::from(answer.json["source"] == "price_list"));
        seen.push(answer.json["unit_price"]["amount_minor"].as_i64().unwrap());
        shop.clock.advance(std::time::Duration::from_secs(86_400));
    }
    assert_eq!(seen, [1000, 900, 900, 900, 500, 950, 950, 950, 900, 900, 1000]);
}
