//! Ways to pay, over HTTP.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_access::Permit;
use souk_api::{CursorKey, ETag, IfMatch, Json, Page, Paging, Path, Problem, Query};
use souk_kernel::OrderId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::actions::{self, credentials};
use super::error::PaymentError;
use super::model::{
    DisputeState, DisputeView, EditProvider, ProviderOfferView, ProviderView, SetCredentials,
};
use super::permissions::{Offer, SetUp, View};
use super::queries::{self, disputes::ListFilter};
use crate::audit::{By, Cause};

/// `/admin/v1/payment-providers`, `/admin/v1/disputes`, `/store/v1/payment-providers`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_providers).service(edit_provider).service(offered_providers);
    config.service(set_credentials).service(remove_credentials).service(list_disputes);
}

/// List payment providers
///
/// How the store has set up each of them.
#[utoipa::path(tag = "Payments", operation_id = "listPaymentProviders", responses(
    (status = 200, body = Page<ProviderView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
#[get("/admin/v1/payment-providers")]
async fn list_providers(permit: Permit<View>) -> Result<Page<ProviderView>, Problem> {
    let work = async |tx: &mut ReadTx<'_>| Ok::<_, PaymentError>(queries::providers::list(tx).await?);
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
    let work = async |tx: &mut ReadTx<'_>| Ok::<_, PaymentError>(queries::providers::list(tx).await?);
    let providers = permit.read("payments.offers", work).await?;
    let mode = actions::key_mode(permit.actor());
    let offered = providers.into_iter().filter(|provider| {
        provider.enabled && till.has(&provider.code) && mode.is_none_or(|mode| provider.is_for(mode))
    });
    let page = Page::whole(offered.map(ProviderOfferView::from).collect::<Vec<_>>());
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-cache")).json(page))
}

/// Set the keys of the store's account at a provider
///
/// For providers that need an account, as `stripe` does. The provider is asked whether it knows the keys; then they are sealed with the store's own
/// key and never shown again. What is left out stays, so that a signing secret is exchanged by itself: events signed with the former one are
/// believed for 24 hours more. Needs a proof of who you are from the last 15 minutes.
#[utoipa::path(tag = "Payments", operation_id = "setPaymentCredentials", params(("provider" = String, Path, example = "stripe")),
    request_body = SetCredentials, responses(
    (status = 200, body = ProviderView, headers(("ETag" = String))), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
#[patch("/admin/v1/payment-providers/{provider}/credentials")]
async fn set_credentials(
    permit: Permit<SetUp>,
    till: web::Data<super::Providers>,
    code: Path<String>,
    cause: Cause,
    body: Json<SetCredentials>,
) -> Result<HttpResponse, Problem> {
    let (code, by) = (credentials::keyed(&code)?, By::of(permit.actor(), cause));
    let look = async move |tx: &mut ReadTx<'_>| Ok::<_, PaymentError>(actions::account(tx, code).await?);
    let before = permit.read("payments.credentials", look).await?;
    let (place, now) = ((permit.store(), code), permit.clock().now());
    let new = credentials::wished(till.safe(), place, body.into_inner(), before.as_ref(), now)?;
    credentials::check(&till, code, &new.keys).await?;
    let safe = till.safe().clone();
    let work = async move |tx: &mut WriteTx<'_>| {
        credentials::keep(tx, &safe, &by, (code, before.as_ref()), &new).await
    };
    let provider = permit.write("payments.set_credentials", work).await?;
    Ok(HttpResponse::Ok().insert_header(ETag::new(provider.version)).json(provider))
}

/// Take the keys of the store's account at a provider away
///
/// The provider is switched off. What was paid with them can be neither captured nor refunded until keys of the same account are set again.
/// Needs a proof of who you are from the last 15 minutes.
#[utoipa::path(tag = "Payments", operation_id = "removePaymentCredentials", params(("provider" = String, Path, example = "stripe")), responses(
    (status = 204, description = "There are none now"), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
#[delete("/admin/v1/payment-providers/{provider}/credentials")]
async fn remove_credentials(
    permit: Permit<SetUp>,
    code: Path<String>,
    cause: Cause,
) -> Result<HttpResponse, Problem> {
    let (code, by) = (credentials::keyed(&code)?, By::of(permit.actor(), cause));
    let work = async move |tx: &mut WriteTx<'_>| credentials::remove(tx, &by, code).await;
    permit.write("payments.remove_credentials", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Which disputes.
#[derive(Debug, Clone, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DisputeQuery {
    state: Option<DisputeState>,
    /// Only those of this order.
    order: Option<OrderId>,
}

/// List disputes
///
/// Money that shoppers' banks take back or ask about, newest first. Give evidence at the provider, before `evidence_due_at`.
#[utoipa::path(tag = "Payments", operation_id = "listDisputes", params(DisputeQuery, Paging), responses(
    (status = 200, body = Page<DisputeView>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 422, body = Problem)))]
#[get("/admin/v1/disputes")]
async fn list_disputes(
    permit: Permit<View>,
    query: Query<DisputeQuery>,
    paging: Paging,
    request: HttpRequest,
) -> Result<Page<DisputeView>, Problem> {
    let (query, cursors) = (query.into_inner(), CursorKey::of(&request)?);
    let scope = format!("{} disputes {}", permit.store(), serde_json::json!(query));
    let after: Option<(DateTime<Utc>, Uuid)> = paging.position(cursors, &scope)?;
    let filter = ListFilter { state: query.state, order: query.order, after, fetch: paging.fetch() };
    let load =
        async move |tx: &mut ReadTx<'_>| Ok::<_, PaymentError>(queries::disputes::list(tx, filter).await?);
    let rows = permit.read("payments.disputes", load).await?;
    let position = |row: &DisputeView| (row.opened_at, row.id.uuid());
    Page::cut(rows, &paging, cursors, &scope, position)
}
