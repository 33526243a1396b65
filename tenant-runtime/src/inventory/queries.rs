//! The statements of stock. Every one that changes a level also writes its movement.

mod check;
mod items;
mod locations;
mod shelf;
mod shelves;
mod ship;
mod transfers;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{
    CartId, InventoryItemId, LocationId, OrderId, ProductId, ReservationId, StockMovementId, StockTransferId,
    VariantId,
};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

pub use check::check;
pub use items::{apply_terms, item, lock_item, put_item, set_backorderable};
pub use locations::{
    busy, create_location, edit_location, location, locations, lock_location, lying_at, other_active,
};
pub use shelf::shelf;
pub use shelves::{
    Lying, Move, deal, lock_buckets, lock_level, make_buckets, move_on_hand, places_of, shelf_at,
};
pub use ship::{ship, unship};
pub use transfers::{
    Came, create_transfer, edit_transfer, lock_transfer, note_lines, put_lines, set_state, transfer,
    transfers,
};

use super::model::{GivenUp, Level, LevelFilter, LevelView, MovementFilter, MovementView, NewItem};

#[derive(QueryableByName)]
struct LockedRow {
    #[diesel(sql_type = SqlUuid)]
    item_id: InventoryItemId,
    #[diesel(sql_type = SqlUuid)]
    location_id: LocationId,
    #[diesel(sql_type = SqlUuid)]
    main_id: LocationId,
    #[diesel(sql_type = BigInt)]
    available: i64,
    #[diesel(sql_type = BigInt)]
    safety_stock: i64,
    #[diesel(sql_type = BigInt)]
    backorderable: i64,
    #[diesel(sql_type = Integer)]
    priority: i32,
    #[diesel(sql_type = Bool)]
    active: bool,
    #[diesel(sql_type = Bool)]
    cart_has: bool,
}

impl From<LockedRow> for Level {
    fn from(row: LockedRow) -> Self {
        Self {
            item: row.item_id,
            location: row.location_id,
            main: row.main_id,
            available: row.available,
            safety: row.safety_stock,
            backorderable: row.backorderable,
            priority: row.priority,
            active: row.active,
        }
    }
}

/// The locked rows, and whether the cart has anything to give back.
fn locked(rows: Vec<LockedRow>) -> (Vec<Level>, bool) {
    let has = rows.iter().any(|row| row.cart_has);
    (rows.into_iter().map(Level::from).collect(), has)
}

/// Locks the levels of these items, and the rows of what the cart has reserved. Second: whether the cart has anything to give back.
pub async fn lock_levels(
    tx: &mut WriteTx<'_>,
    items: &[InventoryItemId],
    cart: Option<CartId>,
) -> Result<(Vec<Level>, bool), DbError> {
    let query = sql(include_str!("queries/lock_levels.sql"))
        .bind::<Array<SqlUuid>, _>(uuids(items))
        .bind::<Nullable<SqlUuid>, _>(cart);
    Ok(locked(tx.load(query).await?))
}

/// The same for a cart that wants so much: of one item that is dealt into buckets, a bucket that has enough and is free, if there is one.
pub async fn lock_for_cart(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    wanted: &BTreeMap<InventoryItemId, i64>,
) -> Result<(Vec<Level>, bool), DbError> {
    let query = sql(include_str!("queries/lock_for_cart.sql"))
        .bind::<Array<SqlUuid>, _>(wanted.keys().map(|item| item.uuid()).collect::<Vec<_>>())
        .bind::<SqlUuid, _>(cart)
        .bind::<Array<BigInt>, _>(wanted.values().copied().collect::<Vec<_>>());
    Ok(locked(tx.load(query).await?))
}

fn uuids(items: &[InventoryItemId]) -> Vec<Uuid> {
    items.iter().map(|item| item.uuid()).collect()
}

/// Waits for a bucket of this item that has so many pieces; none where none has.
pub async fn wait_for_bucket(
    tx: &mut WriteTx<'_>,
    item: InventoryItemId,
    pieces: i64,
) -> Result<Vec<Level>, DbError> {
    let query =
        sql(include_str!("queries/wait_for_bucket.sql")).bind::<SqlUuid, _>(item).bind::<BigInt, _>(pieces);
    Ok(locked(tx.load(query).await?).0)
}

/// Ends what the cart holds, and what ran out of these rows. They, and those of the cart, must be locked. Gives how many ended.
pub async fn give_back(
    tx: &mut WriteTx<'_>,
    cart: Option<CartId>,
    levels: &[Level],
    actor: &str,
) -> Result<usize, DbError> {
    let now = tx.now();
    let query = sql(include_str!("queries/give_back.sql"))
        .bind::<Nullable<SqlUuid>, _>(cart)
        .bind::<Array<SqlUuid>, _>(levels.iter().map(|level| level.item.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(levels.iter().map(|level| level.location.uuid()).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(actor.to_owned());
    tx.execute(query).await
}

#[derive(QueryableByName)]
struct ClaimRow {
    #[diesel(sql_type = SqlUuid)]
    item_id: InventoryItemId,
    #[diesel(sql_type = BigInt)]
    quantity: i64,
}

/// What the cart holds, and what it held until it ran out.
pub async fn claims(tx: &mut ReadTx<'_>, cart: CartId) -> Result<BTreeMap<InventoryItemId, i64>, DbError> {
    let query = sql("SELECT item_id, sum(quantity)::bigint AS quantity FROM reservations \
         WHERE cart_id = $1 AND state IN ('held', 'expired') GROUP BY item_id")
    .bind::<SqlUuid, _>(cart);
    let rows: Vec<ClaimRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| (row.item_id, row.quantity)).collect())
}

/// Takes planned parts for a cart; gives how many there was room for.
pub async fn take(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    parts: &[(InventoryItemId, LocationId, i64)],
    until: DateTime<Utc>,
    actor: &str,
) -> Result<usize, DbError> {
    let now = tx.now();
    let query = sql(include_str!("queries/take.sql"))
        .bind::<Array<SqlUuid>, _>(parts.iter().map(|_| ReservationId::new().uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(parts.iter().map(|part| part.0.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(parts.iter().map(|part| part.1.uuid()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(parts.iter().map(|part| part.2).collect::<Vec<_>>())
        .bind::<SqlUuid, _>(cart)
        .bind::<Timestamptz, _>(until)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(actor.to_owned());
    tx.execute(query).await
}

/// How a commit went.
#[derive(QueryableByName)]
pub struct CommitRow {
    /// Whether there was room for everything; if not, nothing was changed.
    #[diesel(sql_type = Bool)]
    pub enough: bool,
    /// Levels concerned.
    #[diesel(sql_type = BigInt)]
    pub wanted: i64,
    /// Whether the cart had committed reservations already.
    #[diesel(sql_type = Bool)]
    pub before: bool,
    /// Whether the cart ever had a reservation.
    #[diesel(sql_type = Bool)]
    pub ever: bool,
}

/// Turns what the cart reserved into the order's. The levels must be locked.
pub async fn commit(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    order: OrderId,
    actor: &str,
) -> Result<CommitRow, DbError> {
    let now = tx.now();
    let query = sql(include_str!("queries/commit.sql"))
        .bind::<SqlUuid, _>(cart)
        .bind::<SqlUuid, _>(order)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(actor.to_owned());
    tx.one(query).await
}

/// Gives up what the order had. The levels must be locked.
pub async fn uncommit(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    order: OrderId,
    restock: bool,
    actor: &str,
) -> Result<usize, DbError> {
    let now = tx.now();
    let query = sql(include_str!("queries/uncommit.sql"))
        .bind::<SqlUuid, _>(cart)
        .bind::<SqlUuid, _>(order)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(actor.to_owned())
        .bind::<Bool, _>(restock);
    tx.execute(query).await
}

/// Gives up some of what the order has. The levels must be locked.
pub async fn give_up(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    order: OrderId,
    pieces: &[GivenUp],
    actor: &str,
) -> Result<usize, DbError> {
    let now = tx.now();
    let query = sql(include_str!("queries/give_up.sql"))
        .bind::<SqlUuid, _>(cart)
        .bind::<SqlUuid, _>(order)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(actor.to_owned())
        .bind::<Array<SqlUuid>, _>(pieces.iter().map(|given| given.item.uuid()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(pieces.iter().map(|given| given.pieces).collect::<Vec<_>>())
        .bind::<Array<Bool>, _>(pieces.iter().map(|given| given.restock).collect::<Vec<_>>());
    tx.execute(query).await
}

#[derive(QueryableByName)]
struct ItemRow {
    #[diesel(sql_type = SqlUuid)]
    item_id: InventoryItemId,
}

/// Items with reservations that ran out, at most `limit` reservations.
pub async fn stale(tx: &mut ReadTx<'_>, limit: i64) -> Result<Vec<InventoryItemId>, DbError> {
    let now = tx.now();
    let query = sql("SELECT DISTINCT item_id FROM (SELECT item_id FROM reservations \
         WHERE state = 'held' AND expires_at <= $1 ORDER BY expires_at LIMIT $2) due")
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(limit);
    let rows: Vec<ItemRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| row.item_id).collect())
}

pub async fn create_items(tx: &mut WriteTx<'_>, items: &[NewItem], actor: &str) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(include_str!("queries/create_items.sql"))
        .bind::<Array<SqlUuid>, _>(items.iter().map(|item| item.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(items.iter().map(|item| item.sku.clone()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(items.iter().map(|item| item.on_hand).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(items.iter().map(|item| item.policy.backorderable()).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(actor.to_owned());
    tx.execute(query).await.map(|_| ())
}

/// Deletes items nothing was ever reserved of or moved to another location, with their levels; the others stay, for the records.
pub async fn retire(tx: &mut WriteTx<'_>, items: &[InventoryItemId]) -> Result<(), DbError> {
    let query = sql("DELETE FROM inventory_items i WHERE i.id = ANY($1) \
         AND NOT EXISTS (SELECT 1 FROM reservations r WHERE r.item_id = i.id) \
         AND NOT EXISTS (SELECT 1 FROM stock_transfer_lines t WHERE t.item_id = i.id)")
    .bind::<Array<SqlUuid>, _>(uuids(items));
    tx.execute(query).await.map(|_| ())
}

/// What an adjustment is about.
#[derive(QueryableByName)]
pub struct Target {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub item_id: Option<InventoryItemId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub location_id: Option<LocationId>,
}

pub async fn resolve(
    tx: &mut ReadTx<'_>,
    variant: Option<VariantId>,
    item: Option<InventoryItemId>,
    location: Option<LocationId>,
) -> Result<Target, DbError> {
    let query = sql(include_str!("queries/resolve.sql"))
        .bind::<Nullable<SqlUuid>, _>(variant)
        .bind::<Nullable<SqlUuid>, _>(item)
        .bind::<Nullable<SqlUuid>, _>(location);
    tx.one(query).await
}

#[derive(QueryableByName)]
struct AvailableRow {
    #[diesel(sql_type = SqlUuid)]
    item_id: InventoryItemId,
    #[diesel(sql_type = BigInt)]
    available: i64,
}

pub async fn available(
    tx: &mut ReadTx<'_>,
    items: &[InventoryItemId],
) -> Result<Vec<(InventoryItemId, i64)>, DbError> {
    let query = sql(include_str!("queries/available.sql")).bind::<Array<SqlUuid>, _>(uuids(items));
    let rows: Vec<AvailableRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| (row.item_id, row.available)).collect())
}

#[derive(QueryableByName)]
struct LevelRow {
    #[diesel(sql_type = SqlUuid)]
    item_id: InventoryItemId,
    #[diesel(sql_type = SqlUuid)]
    location_id: LocationId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    variant_id: Option<VariantId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    product_id: Option<ProductId>,
    #[diesel(sql_type = Nullable<Text>)]
    product_title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    variant_title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    sku: Option<String>,
    #[diesel(sql_type = BigInt)]
    on_hand: i64,
    #[diesel(sql_type = BigInt)]
    unavailable: i64,
    #[diesel(sql_type = BigInt)]
    committed: i64,
    #[diesel(sql_type = BigInt)]
    reserved: i64,
    #[diesel(sql_type = BigInt)]
    available: i64,
    #[diesel(sql_type = BigInt)]
    safety_stock: i64,
    #[diesel(sql_type = BigInt)]
    backorderable: i64,
    #[diesel(sql_type = BigInt)]
    incoming: i64,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl From<LevelRow> for LevelView {
    fn from(row: LevelRow) -> Self {
        Self {
            item: row.item_id,
            location: row.location_id,
            variant: row.variant_id,
            product: row.product_id,
            product_title: row.product_title,
            variant_title: row.variant_title,
            sku: row.sku,
            on_hand: row.on_hand,
            unavailable: row.unavailable,
            committed: row.committed,
            reserved: row.reserved,
            available: row.available,
            safety_stock: row.safety_stock,
            incoming: row.incoming,
            backorders: row.backorderable > 0,
            version: row.version,
            updated_at: row.updated_at,
        }
    }
}

pub async fn levels(
    tx: &mut ReadTx<'_>,
    filter: &LevelFilter,
    after: Option<(InventoryItemId, LocationId)>,
    limit: i64,
) -> Result<Vec<LevelView>, DbError> {
    let query = sql(include_str!("queries/levels.sql"))
        .bind::<Nullable<SqlUuid>, _>(filter.variant)
        .bind::<Nullable<SqlUuid>, _>(filter.item)
        .bind::<Nullable<SqlUuid>, _>(filter.location)
        .bind::<Nullable<BigInt>, _>(filter.available_at_most)
        .bind::<Nullable<SqlUuid>, _>(after.map(|after| after.0))
        .bind::<Nullable<SqlUuid>, _>(after.map(|after| after.1))
        .bind::<BigInt, _>(limit);
    let rows: Vec<LevelRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(LevelView::from).collect())
}

#[derive(QueryableByName)]
struct MovementRow {
    #[diesel(sql_type = SqlUuid)]
    id: StockMovementId,
    #[diesel(sql_type = SqlUuid)]
    item_id: InventoryItemId,
    #[diesel(sql_type = SqlUuid)]
    location_id: LocationId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    variant_id: Option<VariantId>,
    #[diesel(sql_type = Nullable<Text>)]
    sku: Option<String>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    on_hand_delta: i64,
    #[diesel(sql_type = BigInt)]
    unavailable_delta: i64,
    #[diesel(sql_type = BigInt)]
    committed_delta: i64,
    #[diesel(sql_type = BigInt)]
    reserved_delta: i64,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    cause_type: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    cause_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
}

impl From<MovementRow> for MovementView {
    fn from(row: MovementRow) -> Self {
        let of = |kind: &str| row.cause_id.filter(|_| row.cause_type.as_deref() == Some(kind));
        Self {
            cart: of("cart").map(CartId::from_uuid),
            order: of("order").map(OrderId::from_uuid),
            transfer: of("transfer").map(StockTransferId::from_uuid),
            id: row.id,
            item: row.item_id,
            location: row.location_id,
            variant: row.variant_id,
            sku: row.sku,
            kind: row.kind,
            on_hand_delta: row.on_hand_delta,
            unavailable_delta: row.unavailable_delta,
            committed_delta: row.committed_delta,
            reserved_delta: row.reserved_delta,
            reason: row.reason,
            actor: row.actor,
            at: row.at,
        }
    }
}

pub async fn movements(
    tx: &mut ReadTx<'_>,
    filter: &MovementFilter,
    before: Option<StockMovementId>,
    limit: i64,
) -> Result<Vec<MovementView>, DbError> {
    let query = sql(include_str!("queries/movements.sql"))
        .bind::<Nullable<SqlUuid>, _>(filter.variant)
        .bind::<Nullable<SqlUuid>, _>(filter.item)
        .bind::<Nullable<SqlUuid>, _>(filter.location)
        .bind::<Nullable<SqlUuid>, _>(before)
        .bind::<BigInt, _>(limit);
    let rows: Vec<MovementRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(MovementView::from).collect())
}
