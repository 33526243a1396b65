//! What is done with stock: made, counted, reserved, committed, given back.

mod counts;
mod items;
mod locations;
mod shelves;
mod transfers;

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use souk_kernel::{CartId, InventoryItemId, LocationId, OrderId, Quantity};
use souk_tenancy::{ReadTx, WriteTx};

pub use counts::{count, preview_count};
pub use items::{put_item, show_item};
pub use locations::{create_location, edit_location, show_location};
pub use shelves::{adjust, preview_adjust, set_on_hand};
pub use transfers::{
    cancel_transfer, create_transfer, edit_transfer, preview_cancel, preview_receive, preview_send,
    receive_transfer, send_transfer, show_transfer,
};

use super::error::{InventoryError, Shortage};
use super::model::{
    CameBack, Commitment, Demand, GivenUp, Held, Level, NewItem, Policy, Shelf, Shipped, merged, plan,
};
use super::queries;

/// Whoever reserves is the checkout, whichever shopper is behind it.
const CHECKOUT: &str = "service:checkout";
/// Reservations ended in one round of the sweeper.
const SWEEP: i64 = 500;

/// Makes an item with an empty level at the first active location. One statement.
///
/// # Errors
/// Only of the database.
pub async fn create_item(
    tx: &mut WriteTx<'_>,
    sku: Option<&str>,
    actor: &str,
) -> Result<InventoryItemId, InventoryError> {
    let id = InventoryItemId::new();
    let item = NewItem { id, sku: sku.map(str::to_owned), on_hand: 0, policy: Policy::Deny };
    create_items(tx, &[item], actor).await?;
    Ok(id)
}

/// Makes items, each with its level at the first active location and a movement for what is there. One statement.
///
/// # Errors
/// Only of the database.
pub async fn create_items(
    tx: &mut WriteTx<'_>,
    items: &[NewItem],
    actor: &str,
) -> Result<(), InventoryError> {
    Ok(queries::create_items(tx, items, actor).await?)
}

/// Forgets items whose variants are gone; those with reservations stay for the records. One statement.
///
/// # Errors
/// Only of the database.
pub async fn retire(tx: &mut WriteTx<'_>, items: &[InventoryItemId]) -> Result<(), InventoryError> {
    Ok(queries::retire(tx, items).await?)
}

/// Lets an item be sold below zero, or no longer. Locks its levels.
///
/// # Errors
/// Only of the database.
pub async fn set_policy(
    tx: &mut WriteTx<'_>,
    item: InventoryItemId,
    policy: Policy,
) -> Result<(), InventoryError> {
    Ok(queries::set_backorderable(tx, item, policy == Policy::Continue).await?)
}

/// What is left to sell of each item, over all active locations; items without a level are missing. One statement.
///
/// # Errors
/// Only of the database.
pub async fn available(
    tx: &mut ReadTx<'_>,
    items: &[InventoryItemId],
) -> Result<HashMap<InventoryItemId, i64>, InventoryError> {
    Ok(queries::available(tx, items).await?.into_iter().collect())
}

/// What lies at the first active location of these items. One statement.
///
/// # Errors
/// Only of the database.
pub async fn shelf(tx: &mut ReadTx<'_>, items: &[InventoryItemId]) -> Result<Shelf, InventoryError> {
    Ok(queries::shelf(tx, items).await?)
}

/// Locks the levels of these items, for whoever changes several in one transaction: in the order of ids, as everybody does.
///
/// # Errors
/// Only of the database.
pub async fn hold(tx: &mut WriteTx<'_>, items: &[InventoryItemId]) -> Result<(), InventoryError> {
    queries::lock_levels(tx, items, None).await?;
    Ok(())
}

/// Keeps stock for a cart for so many minutes; called again, adjusts to the new demand. Locks the levels in the order of ids, and of an
/// item in buckets one of them. Two statements, one more when the cart holds something already, two more when stale reservations have to end
/// first, and up to three more where no bucket was free.
///
/// # Errors
/// `OutOfStock` names every item that falls short; roll back.
pub async fn reserve(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    demands: &[Demand],
    minutes: u32,
) -> Result<Vec<Held>, InventoryError> {
    let wanted = merged(demands);
    let items: Vec<_> = wanted.keys().copied().collect();
    let (mut levels, cart_has) = queries::lock_for_cart(tx, cart, &wanted).await?;
    if cart_has {
        refills(tx, &levels);
        queries::give_back(tx, Some(cart), &[], CHECKOUT).await?;
        levels = queries::lock_levels(tx, &items, Some(cart)).await?.0;
    }
    let (levels, parts) = match plan(&wanted, &levels) {
        Ok(parts) => (levels, parts),
        Err(_) => gather(tx, cart, &wanted, (levels, cart_has)).await?,
    };
    take(tx, cart, &parts, minutes).await?;
    let sells_out = |(item, location, pieces): &(InventoryItemId, LocationId, i64)| {
        let level = levels.iter().find(|level| level.item == *item && level.location == *location);
        level.is_some_and(|level| level.stock() > 0 && level.stock() <= *pieces)
    };
    if parts.iter().any(sells_out) {
        tx.catalogue_changed();
    }
    let main =
        |location: LocationId| levels.iter().find(|level| level.location == location).map(|level| level.main);
    Ok(parts.into_iter().filter_map(|(item, location, pieces)| held(item, main(location)?, pieces)).collect())
}

type Parts = Vec<(InventoryItemId, LocationId, i64)>;

/// Looks once more before it says that something is sold out: of an item in buckets only those were asked that nobody had locked, and somebody
/// may have left the till without a word. Waits for one bucket, then for all rows; items in buckets are locked after all others, so that
/// is in order. `whole`: all rows are locked.
async fn gather(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    wanted: &BTreeMap<InventoryItemId, i64>,
    (mut levels, mut whole): (Vec<Level>, bool),
) -> Result<(Vec<Level>, Parts), InventoryError> {
    let items: Vec<_> = wanted.keys().copied().collect();
    if let Some((item, pieces)) = unseen(wanted, &levels) {
        levels.extend(queries::wait_for_bucket(tx, item, pieces).await?);
        if let Ok(parts) = plan(wanted, &levels) {
            return Ok((levels, parts));
        }
    }
    if unseen(wanted, &levels).is_some() {
        (levels, whole) = (queries::lock_levels(tx, &items, Some(cart)).await?.0, true);
        if let Ok(parts) = plan(wanted, &levels) {
            return Ok((levels, parts));
        }
    }
    refills(tx, &levels);
    queries::give_back(tx, None, &levels, CHECKOUT).await?;
    // With one bucket in hand it is taken again, or another, without waiting.
    if !whole {
        levels = queries::lock_for_cart(tx, cart, wanted).await?.0;
    }
    if whole || unseen(wanted, &levels).is_some() {
        levels = queries::lock_levels(tx, &items, Some(cart)).await?.0;
    }
    let parts = plan(wanted, &levels).map_err(InventoryError::OutOfStock)?;
    Ok((levels, parts))
}

/// The item of which no row is locked: one in buckets, all of which somebody else had. Only one can be.
fn unseen(wanted: &BTreeMap<InventoryItemId, i64>, levels: &[Level]) -> Option<(InventoryItemId, i64)> {
    let missing = |item: &InventoryItemId| !levels.iter().any(|level| level.item == *item);
    wanted.iter().find(|pair| missing(pair.0)).map(|(item, pieces)| (*item, *pieces))
}

/// Takes planned parts.
async fn take(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    parts: &[(InventoryItemId, LocationId, i64)],
    minutes: u32,
) -> Result<(), InventoryError> {
    let until = tx.now() + TimeDelta::minutes(i64::from(minutes));
    if queries::take(tx, cart, parts, until, CHECKOUT).await? == parts.len() {
        return Ok(());
    }
    let short =
        |part: &(InventoryItemId, LocationId, i64)| Shortage { item: part.0, wanted: part.2, available: 0 };
    Err(InventoryError::OutOfStock(parts.iter().map(short).collect()))
}

/// What comes back may put something on sale again that was sold out, and shoppers' pages say so.
fn refills(tx: &mut WriteTx<'_>, levels: &[Level]) {
    if levels.iter().any(|level| level.stock() <= 0) {
        tx.catalogue_changed();
    }
}

fn held(item: InventoryItemId, location: LocationId, pieces: i64) -> Option<Held> {
    let quantity = u32::try_from(pieces).ok().and_then(|pieces| Quantity::new(pieces).ok())?;
    Some(Held { item, location, quantity })
}

/// Makes what the cart reserved the order's. What ran out meanwhile is taken again where there is room for all of it, there or elsewhere.
/// Repeating it changes nothing. Locks the levels; two statements.
///
/// # Errors
/// Only of the database; that the goods are gone is no error, and then nothing is held for the cart any more.
pub async fn commit_reservations(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    order: OrderId,
) -> Result<Commitment, InventoryError> {
    let (levels, _) = queries::lock_levels(tx, &[], Some(cart)).await?;
    let mut outcome = queries::commit(tx, cart, order, CHECKOUT).await?;
    if !outcome.enough {
        refills(tx, &levels);
        // The cart's own rows may end as well; the next statement takes them again.
        queries::give_back(tx, None, &levels, CHECKOUT).await?;
        outcome = queries::commit(tx, cart, order, CHECKOUT).await?;
    }
    if !outcome.enough {
        let wanted = queries::claims(tx, cart).await?;
        queries::give_back(tx, Some(cart), &[], CHECKOUT).await?;
        let items: Vec<_> = wanted.keys().copied().collect();
        let (elsewhere, _) = queries::lock_levels(tx, &items, Some(cart)).await?;
        let Ok(parts) = plan(&wanted, &elsewhere) else { return Ok(Commitment::Gone) };
        take(tx, cart, &parts, 1).await?;
        outcome = queries::commit(tx, cart, order, CHECKOUT).await?;
    }
    // Nothing left to commit: done before, or never anything to reserve; else it was given back.
    let there = outcome.wanted > 0 || outcome.before || !outcome.ever;
    Ok(if there { Commitment::Committed } else { Commitment::Gone })
}

/// Gives back what the cart holds; nothing to give back is fine. Locks the levels.
///
/// # Errors
/// Only of the database.
pub async fn release(tx: &mut WriteTx<'_>, cart: CartId) -> Result<(), InventoryError> {
    let (levels, _) = queries::lock_levels(tx, &[], Some(cart)).await?;
    refills(tx, &levels);
    queries::give_back(tx, Some(cart), &[], CHECKOUT).await?;
    Ok(())
}

/// Gives up what a cancelled order had: back on sale when `restock`, else out of the books. Repeating it changes nothing. Locks the
/// levels.
///
/// # Errors
/// Only of the database.
pub async fn uncommit(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    order: OrderId,
    restock: bool,
    actor: &str,
) -> Result<(), InventoryError> {
    let (levels, _) = queries::lock_levels(tx, &[], Some(cart)).await?;
    refills(tx, &levels);
    queries::uncommit(tx, cart, order, restock, actor).await?;
    Ok(())
}

/// Gives up some pieces that a placed order still has, as a refund decided. Pieces it has not any more (sent, or given up before) are left
/// alone. No pieces, no statement; else locks the levels, two statements.
///
/// # Errors
/// `InUse` when pieces are written off that were never on hand; else only of the database.
pub async fn give_up(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    order: OrderId,
    pieces: &[GivenUp],
    actor: &str,
) -> Result<(), InventoryError> {
    if pieces.is_empty() {
        return Ok(());
    }
    let (levels, _) = queries::lock_levels(tx, &[], Some(cart)).await?;
    refills(tx, &levels);
    queries::give_up(tx, cart, order, pieces, actor).await?;
    Ok(())
}

/// Takes pieces off the shelves on which a placed order has them; gives which. Pieces it has not (given up before) are left alone. Locks the
/// levels; two statements.
///
/// # Errors
/// `InUse` when there are not so many on hand: it was sold without regard to stock.
pub async fn ship(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    order: OrderId,
    pieces: &[(InventoryItemId, i64)],
    actor: &str,
) -> Result<Vec<Shipped>, InventoryError> {
    queries::lock_levels(tx, &[], Some(cart)).await?;
    Ok(queries::ship(tx, cart, order, pieces, actor).await?)
}

/// Puts pieces back that did not leave after all. Locks the levels; two statements.
///
/// # Errors
/// Only of the database.
pub async fn unship(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    order: OrderId,
    back: &[CameBack],
    actor: &str,
) -> Result<(), InventoryError> {
    let (levels, _) = queries::lock_levels(tx, &[], Some(cart)).await?;
    refills(tx, &levels);
    Ok(queries::unship(tx, cart, order, back, actor).await?)
}

/// Ends reservations that ran out, some hundred at a time; for the sweeper. Gives how many.
///
/// # Errors
/// Only of the database.
pub async fn expire_due(tx: &mut WriteTx<'_>) -> Result<usize, InventoryError> {
    let items = queries::stale(tx, SWEEP).await?;
    if items.is_empty() {
        return Ok(0);
    }
    let (levels, _) = queries::lock_levels(tx, &items, None).await?;
    refills(tx, &levels);
    Ok(queries::give_back(tx, None, &levels, "service:sweeper").await?)
}
