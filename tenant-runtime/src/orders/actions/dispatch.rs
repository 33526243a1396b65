//! What leaves the house, as the order knows it. `fulfillment` decides; here is the one place that writes `fulfillment_status`.

use souk_kernel::{OrderId, OrderLineId};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::super::model::FulfillmentStatus;
use super::super::model::dispatch::{OpenLine, fulfillment_status};
use super::super::queries;

/// The lines of an order and what of each is still to leave. Under the order's lock it stays so. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn open_lines(tx: &mut ReadTx<'_>, order: OrderId) -> Result<Vec<OpenLine>, DbError> {
    queries::open_lines(tx, order).await
}

/// Counts pieces as sent (below zero: as not sent after all) and writes the status that follows. Needs the order's lock. Three statements.
///
/// # Errors
/// A check of the database's, when more is sent than was bought.
pub async fn count_sent(
    tx: &mut WriteTx<'_>,
    order: OrderId,
    pieces: &[(OrderLineId, i32)],
) -> Result<FulfillmentStatus, DbError> {
    queries::count_sent(tx, order, pieces).await?;
    restate(tx, order).await
}

/// Writes how much of an order has left, from what was sent and what was given up. Needs the order's lock. Two statements.
///
/// # Errors
/// See [`DbError`].
pub(super) async fn restate(tx: &mut WriteTx<'_>, order: OrderId) -> Result<FulfillmentStatus, DbError> {
    let status = fulfillment_status(&queries::open_lines(tx, order).await?);
    queries::set_fulfillment(tx, order, status).await?;
    Ok(status)
}
