use actix_web::body::MessageBody;
use serde_json::json;
use utoipa::PartialSchema;

use super::*;

fn body(problem: &Problem) -> Value {
    let bytes = problem.error_response().into_body().try_into_bytes().expect("a buffered body");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[test]
fn a_refusal_says_everything_to_the_caller() {
    let problem = Problem::new(&CONFLICT)
        .detail("3 wanted, 2 there")
        .hint("Lower the quantity.")
        .field("/lines/0/quantity", "out_of_range", "must be at most 2")
        .extension("available", 2)
        .extension("status", 200);
    assert_eq!(
        body(&problem),
        json!({
            "type": "https://souk.dev/problems/conflict", "title": CONFLICT.title, "status": 409, "code": "conflict",
            "detail": "3 wanted, 2 there", "hint": "Lower the quantity.", "available": 2,
            "errors": [{"pointer": "/lines/0/quantity", "code": "out_of_range", "message": "must be at most 2"}],
        })
    );
}

#[test]
fn a_5xx_keeps_its_cause_to_itself() {
    let problem = Problem::new(&UNAVAILABLE)
        .detail("pool of lane 3 is full")
        .hint("secret")
        .field("/a", "b", "c")
        .extension("lane", 3)
        .source(std::io::Error::other("password authentication failed"))
        .retry_after(2)
        .within("req_1", "/x");
    let reply = problem.error_response();
    assert_eq!(reply.headers().get("retry-after").expect("header"), "2");
    assert_eq!(reply.headers().get("x-request-id").expect("header"), "req_1");
    assert_eq!(
        body(&problem),
        json!({
            "type": "https://souk.dev/problems/unavailable", "title": UNAVAILABLE.title, "status": 503,
            "code": "unavailable", "instance": "/x", "request_id": "req_1", "retry_after": 2,
        })
    );
    assert!(format!("{problem:?}").contains("password"), "the log sees the cause");
}

#[test]
fn what_always_helps_is_the_hint() {
    let hint = |problem: &Problem| body(problem)["hint"].as_str().unwrap_or_default().to_owned();
    assert!(!VALIDATION.help.is_empty());
    assert_eq!(hint(&Problem::new(&VALIDATION)), VALIDATION.help);
    assert_eq!(hint(&Problem::new(&VALIDATION).hint("Lower it.")), "Lower it.");
}

#[test]
fn a_401_names_the_scheme() {
    let reply = Problem::new(&UNAUTHENTICATED).error_response();
    assert_eq!(reply.headers().get("www-authenticate").expect("header"), "Bearer realm=\"souk\"");
    assert_eq!(reply.headers().get("content-type").expect("header"), "application/problem+json");
}

#[test]
fn a_problem_is_one_word_wide() {
    assert_eq!(size_of::<Problem>(), size_of::<usize>());
}

#[test]
fn codes_are_unique_and_statuses_are_errors() {
    assert!(duplicate_codes(&[CATALOGUE]).is_empty());
    for kind in CATALOGUE {
        assert!((400..600).contains(&kind.status), "{}", kind.code);
        assert!(kind.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", kind.code);
    }
}

#[test]
fn catalogues_become_one_page() {
    crate::problem!(OUT_OF_STOCK, 409, "out_of_stock", "Not enough stock");
    crate::problem!(OTHER, 410, "conflict", "Another meaning");
    let page = markdown(&[CATALOGUE, &[OUT_OF_STOCK], CATALOGUE]);
    assert_eq!(page.matches("| 404 | `not_found` |").count(), 1);
    assert!(page.contains("| 409 | `out_of_stock` | Not enough stock |"));
    assert_eq!(duplicate_codes(&[CATALOGUE, &[OTHER]]), ["conflict"]);
}

#[test]
fn the_schema_names_the_members() {
    let schema = serde_json::to_value(Problem::schema()).expect("JSON");
    let properties = schema["properties"].as_object().expect("properties");
    for member in document::RESERVED {
        assert!(properties.contains_key(*member), "{member} is missing from {schema}");
    }
    assert!(!properties.contains_key("extensions"));
    let mut parts = Vec::new();
    Problem::schemas(&mut parts);
    assert!(parts.iter().any(|(name, _)| name == "FieldError"));
}
