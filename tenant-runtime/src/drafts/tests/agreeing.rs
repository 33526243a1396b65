//! What staff agrees with somebody: lines, prices, discounts, delivery; and what cannot be agreed.

use serde_json::{Value, json};

use super::{drafted, edited, minor, offered, opened, pays, read, two_of};
use crate::testing::shop::{Shop, ada};

fn eur(minor: i64) -> Value {
    json!({ "amount_minor": minor, "currency": "EUR" })
}

/// Two mugs at 10.00 less a tenth, two engravings at 5.00, 3.00 off both, a van for 9.00.
fn agreement(variant: souk_kernel::VariantId) -> Value {
    json!({
        "lines": [
            { "variant": variant, "quantity": 2, "discount": { "title": "Chipped", "rate_ppm": 100_000 } },
            { "title": "Engraving", "sku": "ENGRAVE", "price": eur(500), "requires_shipping": false, "quantity": 2 },
        ],
        "email": "ada@example.com", "shipping_address": ada(), "note": "Ring twice",
        "discount": { "title": "For you", "amount": eur(300) },
        "shipping": { "title": "By van", "price": eur(900) }, "tags": ["phone", "Phone", "urgent"],
    })
}

#[actix_web::test]
async fn what_staff_agreed_is_what_is_paid_booked_and_sent() {
    let shop = Shop::open().await;
    let mug = shop.thing(5, 1000).await;
    let draft = drafted(&shop, agreement(mug.variant)).await;
    assert_eq!(draft.header("location"), format!("/admin/v1/draft-orders/{}", draft.text("/id")));
    let seen = &draft.json;
    assert_eq!(
        (&seen["state"], &seen["name"], &seen["missing"]),
        (&json!("open"), &json!("#D1"), &json!([]))
    );
    assert_eq!(seen["tags"], json!(["phone", "urgent"]));
    // 28.00 are left after the chip; 3.00 of them are shared out by largest remainder.
    let sums = ["subtotal", "discount", "tax", "total"].map(|name| minor(&seen[name]));
    assert_eq!(sums, [3000, 500, 544, 3400]);
    let lines: Vec<_> = (0..2)
        .map(|at| (minor(&seen["lines"][at]["discount"]), minor(&seen["lines"][at]["total"])))
        .collect();
    assert_eq!(lines, [(393, 1607), (107, 893)]);
    assert_eq!(
        (&seen["lines"][1]["variant"], &seen["lines"][1]["title"]),
        (&Value::Null, &json!("Engraving"))
    );
    assert_eq!(
        seen["lines"][0]["line_discount"],
        json!({ "title": "Chipped", "rate_ppm": 100_000, "amount": null })
    );
    assert_eq!((minor(&seen["shipping"]["price"]), &seen["shipping"]["by_hand"]), (900, &json!(true)));
    assert_eq!(shop.stock().await, "5/0/0", "nothing is kept without a word");

    let id = draft.text("/id");
    let secret = super::linked(&shop, &id).await;
    let bought = pays(&shop, (&id, &secret), 3400, "tok_ok").await.expect(201);
    assert_eq!((shop.taken().await, shop.stock().await.as_str()), ((3400, 0), "5/2/0"));
    let order = shop.order(&bought.text("/order/id")).await;
    let sums = ["subtotal", "discount", "shipping", "tax", "total"].map(|name| minor(&order[name]));
    assert_eq!(sums, [3000, 500, 900, 544, 3400]);
    assert_eq!((&order["note"], &order["financial_status"]), (&json!("Ring twice"), &json!("paid")));
    assert_eq!((&order["lines"][1]["variant"], &order["lines"][1]["product"]), (&Value::Null, &Value::Null));
    assert_eq!(order["shipping_lines"][0]["title"], "By van");
    let off: Vec<_> = order["discounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|off| (off["title"].clone(), minor(&off["amount"])))
        .collect();
    assert_eq!(off, [(json!("Chipped"), 200), (json!("For you"), 300)]);
    // 25.00 gross = 21.00 + 4.00 tax; of the 5.00 off, 4.20 are without tax.
    let books = (shop.balance_of("4000").await, shop.balance_of("4800").await, shop.balance_of("4100").await);
    assert_eq!((books, shop.balance_of("2200").await), ((-2520, 420, -756), -544));
    assert_eq!((shop.balance_of("1000").await, shop.balance_of("1100").await), (3400, 0));
    let told = shop.told().await;
    assert_eq!(told, ["draft_order.created", "draft_order.completed", "order.placed", "order.paid"]);
    let done = read(&shop, &id).await;
    assert_eq!((&done["state"], &done["order"]), (&json!("completed"), &order["id"]));

    // What staff made up is sent like the rest, and leaves no shelf; and money for it goes back without touching stock.
    let path = format!("/admin/v1/orders/{}", order["id"].as_str().unwrap());
    let lines = json!([{ "line": order["lines"][1]["id"], "quantity": 1, "stock": "restock" }]);
    let back = json!({ "lines": lines, "reason": "misspelt" });
    let back = shop.staff("POST", &format!("{path}/refunds"), Some(back)).await.expect(200);
    assert_eq!((minor(&back.json["refunds"][0]["amount"]), shop.stock().await.as_str()), (447, "5/2/0"));
    let sent = shop.staff("POST", &format!("{path}/fulfillments"), Some(json!({}))).await.expect(201);
    let pieces: Vec<_> =
        sent.json["lines"].as_array().unwrap().iter().map(|line| line["quantity"].clone()).collect();
    assert_eq!((pieces, shop.stock().await.as_str()), (vec![json!(2), json!(1)], "3/0/0"));
    assert_eq!(shop.order(order["id"].as_str().unwrap()).await["fulfillment_status"], "fulfilled");
    assert_eq!(shop.unexplained_levels().await, 0);
}

#[actix_web::test]
async fn prices_stay_as_they_were_when_the_line_was_written() {
    let shop = Shop::open().await;
    let mug = shop.thing(5, 1000).await;
    let (id, secret) = offered(&shop, two_of(mug)).await;
    shop.admin("UPDATE {s}.prices SET amount_minor = 1500").await;
    assert_eq!(minor(&opened(&shop, &id, &secret).await.expect(200).json["total"]), 2490);
    let noted = edited(&shop, &id, "\"1\"", &json!({ "note": "Call first" })).await.expect(200);
    assert_eq!((minor(&noted.json["total"]), noted.header("etag")), (2490, "\"2\""));
    // Written again, they get today's, or the one that is named.
    let lines = json!({ "lines": [{ "variant": mug.variant, "quantity": 1 }, { "variant": mug.variant, "quantity": 1, "price": eur(1) }] });
    let anew = edited(&shop, &id, "\"2\"", &lines).await.expect(200);
    let prices: Vec<_> = (0..2).map(|at| minor(&anew.json["lines"][at]["unit_price"])).collect();
    assert_eq!((prices, minor(&anew.json["total"])), (vec![1500, 1], 1991));
    // Whoever looked at the old total is not charged the new one.
    let whole = shop.digest().await;
    let late = pays(&shop, (&id, &secret), 2490, "tok_ok").await.refused(409, "price_changed");
    assert_eq!((minor(&late.json["total"]), shop.digest().await), (1991, whole));
    pays(&shop, (&id, &secret), 1991, "tok_ok").await.expect(201);
    assert_eq!((shop.taken().await, shop.stock().await.as_str()), ((1991, 0), "5/2/0"));
}

#[actix_web::test]
async fn what_cannot_be_agreed_is_said_where_it_stands() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let mug = shop.thing(5, 1000).await;
    let line = |line: Value| json!({ "lines": [line] });
    let (past, far) = ("2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z");
    let unknown = (souk_kernel::VariantId::new(), souk_kernel::CustomerId::new());
    let whole = shop.digest().await;
    for (wish, pointer) in [
        (line(json!({ "quantity": 1 })), "/lines/0"),
        (line(json!({ "variant": mug.variant, "title": "Both", "quantity": 1 })), "/lines/0"),
        (line(json!({ "variant": unknown.0, "quantity": 1 })), "/lines/0/variant"),
        (line(json!({ "variant": mug.variant, "taxable": false, "quantity": 1 })), "/lines/0/taxable"),
        (line(json!({ "variant": mug.variant, "quantity": 0 })), "/lines/0/quantity"),
        (line(json!({ "variant": mug.variant, "quantity": 10_000 })), "/lines/0/quantity"),
        (line(json!({ "title": "Work", "quantity": 1 })), "/lines/0/price"),
        (line(json!({ "title": "Work", "price": eur(-1), "quantity": 1 })), "/lines/0/price"),
        (
            line(
                json!({ "title": "Work", "price": { "amount_minor": 1, "currency": "CHF" }, "quantity": 1 }),
            ),
            "/lines/0/price",
        ),
        (line(json!({ "title": "Work", "price": eur(i64::MAX), "quantity": 2 })), "/lines"),
        (line(json!({ "variant": mug.variant, "quantity": 1, "discount": {} })), "/lines/0/discount"),
        (json!({ "discount": { "rate_ppm": 1_000_001 } }), "/discount/rate_ppm"),
        (json!({ "discount": { "amount": eur(0) } }), "/discount/amount"),
        (json!({ "shipping": { "title": "Van" } }), "/shipping"),
        (json!({ "shipping": { "title": "Van", "price": eur(-1) } }), "/shipping/price"),
        (json!({ "shipping": { "rate": souk_kernel::ShippingRateId::new() } }), "/shipping/rate"),
        (json!({ "customer": unknown.1 }), "/customer"),
        (json!({ "valid_until": past }), "/valid_until"),
        (json!({ "valid_until": far }), "/valid_until"),
        (json!({ "reserve_until": past }), "/reserve_until"),
        (json!({ "reserve_until": far }), "/reserve_until"),
        (json!({ "tags": (0..51).map(|number| number.to_string()).collect::<Vec<_>>() }), "/tags"),
    ] {
        let refused = shop.staff("POST", "/admin/v1/draft-orders", Some(wish)).await;
        refused.refused(422, "validation_failed").about(pointer);
    }
    let many: Vec<_> = (0..501).map(|_| json!({ "title": "Nail", "price": eur(1), "quantity": 1 })).collect();
    let many = shop.staff("POST", "/admin/v1/draft-orders", Some(json!({ "lines": many }))).await;
    many.refused(422, "validation_failed").about("/lines");
    let misspelt = shop.staff("POST", "/admin/v1/draft-orders", Some(json!({ "prices": [] }))).await;
    misspelt.refused(422, "unknown_field").about("/prices");
    assert_eq!(shop.digest().await, whole);
}

#[actix_web::test]
async fn whoever_writes_late_has_to_look_first() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let id = drafted(&shop, two_of(shop.thing(5, 1000).await)).await.text("/id");
    let path = format!("/admin/v1/draft-orders/{id}");
    let note = json!({ "note": "mine" });
    edited(&shop, &id, "\"1\"", &json!({ "note": "first" })).await.expect(200);
    let whole = shop.digest().await;
    shop.owner_call("PATCH", &path).json(&note).send().await.refused(428, "precondition_required");
    edited(&shop, &id, "\"1\"", &note).await.refused(412, "precondition_failed");
    assert_eq!(shop.digest().await, whole);
    let cleared = json!({ "email": null, "note": null, "shipping": { "title": "Van", "price": eur(0) } });
    let cleared = edited(&shop, &id, "\"2\"", &cleared).await.expect(200).json;
    assert_eq!(
        (&cleared["email"], &cleared["note"], minor(&cleared["total"])),
        (&Value::Null, &json!(""), 2000)
    );
    assert_eq!(cleared["missing"], json!(["email"]));
    // The same key is the same draft order.
    let (key, body) = (super::key(), two_of(shop.thing(5, 1000).await));
    let once =
        || shop.owner_call("POST", "/admin/v1/draft-orders").header("idempotency-key", &key).json(&body);
    let (first, second) = (once().send().await.expect(201), once().send().await.expect(201));
    assert_eq!((first.bytes, second.header("idempotent-replayed")), (second.bytes.clone(), "true"));
    assert_eq!(shop.number("SELECT count(*) AS number FROM draft_orders").await, 2);
}

#[actix_web::test]
async fn they_are_found_by_state_tag_number_and_whom_they_are_for() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let mug = shop.thing(5, 1000).await;
    let mut ids = Vec::new();
    for (email, tags) in [
        ("ada@example.com", vec!["phone"]),
        ("grace@example.com", vec!["phone", "fair"]),
        ("ada@example.com", vec![]),
    ] {
        let mut wish = two_of(mug);
        (wish["email"], wish["tags"]) = (json!(email), json!(tags));
        ids.push(drafted(&shop, wish).await.text("/id"));
        shop.clock.advance(std::time::Duration::from_secs(1));
    }
    super::staff(&shop, &ids[0], "cancel", None).await.expect(200);
    let found = async |query: &str| -> Vec<usize> {
        let path = format!("/admin/v1/draft-orders?{query}");
        let page = shop.staff("GET", &path, None).await.expect(200);
        let place = |row: &Value| ids.iter().position(|id| row["id"] == json!(id)).unwrap();
        page.data().iter().map(place).collect()
    };
    assert_eq!(found("").await, [2, 1, 0]);
    assert_eq!(found("sort=created_at").await, [0, 1, 2]);
    assert_eq!(found("state=cancelled").await, [0]);
    assert_eq!(found("tag=phone").await, [1, 0]);
    assert_eq!(found("email=ADA@example.com&state=open").await, [2]);
    assert_eq!(found("q=%23D2").await, [1]);
    assert_eq!(found("q=grace").await, [1]);
    assert_eq!(found("q=%25").await, [0_usize; 0]);
    let first = shop.staff("GET", "/admin/v1/draft-orders?limit=2", None).await.expect(200);
    let next = format!("limit=2&after={}", first.text("/page/next"));
    assert_eq!((first.data().len(), found(&next).await), (2, vec![0]));
    shop.staff("GET", "/admin/v1/draft-orders?status=open", None).await.refused(422, "unknown_field");
}
