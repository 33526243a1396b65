//! The application as a whole: its document, its policy, its manners.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::app;
use crate::testing::house;

#[test]
fn the_committed_document_is_the_generated_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi/control-plane.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == app::openapi(), "run `make generate`");
}

#[test]
fn every_operation_is_described() {
    let document: Value = serde_json::from_str(app::openapi()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let at = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{at} has no summary");
            assert!(names.insert(operation["operationId"].to_string()), "{at} repeats an operationId");
            assert!(operation["responses"]["4XX"].is_object(), "{at} tells no problem");
            assert!(operation["security"].is_array(), "{at} says nothing about credentials");
        }
    }
    assert!(names.len() > 35);
}

#[test]
fn no_code_means_two_things() {
    assert_eq!(souk_api::problem::duplicate_codes(crate::problems::CATALOGUES), Vec::<&str>::new());
}

#[actix_web::test]
async fn every_answer_is_named_and_hardened() {
    let house = house().await;
    let answer =
        house.get("/nowhere").header("x-request-id", "mine-1").send().await.refused(404, "not_found");
    assert_eq!(
        (answer.header("x-request-id"), answer.json()["request_id"].as_str()),
        ("mine-1", Some("mine-1"))
    );
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let wrong = house.delete("/v1/accounts").send().await;
    assert!(wrong.status == 404 || wrong.status == 405, "{}", wrong.status);
    let plans = house.get("/v1/plans").send().await.expect(200).json();
    assert_eq!(
        (plans["data"][0]["id"].as_str(), plans["data"][0]["max_stores"].as_i64()),
        (Some("free"), Some(3))
    );
    house.get("/docs").send().await.expect(200);
    assert_eq!(house.get("/openapi.json").send().await.expect(200).text, app::openapi());
    let post = house.post("/v1/sessions").header("content-type", "text/plain").send().await;
    post.refused(415, "unsupported_media_type");
}
