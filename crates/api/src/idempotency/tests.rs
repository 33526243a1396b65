use actix_web::test::TestRequest;

use super::*;

fn find(value: &str) -> Result<Option<IdempotencyKey>, Problem> {
    IdempotencyKey::find(&TestRequest::default().insert_header((HEADER, value)).to_http_request())
}

#[actix_web::test]
async fn a_key_is_required_and_visible() {
    assert_eq!(find("3f1c-x").expect("usable").expect("there").as_str(), "3f1c-x");
    assert!(find(&"k".repeat(255)).is_ok());
    for value in ["", "a b", &"k".repeat(256), "clé"] {
        assert_eq!(find(value).expect_err("unusable").code(), "idempotency_key_invalid", "{value}");
    }
    let bare = TestRequest::default().to_http_request();
    assert_eq!(IdempotencyKey::extract(&bare).await.expect_err("missing").code(), "idempotency_key_missing");
    assert_eq!(OptionalIdempotencyKey::extract(&bare).await.expect("optional").0, None);
    let twice =
        TestRequest::default().append_header((HEADER, "a")).append_header((HEADER, "b")).to_http_request();
    assert!(OptionalIdempotencyKey::extract(&twice).await.is_err());
}

#[test]
fn a_fingerprint_tells_requests_apart() {
    let one = Fingerprint::new(&Method::POST, "/a", Digest::of(b"1"));
    assert_eq!(one, Fingerprint::new(&Method::POST, "/a", Digest::of(b"1")));
    for other in [
        Fingerprint::new(&Method::PUT, "/a", Digest::of(b"1")),
        Fingerprint::new(&Method::POST, "/b", Digest::of(b"1")),
        Fingerprint::new(&Method::POST, "/a", Digest::of(b"2")),
        Fingerprint::new(&Method::POST, "/a", Digest::empty()),
    ] {
        assert_ne!(one, other);
    }
}
