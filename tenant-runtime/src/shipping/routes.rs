//! Shipping zones and rates over HTTP.

use actix_web::{HttpResponse, delete, get, patch, post, put};
use souk_access::Permit;
use souk_api::{Json, Path, Problem};
use souk_kernel::{ShippingRateId, ShippingZoneId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::ShippingError;
use super::model::{EditShippingZone, NewShippingRate, NewShippingZone, ShippingZoneList, ShippingZoneView};
use super::permissions::{Edit, View};
use super::{actions, queries};

/// `/admin/v1/shipping-zones`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_zones).service(create_zone).service(edit_zone).service(delete_zone);
    config.service(add_rate).service(put_rate).service(delete_rate);
}

/// List shipping zones with their rates
#[utoipa::path(tag = "Shipping", operation_id = "listShippingZones", responses(
    (status = 200, body = ShippingZoneList), (status = 403, body = Problem)))]
#[get("/admin/v1/shipping-zones")]
async fn list_zones(permit: Permit<View>) -> Result<HttpResponse, Problem> {
    let work = async |tx: &mut ReadTx<'_>| Ok::<_, ShippingError>(queries::zones(tx, None).await?);
    let data = permit.read("shipping_zones.list", work).await?;
    Ok(HttpResponse::Ok().json(ShippingZoneList { data }))
}

/// Make a shipping zone
#[utoipa::path(tag = "Shipping", operation_id = "createShippingZone", request_body = NewShippingZone, responses(
    (status = 201, body = ShippingZoneView), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/shipping-zones")]
async fn create_zone(permit: Permit<Edit>, body: Json<NewShippingZone>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::create_zone(tx, &body.0).await;
    Ok(HttpResponse::Created().json(permit.write("shipping_zones.create", work).await?))
}

/// Change a shipping zone
#[utoipa::path(tag = "Shipping", operation_id = "editShippingZone", params(("id" = ShippingZoneId, Path)),
    request_body = EditShippingZone, responses((status = 200, body = ShippingZoneView),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[patch("/admin/v1/shipping-zones/{id}")]
async fn edit_zone(
    permit: Permit<Edit>,
    id: Path<ShippingZoneId>,
    body: Json<EditShippingZone>,
) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::edit_zone(tx, *id, &body.0).await;
    Ok(HttpResponse::Ok().json(permit.write("shipping_zones.edit", work).await?))
}

/// Remove a shipping zone and its rates
#[utoipa::path(tag = "Shipping", operation_id = "deleteShippingZone", params(("id" = ShippingZoneId, Path)),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem)))]
#[delete("/admin/v1/shipping-zones/{id}")]
async fn delete_zone(permit: Permit<Edit>, id: Path<ShippingZoneId>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::delete_zone(tx, *id).await;
    permit.write("shipping_zones.delete", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Add a rate to a shipping zone
#[utoipa::path(tag = "Shipping", operation_id = "addShippingRate", params(("id" = ShippingZoneId, Path)),
    request_body = NewShippingRate, responses((status = 201, body = ShippingZoneView),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/shipping-zones/{id}/rates")]
async fn add_rate(
    permit: Permit<Edit>,
    id: Path<ShippingZoneId>,
    body: Json<NewShippingRate>,
) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::add_rate(tx, *id, &body.0).await;
    Ok(HttpResponse::Created().json(permit.write("shipping_rates.add", work).await?))
}

/// Write a shipping rate anew
#[utoipa::path(tag = "Shipping", operation_id = "putShippingRate",
    params(("id" = ShippingZoneId, Path), ("rate" = ShippingRateId, Path)), request_body = NewShippingRate,
    responses((status = 200, body = ShippingZoneView),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[put("/admin/v1/shipping-zones/{id}/rates/{rate}")]
async fn put_rate(
    permit: Permit<Edit>,
    ids: Path<(ShippingZoneId, ShippingRateId)>,
    body: Json<NewShippingRate>,
) -> Result<HttpResponse, Problem> {
    let (zone, rate) = ids.into_inner();
    let work = async move |tx: &mut WriteTx<'_>| actions::edit_rate(tx, zone, rate, &body.0).await;
    Ok(HttpResponse::Ok().json(permit.write("shipping_rates.put", work).await?))
}

/// Remove a shipping rate
#[utoipa::path(tag = "Shipping", operation_id = "deleteShippingRate",
    params(("id" = ShippingZoneId, Path), ("rate" = ShippingRateId, Path)),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem)))]
#[delete("/admin/v1/shipping-zones/{id}/rates/{rate}")]
async fn delete_rate(
    permit: Permit<Edit>,
    ids: Path<(ShippingZoneId, ShippingRateId)>,
) -> Result<HttpResponse, Problem> {
    let (zone, rate) = ids.into_inner();
    let work = async move |tx: &mut WriteTx<'_>| actions::delete_rate(tx, zone, rate).await;
    permit.write("shipping_rates.delete", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
