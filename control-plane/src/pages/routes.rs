//! The first address, and one page for links and for browsers that come back from a provider: its script reads the secret from the fragment and calls the API.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde_json::json;
use souk_api::OwnPage;

pub(super) const PATHS: [&str; 6] = [
    "/verify-email",
    "/reset-password",
    "/forgot-password",
    "/accept-invitation",
    "/signed-in",
    "/signed-in-to-store",
];

static PAGE: LazyLock<OwnPage> =
    LazyLock::new(|| OwnPage::new(include_str!("../../templates/link.html"), ""));

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
    PAGE.of_a_link()
}
