//! Ways to pay, over HTTP.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, get, patch, web};
use souk_access::Permit;
use souk_api::{ETag, IfMatch, Json, Page, Path, Problem};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions;
use super::error::PaymentError;
use super::model::{EditProvider, ProviderCode, ProviderOfferView, ProviderView};
use super::permissions::{Offer, SetUp, View};
use super::queries;

/// `/admin/v1/payment-providers`, `/store/v1/payment-providers`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_providers).service(edit_provider).service(offered_providers);
}

/// List payment providers
///
/// How the store has set up each of them.
#[utoipa::path(tag = "Payments", operation_id = "listPaymentProviders", responses(
    (status = 200, body = Page<ProviderView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
#[get("/admin/v1/payment-providers")]
async fn list_providers(permit: Permit<View>) -> Result<Page<ProviderView>, Problem> {
    let work = async |tx: &mut ReadTx<'_>| Ok::<_, PaymentError>(queries::providers(tx).await?);
    Ok(Page::whole(permit.read("payments.providers", work).await?))
}

/// Set up a payment provider
///
/// What is left out stays. `If-Match` is the provider's `version` in quotes.
#[utoipa::path(tag = "Payments", operation_id = "editPaymentProvider",
    params(("provider" = String, Path), ("If-Match" = String, Header)), request_body = EditProvider, responses(
    (status = 200, body = ProviderView, headers(("ETag" = String))), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
#[patch("/admin/v1/payment-providers/{provider}")]
async fn edit_provider(
    permit: Permit<SetUp>,
    code: Path<String>,
    seen: IfMatch,
    body: Json<EditProvider>,
) -> Result<HttpResponse, Problem> {
    let (seen, code, wish) = (seen.required()?, code.into_inner(), body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::set_up(tx, &code, &seen, wish).await;
    let provider = permit.write("payments.set_up", work).await?;
    Ok(HttpResponse::Ok().insert_header(ETag::new(provider.version)).json(provider))
}

/// How one can pay here
///
/// Offer these; send the `code` of the chosen one with the checkout. A live key is not offered `test`.
#[utoipa::path(tag = "Shopping", operation_id = "listPaymentOffers", security(()), responses(
    (status = 200, body = Page<ProviderOfferView>)))]
#[get("/store/v1/payment-providers")]
async fn offered_providers(
    permit: Permit<Offer>,
    till: web::Data<super::Providers>,
) -> Result<HttpResponse, Problem> {
    let work = async |tx: &mut ReadTx<'_>| Ok::<_, PaymentError>(queries::providers(tx).await?);
    let providers = permit.read("payments.offers", work).await?;
    let mode = actions::key_mode(permit.actor());
    let fits = |code: &str| {
        mode.is_none_or(|mode| ProviderCode::parse(code).is_some_and(|provider| provider.is_for(mode)))
    };
    let offered = providers
        .into_iter()
        .filter(|provider| provider.enabled && till.has(&provider.code) && fits(&provider.code));
    let page = Page::whole(offered.map(ProviderOfferView::from).collect::<Vec<_>>());
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-cache")).json(page))
}
