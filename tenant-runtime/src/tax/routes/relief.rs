//! Classes, settings, exemptions and VAT numbers over HTTP.

use actix_web::{HttpResponse, delete, get, post, put, web};
use souk_access::Permit;
use souk_api::{ETag, IfMatch, Json, Path, Problem, Query};
use souk_kernel::TaxExemptionId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::tax::error::TaxError;
use crate::tax::model::{
    AskTaxNumber, ClassCode, NewTaxExemption, PutTaxClass, PutTaxSettings, TaxClassList, TaxClassView,
    TaxExemptionFilter, TaxExemptionList, TaxExemptionView, TaxNumberView, TaxSettings, TaxSettingsView,
};
use crate::tax::permissions::{Edit, View};
use crate::tax::{Registers, actions, queries};

/// `/admin/v1/tax-classes`, `/admin/v1/tax-settings`, `/admin/v1/tax-exemptions`, `/admin/v1/tax-numbers`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_classes).service(put_class).service(delete_class);
    config.service(show_settings).service(put_settings);
    config.service(list_exemptions).service(grant_exemption).service(end_exemption).service(check_number);
}

/// List tax classes
#[utoipa::path(tag = "Taxes", operation_id = "listTaxClasses", responses(
    (status = 200, body = TaxClassList), (status = 403, body = Problem)))]
#[get("/admin/v1/tax-classes")]
async fn list_classes(permit: Permit<View>) -> Result<HttpResponse, Problem> {
    let work = async |tx: &mut ReadTx<'_>| Ok::<_, TaxError>(queries::classes(tx).await?);
    let data = permit.read("tax_classes.list", work).await?;
    Ok(HttpResponse::Ok().json(TaxClassList { data }))
}

/// Make or rename a tax class
///
/// Goods of a class are taxed at the rates of it where there are any, and at those of all goods elsewhere.
#[utoipa::path(tag = "Taxes", operation_id = "putTaxClass", params(("code" = String, Path, example = "books")),
    request_body = PutTaxClass, responses((status = 200, body = TaxClassView), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem)))]
#[put("/admin/v1/tax-classes/{code}")]
async fn put_class(
    permit: Permit<Edit>,
    code: Path<ClassCode>,
    body: Json<PutTaxClass>,
) -> Result<HttpResponse, Problem> {
    let work =
        async move |tx: &mut WriteTx<'_>| Ok::<_, TaxError>(queries::put_class(tx, &code, &body.0).await?);
    Ok(HttpResponse::Ok().json(permit.write("tax_classes.put", work).await?))
}

/// Remove a tax class that nothing is of
#[utoipa::path(tag = "Taxes", operation_id = "deleteTaxClass", params(("code" = String, Path, example = "books")),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/admin/v1/tax-classes/{code}")]
async fn delete_class(permit: Permit<Edit>, code: Path<ClassCode>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::delete_class(tx, &code).await;
    permit.write("tax_classes.delete", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn answer(settings: TaxSettings) -> HttpResponse {
    let etag: ETag = settings.etag();
    HttpResponse::Ok().insert_header(&etag).json(TaxSettingsView::from(settings))
}

/// How delivery is taxed, and what a VAT number does
#[utoipa::path(tag = "Taxes", operation_id = "getTaxSettings", responses(
    (status = 200, body = TaxSettingsView, headers(("ETag" = String))), (status = 403, body = Problem)))]
#[get("/admin/v1/tax-settings")]
async fn show_settings(permit: Permit<View>) -> Result<HttpResponse, Problem> {
    let work = async |tx: &mut ReadTx<'_>| Ok::<_, TaxError>(queries::settings(tx).await?);
    Ok(answer(permit.read("tax_settings.show", work).await?))
}

/// Say how delivery is taxed, and what a VAT number does
///
/// Rounding and its level are among the store's settings. Orders that were placed keep what they were counted with.
#[utoipa::path(tag = "Taxes", operation_id = "putTaxSettings", params(("If-Match" = String, Header)),
    request_body = PutTaxSettings, responses((status = 200, body = TaxSettingsView, headers(("ETag" = String))),
    (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
#[put("/admin/v1/tax-settings")]
async fn put_settings(
    permit: Permit<Edit>,
    seen: IfMatch,
    body: Json<PutTaxSettings>,
) -> Result<HttpResponse, Problem> {
    let (seen, wish) = (seen.required()?, body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::put_settings(tx, &seen, &wish).await;
    Ok(answer(permit.write("tax_settings.put", work).await?))
}

/// List tax exemptions
#[utoipa::path(tag = "Taxes", operation_id = "listTaxExemptions", params(TaxExemptionFilter), responses(
    (status = 200, body = TaxExemptionList), (status = 403, body = Problem)))]
#[get("/admin/v1/tax-exemptions")]
async fn list_exemptions(
    permit: Permit<View>,
    filter: Query<TaxExemptionFilter>,
) -> Result<HttpResponse, Problem> {
    let TaxExemptionFilter { customer, customer_group } = filter.0;
    let work = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, TaxError>(queries::exemptions(tx, customer, customer_group).await?)
    };
    let data = permit.read("tax_exemptions.list", work).await?;
    Ok(HttpResponse::Ok().json(TaxExemptionList { data }))
}

/// Exempt a customer, or a group of customers, from tax
///
/// What they buy while signed in owes none where the exemption holds; the order keeps the reason and the certificate. Who leaves the group
/// owes it again.
#[utoipa::path(tag = "Taxes", operation_id = "grantTaxExemption", request_body = NewTaxExemption, responses(
    (status = 201, body = TaxExemptionView), (status = 403, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/tax-exemptions")]
async fn grant_exemption(permit: Permit<Edit>, body: Json<NewTaxExemption>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::exempt(tx, &body.0).await;
    Ok(HttpResponse::Created().json(permit.write("tax_exemptions.grant", work).await?))
}

/// End a tax exemption now
#[utoipa::path(tag = "Taxes", operation_id = "endTaxExemption", params(("id" = TaxExemptionId, Path)), responses(
    (status = 204, description = "It does not hold any more"), (status = 404, body = Problem)))]
#[delete("/admin/v1/tax-exemptions/{id}")]
async fn end_exemption(permit: Permit<Edit>, id: Path<TaxExemptionId>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::end_exemption(tx, *id).await;
    permit.write("tax_exemptions.end", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Check a VAT number
///
/// Its form and check digits, and whether it is in use where a register can be asked. The answer is kept with its date.
#[utoipa::path(tag = "Taxes", operation_id = "checkTaxNumber", request_body = AskTaxNumber, responses(
    (status = 200, body = TaxNumberView), (status = 403, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/tax-numbers")]
async fn check_number(
    permit: Permit<Edit>,
    registers: web::Data<Registers>,
    body: Json<AskTaxNumber>,
) -> Result<HttpResponse, Problem> {
    let number = body.into_inner().vat_number;
    // Outside of any transaction: somebody else's machine is asked.
    let outcome = registers.outcome(&number).await;
    let work = async move |tx: &mut WriteTx<'_>| actions::check_number(tx, &number, outcome).await;
    Ok(HttpResponse::Ok().json(permit.write("tax_numbers.check", work).await?))
}
