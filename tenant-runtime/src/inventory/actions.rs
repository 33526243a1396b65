//! What is done with stock: made, counted, reserved, committed, given back.

use std::collections::HashMap;

use chrono::TimeDelta;
use souk_kernel::{CartId, InventoryItemId, LocationId, OrderId, Quantity};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::error::{InventoryError, Shortage};
use super::model::{
    AdjustStock, CameBack, Change, Commitment, Demand, GivenUp, Held, Level, LevelFilter, LevelView, MOST,
    MovementKind, NewItem, Policy, Shelf, Shipped, merged, plan,
};
use super::queries::{self, Move};

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
    Ok(queries::set_backorderable(tx, item, policy.backorderable()).await?)
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
    change_on_hand(tx, item, location, Change::To(quantity), reason, actor).await
}

async fn change_on_hand(
    tx: &mut WriteTx<'_>,
    item: InventoryItemId,
    location: LocationId,
    change: Change,
    reason: &str,
    actor: &str,
) -> Result<(), InventoryError> {
    let on_hand =
        queries::lock_level(tx, item, location).await?.ok_or(InventoryError::Unknown { what: "item" })?;
    let delta = match change {
        Change::By(delta) => delta,
        Change::To(number) => number - on_hand,
    };
    if on_hand + delta > MOST {
        return Err(InventoryError::Invalid {
            pointer: "/delta",
            message: "leads to more than 999999999 pieces",
        });
    }
    if delta == 0 {
        return Ok(());
    }
    tx.catalogue_changed();
    let kind =
        if reason == "received" && delta > 0 { MovementKind::Received } else { MovementKind::Adjusted };
    Ok(queries::move_on_hand(tx, &Move { item, location, delta, kind, reason, actor }).await?)
}

/// One adjustment as staff wishes it; gives the level as it is then. At most four statements.
///
/// # Errors
/// `Unknown`, `Invalid`, `InUse`.
pub async fn adjust(
    tx: &mut WriteTx<'_>,
    wish: &AdjustStock,
    actor: &str,
) -> Result<LevelView, InventoryError> {
    let change = wish.change()?;
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
    change_on_hand(tx, item, location, change, wish.reason.as_str(), actor).await?;
    let filter = LevelFilter { item: Some(item), location: Some(location), ..LevelFilter::default() };
    let level = queries::levels(tx, &filter, None, 1).await?.pop();
    level.ok_or(InventoryError::Db(DbError::NotFound))
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

/// Keeps stock for a cart for so many minutes; called again, adjusts to the new demand. Locks the levels in the order of ids. Two
/// statements, one more when the cart holds something already, and two more when stale reservations have to end first.
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
    let (mut levels, cart_has) = queries::lock_levels(tx, &items, Some(cart)).await?;
    if cart_has {
        refills(tx, &levels);
        queries::give_back(tx, Some(cart), &[], CHECKOUT).await?;
        levels = queries::lock_levels(tx, &items, Some(cart)).await?.0;
    }
    let parts = match plan(&wanted, &levels) {
        Ok(parts) => parts,
        Err(_) => {
            // Somebody may have left the till without a word.
            refills(tx, &levels);
            queries::give_back(tx, None, &items, CHECKOUT).await?;
            levels = queries::lock_levels(tx, &items, Some(cart)).await?.0;
            plan(&wanted, &levels).map_err(InventoryError::OutOfStock)?
        }
    };
    let until = tx.now() + TimeDelta::minutes(i64::from(minutes));
    let taken = queries::take(tx, cart, &parts, until, CHECKOUT).await?;
    if taken != parts.len() {
        let short = |part: &(InventoryItemId, LocationId, i64)| Shortage {
            item: part.0,
            wanted: part.2,
            available: 0,
        };
        return Err(InventoryError::OutOfStock(parts.iter().map(short).collect()));
    }
    let sells_out = |(item, location, pieces): &(InventoryItemId, LocationId, i64)| {
        let level = levels.iter().find(|level| level.item == *item && level.location == *location);
        level.is_some_and(|level| level.available > 0 && level.available <= *pieces)
    };
    if parts.iter().any(sells_out) {
        tx.catalogue_changed();
    }
    Ok(parts.into_iter().filter_map(held).collect())
}

/// What comes back may put something on sale again that was sold out, and shoppers' pages say so.
fn refills(tx: &mut WriteTx<'_>, levels: &[Level]) {
    if levels.iter().any(|level| level.available <= 0) {
        tx.catalogue_changed();
    }
}

fn held((item, location, pieces): (InventoryItemId, LocationId, i64)) -> Option<Held> {
    let quantity = u32::try_from(pieces).ok().and_then(|pieces| Quantity::new(pieces).ok())?;
    Some(Held { item, location, quantity })
}

/// Makes what the cart reserved the order's. What ran out meanwhile is taken again where there is room for all of it. Repeating it
/// changes nothing. Locks the levels; two statements.
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
        let items: Vec<_> = levels.iter().map(|level| level.item).collect();
        refills(tx, &levels);
        // The cart's own rows may end as well; the next statement takes them again.
        queries::give_back(tx, None, &items, CHECKOUT).await?;
        outcome = queries::commit(tx, cart, order, CHECKOUT).await?;
    }
    if !outcome.enough {
        queries::give_back(tx, Some(cart), &[], CHECKOUT).await?;
        return Ok(Commitment::Gone);
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
    Ok(queries::give_back(tx, None, &items, "service:sweeper").await?)
}
