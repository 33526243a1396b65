//! Which pages of other origins may call a store from a browser: each store says so itself.
//!
//! No route takes ambient credentials (cookies), so an answer never says `Access-Control-Allow-Credentials`, and there is no request for
//! a page to forge.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};
use moka::future::Cache;
use souk_access::Gate;
use souk_kernel::StoreId;
use souk_tenancy::{DbError, TenancyError};

use crate::storefront::{self, Origins};

/// A change is in force after so long.
const FRESH: Duration = Duration::from_secs(5);
const STORES: u64 = 10_000;
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
const SENT: &str = "authorization, content-type, idempotency-key, if-match, if-none-match, traceparent, x-cart-secret, x-draft-order-secret, \
     x-order-secret, x-request-id, x-souk-publishable-key, x-souk-reason";
const SHOWN: &str =
    "etag, idempotent-replayed, link, location, ratelimit, ratelimit-policy, retry-after, x-request-id";

/// What stores say, remembered for seconds. Cheap to clone.
#[derive(Clone)]
pub struct Pages {
    gate: Gate,
    known: Cache<StoreId, Arc<Origins>>,
}

/// A store that cannot be asked says nothing.
struct Silent;
impl From<TenancyError> for Silent {
    fn from(_: TenancyError) -> Self {
        Self
    }
}
impl From<DbError> for Silent {
    fn from(_: DbError) -> Self {
        Self
    }
}

impl Pages {
    pub fn new(gate: Gate) -> Self {
        Self { gate, known: Cache::builder().max_capacity(STORES).time_to_live(FRESH).build() }
    }

    /// What the store at this host says; nothing when there is none, or it cannot be asked.
    async fn of(&self, host: &str) -> Option<Arc<Origins>> {
        let store = self.gate.directory().by_host(host)?.id;
        if let Some(known) = self.known.get(&store).await {
            return Some(known);
        }
        let worker = self.gate.worker(store, "cors", "which pages may call").ok()?;
        let ask = async |tx: &mut souk_tenancy::ReadTx<'_>| Ok::<_, Silent>(storefront::origins(tx).await?);
        let origins = Arc::new(worker.read("storefront.origins", ask).await.ok()?);
        self.known.insert(store, Arc::clone(&origins)).await;
        Some(origins)
    }
}

/// Middleware: answers preflights itself, and says in every other answer who may read it.
pub async fn cors<B: MessageBody + 'static>(
    pages: Pages,
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let text =
        |name| req.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
    let Some(origin) = text(header::ORIGIN) else { return Ok(next.call(req).await?.map_into_boxed_body()) };
    let origins = match text(header::HOST) {
        Some(host) => pages.of(&host).await,
        None => None,
    };
    let allowed = origins.and_then(|origins| origins.answer(req.path(), &origin).map(str::to_owned));
    let preflight =
        req.method() == Method::OPTIONS && req.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight {
        req.into_response(HttpResponse::NoContent().finish()).map_into_boxed_body()
    } else {
        next.call(req).await?.map_into_boxed_body()
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(allowed) = allowed.and_then(|allowed| HeaderValue::from_str(&allowed).ok()) {
        allow(headers, allowed, preflight);
    }
    Ok(response)
}

fn allow(headers: &mut HeaderMap, allowed: HeaderValue, preflight: bool) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENT));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    } else {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(SHOWN));
    }
}
