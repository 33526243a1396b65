//! Goods on their way from one location to another.

use souk_api::{DryRun, ETag, IfMatch, Preview};
use souk_event_bus::emit;
use souk_kernel::{InventoryItemId, LocationId, StockTransferId};
use souk_tenancy::{ReadTx, WriteTx};

use super::shelves::{self, Why};
use crate::inventory::error::InventoryError;
use crate::inventory::events::StockTransferMoved;
use crate::inventory::model::{
    CreateTransfer, EditTransfer, MovementKind, ReceiveTransfer, ReceivedLine, StockChange, TransferLineView,
    TransferView,
};
use crate::inventory::queries::{self, Came};
use crate::inventory::state::{TransferEvent, TransferState};

/// What previews are good for.
const SEND: &str = "stock_transfers.send";
const RECEIVE: &str = "stock_transfers.receive";
const CANCEL: &str = "stock_transfers.cancel";

/// One transfer. One statement.
///
/// # Errors
/// `Missing`.
pub async fn show_transfer(tx: &mut ReadTx<'_>, id: StockTransferId) -> Result<TransferView, InventoryError> {
    queries::transfer(tx, id).await?.ok_or(InventoryError::Missing)
}

/// Puts a transfer together; nothing moves. Four statements.
///
/// # Errors
/// `Invalid`, `Unknown`.
pub async fn create_transfer(
    tx: &mut WriteTx<'_>,
    wish: &CreateTransfer,
) -> Result<TransferView, InventoryError> {
    wish.check()?;
    let id = StockTransferId::new();
    if !queries::create_transfer(tx, id, wish).await? {
        return Err(InventoryError::Invalid {
            pointer: "/origin",
            message: "must be, as the destination, an active location of this store",
        });
    }
    if queries::put_lines(tx, id, &wish.lines).await? != wish.lines.len() {
        return Err(InventoryError::Unknown { what: "lines" });
    }
    show_transfer(tx, id).await
}

/// The transfer, locked.
async fn locked(tx: &mut WriteTx<'_>, id: StockTransferId) -> Result<TransferView, InventoryError> {
    if !queries::lock_transfer(tx, id).await? {
        return Err(InventoryError::Missing);
    }
    show_transfer(tx, id).await
}

/// Changes a draft.
///
/// # Errors
/// `Missing`, `Outdated`, `Transfer` when it has left, `Invalid`, `Unknown`.
pub async fn edit_transfer(
    tx: &mut WriteTx<'_>,
    id: StockTransferId,
    seen: &IfMatch,
    wish: &EditTransfer,
) -> Result<TransferView, InventoryError> {
    wish.check()?;
    let now = locked(tx, id).await?;
    seen.check(&ETag::new(now.version)).map_err(InventoryError::Outdated)?;
    now.state.on(TransferEvent::Edit)?;
    queries::edit_transfer(tx, id, wish).await?;
    if let Some(lines) = &wish.lines
        && queries::put_lines(tx, id, lines).await? != lines.len()
    {
        return Err(InventoryError::Unknown { what: "lines" });
    }
    show_transfer(tx, id).await
}

/// What an act does to a transfer: where it is then, what becomes of its lines, and what moves where.
struct Act {
    to: TransferState,
    came: Vec<Came>,
    location: LocationId,
    parts: Vec<(InventoryItemId, i64)>,
    kind: MovementKind,
}

fn sending(of: &TransferView) -> Result<Act, InventoryError> {
    let to = of.state.on(TransferEvent::Send)?;
    let parts = of.lines.iter().map(|line| (line.item, -line.quantity)).collect();
    Ok(Act { to, came: Vec::new(), location: of.origin, parts, kind: MovementKind::Sent })
}

fn receiving(of: &TransferView, wish: &ReceiveTransfer) -> Result<Act, InventoryError> {
    // Whether it may receive at all comes before what it receives.
    of.state.on(TransferEvent::Receive { all: false })?;
    let wish = wish.of(&of.lines)?;
    let rest: i64 = of.lines.iter().map(|line| line.incoming).sum();
    let all = wish.iter().map(|line| line.received + line.lost).sum::<i64>() == rest;
    let to = of.state.on(TransferEvent::Receive { all })?;
    let came =
        |line: &ReceivedLine| Came { item: line.item, received: line.received, lost: line.lost, returned: 0 };
    let arrives = |line: &&ReceivedLine| line.received > 0;
    Ok(Act {
        to,
        came: wish.iter().map(came).collect(),
        location: of.destination,
        parts: wish.iter().filter(arrives).map(|line| (line.item, line.received)).collect(),
        kind: MovementKind::Arrived,
    })
}

fn cancelling(of: &TransferView) -> Result<Act, InventoryError> {
    let to = of.state.on(TransferEvent::Cancel)?;
    let back: Vec<&TransferLineView> = of.lines.iter().filter(|line| line.incoming > 0).collect();
    let came =
        |line: &&TransferLineView| Came { item: line.item, received: 0, lost: 0, returned: line.incoming };
    Ok(Act {
        to,
        came: back.iter().map(came).collect(),
        location: of.origin,
        parts: back.iter().map(|line| (line.item, line.incoming)).collect(),
        kind: MovementKind::Sent,
    })
}

/// What an act makes of the shelves. No statement when nothing moves, else one.
async fn moving(tx: &mut ReadTx<'_>, act: &Act) -> Result<Vec<StockChange>, InventoryError> {
    if act.parts.is_empty() {
        return Ok(Vec::new());
    }
    let items: Vec<_> = act.parts.iter().map(|part| part.0).collect();
    let lying = queries::shelf_at(tx, act.location, &items).await?;
    shelves::planned(&lying, act.location, &act.parts, InventoryError::OutOfStock)
}

/// Does what was planned of a locked transfer.
async fn perform(
    tx: &mut WriteTx<'_>,
    of: &TransferView,
    act: &Act,
    name: &str,
    dry: &DryRun,
    actor: &str,
) -> Result<TransferView, InventoryError> {
    let items: Vec<_> = act.parts.iter().map(|part| part.0).collect();
    if !items.is_empty() {
        queries::lock_levels(tx, &items, None).await?;
    }
    let changes = moving(tx, act).await?;
    dry.agrees(name, &changes).map_err(InventoryError::Outdated)?;
    let why = Why { kind: act.kind, reason: None, transfer: Some(of.id), actor };
    shelves::carry(tx, &changes, &why).await?;
    if !act.came.is_empty() {
        queries::note_lines(tx, of.id, &act.came).await?;
    }
    queries::set_state(tx, of.id, of.state, act.to).await?;
    let after = show_transfer(tx, of.id).await?;
    emit(tx, &StockTransferMoved::of(&after)).await?;
    Ok(after)
}

async fn preview(tx: &mut ReadTx<'_>, act: &Act, name: &str) -> Result<Preview<StockChange>, InventoryError> {
    let changes = moving(tx, act).await?;
    Preview::of(name, changes).map_err(InventoryError::Outdated)
}

/// Sends a draft: its pieces leave the origin's shelves. Locks the transfer, then the items' levels.
///
/// # Errors
/// `Missing`, `Transfer`; `OutOfStock` names every item of which so many are not free at the origin; `Outdated`.
pub async fn send_transfer(
    tx: &mut WriteTx<'_>,
    id: StockTransferId,
    dry: &DryRun,
    actor: &str,
) -> Result<TransferView, InventoryError> {
    let now = locked(tx, id).await?;
    perform(tx, &now, &sending(&now)?, SEND, dry, actor).await
}

/// What sending would change, and its token.
///
/// # Errors
/// As [`send_transfer`].
pub async fn preview_send(
    tx: &mut ReadTx<'_>,
    id: StockTransferId,
) -> Result<Preview<StockChange>, InventoryError> {
    let now = show_transfer(tx, id).await?;
    preview(tx, &sending(&now)?, SEND).await
}

/// Puts what came on the destination's shelves, and writes off what will not come.
///
/// # Errors
/// `Missing`, `Transfer`, `Invalid`, `Outdated`.
pub async fn receive_transfer(
    tx: &mut WriteTx<'_>,
    id: StockTransferId,
    wish: &ReceiveTransfer,
    dry: &DryRun,
    actor: &str,
) -> Result<TransferView, InventoryError> {
    let now = locked(tx, id).await?;
    perform(tx, &now, &receiving(&now, wish)?, RECEIVE, dry, actor).await
}

/// What receiving would change, and its token.
///
/// # Errors
/// As [`receive_transfer`].
pub async fn preview_receive(
    tx: &mut ReadTx<'_>,
    id: StockTransferId,
    wish: &ReceiveTransfer,
) -> Result<Preview<StockChange>, InventoryError> {
    let now = show_transfer(tx, id).await?;
    preview(tx, &receiving(&now, wish)?, RECEIVE).await
}

/// Ends a transfer: what is on its way goes back on the origin's shelves.
///
/// # Errors
/// `Missing`, `Transfer`, `Outdated`.
pub async fn cancel_transfer(
    tx: &mut WriteTx<'_>,
    id: StockTransferId,
    dry: &DryRun,
    actor: &str,
) -> Result<TransferView, InventoryError> {
    let now = locked(tx, id).await?;
    perform(tx, &now, &cancelling(&now)?, CANCEL, dry, actor).await
}

/// What cancelling would change, and its token.
///
/// # Errors
/// As [`cancel_transfer`].
pub async fn preview_cancel(
    tx: &mut ReadTx<'_>,
    id: StockTransferId,
) -> Result<Preview<StockChange>, InventoryError> {
    let now = show_transfer(tx, id).await?;
    preview(tx, &cancelling(&now)?, CANCEL).await
}
