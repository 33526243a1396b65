//! Note and tags of an order.

use souk_api::{ETag, IfMatch};
use souk_kernel::OrderId;
use souk_tenancy::WriteTx;

use super::{note, view};
use crate::orders::error::OrderError;
use crate::orders::events::OrderUpdated;
use crate::orders::model::edit::{EditOrder, Words};
use crate::orders::model::view::OrderView;
use crate::orders::queries::edit as queries;

/// Changes an order's note and tags, in whatever state it is; says so in its timeline and, of a placed one, `order.updated`. Locks the order.
/// What stays as it is changes nothing and is not told.
///
/// # Errors
/// [`OrderError::Unknown`], [`OrderError::Precondition`], [`OrderError::Fields`].
pub async fn edit(
    tx: &mut WriteTx<'_>,
    id: OrderId,
    seen: &IfMatch,
    wish: &EditOrder,
    actor: &str,
) -> Result<OrderView, OrderError> {
    let now = queries::lock(tx, id).await?.ok_or(OrderError::Unknown)?;
    seen.check(&ETag::new(now.version)).map_err(OrderError::Precondition)?;
    let before = Words { note: now.note, tags: now.tags };
    let after = wish.applied(&before).map_err(OrderError::Fields)?;
    if after != before {
        queries::write(tx, id, &after).await?;
        note(tx, id, "order.updated", actor, after.difference(&before)).await?;
        if let Some((number, name)) = now.number.zip(now.name) {
            let fact = OrderUpdated {
                order_id: id,
                number,
                name,
                note_changed: after.note != before.note,
                tags: after.tags,
                updated_at: tx.now(),
            };
            souk_event_bus::emit(tx, &fact).await?;
        }
    }
    view(tx, id).await
}
