//! Guests who have an account now.

use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use souk_access::{Permit, Reply};
use souk_api::{IdempotencyKey, Json, Problem};
use souk_kernel::OrderId;
use souk_tenancy::WriteTx;
use utoipa::ToSchema;

use crate::customers::customer_of;
use crate::customers::permissions::EditOwn;
use crate::orders::actions::claim::claim;
use crate::orders::error::OrderError;

/// Nothing more needs to be said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimOrders {}

/// Orders that are yours now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClaimedOrders {
    /// In the order they were placed, at most 1000; ask again for more.
    orders: Vec<OrderId>,
}

/// Take over what you bought as a guest
///
/// Orders placed without signing in, with the address that your account has confirmed, become yours: they are in `GET /store/v1/orders` from then
/// on. 409 until you have confirmed it. Asked again, it takes over what came since.
#[utoipa::path(tag = "Shopping", operation_id = "claimOrders", params(("Idempotency-Key" = String, Header)),
    request_body = ClaimOrders, responses((status = 200, body = ClaimedOrders), (status = 401, body = Problem),
    (status = 409, body = Problem)))]
#[post("/store/v1/orders:claim")]
pub(super) async fn claim_orders(
    permit: Permit<EditOwn>,
    key: IdempotencyKey,
    body: Json<ClaimOrders>,
) -> Result<HttpResponse, Problem> {
    let (customer, digest, actor) = (customer_of(&permit)?, body.digest(), permit.actor().to_string());
    let work = async move |tx: &mut WriteTx<'_>| {
        let orders = claim(tx, customer, &actor).await?;
        Ok::<_, OrderError>(Reply::ok(&ClaimedOrders { orders }))
    };
    permit.write_once("orders.claim", &key, digest, work).await
}
