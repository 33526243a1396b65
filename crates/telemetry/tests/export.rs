//! Export by configuration: the one observer of a process, a collector of its own, and what arrives there.

use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpResponse, test, web};
use souk_telemetry::test_support::{Collector, Exported};
use souk_telemetry::{
    LogFormat, RequestName, TelemetryConfig, TelemetryError, init, measure, record_store, rendered_metrics,
    request_spans,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// As the caller names it.
struct Asked;

impl RequestName for Asked {
    fn name_of(request: &ServiceRequest) -> Option<Arc<str>> {
        Some(header(request.request(), "x-request-id")?.into())
    }
}

fn header<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
    request.headers().get(name)?.to_str().ok()
}

/// A handler that asks a database something in a span of its own.
async fn handle(request: HttpRequest) -> HttpResponse {
    let _work = tracing::info_span!("transaction").entered();
    if let Some(store) = header(&request, "x-store") {
        record_store(&request, store);
    }
    tracing::debug_span!(target: "souk::statement", "statement", db.query.text = "SELECT $1").in_scope(|| ());
    tracing::debug_span!("detail").in_scope(|| ());
    let status = header(&request, "x-status").and_then(|status| status.parse().ok());
    HttpResponse::new(status.unwrap_or(StatusCode::OK))
}

/// What is told of a request's span.
fn told(span: &Exported) -> [&str; 5] {
    let fields = ["http.route", "http.status_code", "request.id", "store.id", "http.method"];
    fields.map(|field| span.fields.get(field).map_or("", String::as_str))
}

#[actix_web::test]
async fn what_is_configured_is_exported_with_store_request_and_statement() {
    let collector = Collector::start().unwrap();
    let config = TelemetryConfig {
        format: LogFormat::Json,
        // Whatever is logged, traces are whole.
        filter: "off".to_owned(),
        otlp_endpoint: Some(format!("{}/", collector.endpoint())),
        sampled: 1.0,
        named_stores: 1,
    };
    let telemetry = init("crier", &config).unwrap();
    assert!(matches!(init("crier", &config), Err(TelemetryError::AlreadyStarted)));
    let app = App::new()
        .route("/things/{token}", web::get().to(handle))
        .wrap(from_fn(measure))
        .wrap(request_spans::<Asked>());
    let app = test::init_service(app).await;
    let asked = test::TestRequest::with_uri("/things/canary@example.com?key=canary")
        .insert_header(("x-request-id", "req_1"))
        .insert_header(("x-store", "sto_a"))
        .insert_header(("traceparent", format!("00-{TRACE}-{CALLER}-01")));
    assert_eq!(test::call_service(&app, asked.to_request()).await.status(), 200);
    let asked = test::TestRequest::with_uri("/things/canary")
        .insert_header(("x-store", "sto_b"))
        .insert_header(("x-status", "503"));
    assert_eq!(test::call_service(&app, asked.to_request()).await.status(), 503);
    let asked = test::TestRequest::with_uri("/canary/nowhere");
    assert_eq!(test::call_service(&app, asked.to_request()).await.status(), 404);
    telemetry.flush();

    let spans = collector.spans();
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    let (things, nowhere) = ("GET /things/{token}", "GET unmatched");
    let work = ["statement", "transaction", things];
    assert_eq!(names, [&work[..], &work[..], &[nowhere][..]].concat());
    let [statement, transaction, request] = &spans[..3] else { unreachable!() };
    assert_eq!(told(request), ["/things/{token}", "200", "req_1", "sto_a", "GET"]);
    assert_eq!((request.trace.as_str(), request.parent.as_str()), (TRACE, CALLER));
    assert_eq!((&transaction.trace, &transaction.parent), (&request.trace, &request.id));
    assert_eq!((&statement.trace, &statement.parent), (&request.trace, &transaction.id));
    assert_eq!(statement.fields["db.query.text"], "SELECT $1");
    assert_eq!(told(&spans[5]), ["/things/{token}", "503", "", "sto_b", "GET"]);
    assert_eq!(told(&spans[6]), ["unmatched", "404", "", "", "GET"]);
    let text = collector.text();
    assert!(text.starts_with("POST /v1/traces HTTP/1.1\r\n") && text.contains("crier"), "{text}");
    assert!(!text.contains("canary"), "{text}");

    let text = rendered_metrics();
    for expected in [
        "souk_store_requests_total{store=\"sto_a\",status=\"2xx\"} 1",
        "souk_store_requests_total{store=\"sto_a\",status=\"5xx\"} 0",
        "souk_store_requests_total{store=\"other\",status=\"5xx\"} 1",
        "souk_store_request_seconds_bucket{store=\"sto_a\",le=\"1\"} 1",
        "souk_store_request_seconds_count{store=\"other\"} 1",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(!text.contains("sto_b"), "{text}");
    let series = text.lines().filter(|line| line.contains("store=\"sto_a\"")).count();
    assert_eq!(series, 9, "as docs/OPERATIONS.md says");
}
