//! What lies in the shelves: adjusted by staff, and carried there and away.

use souk_api::{DryRun, Preview};
use souk_kernel::{InventoryItemId, LocationId, StockTransferId};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use crate::inventory::error::{InventoryError, Shortage};
use crate::inventory::model::{AdjustStock, Change, LevelFilter, LevelView, MOST, MovementKind, StockChange};
use crate::inventory::queries::{self, Lying, Move};

/// What a preview of an adjustment is good for.
const ADJUST: &str = "inventory.adjust";

/// A level that is locked, with all of its buckets.
struct Locked {
    item: InventoryItemId,
    location: LocationId,
    /// In all of them.
    on_hand: i64,
    buckets: i32,
    split: bool,
}

/// Why something moves.
#[derive(Clone, Copy)]
pub(super) struct Why<'a> {
    pub kind: MovementKind,
    pub reason: Option<&'a str>,
    pub transfer: Option<StockTransferId>,
    pub actor: &'a str,
}

/// Locks a level, and makes it where it is missing. One statement, two where it is dealt into buckets.
async fn lock(
    tx: &mut WriteTx<'_>,
    item: InventoryItemId,
    location: LocationId,
) -> Result<Locked, InventoryError> {
    let found = queries::lock_level(tx, item, location).await?;
    let found = found.ok_or(InventoryError::Unknown { what: "item" })?;
    let on_hand = match found.split {
        true => queries::lock_buckets(tx, item, location).await?,
        false => found.on_hand,
    };
    Ok(Locked { item, location, on_hand, buckets: found.buckets, split: found.split })
}

/// Changes what is on hand. What is free in buckets is gathered first, and dealt anew after.
async fn shift(
    tx: &mut WriteTx<'_>,
    shelf: &Locked,
    delta: i64,
    why: &Why<'_>,
) -> Result<(), InventoryError> {
    let Locked { item, location, buckets, .. } = *shelf;
    tx.catalogue_changed();
    if shelf.split {
        queries::deal(tx, item, location, 0, why.actor).await?;
    }
    let Why { kind, reason, transfer, actor } = *why;
    queries::move_on_hand(tx, &Move { item, location, delta, kind, reason, transfer, actor }).await?;
    if buckets > 0 {
        queries::make_buckets(tx, item, location, buckets).await?;
        queries::deal(tx, item, location, buckets, why.actor).await?;
    }
    Ok(())
}

/// What differences make of what lies at a location. `short` says how it fails when there is not so much to take away.
pub(super) fn planned(
    lying: &[Lying],
    location: LocationId,
    parts: &[(InventoryItemId, i64)],
    short: impl Fn(Vec<Shortage>) -> InventoryError,
) -> Result<Vec<StockChange>, InventoryError> {
    let (mut changes, mut missing) = (Vec::new(), Vec::new());
    for &(item, delta) in parts {
        let there = lying.iter().find(|there| there.item_id == item);
        let there = there.ok_or(InventoryError::Unknown { what: "lines" })?;
        let (before, after) = (there.on_hand, there.on_hand + delta);
        let most = there.on_hand.min(there.room).max(0);
        if delta < 0 && -delta > most {
            missing.push(Shortage { item, wanted: -delta, available: most });
        }
        if after > MOST {
            return Err(InventoryError::Invalid {
                pointer: "/lines",
                message: "leads to more than 999999999 pieces",
            });
        }
        changes.push(StockChange { item, location, before, after });
    }
    if missing.is_empty() { Ok(changes) } else { Err(short(missing)) }
}

/// Makes changes that were planned under the locks of the items.
///
/// # Errors
/// `Moved` when a level that was not there yet, and so not locked, is there now.
pub(super) async fn carry(
    tx: &mut WriteTx<'_>,
    changes: &[StockChange],
    why: &Why<'_>,
) -> Result<(), InventoryError> {
    for change in changes {
        let shelf = lock(tx, change.item, change.location).await?;
        if shelf.on_hand != change.before {
            return Err(InventoryError::Moved(vec![(change.item, change.before, shelf.on_hand)]));
        }
        if change.after != change.before {
            shift(tx, &shelf, change.after - change.before, why).await?;
        }
    }
    Ok(())
}

/// Puts a number of pieces into the shelf, whatever was there. Locks the level; the same number again changes nothing.
///
/// # Errors
/// `InUse` when more than that is promised; `Unknown` for an item or location there is not.
pub async fn set_on_hand(
    tx: &mut WriteTx<'_>,
    item: InventoryItemId,
    location: LocationId,
    quantity: i64,
    reason: &str,
    actor: &str,
) -> Result<(), InventoryError> {
    let shelf = lock(tx, item, location).await?;
    change(tx, &shelf, quantity - shelf.on_hand, reason, actor).await
}

async fn change(
    tx: &mut WriteTx<'_>,
    shelf: &Locked,
    delta: i64,
    reason: &str,
    actor: &str,
) -> Result<(), InventoryError> {
    if delta == 0 {
        return Ok(());
    }
    let kind =
        if reason == "received" && delta > 0 { MovementKind::Received } else { MovementKind::Adjusted };
    shift(tx, shelf, delta, &Why { kind, reason: Some(reason), transfer: None, actor }).await
}

/// What an adjustment makes of so many pieces.
fn wished(
    wish: &AdjustStock,
    item: InventoryItemId,
    location: LocationId,
    before: i64,
) -> Result<StockChange, InventoryError> {
    let after = match wish.change()? {
        Change::By(delta) => before + delta,
        Change::To(number) => number,
    };
    if after > MOST {
        return Err(InventoryError::Invalid {
            pointer: "/delta",
            message: "leads to more than 999999999 pieces",
        });
    }
    Ok(StockChange { item, location, before, after })
}

/// What an adjustment is about. One statement.
async fn target(
    tx: &mut ReadTx<'_>,
    wish: &AdjustStock,
) -> Result<(InventoryItemId, LocationId), InventoryError> {
    wish.change()?;
    let what = match (wish.variant, wish.item) {
        (Some(_), None) => "variant",
        (None, Some(_)) => "item",
        _ => {
            return Err(InventoryError::Invalid {
                pointer: "/variant",
                message: "give either variant or item",
            });
        }
    };
    let target = queries::resolve(tx, wish.variant, wish.item, wish.location).await?;
    let item = target.item_id.ok_or(InventoryError::Unknown { what })?;
    let location = target.location_id.ok_or(InventoryError::Unknown { what: "location" })?;
    Ok((item, location))
}

/// One adjustment as staff wishes it; gives the level as it is then. At most four statements, five more for an item in buckets.
///
/// # Errors
/// `Unknown`, `Invalid`, `InUse`; `Outdated` when it is not what was previewed.
pub async fn adjust(
    tx: &mut WriteTx<'_>,
    wish: &AdjustStock,
    dry: &DryRun,
    actor: &str,
) -> Result<LevelView, InventoryError> {
    let (item, location) = target(tx, wish).await?;
    let shelf = lock(tx, item, location).await?;
    let to = wished(wish, item, location, shelf.on_hand)?;
    let delta = to.after - to.before;
    dry.agrees(ADJUST, &[to]).map_err(InventoryError::Outdated)?;
    change(tx, &shelf, delta, wish.reason.as_str(), actor).await?;
    let filter = LevelFilter { item: Some(item), location: Some(location), ..LevelFilter::default() };
    let level = queries::levels(tx, &filter, None, 1).await?.pop();
    level.ok_or(InventoryError::Db(DbError::NotFound))
}

/// What that adjustment would change, and its token. Two statements.
///
/// # Errors
/// As [`adjust`].
pub async fn preview_adjust(
    tx: &mut ReadTx<'_>,
    wish: &AdjustStock,
) -> Result<Preview<StockChange>, InventoryError> {
    let (item, location) = target(tx, wish).await?;
    let lying = queries::shelf_at(tx, location, &[item]).await?;
    let before = lying.first().map_or(0, |there| there.on_hand);
    let to = wished(wish, item, location, before)?;
    let changes = planned(&lying, location, &[(item, to.after - to.before)], |_| InventoryError::InUse)?;
    Preview::of(ADJUST, changes).map_err(InventoryError::Outdated)
}
