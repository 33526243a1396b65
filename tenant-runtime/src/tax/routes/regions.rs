//! Regions over HTTP.

use actix_web::{HttpResponse, delete, get, post, put};
use souk_access::Permit;
use souk_api::{IfMatch, Json, Path, Problem, Query};
use souk_kernel::TaxRegionId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::tax::error::TaxError;
use crate::tax::model::{PutTaxRegion, TaxRegionFilter, TaxRegionList, TaxRegionView};
use crate::tax::permissions::{Edit, View};
use crate::tax::{actions, queries};

/// `/admin/v1/tax-regions`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_regions).service(create_region).service(replace_region).service(delete_region);
}

/// List tax regions
#[utoipa::path(tag = "Taxes", operation_id = "listTaxRegions", params(TaxRegionFilter), responses(
    (status = 200, body = TaxRegionList), (status = 403, body = Problem)))]
#[get("/admin/v1/tax-regions")]
async fn list_regions(permit: Permit<View>, filter: Query<TaxRegionFilter>) -> Result<HttpResponse, Problem> {
    let country = filter.0.country;
    let work = async move |tx: &mut ReadTx<'_>| Ok::<_, TaxError>(queries::regions(tx, country).await?);
    let data = permit.read("tax_regions.list", work).await?;
    Ok(HttpResponse::Ok().json(TaxRegionList { data }))
}

/// Make a tax region
///
/// A country, a province of it, or postal codes of either. The rates of a region add to those of the regions above it, or stand instead of them.
#[utoipa::path(tag = "Taxes", operation_id = "createTaxRegion", request_body = PutTaxRegion, responses(
    (status = 201, body = TaxRegionView, headers(("ETag" = String))), (status = 403, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/tax-regions")]
async fn create_region(permit: Permit<Edit>, body: Json<PutTaxRegion>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::create_region(tx, &body.0).await;
    let region = permit.write("tax_regions.create", work).await?;
    Ok(HttpResponse::Created().insert_header(region.etag()).json(region))
}

/// Change a tax region
///
/// Its name, its postal codes, and whether it stands alone. Where it is stays.
#[utoipa::path(tag = "Taxes", operation_id = "replaceTaxRegion",
    params(("id" = TaxRegionId, Path), ("If-Match" = String, Header)), request_body = PutTaxRegion, responses(
    (status = 200, body = TaxRegionView, headers(("ETag" = String))), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
#[put("/admin/v1/tax-regions/{id}")]
async fn replace_region(
    permit: Permit<Edit>,
    id: Path<TaxRegionId>,
    seen: IfMatch,
    body: Json<PutTaxRegion>,
) -> Result<HttpResponse, Problem> {
    let (seen, wish) = (seen.required()?, body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::replace_region(tx, *id, &seen, &wish).await;
    let region = permit.write("tax_regions.replace", work).await?;
    Ok(HttpResponse::Ok().insert_header(region.etag()).json(region))
}

/// Remove a tax region
///
/// One that has or had rates stays: what was sold under them names it.
#[utoipa::path(tag = "Taxes", operation_id = "deleteTaxRegion", params(("id" = TaxRegionId, Path)), responses(
    (status = 204, description = "Gone"), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/admin/v1/tax-regions/{id}")]
async fn delete_region(permit: Permit<Edit>, id: Path<TaxRegionId>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::delete_region(tx, *id).await;
    permit.write("tax_regions.delete", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
