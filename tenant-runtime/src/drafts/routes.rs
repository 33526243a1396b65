//! Draft orders over HTTP: for staff, and for whoever has a link. Paying one and completing one are the checkout's.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_access::{LinkSecret, Permit, Reply};
use souk_api::{
    CursorKey, Digest, ETag, IdempotencyKey, IfMatch, Json, Page, Paging, Path, Problem, Query, problem,
};
use souk_kernel::{CustomerId, DraftOrderId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::actions;
use super::error::DraftError;
use super::model::{
    CreateDraftOrder, Draft, DraftOrderSummary, DraftOrderView, EditDraftOrder, PaymentLinkView, SendInvoice,
    ShopperDraftOrderView,
};
use super::permissions::{Edit, View};
use super::queries::{self, ListFilter, SummaryRow};
use super::state::DraftOrderState;
use crate::cart::permissions::Use;
use crate::storefront::{self, PublicAddress};

/// The header that opens a draft order to whoever has its link.
pub const DRAFT_ORDER_SECRET: &str = "x-draft-order-secret";

/// `/admin/v1/draft-orders`, and what a link opens.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(show).service(edit);
    config.service(send_invoice).service(make_link).service(cancel).service(show_own);
}

/// Which draft orders.
#[derive(Debug, Clone, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DraftOrderQuery {
    state: Option<DraftOrderState>,
    /// Only those for this address.
    email: Option<String>,
    /// Only those for this customer.
    customer: Option<CustomerId>,
    /// Only those with this tag.
    tag: Option<String>,
    /// Only those made then or later.
    #[serde(rename = "created[gte]")]
    created_from: Option<DateTime<Utc>>,
    /// Only those made before.
    #[serde(rename = "created[lt]")]
    created_before: Option<DateTime<Utc>>,
    /// The beginning of an e-mail address, or a number: `#D12`, `12`.
    q: Option<String>,
    #[param(inline)]
    sort: Option<DraftOrderSort>,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
enum DraftOrderSort {
    /// Newest first; the default.
    #[serde(rename = "-created_at")]
    Newest,
    #[serde(rename = "created_at")]
    Oldest,
}

/// `%` and `_` of a person are letters, not wildcards.
fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// List draft orders
///
/// Newest first, unless sorted otherwise.
#[utoipa::path(tag = "Draft orders", operation_id = "listDraftOrders", params(DraftOrderQuery, Paging), responses(
    (status = 200, body = Page<DraftOrderSummary>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 422, body = Problem)))]
#[get("/admin/v1/draft-orders")]
async fn list(
    permit: Permit<View>,
    query: Query<DraftOrderQuery>,
    paging: Paging,
    request: HttpRequest,
) -> Result<Page<DraftOrderSummary>, Problem> {
    let (query, cursors) = (query.into_inner(), CursorKey::of(&request)?);
    let scope = format!("{} draft orders {}", permit.store(), serde_json::json!(query));
    let after: Option<(DateTime<Utc>, Uuid)> = paging.position(cursors, &scope)?;
    let filter = ListFilter {
        state: query.state.map(DraftOrderState::as_str),
        email: query.email,
        customer: query.customer,
        tag: query.tag,
        created_from: query.created_from,
        created_before: query.created_before,
        q: query.q.as_deref().map(literal),
        oldest_first: query.sort == Some(DraftOrderSort::Oldest),
        after,
        fetch: paging.fetch(),
    };
    let load = async move |tx: &mut ReadTx<'_>| Ok::<_, DraftError>(queries::list(tx, filter).await?);
    let rows = permit.read("draft_orders.list", load).await?;
    let position = |row: &SummaryRow| (row.created_at, row.id.uuid());
    Ok(Page::cut(rows, &paging, cursors, &scope, position)?.map(DraftOrderSummary::from))
}

fn reply(draft: Draft) -> Reply {
    let view = DraftOrderView::from(draft);
    Reply::ok(&view).etag(&ETag::new(view.version))
}

fn shown(draft: Draft) -> HttpResponse {
    let view = DraftOrderView::from(draft);
    HttpResponse::Ok().insert_header(ETag::new(view.version)).json(view)
}

/// Put an order together for somebody
///
/// Lines keep the price of today, or the one named. Nothing is sent before `send-invoice`, and no stock is kept unless `reserve_until` says so.
#[utoipa::path(tag = "Draft orders", operation_id = "createDraftOrder", request_body = CreateDraftOrder,
    params(("Idempotency-Key" = String, Header)), responses((status = 201, body = DraftOrderView),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/draft-orders")]
async fn create(
    permit: Permit<Edit>,
    key: IdempotencyKey,
    body: Json<CreateDraftOrder>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish, actor) = (body.digest(), body.into_inner(), permit.actor().to_string());
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = DraftOrderView::from(actions::create(tx, wish, &actor).await?);
        let place = format!("/admin/v1/draft-orders/{}", view.id);
        Ok::<_, DraftError>(Reply::created(&view).location(&place).etag(&ETag::new(view.version)))
    };
    permit.write_once("draft_orders.create", &key, digest, work).await
}

/// Get a draft order
///
/// At what it costs now: prices as agreed, tax and delivery rates as of today.
#[utoipa::path(tag = "Draft orders", operation_id = "getDraftOrder", params(("id" = DraftOrderId, Path)), responses(
    (status = 200, body = DraftOrderView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
#[get("/admin/v1/draft-orders/{id}")]
async fn show(permit: Permit<View>, id: Path<DraftOrderId>) -> Result<HttpResponse, Problem> {
    let find = async move |tx: &mut ReadTx<'_>| actions::show(tx, *id).await;
    Ok(shown(permit.look_up("draft_orders.show", find).await?))
}

/// Change a draft order
///
/// Also one whose link was sent: whoever opens it sees the new state. Not while somebody pays it.
#[utoipa::path(tag = "Draft orders", operation_id = "editDraftOrder", request_body = EditDraftOrder,
    params(("id" = DraftOrderId, Path), ("If-Match" = String, Header)), responses((status = 200, body = DraftOrderView),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
#[patch("/admin/v1/draft-orders/{id}")]
async fn edit(
    permit: Permit<Edit>,
    id: Path<DraftOrderId>,
    seen: IfMatch,
    body: Json<EditDraftOrder>,
) -> Result<HttpResponse, Problem> {
    let (id, seen, wish) = (*id, seen.required()?, body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::edit(tx, id, &seen, wish).await;
    Ok(shown(permit.write("draft_orders.edit", work).await?))
}

/// Mail the link to pay
///
/// In the buyer's language. Sent again, the link that was mailed before opens nothing any more.
#[utoipa::path(tag = "Draft orders", operation_id = "sendDraftOrderInvoice", request_body = SendInvoice,
    params(("id" = DraftOrderId, Path), ("Idempotency-Key" = String, Header)), responses((status = 200, body = DraftOrderView),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/draft-orders/{id}/send-invoice")]
async fn send_invoice(
    permit: Permit<Edit>,
    id: Path<DraftOrderId>,
    key: IdempotencyKey,
    body: Json<SendInvoice>,
) -> Result<HttpResponse, Problem> {
    let (id, digest, message) = (*id, body.digest(), body.into_inner().message);
    let work =
        async move |tx: &mut WriteTx<'_>| Ok::<_, DraftError>(reply(actions::send(tx, id, message).await?));
    permit.write_once("draft_orders.send_invoice", &key, digest, work).await
}

/// Make a link to pay
///
/// For handing over by other ways than mail. One that was made so before opens nothing any more; one that was mailed still does. A repeat
/// with the same Idempotency-Key gives the same answer for 48 hours.
#[utoipa::path(tag = "Draft orders", operation_id = "createDraftOrderPaymentLink",
    params(("id" = DraftOrderId, Path), ("Idempotency-Key" = String, Header)), responses((status = 201, body = PaymentLinkView),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/draft-orders/{id}/payment-link")]
async fn make_link(
    permit: Permit<Edit>,
    address: web::Data<PublicAddress>,
    id: Path<DraftOrderId>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Problem> {
    let (id, own) = (*id, address.of(permit.entry()));
    let work = async move |tx: &mut WriteTx<'_>| {
        let pages = storefront::account_url(tx).await?.unwrap_or(own);
        Ok::<_, DraftError>(Reply::created(&actions::make_link(tx, id, &pages).await?))
    };
    permit.write_once("draft_orders.payment_link", &key, Digest::empty(), work).await
}

/// Take a draft order back
///
/// Its links open nothing to pay any more, and its stock is free. Not while somebody pays it.
#[utoipa::path(tag = "Draft orders", operation_id = "cancelDraftOrder",
    params(("id" = DraftOrderId, Path), ("Idempotency-Key" = String, Header)), responses((status = 200, body = DraftOrderView),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
#[post("/admin/v1/draft-orders/{id}/cancel")]
async fn cancel(
    permit: Permit<Edit>,
    id: Path<DraftOrderId>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Problem> {
    let id = *id;
    let work = async move |tx: &mut WriteTx<'_>| Ok::<_, DraftError>(reply(actions::cancel(tx, id).await?));
    permit.write_once("draft_orders.cancel", &key, Digest::empty(), work).await
}

/// The secret of a request's link; without one the draft order is not there.
///
/// # Errors
/// 404.
pub fn secret_of(request: &HttpRequest) -> Result<LinkSecret, Problem> {
    let header = request.headers().get(DRAFT_ORDER_SECRET).and_then(|value| value.to_str().ok());
    header.and_then(LinkSecret::parse).ok_or_else(|| Problem::new(&problem::NOT_FOUND))
}

/// What a link to pay is about
///
/// No sign-in: the secret of the link opens it. Pay it with `POST /store/v1/draft-orders/{id}/checkout`.
#[utoipa::path(tag = "Shopping", operation_id = "getOwnDraftOrder",
    params(("id" = DraftOrderId, Path), ("X-Draft-Order-Secret" = String, Header)), responses(
    (status = 200, body = ShopperDraftOrderView), (status = 404, body = Problem)))]
#[get("/store/v1/draft-orders/{id}")]
async fn show_own(
    permit: Permit<Use>,
    id: Path<DraftOrderId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (id, secret) = (*id, secret_of(&request)?);
    let find = async move |tx: &mut ReadTx<'_>| actions::show_to(tx, id, &secret).await;
    let view = ShopperDraftOrderView::from(permit.look_up("draft_orders.show_own", find).await?);
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(view))
}
