//! Places.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{Country, InventoryItemId, LocationId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::inventory::model::{CreateLocation, EditLocation, LocationView};

#[derive(QueryableByName)]
struct LocationRow {
    #[diesel(sql_type = SqlUuid)]
    id: LocationId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    country: String,
    #[diesel(sql_type = Integer)]
    priority: i32,
    #[diesel(sql_type = Bool)]
    active: bool,
    #[diesel(sql_type = Bool)]
    pickup: bool,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

impl From<LocationRow> for LocationView {
    fn from(row: LocationRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            country: row.country,
            priority: row.priority,
            active: row.active,
            pickup: row.pickup,
            version: row.version,
        }
    }
}

/// All of them, in the order they serve.
pub async fn locations(tx: &mut ReadTx<'_>) -> Result<Vec<LocationView>, DbError> {
    let query = sql("SELECT id, name, country, priority, active, pickup, version FROM locations \
         WHERE bucket_of IS NULL ORDER BY priority, id");
    let rows: Vec<LocationRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(LocationView::from).collect())
}

/// One.
pub async fn location(tx: &mut ReadTx<'_>, id: LocationId) -> Result<Option<LocationView>, DbError> {
    let query = sql("SELECT id, name, country, priority, active, pickup, version FROM locations \
         WHERE id = $1 AND bucket_of IS NULL")
    .bind::<SqlUuid, _>(id);
    let row: Option<LocationRow> = tx.optional(query).await?;
    Ok(row.map(LocationView::from))
}

/// The same, locked against other changes; not against levels that refer to it.
pub async fn lock_location(tx: &mut WriteTx<'_>, id: LocationId) -> Result<Option<LocationView>, DbError> {
    let query = sql("SELECT id, name, country, priority, active, pickup, version FROM locations \
         WHERE id = $1 AND bucket_of IS NULL FOR NO KEY UPDATE")
    .bind::<SqlUuid, _>(id);
    let row: Option<LocationRow> = tx.optional(query).await?;
    Ok(row.map(LocationView::from))
}

pub async fn create_location(
    tx: &mut WriteTx<'_>,
    id: LocationId,
    wish: &CreateLocation,
) -> Result<LocationView, DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO locations (id, name, country, priority, pickup, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id, name, country, priority, active, pickup, version")
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(wish.name.as_str().to_owned())
    .bind::<Text, _>(wish.country.code())
    .bind::<Integer, _>(wish.priority)
    .bind::<Bool, _>(wish.pickup)
    .bind::<Timestamptz, _>(now);
    let row: LocationRow = tx.one(query).await?;
    Ok(row.into())
}

/// What is left out stays. Its buckets serve as it does.
pub async fn edit_location(
    tx: &mut WriteTx<'_>,
    id: LocationId,
    wish: &EditLocation,
) -> Result<LocationView, DbError> {
    let now = tx.now();
    let query = sql("WITH buckets AS ( \
             UPDATE locations SET priority = coalesce($4, priority), active = coalesce($5, active), updated_at = $7 WHERE bucket_of = $1) \
         UPDATE locations SET name = coalesce($2, name), country = coalesce($3, country), priority = coalesce($4, priority), \
             active = coalesce($5, active), pickup = coalesce($6, pickup), version = version + 1, updated_at = $7 \
         WHERE id = $1 RETURNING id, name, country, priority, active, pickup, version")
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<Text>, _>(wish.name.as_ref().map(|name| name.as_str().to_owned()))
    .bind::<Nullable<Text>, _>(wish.country.map(Country::code))
    .bind::<Nullable<Integer>, _>(wish.priority)
    .bind::<Nullable<Bool>, _>(wish.active)
    .bind::<Nullable<Bool>, _>(wish.pickup)
    .bind::<Timestamptz, _>(now);
    let row: LocationRow = tx.one(query).await?;
    Ok(row.into())
}

#[derive(QueryableByName)]
struct ItemRow {
    #[diesel(sql_type = SqlUuid)]
    item_id: InventoryItemId,
}

/// Items of which something lies at a location, or is promised from it; the first hundred, locked with its other levels.
pub async fn lying_at(tx: &mut WriteTx<'_>, id: LocationId) -> Result<Vec<InventoryItemId>, DbError> {
    let query = sql("WITH here AS ( \
             SELECT l.item_id, l.on_hand, l.committed, l.reserved FROM inventory_levels l JOIN locations loc ON loc.id = l.location_id \
             JOIN inventory_items i ON i.id = l.item_id \
             WHERE loc.id = $1 OR loc.bucket_of = $1 ORDER BY i.buckets > 0, loc.bucket_of IS NOT NULL, l.item_id, l.location_id FOR UPDATE OF l) \
         SELECT DISTINCT item_id FROM here WHERE on_hand <> 0 OR committed <> 0 OR reserved <> 0 ORDER BY item_id LIMIT 100")
    .bind::<SqlUuid, _>(id);
    let rows: Vec<ItemRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| row.item_id).collect())
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Transfers to or from a location that are not over.
pub async fn busy(tx: &mut ReadTx<'_>, id: LocationId) -> Result<i64, DbError> {
    let query = sql("SELECT count(*) AS count FROM stock_transfers \
         WHERE (origin_id = $1 OR destination_id = $1) AND state NOT IN ('received', 'cancelled')")
    .bind::<SqlUuid, _>(id);
    let row: CountRow = tx.one(query).await?;
    Ok(row.count)
}

/// Active locations besides this one; all of them locked in the order of ids, so that two cannot be taken out of service at once.
pub async fn other_active(tx: &mut WriteTx<'_>, id: LocationId) -> Result<i64, DbError> {
    let query = sql("WITH open AS (SELECT id FROM locations WHERE active AND bucket_of IS NULL ORDER BY id FOR NO KEY UPDATE) \
         SELECT count(*) AS count FROM open WHERE id <> $1")
    .bind::<SqlUuid, _>(id);
    let row: CountRow = tx.one(query).await?;
    Ok(row.count)
}
