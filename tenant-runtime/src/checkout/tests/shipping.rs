//! What delivery costs by weight, pieces and total; and quotes that make nothing.

use serde_json::{Value, json};

use super::shop::{Shop, Thing, ada};

impl Shop {
    /// Germany has one zone with these rates.
    async fn delivers(&self, rates: Value) -> crate::testing::Answer {
        self.inner.admin("DELETE FROM {s}.shipping_zones").await;
        let body = json!({ "name": "Germany", "countries": ["DE"], "rates": rates });
        self.staff("POST", "/admin/v1/shipping-zones", Some(body)).await
    }

    async fn quotes(&self, body: Value) -> crate::testing::Answer {
        self.inner.send("POST", "/store/v1/quotes", Some(body.to_string().into_bytes()), &[]).await
    }
}

fn eur(minor: i64) -> Value {
    json!({ "amount_minor": minor, "currency": "EUR" })
}

fn basket(thing: Thing, quantity: u32) -> Value {
    json!({ "lines": [{ "variant": thing.variant, "quantity": quantity }], "shipping_address": ada() })
}

#[actix_web::test]
async fn delivery_by_weight_by_piece_and_free_from() {
    let shop = Shop::open().await;
    let mug = shop.thing(99, 1000).await;
    shop.inner.admin("UPDATE {s}.product_variants SET weight_grams = 400").await;
    let made = shop
        .delivers(json!([
            { "name": "Parcel", "price": eur(300), "per_kilogram": eur(100), "max_weight_grams": 5000, "min_days": 1, "max_days": 3 },
            { "name": "Pieces", "price": eur(100), "per_piece": eur(250), "free_from": eur(10_000) },
            { "name": "Freight", "price": eur(9900), "min_weight_grams": 5001 },
        ]))
        .await;
    assert_eq!(made.status, 201, "{}", made.json);
    // 400 g is one kilogram begun; 2.4 kg are three; 6 kg are freight, and from 100.00 on the pieces cost nothing.
    for (pieces, expected) in [
        (1, vec![("Pieces", 350), ("Parcel", 400)]),
        (6, vec![("Parcel", 600), ("Pieces", 1600)]),
        (12, vec![("Pieces", 0), ("Parcel", 800)]),
        (13, vec![("Pieces", 0), ("Freight", 9900)]),
    ] {
        let quote = shop.quotes(basket(mug, pieces)).await;
        assert_eq!(quote.status, 200, "{}", quote.json);
        let options: Vec<_> = (quote.json["shipping_options"].as_array().unwrap().iter())
            .map(|option| {
                (option["title"].as_str().unwrap(), option["price"]["amount_minor"].as_i64().unwrap())
            })
            .collect();
        assert_eq!(options, expected, "{pieces}");
        assert_eq!(quote.json["total"]["amount_minor"], i64::from(pieces) * 1000 + expected[0].1);
    }
    let quote = shop.quotes(basket(mug, 6)).await;
    assert_eq!(
        (&quote.json["shipping_options"][0]["min_days"], &quote.json["shipping_options"][0]["max_days"]),
        (&json!(1), &json!(3))
    );
}

#[actix_web::test]
async fn a_quote_makes_nothing_and_is_what_a_cart_would_cost() {
    let shop = Shop::open().await;
    let mug = shop.thing(3, 1000).await;
    let quote = shop.quotes(basket(mug, 5)).await;
    assert_eq!(
        (quote.status, &quote.json["warnings"][0]["code"]),
        (200, &json!("quantity_limited")),
        "{}",
        quote.json
    );
    assert_eq!(
        (&quote.json["lines"][0]["quantity"], &quote.json["total"]["amount_minor"]),
        (&json!(3), &json!(3490))
    );
    assert_eq!(
        shop.number("SELECT (SELECT count(*) FROM carts) + (SELECT count(*) FROM reservations) AS number")
            .await,
        0
    );
    let cart =
        shop.inner.send("POST", "/store/v1/carts", Some(basket(mug, 5).to_string().into_bytes()), &[]).await;
    for field in ["subtotal", "total", "tax", "tax_lines", "shipping_options", "discounts"] {
        assert_eq!(cart.json[field], quote.json[field], "{field}");
    }
    let unknown = json!({ "lines": [{ "variant": souk_kernel::VariantId::new(), "quantity": 1 }] });
    assert_eq!(shop.quotes(unknown).await.status, 422);
}

#[actix_web::test]
async fn a_rate_that_makes_no_sense_is_refused_whole() {
    let shop = Shop::open().await;
    for (wrong, pointer) in [
        (json!({ "min_weight_grams": 2, "max_weight_grams": 1 }), "/max_weight_grams"),
        (json!({ "max_weight_grams": -1 }), "/max_weight_grams"),
        (json!({ "per_piece": eur(-1) }), "/per_piece"),
        (json!({ "per_kilogram": { "amount_minor": 1, "currency": "CHF" } }), "/per_kilogram"),
        (json!({ "min_days": 5, "max_days": 2 }), "/max_days"),
        (json!({ "price": eur(i64::MAX) }), "/price"),
    ] {
        let mut rate = json!({ "name": "Parcel", "price": eur(300) });
        rate.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let answer = shop.delivers(json!([rate])).await;
        assert_eq!(
            (answer.status, answer.json["errors"][0]["pointer"].as_str()),
            (422, Some(pointer)),
            "{}",
            answer.json
        );
    }
    assert_eq!(shop.number("SELECT count(*) AS number FROM shipping_zones").await, 0);
}
