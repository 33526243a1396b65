//! Metafields over HTTP: defined, said, held to their definition, shown.

use serde_json::{Value, json};

use super::simple;
use crate::testing::{Answer, TestShop};

const PATH: &str = "/admin/v1/metafield-definitions";

async fn defined(shop: &TestShop, body: Value) -> Value {
    shop.owner_call("POST", PATH).keyed().json(&body).send().await.expect(201).json
}

async fn said(shop: &TestShop, of: &str, metafields: Value) -> Answer {
    let body = json!({ "metafields": metafields });
    shop.owner_call("PUT", &format!("/admin/v1/{of}/metafields")).json(&body).send().await
}

#[actix_web::test]
async fn what_is_defined_may_be_said_and_is_shown() {
    let shop = TestShop::open(None).await;
    let candle = simple(&shop, "Candle", 900).await;
    let (id, variant) = (candle["id"].as_str().unwrap(), candle["variants"][0]["id"].as_str().unwrap());
    assert_eq!(candle["metafields"], json!([]));
    let hours = json!({ "owner": "product", "key": "burning_time", "name": "Burning time", "kind": "integer", "limits": { "min": 1, "max": 120 } });
    let hours = defined(&shop, hours).await;
    assert_eq!(
        (&hours["namespace"], &hours["shown"], &hours["list"]),
        (&json!("custom"), &json!(true), &json!(false))
    );
    defined(&shop, json!({ "owner": "product", "namespace": "erp", "key": "cost_centre", "name": "Cost centre", "kind": "text", "shown": false })).await;
    defined(&shop, json!({ "owner": "product", "key": "scents", "name": "Scents", "kind": "text", "list": true, "limits": { "choices": ["fig", "rose"] } })).await;
    defined(&shop, json!({ "owner": "variant", "key": "colour", "name": "Colour", "kind": "color" })).await;
    defined(&shop, json!({ "owner": "collection", "key": "banner", "name": "Banner", "kind": "url" })).await;
    let of = format!("products/{id}");
    let now = said(
        &shop,
        &of,
        json!([
            { "key": "burning_time", "value": 40 },
            { "namespace": "erp", "key": "cost_centre", "value": "4711" },
            { "key": "scents", "value": ["rose", "fig"] },
        ]),
    )
    .await
    .expect(200);
    assert_eq!(now.header("etag"), "\"2\"");
    let all = json!([
        { "namespace": "custom", "key": "burning_time", "kind": "integer", "list": false, "value": 40 },
        { "namespace": "custom", "key": "scents", "kind": "text", "list": true, "value": ["rose", "fig"] },
        { "namespace": "erp", "key": "cost_centre", "kind": "text", "list": false, "value": "4711" },
    ]);
    assert_eq!(now.json["metafields"], all);
    // Of the variant, and of a collection.
    let green = json!([{ "key": "colour", "value": "#12ab9f" }]);
    let one = said(&shop, &format!("variants/{variant}"), green).await.expect(200);
    assert_eq!(one.json["metafields"][0]["value"], "#12ab9f");
    let made = shop
        .owner_call("POST", "/admin/v1/collections")
        .json(&json!({ "title": "Light" }))
        .send()
        .await
        .expect(201);
    let banner = json!([{ "key": "banner", "value": "https://example.com/light.jpg" }]);
    let light = said(&shop, &format!("collections/{}", made.text("/id")), banner).await.expect(200);
    assert_eq!(
        (&light.json["metafields"][0]["value"], light.header("etag")),
        (&json!("https://example.com/light.jpg"), "\"2\"")
    );
    // Shoppers see what is for them, for what a product costs to read anyway.
    let seen = shop.call("GET", "/store/v1/products/candle").send().await.expect(200);
    assert_eq!(seen.cost, (2, 1));
    assert_eq!(seen.json["metafields"], json!([all[0], all[1]]));
    assert_eq!(seen.json["variants"][0]["metafields"][0]["key"], "colour");
    let seen = shop.call("GET", "/store/v1/collections/light").send().await.expect(200);
    assert_eq!((&seen.json["metafields"][0]["key"], seen.cost), (&json!("banner"), (1, 1)));
    // Hidden later, changed, taken away.
    let path = format!("{PATH}/{}", hours["id"].as_str().unwrap());
    let hidden = json!({ "shown": false, "limits": { "min": 1, "max": 30 } });
    let changed =
        shop.owner_call("PATCH", &path).header("if-match", "\"1\"").json(&hidden).send().await.expect(200);
    assert_eq!((&changed.json["limits"], changed.header("etag")), (&json!({ "min": 1, "max": 30 }), "\"2\""));
    let seen = shop.call("GET", "/store/v1/products/candle").send().await.expect(200);
    assert_eq!(seen.json["metafields"], json!([all[1]]));
    said(&shop, &of, json!([{ "key": "burning_time", "value": 40 }])).await.refused(422, "validation_failed");
    let now =
        said(&shop, &of, json!([{ "key": "burning_time", "value": 30 }, { "key": "scents", "value": null }]))
            .await
            .expect(200);
    assert_eq!(
        (now.json["metafields"].as_array().unwrap().len(), &now.json["metafields"][0]["value"]),
        (2, &json!(30))
    );
    shop.owner_call("DELETE", &path).send().await.expect(204);
    shop.owner_call("DELETE", &path).send().await.refused(404, "not_found");
    let now = shop.owner_call("GET", &format!("/admin/v1/products/{id}")).send().await.expect(200);
    assert_eq!(now.json["metafields"], json!([all[2]]));
    shop.owner_call("DELETE", &format!("/admin/v1/products/{id}")).send().await.expect(204);
    assert_eq!(shop.number("SELECT count(*) AS number FROM metafields").await, 1);
}

#[actix_web::test]
async fn what_does_not_fit_is_refused_at_its_place() {
    let shop = TestShop::open(None).await;
    let candle = simple(&shop, "Candle", 900).await;
    let of = format!("products/{}", candle["id"].as_str().unwrap());
    for (key, kind) in [
        ("text", "text"),
        ("long", "long_text"),
        ("number", "integer"),
        ("exact", "decimal"),
        ("flag", "boolean"),
        ("day", "date"),
        ("time", "date_time"),
        ("link", "url"),
        ("paint", "color"),
        ("any", "json"),
    ] {
        defined(&shop, json!({ "owner": "product", "key": key, "name": key, "kind": kind })).await;
    }
    let deep = json!("x".repeat(65_600));
    for (key, good, bad) in [
        ("text", json!("one line"), vec![json!(1), json!(""), json!("two\nlines"), json!("x".repeat(256))]),
        ("long", json!("two\nlines"), vec![json!(true), json!("x".repeat(50_001))]),
        ("number", json!(-7), vec![json!("7"), json!(1.5), json!(1e30)]),
        (
            "exact",
            json!("-12.50"),
            vec![json!(1.5), json!("1e3"), json!("."), json!("1."), json!("--1"), json!("1".repeat(19))],
        ),
        ("flag", json!(false), vec![json!("false"), json!(0)]),
        ("day", json!("2026-02-28"), vec![json!("2026-02-29"), json!("28.02.2026"), json!("+2026-02-28")]),
        ("time", json!("2026-02-28T10:00:00+01:00"), vec![json!("2026-02-28"), json!("10:00")]),
        (
            "link",
            json!("mailto:ada@example.com"),
            vec![json!("javascript:alert(1)"), json!("/relative"), json!("ftp://x")],
        ),
        ("paint", json!("#00FF99"), vec![json!("red"), json!("#0f9"), json!("#00FF9G")]),
        ("any", json!({ "a": [1, null] }), vec![deep]),
    ] {
        let before = shop.digest().await;
        for value in bad {
            said(&shop, &of, json!([{ "key": key, "value": value }]))
                .await
                .refused(422, "validation_failed")
                .about("/metafields/0/value");
        }
        assert_eq!(shop.digest().await, before, "{key}");
        let now = said(&shop, &of, json!([{ "key": key, "value": good }])).await.expect(200);
        assert_eq!(now.json["metafields"][0]["value"], good);
        said(&shop, &of, json!([{ "key": key, "value": null }])).await.expect(200);
    }
    let before = shop.digest().await;
    let twice = json!([{ "key": "flag", "value": true }, { "key": "flag", "value": false }]);
    said(&shop, &of, twice).await.refused(422, "validation_failed").about("/metafields/1/key");
    said(&shop, &of, json!([{ "key": "nobody", "value": 1 }]))
        .await
        .refused(422, "validation_failed")
        .about("/metafields/0/key");
    said(&shop, "products/prd_01h455vb4pex5vsknk084sn02q", json!([])).await.refused(404, "not_found");
    for (body, pointer) in [
        (json!({ "owner": "product", "key": "X", "name": "x", "kind": "text" }), "/key"),
        (
            json!({ "owner": "product", "namespace": "no spaces", "key": "xx", "name": "x", "kind": "text" }),
            "/namespace",
        ),
        (
            json!({ "owner": "product", "key": "xx", "name": "x", "kind": "boolean", "limits": { "min": 1 } }),
            "/limits",
        ),
        (
            json!({ "owner": "product", "key": "xx", "name": "x", "kind": "integer", "limits": { "min": 2, "max": 1 } }),
            "/limits/min",
        ),
        (
            json!({ "owner": "product", "key": "xx", "name": "x", "kind": "url", "limits": { "choices": ["a"] } }),
            "/limits/choices",
        ),
    ] {
        shop.owner_call("POST", PATH)
            .json(&body)
            .send()
            .await
            .refused(422, "validation_failed")
            .about(pointer);
    }
    let again = json!({ "owner": "product", "key": "flag", "name": "x", "kind": "text" });
    shop.owner_call("POST", PATH).json(&again).send().await.refused(409, "metafield_defined").about("/key");
    let path = format!("/admin/v1/{of}/metafields");
    let late = shop.owner_call("PUT", &path).header("if-match", "\"99\"").json(&json!({ "metafields": [] }));
    late.send().await.refused(412, "precondition_failed");
    shop.call("PUT", &path).json(&json!({ "metafields": [] })).send().await.refused(401, "unauthenticated");
    assert_eq!(shop.digest().await, before);
}
