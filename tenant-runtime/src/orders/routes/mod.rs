//! Orders over HTTP.

mod claim;
mod refunds;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_access::{LinkSecret, Permit, Refusal, Reply};
use souk_api::{
    CursorKey, ETag, IdempotencyKey, Json, Page, Paging, PagingOnly, Path, Problem, Query, problem,
};
use souk_kernel::{CustomerId, LongText, Money, OrderId};
use souk_tenancy::ReadTx;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::actions;
use super::error::OrderError;
use super::model::view::{OrderView, PaymentView, ShopperOrderView};
use super::model::{CancelReason, CancelWish, FinancialStatus, FulfillmentStatus};
use super::permissions::{Cancel, LookUp, View};
use super::queries::{self, ListFilter, SummaryRow};
use super::state::OrderState;
use crate::customers::customer_of;
use crate::payments::permissions::View as ViewPayments;

/// Where a guest asks for an order by its number: throttled, because secrets may be guessed at there.
pub const LOOK_UP: &str = "/store/v1/orders:look-up";

/// Mounts the room.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config
        .service(list_own_orders)
        .service(list_orders)
        .service(get_order)
        .service(list_order_payments)
        .service(cancel_order)
        .service(refunds::refund_order)
        .service(refunds::preview_refund)
        .service(refunds::retry_refund)
        .service(claim::claim_orders)
        .service(look_up_order)
        .service(get_own_order);
}

/// Which orders.
#[derive(Debug, Clone, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OrderQuery {
    /// Only orders that stand here. Without it, attempts that never became an order are left out.
    state: Option<OrderState>,
    financial_status: Option<FinancialStatus>,
    fulfillment_status: Option<FulfillmentStatus>,
    /// Only orders of this address.
    email: Option<String>,
    /// Only orders this customer placed while signed in.
    customer: Option<CustomerId>,
    /// Only orders made then or later.
    #[serde(rename = "created[gte]")]
    created_from: Option<DateTime<Utc>>,
    /// Only orders made before.
    #[serde(rename = "created[lt]")]
    created_before: Option<DateTime<Utc>>,
    /// The beginning of an e-mail address, or an order's number or name.
    q: Option<String>,
    #[param(inline)]
    sort: Option<Sort>,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
enum Sort {
    /// Newest first; the default.
    #[serde(rename = "-created_at")]
    Newest,
    #[serde(rename = "created_at")]
    Oldest,
}

/// An order in a list.
#[derive(Debug, Serialize, ToSchema)]
struct OrderSummary {
    id: OrderId,
    #[schema(example = 1001)]
    number: Option<i64>,
    #[schema(example = "#1001")]
    name: Option<String>,
    #[schema(value_type = OrderState)]
    state: String,
    #[schema(value_type = FinancialStatus)]
    financial_status: String,
    #[schema(value_type = FulfillmentStatus)]
    fulfillment_status: String,
    #[schema(example = "ada@example.com")]
    email: String,
    total: Money,
    /// Pieces in all lines.
    #[schema(example = 3)]
    item_count: i64,
    placed_at: Option<DateTime<Utc>>,
    cancelled_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<SummaryRow> for OrderSummary {
    fn from(row: SummaryRow) -> Self {
        Self {
            id: row.id,
            number: row.number,
            name: row.name,
            state: row.state,
            financial_status: row.financial_status,
            fulfillment_status: row.fulfillment_status,
            email: row.email,
            total: Money::new(row.total_minor, row.currency),
            item_count: row.item_count,
            placed_at: row.placed_at,
            cancelled_at: row.cancelled_at,
            created_at: row.created_at,
        }
    }
}

/// `%` and `_` of a person are letters, not wildcards.
fn literal(text: String) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// List orders
///
/// Newest first, unless sorted otherwise.
#[utoipa::path(tag = "Orders", operation_id = "listOrders", params(OrderQuery, Paging), responses(
    (status = 200, body = Page<OrderSummary>), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem)))]
#[get("/admin/v1/orders")]
async fn list_orders(
    permit: Permit<View>,
    query: Query<OrderQuery>,
    paging: Paging,
    request: HttpRequest,
) -> Result<Page<OrderSummary>, Problem> {
    let (query, cursors) = (query.into_inner(), CursorKey::of(&request)?);
    let scope = format!("{} orders {}", permit.store(), serde_json::json!(query));
    let after: Option<(DateTime<Utc>, Uuid)> = paging.position(cursors, &scope)?;
    let filter = ListFilter {
        state: query.state.map(OrderState::as_str),
        financial_status: query.financial_status.map(FinancialStatus::as_str),
        fulfillment_status: query.fulfillment_status.map(FulfillmentStatus::as_str),
        email: query.email,
        customer: query.customer,
        created_from: query.created_from,
        created_before: query.created_before,
        q: query.q.map(literal),
        oldest_first: query.sort == Some(Sort::Oldest),
        after,
        fetch: paging.fetch(),
    };
    let rows = permit
        .read("orders.list", async move |tx| Ok::<_, Refusal>(queries::list(tx, filter).await?))
        .await?;
    Ok(Page::cut(rows, &paging, cursors, &scope, |row| (row.created_at, row.id.uuid()))?
        .map(OrderSummary::from))
}

/// Your orders
///
/// Placed while signed in, or claimed since (`POST /store/v1/orders:claim`), newest first.
#[utoipa::path(tag = "Shopping", operation_id = "listOwnOrders", params(Paging), responses(
    (status = 200, body = Page<OrderSummary>), (status = 400, body = Problem), (status = 401, body = Problem)))]
#[get("/store/v1/orders")]
async fn list_own_orders(
    permit: Permit<LookUp>,
    paging: PagingOnly,
    request: HttpRequest,
) -> Result<Page<OrderSummary>, Problem> {
    let (customer, cursors) = (customer_of(&permit)?, CursorKey::of(&request)?);
    let scope = format!("{} orders of {customer}", permit.store());
    let after = paging.position(cursors, &scope)?;
    let filter =
        ListFilter { customer: Some(customer), after, fetch: paging.fetch(), ..ListFilter::default() };
    let work = async move |tx: &mut ReadTx<'_>| Ok::<_, Refusal>(queries::list(tx, filter).await?);
    let rows = permit.read("orders.list_own", work).await?;
    let position = |row: &SummaryRow| (row.created_at, row.id.uuid());
    Ok(Page::cut(rows, &paging, cursors, &scope, position)?.map(OrderSummary::from))
}

/// Get an order
///
/// With lines, taxes, delivery, payments, refunds, timeline and what may be done with it now.
#[utoipa::path(tag = "Orders", operation_id = "getOrder", params(("id" = OrderId, Path)), responses(
    (status = 200, body = OrderView), (status = 304, description = "Not changed"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
#[get("/admin/v1/orders/{id}")]
async fn get_order(
    permit: Permit<View>,
    id: Path<OrderId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = id.into_inner();
    let order = permit.look_up("orders.get", async move |tx| actions::view(tx, id).await).await?;
    let etag = ETag::new(order.version);
    if let Some(unchanged) = souk_api::not_modified(&request, &etag) {
        return Ok(unchanged);
    }
    Ok(HttpResponse::Ok().insert_header(etag).json(order))
}

/// List an order's payments
#[utoipa::path(tag = "Orders", operation_id = "listOrderPayments", params(("id" = OrderId, Path)), responses(
    (status = 200, body = Page<PaymentView>),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
#[get("/admin/v1/orders/{id}/payments")]
async fn list_order_payments(
    permit: Permit<ViewPayments>,
    id: Path<OrderId>,
) -> Result<Page<PaymentView>, Problem> {
    let id = id.into_inner();
    let order = permit.read("orders.payments", async move |tx| actions::view(tx, id).await).await?;
    Ok(Page::whole(order.payments))
}

/// How to undo an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CancelOrder {
    reason: CancelReason,
    /// Put the goods back on the shelf; else they are written off.
    #[serde(default = "yes")]
    #[schema(default = true)]
    restock: bool,
    /// Give the money back; else it is kept for the shopper.
    #[serde(default = "yes")]
    #[schema(default = true)]
    refund: bool,
    /// For colleagues.
    #[serde(default)]
    note: Option<LongText<1000>>,
}

const fn yes() -> bool {
    true
}

/// Cancel an order
///
/// Releases the stock, reverses the books and gives the money back. Not once it was shipped.
#[utoipa::path(tag = "Orders", operation_id = "cancelOrder",
    params(("id" = OrderId, Path), ("Idempotency-Key" = String, Header)), request_body = CancelOrder, responses(
    (status = 200, body = OrderView), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/orders/{id}/cancel")]
async fn cancel_order(
    permit: Permit<Cancel>,
    id: Path<OrderId>,
    key: IdempotencyKey,
    body: Json<CancelOrder>,
) -> Result<HttpResponse, Problem> {
    let (id, digest, body, actor) = (*id, body.digest(), body.into_inner(), permit.actor().to_string());
    let note = body.note.map(|note| note.to_string());
    let wish = CancelWish { reason: body.reason, restock: body.restock, refund: body.refund, note };
    permit
        .write_once("orders.cancel", &key, digest, async move |tx| {
            actions::cancel(tx, id, &wish, &actor).await?;
            Ok::<_, OrderError>(Reply::ok(&actions::view(tx, id).await?))
        })
        .await
}

/// What a guest knows of an order.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LookUpQuery {
    /// `1001` or `#1001`.
    number: String,
    /// From the answer to the checkout, or from the mail's link.
    secret: String,
}

/// Look up an order by number and secret
#[utoipa::path(tag = "Shopping", operation_id = "lookUpOrder", params(LookUpQuery), responses(
    (status = 200, body = ShopperOrderView), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[get("/store/v1/orders:look-up")]
async fn look_up_order(permit: Permit<LookUp>, query: Query<LookUpQuery>) -> Result<HttpResponse, Problem> {
    let query = query.into_inner();
    let secret = LinkSecret::parse(&query.secret).ok_or_else(|| Problem::new(&problem::NOT_FOUND))?;
    let detail = permit
        .read("orders.look_up", async move |tx| {
            Ok::<_, Refusal>(queries::find_by_name(tx, &query.number).await?)
        })
        .await?;
    let order = detail.filter(|order| secret.digest().matches(&order.secret_digest));
    shown(order.map(|order| order.view))
}

/// Get one's own order
///
/// With the order's secret in `X-Order-Secret`, or signed in as the customer who placed it.
#[utoipa::path(tag = "Shopping", operation_id = "getOwnOrder",
    params(("id" = OrderId, Path), ("X-Order-Secret" = Option<String>, Header)), responses(
    (status = 200, body = ShopperOrderView), (status = 404, body = Problem)))]
#[get("/store/v1/orders/{id}")]
async fn get_own_order(
    permit: Permit<LookUp>,
    id: Path<OrderId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = id.into_inner();
    let secret = request.headers().get("x-order-secret").and_then(|value| value.to_str().ok());
    let secret = secret.and_then(LinkSecret::parse);
    let detail =
        permit.look_up("orders.own", async move |tx| Ok::<_, Refusal>(queries::find(tx, id).await?)).await?;
    let reach = permit.reach();
    let order = detail.filter(|order| {
        let knows = secret.as_ref().is_some_and(|secret| secret.digest().matches(&order.secret_digest));
        knows || reach.covers(order.view.customer)
    });
    shown(order.map(|order| order.view))
}

/// A guest's page must not be kept by anything between.
fn shown(order: Option<OrderView>) -> Result<HttpResponse, Problem> {
    let order = order.ok_or_else(|| Problem::new(&problem::NOT_FOUND))?;
    let view = ShopperOrderView::from(order);
    Ok(HttpResponse::build(StatusCode::OK).insert_header(("cache-control", "no-store")).json(view))
}
