//! Apps over HTTP: `/admin/v1/apps` for the store's people, `/oauth/token` and its metadata for the apps.

mod admin;
mod oauth;

use utoipa_actix_web::service_config::ServiceConfig;

/// `/admin/v1/apps`, `/oauth/token`, `/.well-known/oauth-authorization-server`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.configure(admin::routes).configure(oauth::routes);
}
