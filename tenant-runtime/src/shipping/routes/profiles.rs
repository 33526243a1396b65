//! Shipping profiles over HTTP.

use actix_web::{HttpResponse, delete, get, patch, post};
use souk_access::Permit;
use souk_api::{Json, Page, Path, Problem};
use souk_kernel::ShippingProfileId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::shipping::actions::profiles as actions;
use crate::shipping::error::ShippingError;
use crate::shipping::model::{ShippingProfileView, ShippingProfileWish};
use crate::shipping::permissions::{Edit, View};
use crate::shipping::queries::profiles as queries;

/// `/admin/v1/shipping-profiles`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(one).service(edit).service(remove);
}

/// List the shipping profiles
///
/// At most 20, by their name. What is of none of them is of the general one, which is in no list.
#[utoipa::path(tag = "Shipping", operation_id = "listShippingProfiles", responses(
    (status = 200, body = Page<ShippingProfileView>), (status = 403, body = Problem)))]
#[get("/admin/v1/shipping-profiles")]
async fn list(permit: Permit<View>) -> Result<Page<ShippingProfileView>, Problem> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, ShippingError>(queries::profiles(tx, None).await?);
    Ok(Page::whole(permit.read("shipping_profiles.list", look).await?))
}

/// Make a shipping profile
///
/// Products are of it by their `shipping_profile`, zones by their `profile`. Nothing but its own zones delivers its products.
#[utoipa::path(tag = "Shipping", operation_id = "createShippingProfile", request_body = ShippingProfileWish, responses(
    (status = 201, body = ShippingProfileView), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/shipping-profiles")]
async fn create(permit: Permit<Edit>, body: Json<ShippingProfileWish>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::create(tx, &body.0).await;
    Ok(HttpResponse::Created().json(permit.write("shipping_profiles.create", work).await?))
}

/// Show a shipping profile
#[utoipa::path(tag = "Shipping", operation_id = "getShippingProfile", params(("id" = ShippingProfileId, Path)),
    responses((status = 200, body = ShippingProfileView), (status = 404, body = Problem)))]
#[get("/admin/v1/shipping-profiles/{id}")]
async fn one(permit: Permit<View>, id: Path<ShippingProfileId>) -> Result<HttpResponse, Problem> {
    let look = async move |tx: &mut ReadTx<'_>| actions::known(tx, *id).await;
    Ok(HttpResponse::Ok().json(permit.read("shipping_profiles.get", look).await?))
}

/// Name a shipping profile anew
#[utoipa::path(tag = "Shipping", operation_id = "editShippingProfile", params(("id" = ShippingProfileId, Path)),
    request_body = ShippingProfileWish, responses((status = 200, body = ShippingProfileView),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[patch("/admin/v1/shipping-profiles/{id}")]
async fn edit(
    permit: Permit<Edit>,
    id: Path<ShippingProfileId>,
    body: Json<ShippingProfileWish>,
) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::edit(tx, *id, &body.0).await;
    Ok(HttpResponse::Ok().json(permit.write("shipping_profiles.edit", work).await?))
}

/// Remove a shipping profile and its zones
///
/// Its products are delivered as most goods are from then on.
#[utoipa::path(tag = "Shipping", operation_id = "deleteShippingProfile", params(("id" = ShippingProfileId, Path)),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem)))]
#[delete("/admin/v1/shipping-profiles/{id}")]
async fn remove(permit: Permit<Edit>, id: Path<ShippingProfileId>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::delete(tx, *id).await;
    permit.write("shipping_profiles.delete", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
