use actix_web::{
    App, HttpResponse, error,
    middleware::from_fn,
    test::{self, TestRequest},
    web,
};
use serde_json::Value;

use super::*;
use crate::{Path, security_headers};

/// Bypasses `call_service`, which panics where the server would answer from the error.
async fn send(request: TestRequest) -> (u16, HeaderMap, String) {
    let app = App::new()
        .route("/id", web::get().to(async |id: RequestId| id.to_string()))
        .route("/panic", web::get().to(async || -> HttpResponse { panic!("the cause") }))
        .route("/things/{id}", web::get().to(async |id: Path<u32>| id.to_string()))
        .route(
            "/broken",
            web::get().to(async || -> crate::Result<HttpResponse> {
                Err(Problem::new(&problem::UNAVAILABLE).detail("lane 3").retry_after(1))
            }),
        )
        .route(
            "/plain",
            web::get().to(async || Err::<HttpResponse, _>(error::ErrorForbidden("secret words"))),
        )
        .route(
            "/own",
            web::get().to(async || {
                HttpResponse::NotFound()
                    .insert_header(("cache-control", "max-age=5"))
                    .content_type("text/html")
                    .body("<p>")
            }),
        )
        .wrap(from_fn(async |req: ServiceRequest, next: Next<BoxBody>| {
            if req.path() == "/outside" {
                return Err(Problem::new(&problem::FORBIDDEN).into());
            }
            next.call(req).await
        }))
        .default_service(web::to(crate::no_route))
        .wrap(from_fn(security_headers))
        .wrap(from_fn(request_id));
    let app = test::init_service(app).await;
    let reply = match test::try_call_service(&app, request.to_request()).await {
        Ok(reply) => reply.into_parts().1,
        Err(error) => error.error_response(),
    };
    let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
    let body = reply.into_body().try_into_bytes().expect("a buffered body");
    (status, headers, String::from_utf8_lossy(&body).into_owned())
}

async fn get(uri: &str) -> (u16, HeaderMap, Value) {
    let (status, headers, body) = send(TestRequest::with_uri(uri)).await;
    (status, headers, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

#[actix_web::test]
async fn an_id_is_kept_or_minted() {
    let (_, headers, body) = send(TestRequest::with_uri("/id").insert_header((HEADER, "from-me_1"))).await;
    assert_eq!(
        (body.as_str(), headers.get(HEADER).expect("header").as_bytes()),
        ("from-me_1", b"from-me_1".as_slice())
    );
    for bad in ["", "a b", &"x".repeat(129), "é"] {
        let (_, headers, body) = send(TestRequest::with_uri("/id").insert_header((HEADER, bad))).await;
        assert!(body.starts_with("req_") && body.len() == 30, "{body}");
        assert_eq!(headers.get(HEADER).expect("header"), body.as_str());
    }
}

#[actix_web::test]
async fn every_refusal_is_a_problem_that_names_its_request() {
    let cases = [
        ("/nowhere?secret=1", 404, "not_found"),
        ("/panic", 500, "internal"),
        ("/things/abc", 404, "not_found"),
        ("/things/1%00", 404, "not_found"),
        ("/broken", 503, "unavailable"),
        ("/plain", 403, "forbidden"),
        ("/outside", 403, "forbidden"),
    ];
    for (uri, status, code) in cases {
        let (got, headers, body) = get(uri).await;
        assert_eq!((got, &body["code"]), (status, &Value::from(code)), "{uri}");
        assert_eq!(headers.get("content-type").expect("type"), "application/problem+json", "{uri}");
        assert_eq!(headers.get(HEADER).expect("id").to_str().ok(), body["request_id"].as_str(), "{uri}");
        assert_eq!(body["instance"], uri.split('?').next().expect("a path"), "{uri}");
        assert_eq!(headers.get("x-content-type-options").expect("nosniff"), "nosniff", "{uri}");
        assert!(!body.to_string().contains("secret") && !body.to_string().contains("cause"), "{body}");
    }
    assert_eq!(get("/broken").await.1.get("retry-after").expect("header"), "1");
}

#[actix_web::test]
async fn an_unknown_method_is_405_and_a_handlers_own_page_stays() {
    let (status, _, body) = send(TestRequest::post().uri("/id")).await;
    assert_eq!(status, 405, "{body}");
    assert!(body.contains("method_not_allowed"));
    let (status, headers, body) = get("/own").await;
    assert_eq!((status, body), (404, Value::from("<p>")));
    assert_eq!(headers.get("cache-control").expect("own"), "max-age=5");
}

#[actix_web::test]
async fn plain_replies_are_hardened() {
    let (_, headers, _) = get("/id").await;
    assert_eq!(headers.get("cache-control").expect("header"), "no-store");
    assert_eq!(headers.get("referrer-policy").expect("header"), "strict-origin-when-cross-origin");
    let policy = headers.get("content-security-policy").expect("header").to_str().expect("ASCII");
    assert!(policy.contains("frame-ancestors 'none'"));
}

#[actix_web::test]
async fn a_panic_is_counted_as_an_error_of_its_route() {
    souk_telemetry::install_metrics();
    let handler = web::get().to(async || -> HttpResponse { panic!("the cause") });
    let app = App::new()
        .route("/counted/{id}", handler)
        .wrap(from_fn(request_id))
        .wrap(from_fn(souk_telemetry::measure))
        .wrap(souk_telemetry::request_spans::<RequestId>());
    let app = test::init_service(app).await;
    let error = test::try_call_service(&app, TestRequest::with_uri("/counted/7").to_request()).await.err();
    assert_eq!(error.map(|error| error.as_response_error().status_code().as_u16()), Some(500));
    let text = souk_telemetry::rendered_metrics();
    let counted = "http_requests_total{method=\"GET\",route=\"/counted/{id}\",status=\"500\"} 1";
    assert!(text.contains(counted), "{counted} is not in\n{text}");
}
