//! What lies at a location, in one row or dealt into buckets.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{InventoryItemId, LocationId, StockTransferId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::uuids;
use crate::inventory::model::MovementKind;

/// A locked level.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct AtHand {
    #[diesel(sql_type = BigInt)]
    pub on_hand: i64,
    /// Of its item.
    #[diesel(sql_type = Integer)]
    pub buckets: i32,
    /// Whether the item has rows in buckets of this location.
    #[diesel(sql_type = Bool)]
    pub split: bool,
}

/// Locks a level, makes it when it is missing, and says what is in its own row. `None`: no such item or location.
pub async fn lock_level(
    tx: &mut WriteTx<'_>,
    item: InventoryItemId,
    location: LocationId,
) -> Result<Option<AtHand>, DbError> {
    let now = tx.now();
    let query = sql(include_str!("lock_level.sql"))
        .bind::<SqlUuid, _>(item)
        .bind::<SqlUuid, _>(location)
        .bind::<Timestamptz, _>(now);
    tx.optional(query).await
}

#[derive(QueryableByName)]
struct OnHandRow {
    #[diesel(sql_type = BigInt)]
    on_hand: i64,
}

/// Locks the row of a location and those of its buckets; what is on hand in all of them.
pub async fn lock_buckets(
    tx: &mut WriteTx<'_>,
    item: InventoryItemId,
    location: LocationId,
) -> Result<i64, DbError> {
    let query = sql(include_str!("lock_buckets.sql")).bind::<SqlUuid, _>(item).bind::<SqlUuid, _>(location);
    let rows: Vec<OnHandRow> = tx.load(query).await?;
    Ok(rows.iter().map(|row| row.on_hand).sum())
}

/// Makes so many buckets of a location, and a row in each for the item; those there are stay. Two statements.
pub async fn make_buckets(
    tx: &mut WriteTx<'_>,
    item: InventoryItemId,
    location: LocationId,
    buckets: i32,
) -> Result<(), DbError> {
    let now = tx.now();
    let make = sql(include_str!("make_buckets.sql"))
        .bind::<SqlUuid, _>(location)
        .bind::<Integer, _>(buckets)
        .bind::<Timestamptz, _>(now);
    tx.execute(make).await?;
    let fill = sql(include_str!("fill_buckets.sql"))
        .bind::<SqlUuid, _>(item)
        .bind::<SqlUuid, _>(location)
        .bind::<Integer, _>(buckets)
        .bind::<Timestamptz, _>(now);
    tx.execute(fill).await.map(drop)
}

/// Deals what is free at a location into so many buckets; none gathers it in the location's own row. All rows must be locked.
pub async fn deal(
    tx: &mut WriteTx<'_>,
    item: InventoryItemId,
    location: LocationId,
    buckets: i32,
    actor: &str,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(include_str!("deal.sql"))
        .bind::<SqlUuid, _>(item)
        .bind::<SqlUuid, _>(location)
        .bind::<Integer, _>(buckets)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(actor.to_owned());
    tx.execute(query).await.map(drop)
}

/// A difference on hand and why.
#[derive(Clone, Copy)]
pub struct Move<'a> {
    pub item: InventoryItemId,
    pub location: LocationId,
    pub delta: i64,
    pub kind: MovementKind,
    pub reason: Option<&'a str>,
    /// What it belongs to.
    pub transfer: Option<StockTransferId>,
    pub actor: &'a str,
}

pub async fn move_on_hand(tx: &mut WriteTx<'_>, change: &Move<'_>) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(include_str!("set_on_hand.sql"))
        .bind::<SqlUuid, _>(change.item)
        .bind::<SqlUuid, _>(change.location)
        .bind::<BigInt, _>(change.delta)
        .bind::<Text, _>(change.kind.as_str())
        .bind::<Nullable<Text>, _>(change.reason.map(str::to_owned))
        .bind::<Text, _>(change.actor.to_owned())
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<Text>, _>(change.transfer.map(|_| "transfer"))
        .bind::<Nullable<SqlUuid>, _>(change.transfer);
    tx.execute(query).await.map(drop)
}

#[derive(QueryableByName)]
struct PlaceRow {
    #[diesel(sql_type = SqlUuid)]
    location_id: LocationId,
}

/// Locations at which an item has a level, in the order of their ids.
pub async fn places_of(tx: &mut ReadTx<'_>, item: InventoryItemId) -> Result<Vec<LocationId>, DbError> {
    let query =
        sql("SELECT l.location_id FROM inventory_levels l JOIN locations loc ON loc.id = l.location_id \
         WHERE l.item_id = $1 AND loc.bucket_of IS NULL ORDER BY l.location_id")
        .bind::<SqlUuid, _>(item);
    let rows: Vec<PlaceRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| row.location_id).collect())
}

/// What lies at a location of an item.
#[derive(Clone, Debug, QueryableByName)]
pub struct Lying {
    #[diesel(sql_type = SqlUuid)]
    pub item_id: InventoryItemId,
    #[diesel(sql_type = BigInt)]
    pub on_hand: i64,
    /// Pieces that may be taken away.
    #[diesel(sql_type = BigInt)]
    pub room: i64,
}

/// What lies at a location, in the order of items; items and locations there are not are missing. One statement.
pub async fn shelf_at(
    tx: &mut ReadTx<'_>,
    location: LocationId,
    items: &[InventoryItemId],
) -> Result<Vec<Lying>, DbError> {
    let query = sql(include_str!("shelf_at.sql"))
        .bind::<Array<SqlUuid>, _>(uuids(items))
        .bind::<SqlUuid, _>(location);
    tx.load(query).await
}
