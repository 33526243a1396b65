//! Tax rates over HTTP.

use actix_web::{HttpResponse, delete, get, post};
use souk_access::Permit;
use souk_api::{Json, Path, Problem, Query};
use souk_kernel::TaxRateId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::TaxError;
use super::model::{NewTaxRate, TaxRateFilter, TaxRateList, TaxRateView};
use super::{actions, permissions, queries};

/// `/admin/v1/tax-rates`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_tax_rates).service(set_tax_rate).service(end_tax_rate);
}

/// List tax rates
#[utoipa::path(tag = "Taxes", operation_id = "listTaxRates", params(TaxRateFilter), responses(
    (status = 200, body = TaxRateList), (status = 403, body = Problem)))]
#[get("/admin/v1/tax-rates")]
async fn list_tax_rates(
    permit: Permit<permissions::View>,
    filter: Query<TaxRateFilter>,
) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut ReadTx<'_>| Ok::<_, TaxError>(queries::list(tx, &filter.0).await?);
    let data = permit.read("tax_rates.list", work).await?;
    Ok(HttpResponse::Ok().json(TaxRateList { data }))
}

/// Set a tax rate
///
/// Rates are versioned: this one ends the one its region has at `valid_from`, and orders placed before keep theirs.
#[utoipa::path(tag = "Taxes", operation_id = "setTaxRate", request_body = NewTaxRate, responses(
    (status = 201, body = TaxRateView), (status = 403, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/tax-rates")]
async fn set_tax_rate(
    permit: Permit<permissions::Edit>,
    body: Json<NewTaxRate>,
) -> Result<HttpResponse, Problem> {
    let rate = body.into_inner();
    let work = async move |tx: &mut WriteTx<'_>| actions::set(tx, &rate).await;
    let rate = permit.write("tax_rates.set", work).await?;
    Ok(HttpResponse::Created().json(rate))
}

/// End a tax rate now
#[utoipa::path(tag = "Taxes", operation_id = "endTaxRate", params(("id" = TaxRateId, Path)), responses(
    (status = 204, description = "It is not in force any more"), (status = 404, body = Problem)))]
#[delete("/admin/v1/tax-rates/{id}")]
async fn end_tax_rate(
    permit: Permit<permissions::Edit>,
    id: Path<TaxRateId>,
) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::end(tx, *id).await;
    permit.write("tax_rates.end", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
