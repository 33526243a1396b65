//! Rate, errors and duration of every route, and of every store.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _};
use metrics::SharedString;
use std::time::Instant;

use crate::routes::pattern_of;
use crate::stores::StoreOf;

/// Counts and times a request under its route *pattern* (`/admin/v1/products/{id}`, never the path itself), so the
/// number of time series is bounded by the number of routes. Use: `App::new().wrap(from_fn(measure))`, outside of what
/// makes an answer of a panic, or panics are not counted.
///
/// Metrics: `http_requests_total{method,route,status}`, `http_request_duration_seconds{method,route}`,
/// `http_requests_active`; where [`crate::record_store`] was called `souk_store_requests_total{store,status}` and
/// `souk_store_request_seconds{store}`. A server error is logged as a warning, anything else at debug level
/// (target `souk::access`).
///
/// # Errors
/// Those of the inner service, unchanged.
pub async fn measure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let route = SharedString::from(pattern_of(&request).unwrap_or_else(|| "unmatched".into()));
    let method = method_label(request.method());
    let store = StoreOf::default();
    request.extensions_mut().insert(store.clone());
    let active = Active::enter();
    let started = Instant::now();
    let outcome = next.call(request).await;
    let elapsed = started.elapsed();
    drop(active);
    let status = match &outcome {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    if status.is_server_error() {
        tracing::warn!(target: "souk::access", status = status.as_u16(), duration_ms, "answered with an error");
    } else {
        tracing::debug!(target: "souk::access", status = status.as_u16(), duration_ms, "answered");
    }
    metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route.clone())
        .record(elapsed.as_secs_f64());
    metrics::counter!("http_requests_total", "method" => method, "route" => route, "status" => status_label(status.as_u16()))
        .increment(1);
    store.count(status.as_u16(), elapsed);
    outcome
}

/// A request under way; counted out even when its future is dropped because the client left.
struct Active;

impl Active {
    fn enter() -> Self {
        metrics::gauge!("http_requests_active").increment(1.0);
        Self
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        metrics::gauge!("http_requests_active").decrement(1.0);
    }
}

/// Anybody can invent a method, so only the known ones have a name.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn status_label(status: u16) -> String {
    status.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{App, HttpResponse, middleware::from_fn, test, web};

    #[actix_web::test]
    async fn routes_are_counted_by_pattern() {
        crate::install_metrics();
        let handler = web::get().to(async |id: web::Path<u32>| HttpResponse::Ok().body(id.to_string()));
        let app = test::init_service(
            App::new()
                .wrap(from_fn(measure))
                .wrap(crate::request_spans::<crate::Nameless>())
                .service(web::scope("/measured").route("/{id}", handler)),
        )
        .await;
        for path in ["/measured/1", "/measured/2", "/measured/x", "/nowhere/at/all"] {
            test::call_service(&app, test::TestRequest::get().uri(path).to_request()).await;
        }
        let text = crate::rendered_metrics();
        let line = |labels: &str, count: u32| format!("http_requests_total{{{labels}}} {count}");
        for expected in [
            line("method=\"GET\",route=\"/measured/{id}\",status=\"200\"", 2),
            line("method=\"GET\",route=\"/measured/{id}\",status=\"404\"", 1),
            line("method=\"GET\",route=\"unmatched\",status=\"404\"", 1),
            "http_requests_active 0".to_owned(),
        ] {
            assert!(text.contains(&expected), "{expected} is not in\n{text}");
        }
    }
}
