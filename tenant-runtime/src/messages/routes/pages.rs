//! The pages that links in mails lead to, for stores whose front end has none. The page's script reads the secret from the fragment, which
//! browsers send to nobody, and calls the API once somebody says yes: programs that look at links before people do confirm nothing.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Below the store's own account pages, which is where links lead unless the store named a place of its own.
pub const PAGES: [&str; 5] =
    ["confirm-subscription", "unsubscribe", "verify-email", "reset-password", "confirm-email"];

const PAGE: &str = include_str!("../../../templates/pages/link.html");

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

/// `/account/confirm-subscription` and its like.
pub fn page_routes(config: &mut web::ServiceConfig) {
    for page in PAGES {
        config.route(&format!("/account/{page}"), web::get().to(page_of_link));
    }
}

async fn page_of_link() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(PAGE)
}
