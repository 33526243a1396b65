//! The plans over HTTP.

use actix_web::get;
use souk_api::Page;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::Plan;

/// `/v1/plans`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list);
}

/// The plans a store can have.
#[utoipa::path(tag = "Plans", security(()), responses((status = 200, description = "All of them", body = Page<Plan>)))]
#[get("/v1/plans")]
async fn list() -> Page<Plan> {
    Page::whole(Plan::all())
}
