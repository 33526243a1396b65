//! Tax rates over HTTP.

use serde_json::{Value, json};

use crate::testing::TestShop;

const PATH: &str = "/admin/v1/tax-rates";

fn rates(answer: &crate::testing::Answer) -> Vec<(String, i64, bool)> {
    let rate = |rate: &Value| {
        let name = rate["name"].as_str().unwrap().to_owned();
        (name, rate["rate_ppm"].as_i64().unwrap(), rate["valid_to"].is_null())
    };
    answer.data().iter().map(rate).collect()
}

#[actix_web::test]
async fn a_new_rate_ends_the_one_before_and_carts_pay_it_at_once() {
    let shop = TestShop::open(None).await;
    let seeded =
        shop.owner_call("GET", "/admin/v1/tax-rates?country=DE&in_force=true").send().await.expect(200);
    assert_eq!(
        (seeded.data().len(), seeded.data()[0]["rate_ppm"].as_i64(), seeded.cost),
        (1, Some(190_000), (1, 1))
    );
    shop.clock.advance(std::time::Duration::from_secs(1));
    let body = json!({ "country": "DE", "name": "MwSt", "rate_ppm": 200_000 });
    let made = shop.owner_call("POST", PATH).json(&body).send().await.expect(201);
    assert_eq!(
        (&made.json["reason"], &made.json["province"], &made.json["valid_to"]),
        (&json!("standard_rated"), &json!(null), &json!(null))
    );
    let all = shop.owner_call("GET", "/admin/v1/tax-rates?country=DE").send().await.expect(200);
    assert_eq!(
        rates(&all).iter().map(|rate| (rate.1, rate.2)).collect::<Vec<_>>(),
        [(200_000, true), (190_000, false)]
    );
    assert_eq!(all.data()[1]["valid_to"], made.json["valid_from"]);
    // A province adds to its country.
    let body = json!({ "country": "DE", "province": "BY", "name": "Bier", "rate_ppm": 10_000 });
    shop.owner_call("POST", PATH).json(&body).send().await.expect(201);
    // Ended: what is sold from now on does not pay it.
    let id = made.text("/id");
    shop.owner_call("DELETE", &format!("{PATH}/{id}")).send().await.expect(204);
    shop.owner_call("DELETE", &format!("{PATH}/{id}")).send().await.refused(404, "not_found");
    let left =
        shop.owner_call("GET", "/admin/v1/tax-rates?country=DE&in_force=true").send().await.expect(200);
    assert_eq!(rates(&left), [("Bier".to_owned(), 10_000, true)]);
}

#[actix_web::test]
async fn a_rate_begins_when_it_says() {
    let shop = TestShop::open(None).await;
    let from = (shop.clock.now() + chrono::TimeDelta::days(30)).to_rfc3339();
    let body = json!({ "country": "FR", "name": "TVA", "rate_ppm": 210_000, "valid_from": from });
    shop.owner_call("POST", PATH).json(&body).send().await.expect(201);
    let in_force = async || {
        let answer =
            shop.owner_call("GET", "/admin/v1/tax-rates?country=FR&in_force=true").send().await.expect(200);
        rates(&answer).iter().map(|rate| rate.1).collect::<Vec<_>>()
    };
    let before = in_force().await;
    assert!(!before.contains(&210_000));
    shop.clock.advance(std::time::Duration::from_secs(31 * 86_400));
    assert_eq!(in_force().await, [210_000]);
}

#[actix_web::test]
async fn a_rate_that_contradicts_itself_changes_nothing() {
    let shop = TestShop::open(None).await;
    let before = shop.digest().await;
    for (pointer, body) in [
        ("/rate_ppm", json!({ "country": "DE", "name": "x", "rate_ppm": 1_000_001 })),
        ("/rate_ppm", json!({ "country": "DE", "name": "x", "rate_ppm": -1 })),
        ("/rate_ppm", json!({ "country": "DE", "name": "x", "rate_ppm": 1, "reason": "export" })),
        ("/country", json!({ "country": "DEU", "name": "x", "rate_ppm": 1 })),
        ("/name", json!({ "country": "DE", "rate_ppm": 1 })),
        ("/reason", json!({ "country": "DE", "name": "x", "rate_ppm": 1, "reason": "because" })),
        (
            "/valid_from",
            json!({ "country": "DE", "name": "x", "rate_ppm": 1, "valid_from": "2001-01-01T00:00:00Z" }),
        ),
    ] {
        shop.owner_call("POST", PATH)
            .json(&body)
            .send()
            .await
            .refused(422, "validation_failed")
            .about(pointer);
    }
    let extra = json!({ "country": "DE", "name": "x", "rate_ppm": 1, "rate": 19 });
    shop.owner_call("POST", PATH).json(&extra).send().await.refused(422, "unknown_field").about("/rate");
    shop.owner_call("GET", "/admin/v1/tax-rates?land=DE").send().await.refused(422, "unknown_field");
    shop.owner_call("DELETE", "/admin/v1/tax-rates/trt_01h455vb4pex5vsknk084sn02q")
        .send()
        .await
        .refused(404, "not_found");
    shop.call("GET", PATH).send().await.refused(401, "unauthenticated");
    shop.call("POST", PATH).json(&extra).send().await.refused(401, "unauthenticated");
    assert_eq!(shop.digest().await, before);
}
