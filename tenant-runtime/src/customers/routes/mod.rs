//! Customers over HTTP: `/store/v1` for themselves, `/admin/v1/customers` for the people of the store.

mod account;
mod addresses;
mod admin;
mod recover;
mod sessions;

use utoipa_actix_web::service_config::ServiceConfig;

/// `/store/v1/{customers, sessions, account, password-resets, email-changes}`, `/admin/v1/customers`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .configure(recover::routes)
        .configure(sessions::routes)
        .configure(account::routes)
        .configure(addresses::routes)
        .configure(admin::routes);
}
