//! What variants are called, for those who tell people about them.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use souk_kernel::{InventoryItemId, ProductId, VariantId};
use souk_tenancy::{DbError, ReadTx, sql};
use uuid::Uuid;

/// A variant as people know it, and what there is of it.
#[derive(Clone, Debug, QueryableByName)]
pub struct Named {
    #[diesel(sql_type = SqlUuid)]
    pub variant: VariantId,
    #[diesel(sql_type = SqlUuid)]
    pub product: ProductId,
    #[diesel(sql_type = SqlUuid)]
    pub item: InventoryItemId,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Text)]
    pub variant_title: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub sku: Option<String>,
    #[diesel(sql_type = Text)]
    pub handle: String,
    /// Whether its product is for sale.
    #[diesel(sql_type = Bool)]
    pub live: bool,
    /// What is left to sell over all active locations.
    #[diesel(sql_type = BigInt)]
    pub available: i64,
    /// To what the pieces left fall that staff is told of; none: to what the store says.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub low_at: Option<i64>,
    /// What a bundle is made of.
    #[diesel(sql_type = Array<SqlUuid>)]
    pub parts: Vec<InventoryItemId>,
    /// Whether it may be sold though there is none.
    #[diesel(sql_type = Bool)]
    pub oversold: bool,
}

/// The variants of these ids or items, and the bundles of these items; those there are not are missing. One statement.
///
/// # Errors
/// Only of the database.
pub async fn named(
    tx: &mut ReadTx<'_>,
    variants: &[VariantId],
    items: &[InventoryItemId],
) -> Result<Vec<Named>, DbError> {
    let query = sql("SELECT v.id AS variant, p.id AS product, v.inventory_item_id AS item, p.title, v.title AS variant_title, v.sku, p.handle, \
             ARRAY(SELECT b.item_id FROM bundle_components b WHERE b.variant_id = v.id) AS parts, p.status = 'active' AS live, v.inventory_policy = 'continue' AS oversold, \
             (SELECT i.low_stock_threshold FROM inventory_items i WHERE i.id = v.inventory_item_id) AS low_at, \
             coalesce((SELECT min(greatest(coalesce((SELECT sum(greatest(l.on_hand - l.unavailable - l.committed - l.reserved - l.safety_stock, \
                     least(l.on_hand - l.unavailable - l.committed - l.reserved, 0))) FROM inventory_levels l \
                 JOIN locations o ON o.id = l.location_id AND o.active WHERE l.item_id = b.item_id), 0), 0)::bigint / b.quantity) \
                 FROM bundle_components b WHERE b.variant_id = v.id), \
             (SELECT sum(greatest(l.on_hand - l.unavailable - l.committed - l.reserved - l.safety_stock, \
                 least(l.on_hand - l.unavailable - l.committed - l.reserved, 0))) FROM inventory_levels l \
                 JOIN locations o ON o.id = l.location_id AND o.active WHERE l.item_id = v.inventory_item_id), 0)::bigint AS available \
         FROM product_variants v JOIN products p ON p.id = v.product_id \
         WHERE v.id = ANY($1) OR v.inventory_item_id = ANY($2) \
             OR v.id IN (SELECT b.variant_id FROM bundle_components b WHERE b.item_id = ANY($2)) ORDER BY v.id")
    .bind::<Array<SqlUuid>, _>(variants.iter().map(|id| id.uuid()).collect::<Vec<Uuid>>())
    .bind::<Array<SqlUuid>, _>(items.iter().map(|id| id.uuid()).collect::<Vec<Uuid>>());
    tx.load(query).await
}
