//! Settings over HTTP.

use serde_json::json;

use crate::testing::{Answer, TestShop};

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
        assert!(told(&answer, "ratelimit-policy").contains(&"\"caller\";q=6;w=60"), "{path}");
        let standing = told(&answer, "ratelimit");
        assert!(standing.iter().any(|text| text.starts_with("\"caller\";r=")), "{path}: {standing:?}");
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

/// What each limit says of itself in a header.
fn told<'a>(answer: &'a Answer, header: &str) -> Vec<&'a str> {
    answer.headers.get_all(header).map(|value| value.to_str().unwrap()).collect()
}

#[actix_web::test]
async fn a_store_answers_as_often_as_its_plan_says_now() {
    let shop = TestShop::limited(None, 30).await;
    shop.on_plan(&json!({ "id": "of tomorrow", "limits": { "requests_per_second": 1 } })).await;
    let ask = async |caller: usize| {
        let address = format!("203.0.113.{caller}");
        shop.call("GET", "/").header("x-forwarded-for", &address).send().await
    };
    // Sixty in a minute, whoever asks; nobody asks more than one caller may.
    for request in 0..60 {
        let answer = ask(request / 30).await.expect(200);
        assert!(told(&answer, "ratelimit-policy").contains(&"\"store\";q=60;w=60"));
    }
    // While this was asked some seconds may have passed, and each brings one back.
    let mut refused = None;
    for request in 60..90 {
        let answer = ask(request / 30).await;
        if answer.status != 200 {
            refused = Some(answer.refused(429, "too_many_requests"));
            break;
        }
    }
    let refused = refused.expect("one store's crowd is bounded");
    assert_eq!(refused.json["detail"], "the limit \"store\" is 60 requests in 60 seconds");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
    // The caller's is counted before, and told; the store's is the one that is used up.
    assert!(told(&refused, "ratelimit-policy").contains(&"\"store\";q=60;w=60"));
    let standing = told(&refused, "ratelimit");
    assert!(standing.iter().any(|text| text.starts_with("\"store\";r=0;")), "{standing:?}");
    // A larger plan, without a new process.
    shop.on_plan(&json!({ "id": "growth" })).await;
    let answer = ask(3).await.expect(200);
    assert!(told(&answer, "ratelimit-policy").contains(&"\"store\";q=60000;w=60"));
}

#[actix_web::test]
async fn a_store_may_ask_no_less_than_one_caller() {
    let shop = TestShop::limited(None, 90).await;
    shop.on_plan(&json!({ "id": "of tomorrow", "limits": { "requests_per_second": 1 } })).await;
    let answer = shop.call("GET", "/").send().await.expect(200);
    assert!(told(&answer, "ratelimit-policy").contains(&"\"store\";q=90;w=60"));
}

#[actix_web::test]
async fn a_quota_is_one_however_the_host_is_written() {
    let shop = TestShop::limited(None, 6).await;
    let (plain, loud) = (shop.store.host.clone(), shop.store.host.to_uppercase());
    let spelled = [
        plain.clone(),
        loud.clone(),
        format!("{plain}:1"),
        format!("{plain}:65535"),
        format!("{loud}:080"),
        plain.clone(),
    ];
    for host in &spelled {
        shop.call("GET", "/store/v1/products").host(host).send().await.expect(200);
    }
    for host in [&plain, &format!("{loud}:2")] {
        let call = shop.call("GET", "/store/v1/products").host(host);
        call.send().await.refused(429, "too_many_requests");
    }
    // Names of no store, invented one after the other, are one as well, and take nothing from the store.
    for number in 0..6 {
        let call = shop.call("GET", "/store/v1/products").host(&format!("no-store-{number}.example"));
        call.send().await.refused(404, "store_unknown");
    }
    for host in ["no-store-6.example", "no name at all", "also_none"] {
        let call = shop.call("GET", "/store/v1/products").host(host);
        call.send().await.refused(429, "too_many_requests");
    }
}

#[actix_web::test]
async fn a_key_has_one_quota_from_everywhere_and_however_it_is_shown() {
    let shop = TestShop::limited(None, 6).await;
    let owner = shop.owner();
    let shown = |number: usize| match number % 3 {
        0 => format!("Bearer {owner}"),
        1 => format!("bearer   {owner}"),
        _ => format!("BEARER {owner}"),
    };
    let ask = async |number: usize| {
        let call = shop.call("GET", "/admin/v1/orders").header("authorization", &shown(number));
        call.header("x-forwarded-for", &format!("203.0.113.{number}")).send().await
    };
    for number in 0..6 {
        ask(number).await.expect(200);
    }
    for number in 6..9 {
        ask(number).await.refused(429, "too_many_requests");
    }
}

/// What every answer carries, whatever it is.
const GUARDS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("x-frame-options", "DENY"),
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
];

#[actix_web::test]
async fn every_answer_carries_all_guards_and_insists_on_https_where_it_came_by_it() {
    let shop = TestShop::open(None).await;
    for (path, status) in [
        ("/", 200),
        ("/store/v1/store", 200),
        ("/nowhere", 404),
        ("/admin/v1/orders", 401),
        ("/%61dmin/v1/orders", 400),
    ] {
        let answer = shop.call("GET", path).send().await.expect(status);
        for (name, value) in GUARDS {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert!(!answer.headers.contains_key("strict-transport-security"), "{path} came by plain HTTP");
        let answer = shop.call("GET", path).header("x-forwarded-proto", "https").send().await.expect(status);
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{path}");
    }
    let answer = shop.call("GET", "/admin/v1/orders").send().await;
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[actix_web::test]
async fn a_path_is_spelled_in_one_way() {
    let shop = TestShop::open(None).await;
    let origin = "https://any.example";
    for (method, path) in [
        ("GET", "/store/v1/orders%3Alook-up?number=1001&secret=x"),
        ("GET", "/store/v1/orders%3alook-up?number=1001&secret=x"),
        ("GET", "/store/v1/orders:look%2Dup?number=1001&secret=x"),
        ("GET", "/%61dmin/v1/orders"),
        ("OPTIONS", "/%61dmin/v1/orders"),
        ("PATCH", "/admin/v1/%73ettings"),
        ("DELETE", "/admin/v1/products/prd%5F01h455vb4pex5vsknk084sn02q"),
    ] {
        let call = shop.owner_call(method, path).header("origin", origin);
        let answer = call.header("access-control-request-method", "GET").send().await;
        let answer = answer.refused(400, "bad_request");
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{method} {path}");
    }
    // What somebody named may be encoded: it is found, or not, under what it means.
    for path in ["/store/v1/products/caf%C3%A9", "/store/v1/products/a%2Fb%40c%20d"] {
        shop.call("GET", path).send().await.refused(404, "not_found");
    }
    // As it is meant to be spelled it is counted, and refused to pages of other origins.
    let answer = shop.call("GET", "/store/v1/orders:look-up?number=1001&secret=x").send().await;
    let answer = answer.refused(404, "not_found");
    let told = answer.headers.get_all("ratelimit-policy").any(|it| it.to_str().unwrap().contains("look_up"));
    assert!(told, "{:?}", answer.headers);
    let answer = shop.owner_call("GET", "/admin/v1/orders").header("origin", origin).send().await.expect(200);
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
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
            "reservation_minutes": 15, "order_prefix": "#", "terms_required": false, "version": 1,
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
            "contact_email": "owner@example.com", "prices_include_tax": true, "terms_required": false,
        })
    );
    shop.call("GET", "/store/v1/store")
        .header("if-none-match", store.header("etag"))
        .send()
        .await
        .expect(304);
}
