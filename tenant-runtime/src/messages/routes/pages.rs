//! The pages that links in mails lead to, for stores whose front end has none. The page's script reads the secret from the fragment, which
//! browsers send to nobody, and calls the API once somebody says yes: programs that look at links before people do confirm nothing.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use souk_api::OwnPage;

/// Below the store's own account pages, which is where links lead unless the store named a place of its own.
pub const PAGES: [&str; 7] = [
    "confirm-subscription",
    "unsubscribe",
    "verify-email",
    "reset-password",
    "confirm-email",
    // Reached from the control plane's pages of the same names, where whoever was invited or asked has signed in.
    "join-store",
    "confirm-sender",
];

static PAGE: LazyLock<OwnPage> =
    LazyLock::new(|| OwnPage::new(include_str!("../../../templates/pages/link.html"), ""));

/// `/account/confirm-subscription` and its like.
pub fn page_routes(config: &mut web::ServiceConfig) {
    for page in PAGES {
        config.route(&format!("/account/{page}"), web::get().to(page_of_link));
    }
}

async fn page_of_link() -> HttpResponse {
    PAGE.of_a_link()
}
