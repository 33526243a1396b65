//! Signing in with others over HTTP: there and back, for customers and for staff, and the providers.

mod away;
mod customers;
mod providers;
mod sessions;
mod staff;

use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::header::CACHE_CONTROL;
use serde::Serialize;
use utoipa_actix_web::service_config::ServiceConfig;

/// `/store/v1/{identity-providers, sign-in, sessions/identity, account/identities}` and `/admin/v1/{identity-providers, sign-in,
/// sessions{,/{identity, refresh, sign-out}}, account/identities, staff-invitations/accept-with-identity, staff/{id}/{sessions, sign-out}}`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .configure(away::routes)
        .configure(customers::routes)
        .configure(staff::routes)
        .configure(sessions::routes)
        .configure(providers::routes);
}

/// Tokens are for one reader.
fn tokens(mut reply: HttpResponseBuilder, tokens: &impl Serialize) -> HttpResponse {
    reply.insert_header((CACHE_CONTROL, "no-store")).json(tokens)
}
