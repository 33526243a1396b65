use actix_web::{App, HttpResponse, http::StatusCode, test as calls, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read by serde")]
struct Order {
    name: String,
    #[serde(default)]
    lines: Vec<Line>,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    extra: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read by serde")]
struct Line {
    #[serde(rename = "a/b~c")]
    quantity: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Normal,
    Gift,
}

fn refused(body: &[u8]) -> Value {
    parse::<Order>(body).expect_err("must be refused").document()
}

fn code(body: &[u8]) -> (u64, String, String) {
    let document = refused(body);
    let pointer = document["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
    (
        document["status"].as_u64().expect("status"),
        document["code"].as_str().expect("code").to_owned(),
        pointer,
    )
}

#[test]
fn a_type_that_refuses_is_422_with_a_pointer() {
    let at = |code: &str, pointer: &str| (422, code.to_owned(), pointer.to_owned());
    assert_eq!(
        code(br#"{"name":"x","lines":[{"a/b~c":1},{"a/b~c":"z"}]}"#),
        at("validation_failed", "/lines/1/a~1b~0c")
    );
    assert_eq!(code(br#"{"name":"x","lines":[{}]}"#), at("validation_failed", "/lines/0/a~1b~0c"));
    assert_eq!(
        code(br#"{"name":"x","lines":[{"a/b~c":4294967296}]}"#),
        at("validation_failed", "/lines/0/a~1b~0c")
    );
    assert_eq!(code(br#"{"lines":[]}"#), at("validation_failed", "/name"));
    assert_eq!(code(br#"{"name":null}"#), at("validation_failed", "/name"));
    assert_eq!(code(br#"{"name":"x","price":1}"#), at("unknown_field", "/price"));
    assert_eq!(code(br#"{"name":"x","lines":[{"a/b~c":1,"q":2}]}"#), at("unknown_field", "/lines/0/q"));
    assert_eq!(code(br#"[1]"#).0, 422);
    assert_eq!(code(br#""text""#), at("validation_failed", ""));
}

#[test]
fn complaints_say_what_would_do() {
    let document = refused(br#"{"name":"x","kind":"gold"}"#);
    assert_eq!(document["errors"][0]["allowed"], json!(["normal", "gift"]));
    let document = refused(br#"{"nome":"x"}"#);
    assert_eq!(document["errors"][0]["allowed"], json!(["name", "lines", "kind", "extra"]));
    let document = refused(br#"{"name":7}"#);
    assert_eq!(document["errors"][0]["code"], "invalid_type");
    assert_eq!(document["errors"][0]["message"], "invalid type: integer `7`, expected a string");
}

#[test]
fn what_is_not_our_json_is_400() {
    let deep = format!(r#"{{"name":"x","extra":{}{}}}"#, "[".repeat(40), "]".repeat(40));
    let abyss = "[".repeat(10_000);
    let cases: &[&[u8]] = &[
        b"",
        b"{",
        br#"{"name":"x"} trailing"#,
        br#"{"name":"x"}{}"#,
        br#"{"name":"x",}"#,
        br#"{"name":"\u0000"}"#,
        br#"{"name":"x","extra":{"a\u0000":1}}"#,
        br#"{"name":"\ud800"}"#,
        br#"{"name":"x","extra":1e400}"#,
        br#"{"name":"x","extra":NaN}"#,
        br#"{"name":"x","name":"y"}"#,
        br#"{"name":"x","extra":{"a":1,"a":2}}"#,
        b"\xef\xbb\xbf{\"name\":\"x\"}",
        b"{\"name\":\"\xff\"}",
        deep.as_bytes(),
        abyss.as_bytes(),
    ];
    for case in cases {
        let (status, code, _) = code(case);
        assert_eq!((status, code.as_str()), (400, "malformed_json"), "{}", String::from_utf8_lossy(case));
    }
    let allowed = format!(r#"{{"name":"x","extra":{}{}}}"#, "[".repeat(31), "]".repeat(31));
    assert!(parse::<Order>(allowed.as_bytes()).is_ok());
    assert!(parse::<Order>(br#"{"name":"x","extra":9007199254740993}"#).is_ok());
}

#[test]
fn complaints_do_not_echo_without_end() {
    let long = "k".repeat(50_000);
    let document = refused(format!(r#"{{"name":"x","{long}":1}}"#).as_bytes());
    assert_eq!(document["code"], "unknown_field");
    assert!(document.to_string().len() < 2_000);
    let document = refused(format!(r#"{{"name":"x","lines":"{long}"}}"#).as_bytes());
    assert!(document.to_string().len() < 2_000);
}

async fn echo(Json(order, digest): Json<Order>) -> HttpResponse {
    HttpResponse::Ok().body(format!("{} {}", order.name, digest == Digest::of(br#"{"name":"x"}"#)))
}

async fn send(request: calls::TestRequest) -> (StatusCode, String) {
    let app = App::new().route("/", web::post().to(echo)).app_data(JsonLimit(64));
    let app = calls::init_service(app).await;
    let reply =
        calls::call_service(&app, request.method(actix_web::http::Method::POST).uri("/").to_request()).await;
    let status = reply.status();
    (status, String::from_utf8_lossy(&calls::read_body(reply).await).into_owned())
}

fn with_type(media: &str) -> calls::TestRequest {
    calls::TestRequest::default().insert_header(("content-type", media)).set_payload(r#"{"name":"x"}"#)
}

#[actix_web::test]
async fn the_extractor_keeps_the_digest() {
    assert_eq!(send(with_type("application/json")).await, (StatusCode::OK, "x true".into()));
    assert_eq!(send(with_type("application/merge-patch+json; charset=UTF-8")).await.0, StatusCode::OK);
}

#[actix_web::test]
async fn other_media_types_are_415() {
    for media in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/+json",
        "application/json; charset=utf-16",
    ] {
        assert_eq!(send(with_type(media)).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{media}");
    }
    assert_eq!(send(calls::TestRequest::default()).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let zipped = with_type("application/json").insert_header(("content-encoding", "gzip"));
    assert_eq!(send(zipped).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[actix_web::test]
async fn too_much_is_413_declared_or_not() {
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(100));
    let declared = with_type("application/json").insert_header(("content-length", "1000000"));
    assert_eq!(send(declared).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    // No length: the test client, like a chunked sender, only brings bytes.
    let silent = with_type("application/json").set_payload(large);
    assert_eq!(send(silent).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[test]
fn a_field_that_is_an_object_is_no_sequence() {
    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Loose {
        name: Option<String>,
    }
    #[derive(Debug, Deserialize)]
    struct Wish {
        #[serde(default, deserialize_with = "object")]
        loose: Loose,
    }
    let read = |text: &str| serde_json::from_str::<Wish>(text).map(|wish| wish.loose.name);
    assert_eq!(read(r#"{"loose":{"name":"a"}}"#).unwrap().as_deref(), Some("a"));
    assert_eq!(read(r#"{"loose":{}}"#).unwrap(), None);
    assert_eq!(read("{}").unwrap(), None);
    for text in [
        r#"{"loose":[]}"#,
        r#"{"loose":["a"]}"#,
        r#"{"loose":null}"#,
        r#"{"loose":"a"}"#,
        r#"{"loose":{"nom":"a"}}"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[actix_web::test]
async fn a_reply_is_json() {
    let app =
        calls::init_service(App::new().route("/", web::get().to(async || Json::new(json!({"a": 1}))))).await;
    let reply = calls::call_service(&app, calls::TestRequest::default().to_request()).await;
    assert_eq!(reply.headers().get("content-type").expect("header"), "application/json");
    assert_eq!(calls::read_body(reply).await, r#"{"a":1}"#);
}
