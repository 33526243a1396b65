//! Draft orders become orders: their buyer pays, or staff says so.

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::Deserialize;
use souk_access::Permit;
use souk_api::{IdempotencyKey, Json, Path, Problem};
use souk_kernel::{DraftOrderId, Money};
use souk_tenancy::WriteTx;
use utoipa::ToSchema;

use super::Checkout;
use crate::checkout::actions::complete::{Completion, complete};
use crate::checkout::actions::pay::{outlive, pay};
use crate::checkout::actions::prepare::{Door, Purchase};
use crate::checkout::model::{CheckoutView, Till};
use crate::checkout::permissions::Use;
use crate::customers::Origin;
use crate::drafts;
use crate::drafts::permissions::Complete;
use crate::orders::OrderView;
use crate::payments;

/// Pay a draft order
///
/// With the secret of its link; no sign-in. As a cart is bought: repeat it with the same key when the answer got lost, it buys once. Whoever
/// calls with a live key does not pay with the `test` provider.
#[utoipa::path(tag = "Shopping", operation_id = "checkoutDraftOrder",
    params(("id" = DraftOrderId, Path), ("X-Draft-Order-Secret" = String, Header), ("Idempotency-Key" = String, Header)),
    request_body = Checkout, responses(
    (status = 201, body = CheckoutView, description = "The order is placed"),
    (status = 200, body = CheckoutView, description = "It was bought before: its order"),
    (status = 202, body = CheckoutView, description = "Send the buyer to `next_action`, or read the order again in a moment"),
    (status = 400, body = Problem), (status = 402, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
#[post("/store/v1/draft-orders/{id}/checkout")]
pub(super) async fn checkout_draft_order(
    permit: Permit<Use>,
    till: web::Data<Till>,
    id: Path<DraftOrderId>,
    key: IdempotencyKey,
    body: Json<Checkout>,
    request: HttpRequest,
    origin: Origin,
) -> Result<HttpResponse, Problem> {
    let (secret, digest) = (drafts::secret_of(&request)?, body.digest());
    let (wish, entry, actor) =
        (body.into_inner().wish()?, permit.entry().clone(), permit.actor().to_string());
    let mode = payments::demand_mode(permit.actor(), wish.provider)?;
    let (door, cart, network) = (Door::DraftOrders, drafts::cart_of(*id), origin.network);
    let purchase = Purchase { entry, door, cart, secret, wish, actor, mode, network };
    let (till, inside) = (till.get_ref().clone(), permit.clone());
    let (reply, kept) = outlive(async move { pay(till, inside, key, digest, purchase).await }).await?;
    if kept { permit.replay(reply) } else { permit.send(reply) }
}

/// How to complete a draft order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"paid": true}))]
pub(super) struct CompleteDraftOrder {
    /// Whether the money is there, by whatever way; else the order waits for it, until `mark-paid` says so.
    #[serde(default = "yes")]
    #[schema(default = true)]
    paid: bool,
    /// The total you saw. If it is another by now, nothing is done and the answer says which.
    expected_total: Option<Money>,
}

const fn yes() -> bool {
    true
}

/// Make a draft order an order without its buyer
///
/// Paid by hand, or to be paid later. Takes the stock, numbers the order and writes to the buyer, as any order. Not while its buyer is paying.
#[utoipa::path(tag = "Draft orders", operation_id = "completeDraftOrder", request_body = CompleteDraftOrder,
    params(("id" = DraftOrderId, Path), ("Idempotency-Key" = String, Header)), responses((status = 201, body = OrderView),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/draft-orders/{id}/complete")]
pub(super) async fn complete_draft_order(
    permit: Permit<Complete>,
    till: web::Data<Till>,
    id: Path<DraftOrderId>,
    key: IdempotencyKey,
    body: Json<CompleteDraftOrder>,
) -> Result<HttpResponse, Problem> {
    let (id, digest, till, actor) = (*id, body.digest(), till.get_ref().clone(), permit.actor().to_string());
    let CompleteDraftOrder { paid, expected_total } = body.into_inner();
    let wish = Completion { paid, expected_total };
    let work = async move |tx: &mut WriteTx<'_>| complete(tx, &till, id, wish, &actor).await;
    permit.write_once("draft_orders.complete", &key, digest, work).await
}
