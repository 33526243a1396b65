//! The answer where no handler is: 405 when the path exists for another method, else 404.

use actix_web::{HttpRequest, HttpResponse};
use souk_telemetry::Routes;

use crate::problem::{METHOD_NOT_ALLOWED, NOT_FOUND, Problem};

/// `App::default_service(web::to(no_route))`. Without it the framework says 404 also for a known path whose handlers
/// take other methods, because it matches method and path together.
pub async fn no_route(req: HttpRequest) -> Result<HttpResponse, Problem> {
    // The framework's map looks into the first wing only (`openapi::routes`).
    let of_a_wing = |routes: &Routes| routes.find(req.path()).is_some();
    let known = req.app_data().is_some_and(of_a_wing) || req.resource_map().has_resource(req.path());
    Err(Problem::new(if known { &METHOD_NOT_ALLOWED } else { &NOT_FOUND }))
}
