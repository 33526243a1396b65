//! The application as a whole: its document, its policy, its manners.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use souk_kernel::RequestId;

use crate::app;
use crate::testing::{Database, PASSWORD, clock, house, house_alone};

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
            let name = operation["operationId"].as_str().unwrap();
            assert!(
                names.insert(name.to_owned()) && !name.contains('_'),
                "{at}: {name} is there twice or is not camelCase"
            );
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
async fn every_answer_carries_all_guards_and_insists_on_https_where_it_is_spoken() {
    let plain = house().await;
    let secure = house_alone(clock(), |settings| settings.public_url = "https://souk.example".into()).await;
    for (path, status) in [("/v1/plans", 200), ("/nowhere", 404), ("/v1/account", 401), ("/v1/%70lans", 400)]
    {
        let answer = plain.get(path).header("x-forwarded-proto", "https").send().await.expect(status);
        for (name, value) in GUARDS {
            assert_eq!(answer.header(name), value, "{path}");
        }
        // Nobody of ours stands in front, so what is said of HTTPS is not believed.
        assert!(!answer.headers.contains_key("strict-transport-security"), "{path}");
        let answer = secure.get(path).send().await.expect(status);
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{path}");
    }
    assert_eq!(plain.get("/v1/account").send().await.header("cache-control"), "no-store");
    if let Database::Own(database) = secure.database {
        drop((secure.doors, secure.plane));
        database.remove().await;
    }
}

#[actix_web::test]
async fn a_path_is_spelled_in_one_way() {
    let house = house().await;
    let ada = house.newcomer().await;
    for path in ["/%761/account", "/v1/%61ccount", "/v1/organizations/org%5Fx/audit-entries%3Averify"] {
        let answer = house.get(path).by(&ada).send().await.refused(400, "bad_request").json();
        assert_eq!(answer["instance"], path);
        assert!(answer["hint"].as_str().unwrap().ends_with(" as it is."), "{answer}");
    }
    house.get("/v1/account").by(&ada).send().await.expect(200);
    house.get("/v1/organizations/a%2Fb%40c").by(&ada).send().await.refused(404, "not_found");
}

/// What the way to a store costs the database, exactly: whoever adds a statement changes a number here.
#[actix_web::test]
async fn the_way_in_costs_so_many_statements() {
    let house = house().await;
    let email = format!("{}@example.com", RequestId::new().suffix());
    let mut costs = Vec::new();
    let wish = json!({ "email": email, "password": PASSWORD, "name": "Ada Lovelace" });
    costs.push(("sign up", house.post("/v1/accounts").body(&wish).send().await.expect(202).cost));
    let wish = json!({ "email": email, "password": PASSWORD });
    let signed_in = house.post("/v1/sessions").body(&wish).send().await.expect(201);
    costs.push(("sign in", signed_in.cost));
    let bearer = format!("Bearer {}", signed_in.json()["access_token"].as_str().unwrap());
    let wish = json!({ "email": email, "password": "not the right one" });
    let refused = house.post("/v1/sessions").body(&wish).send().await.refused(401, "wrong_credentials");
    costs.push(("a wrong password", refused.cost));
    let looked = house.get("/v1/account").header("authorization", &bearer).send().await.expect(200);
    costs.push(("a token that is shown again", looked.cost));
    // A name of its own: a handle that is taken costs one more look.
    let wish = json!({ "name": format!("Tea {}", RequestId::new().suffix()), "country": "PT" });
    let asked =
        house.post("/v1/stores").header("authorization", &bearer).once().body(&wish).send().await.expect(202);
    costs.push(("ask for a store", asked.cost));
    let followed =
        house.get(asked.header("location")).header("authorization", &bearer).send().await.expect(200);
    costs.push(("look how far it is", followed.cost));
    assert_eq!(
        costs,
        [
            ("sign up", (7, 2)),
            ("sign in", (9, 2)),
            ("a wrong password", (3, 1)),
            ("a token that is shown again", (1, 1)),
            ("ask for a store", (24, 1)),
            ("look how far it is", (2, 1)),
        ]
    );
}

#[test]
fn a_request_is_asked_about_by_the_routes_of_few_rooms() {
    let wings = app::PLAN.as_ref().map(|(wings, _)| wings.len());
    assert!(wings.as_ref().is_ok_and(|wings| *wings >= 5), "{wings:?}");
}
