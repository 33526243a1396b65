//! Tax over HTTP.

mod regions;
mod relief;

use actix_web::{HttpResponse, delete, get, post};
use souk_access::Permit;
use souk_api::{Json, Path, Problem, Query};
use souk_kernel::TaxRateId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::TaxError;
use super::model::{
    NewTaxRate, TaxPreview, TaxPreviewRequest, TaxRateChange, TaxRateFilter, TaxRateList, TaxRateView,
    WriteFilter,
};
use super::permissions::{Edit, View};
use super::{actions, queries};

/// `/admin/v1/tax-rates`, `/admin/v1/tax/preview`, and below `/admin/v1` regions, classes, settings, exemptions and numbers of tax.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_tax_rates).service(set_tax_rate).service(end_tax_rate).service(preview_tax);
    regions::routes(config);
    relief::routes(config);
}

/// List tax rates
#[utoipa::path(tag = "Taxes", operation_id = "listTaxRates", params(TaxRateFilter), responses(
    (status = 200, body = TaxRateList), (status = 403, body = Problem)))]
#[get("/admin/v1/tax-rates")]
async fn list_tax_rates(permit: Permit<View>, filter: Query<TaxRateFilter>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut ReadTx<'_>| Ok::<_, TaxError>(queries::list(tx, &filter.0).await?);
    let data = permit.read("tax_rates.list", work).await?;
    Ok(HttpResponse::Ok().json(TaxRateList { data }))
}

/// Set a tax rate
///
/// Rates are versioned: this one ends the one that the same component and class of its region has at `valid_from`, and orders placed before keep
/// theirs. With `dry_run=true` it only says what would end and begin.
#[utoipa::path(tag = "Taxes", operation_id = "setTaxRate", params(WriteFilter), request_body = NewTaxRate, responses(
    (status = 201, body = TaxRateView), (status = 200, description = "What would change, of a dry run", body = TaxRateChange),
    (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/tax-rates")]
async fn set_tax_rate(
    permit: Permit<Edit>,
    how: Query<WriteFilter>,
    body: Json<NewTaxRate>,
) -> Result<HttpResponse, Problem> {
    let rate = body.into_inner();
    if how.0.dry_run {
        let work = async move |tx: &mut ReadTx<'_>| actions::would_set(tx, &rate).await;
        return Ok(HttpResponse::Ok().json(permit.read("tax_rates.would_set", work).await?));
    }
    let work = async move |tx: &mut WriteTx<'_>| actions::set(tx, &rate).await;
    let rate = permit.write("tax_rates.set", work).await?;
    Ok(HttpResponse::Created().json(rate))
}

/// End a tax rate now
#[utoipa::path(tag = "Taxes", operation_id = "endTaxRate", params(("id" = TaxRateId, Path)), responses(
    (status = 204, description = "It is not in force any more"), (status = 404, body = Problem)))]
#[delete("/admin/v1/tax-rates/{id}")]
async fn end_tax_rate(permit: Permit<Edit>, id: Path<TaxRateId>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::end(tx, *id).await;
    permit.write("tax_rates.end", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Say how a sale would be taxed
///
/// Which regions and rates apply, who is relieved of them, and what each line would owe, and why. Nothing is made or kept.
#[utoipa::path(tag = "Taxes", operation_id = "previewTax", request_body = TaxPreviewRequest, responses(
    (status = 200, body = TaxPreview), (status = 403, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/tax/preview")]
async fn preview_tax(permit: Permit<View>, body: Json<TaxPreviewRequest>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut ReadTx<'_>| actions::preview(tx, &body.0).await;
    Ok(HttpResponse::Ok().json(permit.read("tax.preview", work).await?))
}
