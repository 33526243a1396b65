//! People, roles and keys over HTTP.

mod explain;
mod keys;
mod people;
mod roles;

use utoipa_actix_web::service_config::ServiceConfig;

/// `/admin/v1/staff`, `/admin/v1/staff-invitations`, `/admin/v1/roles`, `/admin/v1/api-keys`, `/admin/v1/permissions`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .configure(people::routes)
        .configure(roles::routes)
        .configure(keys::routes)
        .configure(explain::routes);
}
