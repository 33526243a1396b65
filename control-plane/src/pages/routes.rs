//! The first address, and one page for links and for browsers that come back from a provider: its script reads the secret from the fragment and calls the API.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

pub(super) const PATHS: [&str; 6] = [
    "/verify-email",
    "/reset-password",
    "/forgot-password",
    "/accept-invitation",
    "/signed-in",
    "/signed-in-to-store",
];

const PAGE: &str = include_str!("../../templates/link.html");

/// Only the page's own script and style run, and only this host is called.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash_of("script"),
        hash_of("style"),
    )
});

fn hash_of(element: &str) -> String {
    let inside = PAGE
        .split_once(&format!("<{element}>"))
        .and_then(|(_, rest)| rest.split_once(&format!("</{element}>")));
    STANDARD.encode(souk_api::Digest::of(inside.map_or("", |(text, _)| text).as_bytes()).as_bytes())
}

/// `/`, `/verify-email`, `/reset-password`, `/forgot-password`, `/accept-invitation`, `/signed-in`, `/signed-in-to-store`.
pub fn routes(config: &mut web::ServiceConfig) {
    config.route("/", web::get().to(index));
    for path in PATHS {
        config.route(path, web::get().to(page));
    }
}

/// Where to go from here.
async fn index() -> HttpResponse {
    let links = "</openapi.json>; rel=\"service-desc\"; type=\"application/json\", </docs>; rel=\"service-doc\"; type=\"text/html\"";
    HttpResponse::Ok()
        .insert_header((header::LINK, links))
        .insert_header((header::CACHE_CONTROL, "public, max-age=60"))
        .json(json!({
            "name": "Souk control plane",
            "docs": "/docs",
            "openapi": "/openapi.json",
            "accounts": "/v1/accounts",
            "sessions": "/v1/sessions",
            "organizations": "/v1/organizations",
            "stores": "/v1/stores",
            "plans": "/v1/plans",
        }))
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(PAGE)
}
