//! Sending, and taking back what did not leave. Both under the order's lock, which is taken first; then the stock's.

use serde_json::json;
use souk_api::{ETag, IfMatch};
use souk_kernel::{FulfillmentId, OrderId, OrderLineId};
use souk_tenancy::{ReadTx, WriteTx};

use super::error::FulfillmentError;
use super::events::{FulfilledLine, FulfillmentCancelled, FulfillmentCreated, FulfillmentUpdated};
use super::model::{EditFulfillment, FulfillmentView, NewFulfillment, by_item, come_back, plan};
use super::queries::{self, New};
use super::state::FulfillmentEvent;
use crate::inventory;
use crate::orders::{self, LockedOrder, OrderError, OrderState};

/// Sends what the wish comes to. Says `fulfillment.created`.
///
/// # Errors
/// [`FulfillmentError::Unknown`] order; [`OrderError::State`] unless it is open; the wish's own.
pub async fn fulfil(
    tx: &mut WriteTx<'_>,
    id: OrderId,
    wish: &NewFulfillment,
    actor: &str,
) -> Result<FulfillmentView, FulfillmentError> {
    if let Some(mistake) = wish.tracking.mistake() {
        return Err(FulfillmentError::Fields(vec![mistake]));
    }
    let order = orders::lock(tx, id).await?.ok_or(FulfillmentError::Unknown)?;
    if order.state != OrderState::Open {
        return Err(OrderError::State(orders::view(tx, id).await?.allowed_actions).into());
    }
    let parts = plan(&orders::open_lines(tx, id).await?, &wish.lines)?;
    let shipped = inventory::ship(tx, order.cart, id, &by_item(&parts), actor).await?;
    let (fulfillment, name) = (FulfillmentId::new(), order.title());
    let new = New {
        id: fulfillment,
        order: id,
        order_name: &name,
        tracking: &wish.tracking,
        parts: &parts,
        shipped: &shipped,
    };
    queries::insert(tx, &new).await?;
    let sent: Vec<(OrderLineId, i32)> = parts.iter().map(|part| (part.line, signed(part.pieces))).collect();
    let status = orders::count_sent(tx, id, &sent).await?;
    let view = show(tx, fulfillment).await?;
    note(tx, &view, "fulfillment.created", actor).await?;
    let tracking = view.tracking.clone();
    let fact = FulfillmentCreated {
        fulfillment_id: fulfillment,
        fulfillment_name: view.name.clone(),
        order_id: id,
        number: order.number,
        name,
        email: order.email,
        lines: view.lines.iter().cloned().map(FulfilledLine::from).collect(),
        tracking_company: tracking.company.map(|text| text.to_string()),
        tracking_number: tracking.number.map(|text| text.to_string()),
        tracking_url: tracking.url.map(|text| text.to_string()),
        fulfillment_status: status,
        notify: wish.notify,
        shipped_at: tx.now(),
    };
    souk_event_bus::emit(tx, &fact).await?;
    Ok(view)
}

fn signed(pieces: u32) -> i32 {
    i32::try_from(pieces).unwrap_or(i32::MAX)
}

async fn note(
    tx: &mut WriteTx<'_>,
    view: &FulfillmentView,
    kind: &'static str,
    actor: &str,
) -> Result<(), FulfillmentError> {
    let details =
        json!({ "fulfillment": view.id, "name": view.name, "lines": view.lines, "tracking": view.tracking });
    Ok(orders::note(tx, view.order, kind, actor, details).await?)
}

/// A fulfillment.
///
/// # Errors
/// [`FulfillmentError::Unknown`].
pub async fn show(tx: &mut ReadTx<'_>, id: FulfillmentId) -> Result<FulfillmentView, FulfillmentError> {
    queries::one(tx, id).await?.ok_or(FulfillmentError::Unknown)
}

/// Those of an order, oldest first.
///
/// # Errors
/// [`FulfillmentError::Unknown`] order.
pub async fn list(tx: &mut ReadTx<'_>, order: OrderId) -> Result<Vec<FulfillmentView>, FulfillmentError> {
    let found = queries::of_order(tx, order).await?;
    if found.is_empty() && orders::state_of(tx, order).await?.is_none() {
        return Err(FulfillmentError::Unknown);
    }
    Ok(found)
}

/// Says how to follow it from now on, and perhaps tells the shopper. Says `fulfillment.updated`.
///
/// # Errors
/// [`FulfillmentError::Unknown`]; [`FulfillmentError::Precondition`] when somebody changed it meanwhile; [`FulfillmentError::State`] when it
/// was cancelled.
pub async fn track(
    tx: &mut WriteTx<'_>,
    id: FulfillmentId,
    seen: &IfMatch,
    wish: &EditFulfillment,
    actor: &str,
) -> Result<FulfillmentView, FulfillmentError> {
    if let Some(mistake) = wish.tracking.mistake() {
        return Err(FulfillmentError::Fields(vec![mistake]));
    }
    let order = show(tx, id).await?.order;
    let order = orders::lock(tx, order).await?.ok_or(FulfillmentError::Unknown)?;
    let now = show(tx, id).await?;
    seen.check(&ETag::new(now.version)).map_err(FulfillmentError::Precondition)?;
    now.state.on(FulfillmentEvent::Track)?;
    queries::track(tx, id, &wish.tracking).await?;
    let view = show(tx, id).await?;
    note(tx, &view, "fulfillment.updated", actor).await?;
    let tracking = view.tracking.clone();
    let fact = FulfillmentUpdated {
        fulfillment_id: id,
        fulfillment_name: view.name.clone(),
        order_id: order.id,
        number: order.number,
        name: order.title(),
        email: order.email,
        lines: view.lines.iter().cloned().map(FulfilledLine::from).collect(),
        tracking_company: tracking.company.map(|text| text.to_string()),
        tracking_number: tracking.number.map(|text| text.to_string()),
        tracking_url: tracking.url.map(|text| text.to_string()),
        fulfillment_status: order.fulfillment_status,
        notify: wish.notify,
        updated_at: tx.now(),
    };
    souk_event_bus::emit(tx, &fact).await?;
    Ok(view)
}

/// It did not leave: its pieces go back where they were, for the order as far as it still wants them, else on sale. Says
/// `fulfillment.cancelled`.
///
/// # Errors
/// [`FulfillmentError::Unknown`]; [`FulfillmentError::State`] when that is known already.
pub async fn cancel(
    tx: &mut WriteTx<'_>,
    id: FulfillmentId,
    actor: &str,
) -> Result<FulfillmentView, FulfillmentError> {
    let order = show(tx, id).await?.order;
    let LockedOrder { cart, number, email, .. } =
        orders::lock(tx, order).await?.ok_or(FulfillmentError::Unknown)?;
    // Only under the lock it stays as it is.
    let view = show(tx, id).await?;
    view.state.on(FulfillmentEvent::Cancel)?;
    queries::cancel(tx, id).await?;
    let before = orders::open_lines(tx, order).await?;
    let sent: Vec<(OrderLineId, i32)> = view.lines.iter().map(|line| (line.line, -line.quantity)).collect();
    let status = orders::count_sent(tx, order, &sent).await?;
    let after = orders::open_lines(tx, order).await?;
    let shipped = queries::pieces(tx, id).await?;
    inventory::unship(tx, cart, order, &come_back(&shipped, &before, &after), actor).await?;
    let view = show(tx, id).await?;
    note(tx, &view, "fulfillment.cancelled", actor).await?;
    let name = orders::name_of(tx, order).await?.unwrap_or_else(|| order.to_string());
    let fact = FulfillmentCancelled {
        fulfillment_id: id,
        fulfillment_name: view.name.clone(),
        order_id: order,
        number,
        name,
        email,
        lines: view.lines.iter().cloned().map(FulfilledLine::from).collect(),
        fulfillment_status: status,
        cancelled_at: tx.now(),
    };
    souk_event_bus::emit(tx, &fact).await?;
    Ok(view)
}
