//! The API reference: one self-contained page that renders an OpenAPI 3.1 document. Loads nothing from elsewhere.

use std::sync::LazyLock;

use actix_web::{HttpResponse, http::header};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::json::Digest;

const PAGE: &str = include_str!("docs_page.html");

/// The page's own style and script are the only ones it may run; requests may go to its own host only.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash_of("script"),
        hash_of("style"),
    )
});

/// CSP hash of the text inside the page's only element of this name.
fn hash_of(element: &str) -> String {
    let open = format!("<{element}>");
    let close = format!("</{element}>");
    let inside =
        PAGE.split_once(&open).and_then(|(_, rest)| rest.split_once(&close)).map_or("", |(text, _)| text);
    STANDARD.encode(Digest::of(inside.as_bytes()).as_bytes())
}

/// The page for the document at `openapi_url` (same origin), with its own Content-Security-Policy.
#[must_use]
pub fn docs_page(openapi_url: &str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(html(openapi_url))
}

/// The page alone, for servers that set their own headers.
#[must_use]
pub fn html(openapi_url: &str) -> String {
    let escaped = openapi_url.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    PAGE.replacen("{{openapi_url}}", &escaped, 1)
}

#[cfg(test)]
mod tests;
