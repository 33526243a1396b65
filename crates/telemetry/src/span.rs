//! The span of a request: which route, which store, which request, and how it ended.

use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::{Error, HttpMessage as _, HttpRequest};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing::field::Empty;
use tracing_actix_web::{RootSpan, RootSpanBuilder};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::routes::pattern_of;
use crate::stores::StoreOf;

/// Where the id of a request comes from. It is asked for once, when the span is made: in a log of JSON to add a field later is to read
/// and write all of them again.
pub trait RequestName {
    /// The id; `None` where requests have none.
    fn name_of(request: &ServiceRequest) -> Option<Arc<str>>;
}

/// Requests that have no id.
pub struct Nameless;

impl RequestName for Nameless {
    fn name_of(_: &ServiceRequest) -> Option<Arc<str>> {
        None
    }
}

/// Builds the span of a request. It holds neither the path nor the query nor the client's address: they may be secrets
/// (an order's guest link) or personal data.
pub struct RequestSpan<N>(PhantomData<N>);

impl<N: RequestName> RootSpanBuilder for RequestSpan<N> {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let route = pattern_of(request);
        let route = route.as_deref().unwrap_or("unmatched");
        let name = N::name_of(request);
        let method = request.method().as_str();
        let span = tracing::info_span!(
            "request",
            http.method = method,
            http.route = route,
            http.status_code = Empty,
            request.id = name.as_deref(),
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
        let outcome = if status.is_server_error() { "ERROR" } else { "OK" };
        tracing::record_all!(span, http.status_code = status.as_u16(), otel.status_code = outcome);
    }
}

/// Says which store a request turned out to be about: in its span, whichever span is the current one, and in what is measured of
/// stores. Only for stores that exist; what a caller merely claims would use up the names that metrics have.
pub fn record_store(request: &HttpRequest, store: impl std::fmt::Display) {
    let extensions = request.extensions();
    let measured = extensions.get::<StoreOf>();
    if measured.is_some_and(StoreOf::is_known) {
        return;
    }
    let store = store.to_string();
    if let Some(measured) = measured {
        measured.is(&store);
    }
    if let Some(span) = extensions.get::<RootSpan>() {
        span.record("store.id", store.as_str());
    }
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
