//! Cycle counts.

use souk_api::{DryRun, Preview};
use souk_kernel::{InventoryItemId, Text};
use souk_tenancy::{ReadTx, WriteTx};

use super::shelves::{self, Why};
use crate::inventory::error::InventoryError;
use crate::inventory::model::{Counted, MovementKind, StockChange, StockCount, StockCountView};
use crate::inventory::queries;

/// What a preview of a count is good for.
const COUNT: &str = "inventory.count";

/// What the count changes: lines that are as they were shown change nothing.
async fn found(
    tx: &mut ReadTx<'_>,
    wish: &StockCount,
    lines: &[Counted],
) -> Result<Vec<StockChange>, InventoryError> {
    let items: Vec<InventoryItemId> = lines.iter().map(|line| line.item).collect();
    let lying = queries::shelf_at(tx, wish.location, &items).await?;
    if lying.is_empty() {
        let there = queries::location(tx, wish.location).await?;
        return Err(InventoryError::Unknown { what: if there.is_some() { "lines" } else { "location" } });
    }
    let on_hand = |line: &Counted| lying.iter().find(|there| there.item_id == line.item);
    let moved = |line: &Counted| {
        let now = on_hand(line).map(|there| there.on_hand).filter(|now| *now != line.seen)?;
        Some((line.item, line.seen, now))
    };
    let moved: Vec<_> = lines.iter().filter_map(moved).collect();
    if !moved.is_empty() {
        return Err(InventoryError::Moved(moved));
    }
    let parts: Vec<_> = lines.iter().map(|line| (line.item, line.counted - line.seen)).collect();
    let mut changes = shelves::planned(&lying, wish.location, &parts, |_| InventoryError::InUse)?;
    changes.retain(|change| change.before != change.after);
    Ok(changes)
}

/// Takes over what was counted, all of it or nothing. Locks the items' levels. Two statements, and two for each line that differs.
///
/// # Errors
/// `Moved` when other pieces lie there than the counter was shown; `InUse` when fewer were counted than are promised; `Unknown`, `Invalid`;
/// `Outdated` when it is not what was previewed.
pub async fn count(
    tx: &mut WriteTx<'_>,
    wish: &StockCount,
    dry: &DryRun,
    actor: &str,
) -> Result<StockCountView, InventoryError> {
    let lines = wish.in_order()?;
    let items: Vec<_> = lines.iter().map(|line| line.item).collect();
    queries::lock_levels(tx, &items, None).await?;
    let changes = found(tx, wish, &lines).await?;
    dry.agrees(COUNT, &changes).map_err(InventoryError::Outdated)?;
    let reason = Some(wish.reason.as_ref().map_or("counted", Text::as_str));
    let why = Why { kind: MovementKind::Adjusted, reason, transfer: None, actor };
    shelves::carry(tx, &changes, &why).await?;
    Ok(StockCountView { location: wish.location, counted: lines.len(), changes })
}

/// What that count would change, and its token. One statement.
///
/// # Errors
/// As [`count`].
pub async fn preview_count(
    tx: &mut ReadTx<'_>,
    wish: &StockCount,
) -> Result<Preview<StockChange>, InventoryError> {
    let lines = wish.in_order()?;
    let changes = found(tx, wish, &lines).await?;
    Preview::of(COUNT, changes).map_err(InventoryError::Outdated)
}
