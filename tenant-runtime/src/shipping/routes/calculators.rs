//! Carriers' programs over HTTP.

use actix_web::{HttpResponse, delete, get, post, put, web};
use souk_access::Permit;
use souk_api::{Json, Page, Path, Problem};
use souk_kernel::ShippingCalculatorId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::shipping::actions::{Carriers, calculators as actions};
use crate::shipping::error::ShippingError;
use crate::shipping::model::{CalculatorSecretView, CalculatorView, NewCalculator};
use crate::shipping::permissions::{Edit, View};
use crate::shipping::queries::calculators as queries;

/// `/admin/v1/shipping-calculators`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(one).service(replace).service(rotate).service(remove);
}

/// List the carriers' programs that say what delivery costs
///
/// At most 20, by their name. A rate is of one by its `calculator`.
#[utoipa::path(tag = "Shipping", operation_id = "listShippingCalculators", responses(
    (status = 200, body = Page<CalculatorView>), (status = 403, body = Problem)))]
#[get("/admin/v1/shipping-calculators")]
async fn list(permit: Permit<View>) -> Result<Page<CalculatorView>, Problem> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, ShippingError>(queries::calculators(tx, None).await?);
    Ok(Page::whole(permit.read("shipping_calculators.list", look).await?))
}

/// Name a carrier's program
///
/// The answer shows the secret that signs what it is asked, once.
#[utoipa::path(tag = "Shipping", operation_id = "createShippingCalculator", request_body = NewCalculator, responses(
    (status = 201, body = CalculatorSecretView), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/shipping-calculators")]
async fn create(
    permit: Permit<Edit>,
    carriers: web::Data<Carriers>,
    body: Json<NewCalculator>,
) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::create(tx, &carriers, &body.0).await;
    let (calculator, secret) = permit.write("shipping_calculators.create", work).await?;
    Ok(HttpResponse::Created().json(CalculatorSecretView { calculator, secret: secret.expose() }))
}

/// Show a carrier's program
#[utoipa::path(tag = "Shipping", operation_id = "getShippingCalculator", params(("id" = ShippingCalculatorId, Path)),
    responses((status = 200, body = CalculatorView), (status = 404, body = Problem)))]
#[get("/admin/v1/shipping-calculators/{id}")]
async fn one(permit: Permit<View>, id: Path<ShippingCalculatorId>) -> Result<HttpResponse, Problem> {
    let look = async move |tx: &mut ReadTx<'_>| actions::known(tx, *id).await;
    Ok(HttpResponse::Ok().json(permit.read("shipping_calculators.get", look).await?))
}

/// Write a carrier's program anew
///
/// Its secret stays. What it said is forgotten.
#[utoipa::path(tag = "Shipping", operation_id = "putShippingCalculator", params(("id" = ShippingCalculatorId, Path)),
    request_body = NewCalculator, responses((status = 200, body = CalculatorView),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[put("/admin/v1/shipping-calculators/{id}")]
async fn replace(
    permit: Permit<Edit>,
    carriers: web::Data<Carriers>,
    id: Path<ShippingCalculatorId>,
    body: Json<NewCalculator>,
) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::replace(tx, &carriers, *id, &body.0).await;
    Ok(HttpResponse::Ok().json(permit.write("shipping_calculators.put", work).await?))
}

/// Give a carrier's program another secret
///
/// Shown here, once. The former one signs nothing any more: until the program knows the new one, its fallback price is offered.
#[utoipa::path(tag = "Shipping", operation_id = "rotateShippingCalculatorSecret",
    params(("id" = ShippingCalculatorId, Path)),
    responses((status = 200, body = CalculatorSecretView), (status = 404, body = Problem)))]
#[post("/admin/v1/shipping-calculators/{id}/rotate-secret")]
async fn rotate(
    permit: Permit<Edit>,
    carriers: web::Data<Carriers>,
    id: Path<ShippingCalculatorId>,
) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::rotate(tx, &carriers, *id).await;
    let (calculator, secret) = permit.write("shipping_calculators.rotate", work).await?;
    Ok(HttpResponse::Ok().json(CalculatorSecretView { calculator, secret: secret.expose() }))
}

/// Forget a carrier's program
///
/// Not while rates are of it.
#[utoipa::path(tag = "Shipping", operation_id = "deleteShippingCalculator", params(("id" = ShippingCalculatorId, Path)),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/admin/v1/shipping-calculators/{id}")]
async fn remove(permit: Permit<Edit>, id: Path<ShippingCalculatorId>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::delete(tx, *id).await;
    permit.write("shipping_calculators.delete", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
