//! The tax provider over HTTP.

use actix_web::{HttpResponse, delete, get, put, web};
use souk_access::Permit;
use souk_api::{Json, Problem};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::tax::error::TaxError;
use crate::tax::model::{PutTaxProvider, TaxProviderSetup, TaxProviderView};
use crate::tax::permissions::{SetUp, View};
use crate::tax::{TaxProviders, queries};

/// `/admin/v1/tax/provider`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show_provider).service(put_provider).service(delete_provider);
}

/// Who works out the store's taxes
#[utoipa::path(tag = "Taxes", operation_id = "getTaxProvider", responses(
    (status = 200, body = TaxProviderSetup), (status = 403, body = Problem)))]
#[get("/admin/v1/tax/provider")]
async fn show_provider(permit: Permit<View>) -> Result<HttpResponse, Problem> {
    let work = async |tx: &mut ReadTx<'_>| Ok::<_, TaxError>(queries::provider(tx).await?);
    let provider = permit.read("tax_provider.show", work).await?;
    Ok(HttpResponse::Ok().json(TaxProviderSetup { provider }))
}

/// Have taxes worked out by a service of your own
///
/// Carts, quotes and orders are taxed by what it answers; its amounts must fit the basket, or they are not believed. Without an answer the
/// store's own rates count, or nothing is sold, as `on_failure` says. Needs a proof of who you are from the last 15 minutes.
#[utoipa::path(tag = "Taxes", operation_id = "putTaxProvider", request_body = PutTaxProvider, responses(
    (status = 200, body = TaxProviderView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 422, body = Problem)))]
#[put("/admin/v1/tax/provider")]
async fn put_provider(
    permit: Permit<SetUp>,
    providers: web::Data<TaxProviders>,
    body: Json<PutTaxProvider>,
) -> Result<HttpResponse, Problem> {
    let (inside, wish) = (providers.get_ref().clone(), body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| inside.put(tx, &wish).await;
    let provider = permit.write("tax_provider.put", work).await?;
    providers.begin_anew(permit.store());
    Ok(HttpResponse::Ok().json(provider))
}

/// Have taxes worked out by the store's own rates again
///
/// What it answered is forgotten; orders keep it. Needs a proof of who you are from the last 15 minutes.
#[utoipa::path(tag = "Taxes", operation_id = "deleteTaxProvider", responses(
    (status = 204, description = "There is none now"), (status = 401, body = Problem), (status = 403, body = Problem)))]
#[delete("/admin/v1/tax/provider")]
async fn delete_provider(permit: Permit<SetUp>) -> Result<HttpResponse, Problem> {
    let work = async |tx: &mut WriteTx<'_>| Ok::<_, TaxError>(queries::delete_provider(tx).await?);
    permit.write("tax_provider.delete", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
