//! Items and their terms.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{InventoryItemId, VariantId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::inventory::model::{InventoryItemView, PutInventoryItem, UNBOUNDED};

#[derive(QueryableByName)]
struct ItemRow {
    #[diesel(sql_type = SqlUuid)]
    id: InventoryItemId,
    #[diesel(sql_type = Nullable<Text>)]
    sku: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    variant_id: Option<VariantId>,
    #[diesel(sql_type = Bool)]
    backorders: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    backorder_limit: Option<i64>,
    #[diesel(sql_type = BigInt)]
    safety_stock: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    low_stock_threshold: Option<i64>,
    #[diesel(sql_type = Integer)]
    buckets: i32,
    #[diesel(sql_type = BigInt)]
    on_hand: i64,
    #[diesel(sql_type = BigInt)]
    incoming: i64,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

/// One item. One statement.
pub async fn item(tx: &mut ReadTx<'_>, id: InventoryItemId) -> Result<Option<InventoryItemView>, DbError> {
    let query = sql(include_str!("item.sql")).bind::<SqlUuid, _>(id);
    let row: Option<ItemRow> = tx.optional(query).await?;
    Ok(row.map(|row| InventoryItemView {
        id: row.id,
        sku: row.sku,
        variant: row.variant_id,
        backorders: row.backorders,
        backorder_limit: row.backorder_limit,
        safety_stock: row.safety_stock,
        low_stock_threshold: row.low_stock_threshold,
        buckets: row.buckets,
        on_hand: row.on_hand,
        incoming: row.incoming,
        version: row.version,
    }))
}

/// The terms of an item as they are.
#[derive(Clone, Copy, QueryableByName)]
pub struct Terms {
    #[diesel(sql_type = Integer)]
    pub buckets: i32,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    /// Whether its variant is sold without regard to stock.
    #[diesel(sql_type = Bool)]
    pub backorders: bool,
}

/// Locks an item's own row, before its levels; whoever reserves does not wait for it.
pub async fn lock_item(tx: &mut WriteTx<'_>, id: InventoryItemId) -> Result<Option<Terms>, DbError> {
    let query = sql("SELECT i.buckets, i.version, EXISTS (SELECT FROM product_variants v \
             WHERE v.inventory_item_id = i.id AND v.inventory_policy = 'continue') AS backorders \
         FROM inventory_items i WHERE i.id = $1 FOR NO KEY UPDATE")
    .bind::<SqlUuid, _>(id);
    tx.optional(query).await
}

/// Writes the terms and counts the version up.
pub async fn put_item(
    tx: &mut WriteTx<'_>,
    id: InventoryItemId,
    wish: &PutInventoryItem,
) -> Result<(), DbError> {
    let query = sql("UPDATE inventory_items SET safety_stock = $2, backorder_limit = $3, low_stock_threshold = $4, buckets = $5, \
         version = version + 1 WHERE id = $1")
    .bind::<SqlUuid, _>(id)
    .bind::<BigInt, _>(wish.safety_stock)
    .bind::<Nullable<BigInt>, _>(wish.backorder_limit)
    .bind::<Nullable<BigInt>, _>(wish.low_stock_threshold)
    .bind::<Integer, _>(wish.buckets);
    tx.execute(query).await.map(drop)
}

/// Has the item's levels keep its safety stock. They are locked.
pub async fn apply_terms(tx: &mut WriteTx<'_>, id: InventoryItemId) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE inventory_levels l SET safety_stock = i.safety_stock, version = l.version + 1, updated_at = $2 \
         FROM inventory_items i, locations loc WHERE l.item_id = $1 AND i.id = $1 AND loc.id = l.location_id \
             AND loc.bucket_of IS NULL AND l.safety_stock <> i.safety_stock")
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Lets the item be sold below zero or no longer: at every location without a bound, or up to the item's limit at the first.
pub async fn set_backorderable(
    tx: &mut WriteTx<'_>,
    item: InventoryItemId,
    allowed: bool,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(include_str!("set_backorderable.sql"))
        .bind::<SqlUuid, _>(item)
        .bind::<Bool, _>(allowed)
        .bind::<BigInt, _>(UNBOUNDED)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}
