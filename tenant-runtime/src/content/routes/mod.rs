//! What a shop says, over HTTP.

mod menus;
mod pages;
mod policies;
mod shop;

use utoipa_actix_web::service_config::ServiceConfig;

/// `/admin/v1/pages`, `/admin/v1/menus`, `/admin/v1/policies`, and what shoppers read of them below `/store/v1`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.configure(pages::routes).configure(menus::routes);
    config.configure(policies::routes).configure(shop::routes);
}
