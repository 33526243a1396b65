use actix_web::test::TestRequest;

use super::*;

async fn if_match(value: &'static str) -> Result<IfMatch, Problem> {
    let req = TestRequest::default().insert_header(("if-match", value)).to_http_request();
    IfMatch::extract(&req).await
}

#[actix_web::test]
async fn only_the_same_strong_tag_matches() {
    let now = ETag::new(7);
    for value in ["\"7\"", "*", "\"6\", \"7\"", "\"a,b\",\"7\"", "W/\"7\", \"7\""] {
        assert!(if_match(value).await.expect(value).check(&now).is_ok(), "{value}");
    }
    for value in ["\"6\"", "W/\"7\"", "\"77\"", "\"\""] {
        let problem = if_match(value).await.expect(value).check(&now).expect_err(value);
        assert_eq!(problem.status().as_u16(), 412);
    }
    for value in ["7", "\"7", "\"7\" \"8\"", "", "\"7\",", "w/\"7\""] {
        assert_eq!(if_match(value).await.expect_err(value).status().as_u16(), 400, "{value}");
    }
}

#[actix_web::test]
async fn a_missing_header_is_428_only_where_required() {
    let none = IfMatch::extract(&TestRequest::default().to_http_request()).await.expect("optional");
    assert!(none.check(&ETag::new(1)).is_ok());
    assert!(!none.is_given());
    assert_eq!(none.required().expect_err("required").status().as_u16(), 428);
    assert!(if_match("\"1\"").await.expect("read").required().is_ok());
}

#[test]
fn reads_are_cheap_when_nothing_changed() {
    let now = ETag::new("v7");
    let req = |value: &'static str| {
        TestRequest::default().insert_header(("if-none-match", value)).to_http_request()
    };
    for value in ["\"v7\"", "W/\"v7\"", "*", "\"v6\", W/\"v7\""] {
        let reply = not_modified(&req(value), &now).expect(value);
        assert_eq!(reply.status().as_u16(), 304);
        assert_eq!(reply.headers().get("etag").expect("tag"), "\"v7\"");
    }
    assert!(not_modified(&req("\"v6\""), &now).is_none());
    assert!(not_modified(&req("nonsense"), &now).is_none());
    assert!(not_modified(&TestRequest::default().to_http_request(), &now).is_none());
}

#[test]
fn tags_are_quoted_and_clean() {
    assert_eq!(ETag::new("a\"b \r\nc").to_string(), "\"abc\"");
    assert_eq!(ETag::of(b"x"), ETag::of(b"x"));
    assert_ne!(ETag::of(b"x"), ETag::of(b"y"));
    assert_eq!(ETag::of(b"x").opaque().len(), 22);
}
