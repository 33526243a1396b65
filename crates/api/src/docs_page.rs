//! The API reference: one self-contained page that renders an OpenAPI 3.1 document. Loads nothing from elsewhere.

use std::sync::LazyLock;

use actix_web::{HttpResponse, http::header};

use crate::OwnPage;

static PAGE: LazyLock<OwnPage> =
    LazyLock::new(|| OwnPage::new(include_str!("docs_page.html"), "img-src data:; "));

/// The page for the document at `openapi_url` (same origin), with its own Content-Security-Policy.
#[must_use]
pub fn docs_page(openapi_url: &str) -> HttpResponse {
    PAGE.begin().insert_header((header::CACHE_CONTROL, "public, max-age=300")).body(html(openapi_url))
}

/// The page alone, for servers that set their own headers.
#[must_use]
pub fn html(openapi_url: &str) -> String {
    let escaped = openapi_url.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    PAGE.html().replacen("{{openapi_url}}", &escaped, 1)
}

#[cfg(test)]
mod tests;
