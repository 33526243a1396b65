//! Refunds over HTTP.

use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use souk_access::{Permit, Reply};
use souk_api::{ETag, IdempotencyKey, Json, Path, Problem};
use souk_kernel::{LongText, Money, OrderId, OrderLineId, Quantity, RefundId, Text};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa::ToSchema;

use crate::orders::actions;
use crate::orders::error::OrderError;
use crate::orders::model::StockChoice;
use crate::orders::model::refund::{LineWish, RefundWish, Share};
use crate::orders::model::view::{OrderView, RefundLineView};
use crate::payments::permissions::Refund;

/// What to give back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundOrder {
    #[serde(default)]
    lines: Vec<RefundLine>,
    /// Of the delivery, tax included.
    #[serde(default)]
    shipping: Option<Money>,
    /// For the books and the provider.
    #[schema(value_type = String, example = "damaged")]
    reason: Text<80>,
    /// For colleagues.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "The glaze was cracked.")]
    note: Option<LongText<1000>>,
}

/// Of one line: pieces, or a part of its price as a gesture.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefundLine {
    line: OrderLineId,
    /// Pieces that come back. Together they are worth exactly what was paid. Either this …
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, example = 1)]
    quantity: Option<Quantity>,
    /// … or a part of the price, tax included; the pieces stay sold.
    #[serde(default)]
    amount: Option<Money>,
    /// What becomes of the pieces; `restock` when left out.
    #[serde(default = "restock")]
    stock: StockChoice,
}

const fn restock() -> StockChoice {
    StockChoice::Restock
}

impl From<RefundOrder> for RefundWish {
    fn from(body: RefundOrder) -> Self {
        let line = |line: RefundLine| LineWish {
            line: line.line,
            pieces: line.quantity.map(Quantity::get),
            amount: line.amount,
            stock: line.stock,
        };
        Self {
            lines: body.lines.into_iter().map(line).collect(),
            shipping: body.shipping,
            reason: body.reason.as_str().to_owned(),
            note: body.note.map(|note| note.to_string()),
        }
    }
}

/// What a refund would come to.
#[derive(Debug, Serialize, ToSchema)]
struct RefundPreview {
    lines: Vec<RefundLineView>,
    /// What the shopper would get, tax included.
    amount: Money,
    /// The tax inside it.
    tax: Money,
}

/// Give money back
///
/// Some pieces of some lines, a part of a price, the delivery. Books the return at once; the money leaves in a moment, and a mail tells the
/// shopper. Answers with the order.
#[utoipa::path(tag = "Orders", operation_id = "refundOrder",
    params(("id" = OrderId, Path), ("Idempotency-Key" = String, Header)), request_body = RefundOrder, responses(
    (status = 200, body = OrderView), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/orders/{id}/refunds")]
pub(super) async fn refund_order(
    permit: Permit<Refund>,
    id: Path<OrderId>,
    key: IdempotencyKey,
    body: Json<RefundOrder>,
) -> Result<HttpResponse, Problem> {
    let (id, digest, actor) = (*id, body.digest(), permit.actor().to_string());
    let wish = RefundWish::from(body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| {
        let order = actions::refund(tx, id, &wish, &actor).await?;
        Ok::<_, OrderError>(Reply::ok(&order).etag(&ETag::new(order.version)))
    };
    permit.write_once("orders.refund", &key, digest, work).await
}

/// See what a refund would come to
///
/// The same body as for the refund itself; nothing changes.
#[utoipa::path(tag = "Orders", operation_id = "previewRefund", params(("id" = OrderId, Path)), request_body = RefundOrder,
    responses((status = 200, body = RefundPreview), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/orders/{id}/refunds:preview")]
pub(super) async fn preview_refund(
    permit: Permit<Refund>,
    id: Path<OrderId>,
    body: Json<RefundOrder>,
) -> Result<Json<RefundPreview>, Problem> {
    let (id, wish) = (*id, RefundWish::from(body.into_inner()));
    let work = async move |tx: &mut ReadTx<'_>| actions::preview_refund(tx, id, &wish).await;
    let (shares, amount) = permit.read("orders.preview_refund", work).await?;
    let tax =
        Money::sum(shares.iter().map(|share| share.tax), amount.currency()).map_err(OrderError::from)?;
    Ok(Json::new(RefundPreview {
        lines: shares.into_iter().map(RefundLineView::from).collect(),
        amount,
        tax,
    }))
}

/// Try a refund again
///
/// One that the provider refused stays owed; this asks the provider once more, in a moment.
#[utoipa::path(tag = "Orders", operation_id = "retryRefund",
    params(("id" = OrderId, Path), ("refund" = RefundId, Path), ("Idempotency-Key" = String, Header)), request_body = RetryRefund,
    responses((status = 200, body = OrderView), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[post("/admin/v1/orders/{id}/refunds/{refund}/retry")]
pub(super) async fn retry_refund(
    permit: Permit<Refund>,
    ids: Path<(OrderId, RefundId)>,
    key: IdempotencyKey,
    body: Json<RetryRefund>,
) -> Result<HttpResponse, Problem> {
    let ((id, refund), digest, actor) = (ids.into_inner(), body.digest(), permit.actor().to_string());
    let work = async move |tx: &mut WriteTx<'_>| {
        let order = actions::retry_refund(tx, id, refund, &actor).await?;
        Ok::<_, OrderError>(Reply::ok(&order).etag(&ETag::new(order.version)))
    };
    permit.write_once("orders.retry_refund", &key, digest, work).await
}

/// `{}`: there is nothing to choose.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryRefund {}

impl From<Share> for RefundLineView {
    fn from(share: Share) -> Self {
        Self {
            line: share.line,
            quantity: i32::try_from(share.pieces).unwrap_or(i32::MAX),
            amount: share.amount,
            tax: share.tax,
            stock: share.stock,
        }
    }
}
