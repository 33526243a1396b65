//! Settings over HTTP.

use serde_json::json;

use crate::testing::TestShop;

#[actix_web::test]
async fn the_first_address_says_where_things_are() {
    let shop = TestShop::open(None).await;
    let index = shop.call("GET", "/").send().await.expect(200);
    assert_eq!(
        index.json,
        json!({
            "store": shop.store.id, "name": "Test shop", "docs": "/docs", "openapi": "/openapi.json",
            "storefront": {
                "store": "/store/v1/store", "products": "/store/v1/products", "collections": "/store/v1/collections",
                "carts": "/store/v1/carts", "checkout_sessions": "/store/v1/checkout-sessions",
            },
            "admin": "/admin/v1",
        })
    );
    assert!(index.header("link").contains("</openapi.json>; rel=\"service-desc\""));
    assert_eq!(index.cost, (0, 0));
    for path in ["docs", "openapi"] {
        shop.call("GET", &index.text(&format!("/{path}"))).send().await.expect(200);
    }
    for path in ["store", "products", "collections"] {
        shop.call("GET", &index.text(&format!("/storefront/{path}"))).send().await.expect(200);
    }
    // The others make something; who only looks is told so.
    for path in ["carts", "checkout_sessions"] {
        shop.call("GET", &index.text(&format!("/storefront/{path}")))
            .send()
            .await
            .refused(405, "method_not_allowed");
    }
}

#[actix_web::test]
async fn every_answer_is_named_limited_and_guarded() {
    let shop = TestShop::limited(None, 6).await;
    for (path, status) in
        [("/", 200), ("/store/v1/products", 200), ("/nowhere", 404), ("/admin/v1/orders", 401)]
    {
        let answer = shop.call("GET", path).header("x-request-id", "abc-123").send().await.expect(status);
        assert_eq!(answer.header("x-request-id"), "abc-123", "{path}");
        assert_eq!(answer.header("ratelimit-policy"), "\"caller\";q=6;w=60", "{path}");
        assert!(answer.header("ratelimit").starts_with("\"caller\";r="), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
    let minted = shop.call("GET", "/").header("x-request-id", "not one\tword").send().await.expect(200);
    assert!(minted.header("x-request-id").starts_with("req_"));
    shop.call("GET", "/").send().await.expect(200);
    let refused = shop.call("GET", "/").send().await.refused(429, "too_many_requests");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert!(refused.header("ratelimit").starts_with("\"caller\";r=0;"), "{}", refused.header("ratelimit"));
    // A proxy of ours brings many: each of them has a quota of its own.
    shop.call("GET", "/").header("x-forwarded-for", "203.0.113.7").send().await.expect(200);
}

#[actix_web::test]
async fn settings_change_only_for_who_has_seen_them() {
    let shop = TestShop::open(None).await;
    let path = "/admin/v1/settings";
    let seen = shop.owner_call("GET", path).send().await.expect(200);
    assert_eq!(
        seen.json,
        json!({
            "name": "Test shop", "country": "DE", "currency": "EUR", "locale": "en", "time_zone": "UTC",
            "contact_email": "owner@example.com", "prices_include_tax": true, "tax_rounding": "half_up", "tax_level": "line",
            "reservation_minutes": 15, "order_prefix": "#", "version": 1,
        })
    );
    assert_eq!((seen.header("etag"), seen.cost), ("\"1\"", (1, 1)));
    shop.owner_call("GET", path).header("if-none-match", "\"1\"").send().await.expect(304);

    let wish =
        json!({ "name": "Acme Mugs", "tax_level": "unit", "reservation_minutes": 60, "order_prefix": "A-" });
    let before = shop.digest().await;
    shop.owner_call("PATCH", path).json(&wish).send().await.refused(428, "precondition_required");
    shop.owner_call("PATCH", path)
        .header("if-match", "\"2\"")
        .json(&wish)
        .send()
        .await
        .refused(412, "precondition_failed");
    for (pointer, wrong) in [
        ("/reservation_minutes", json!({ "reservation_minutes": 61 })),
        ("/time_zone", json!({ "time_zone": "Berlin" })),
        ("/locale", json!({ "locale": "de_DE" })),
        ("/name", json!({ "name": "" })),
        ("/country", json!({ "country": "XX" })),
        ("/tax_rounding", json!({ "tax_rounding": "up" })),
    ] {
        let refused = shop.owner_call("PATCH", path).header("if-match", "\"1\"").json(&wrong).send().await;
        refused.refused(422, "validation_failed").about(pointer);
    }
    let currency =
        shop.owner_call("PATCH", path).header("if-match", "\"1\"").json(&json!({ "currency": "USD" }));
    currency.send().await.refused(422, "unknown_field").about("/currency");
    shop.call("GET", path).send().await.refused(401, "unauthenticated");
    shop.call("PATCH", path)
        .header("if-match", "\"1\"")
        .json(&wish)
        .send()
        .await
        .refused(401, "unauthenticated");
    assert_eq!(shop.digest().await, before);

    let changed =
        shop.owner_call("PATCH", path).header("if-match", "\"1\"").json(&wish).send().await.expect(200);
    let mut expected = seen.json.clone();
    for (name, value) in wish.as_object().unwrap() {
        expected[name] = value.clone();
    }
    expected["version"] = json!(2);
    assert_eq!((&changed.json, changed.header("etag")), (&expected, "\"2\""));
    // Shoppers see the part that is theirs.
    let store = shop.call("GET", "/store/v1/store").send().await.expect(200);
    assert_eq!(
        store.json,
        json!({
            "name": "Acme Mugs", "country": "DE", "currency": "EUR", "locale": "en", "time_zone": "UTC",
            "contact_email": "owner@example.com", "prices_include_tax": true,
        })
    );
    shop.call("GET", "/store/v1/store")
        .header("if-none-match", store.header("etag"))
        .send()
        .await
        .expect(304);
}
