//! The root span of a request: which route, which store, which request, and how it ended.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing::field::Empty;
use tracing_actix_web::RootSpanBuilder;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::routes::pattern_of;

/// Builds the root span. It holds neither the path nor the query nor the client's address: they may be secrets
/// (an order's guest link) or personal data.
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let route = pattern_of(request);
        let route = route.as_deref().unwrap_or("unmatched");
        let method = request.method().as_str();
        let span = tracing::info_span!(
            "request",
            http.method = method,
            http.route = route,
            http.status_code = Empty,
            request.id = Empty,
            store.id = Empty,
            otel.name = %format_args!("{method} {route}"),
            otel.kind = "server",
            otel.status_code = Empty,
        );
        if !span.is_disabled() && request.headers().contains_key("traceparent") {
            let parent = TraceContextPropagator::new().extract(&Headers(request.headers()));
            // Fails only where no exporter is configured; then there is no trace to continue.
            let _ = span.set_parent(parent);
        }
        span
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("http.status_code", status.as_u16());
        span.record("otel.status_code", if status.is_server_error() { "ERROR" } else { "OK" });
    }
}

/// Writes the store into the root span; call it as soon as the host was resolved, before opening other spans.
pub fn record_store(store: impl std::fmt::Display) {
    Span::current().record("store.id", tracing::field::display(store));
}

/// Writes the request's id into the root span.
pub fn record_request_id(id: impl std::fmt::Display) {
    Span::current().record("request.id", tracing::field::display(id));
}

/// The W3C `traceparent` of the current span, to send along with an event or a call; `None` when nothing is exported.
#[must_use]
pub fn traceparent() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid()
        .then(|| format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8()))
}

struct Headers<'h>(&'h HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}
