//! The terms of an item: what is kept back, promised beyond the stock, called low, and whether it is dealt into buckets.

use souk_api::{ETag, IfMatch};
use souk_kernel::InventoryItemId;
use souk_tenancy::{ReadTx, WriteTx};

use crate::inventory::error::InventoryError;
use crate::inventory::model::{InventoryItemView, PutInventoryItem};
use crate::inventory::queries;

/// One item. One statement.
///
/// # Errors
/// `Missing`.
pub async fn show_item(
    tx: &mut ReadTx<'_>,
    id: InventoryItemId,
) -> Result<InventoryItemView, InventoryError> {
    queries::item(tx, id).await?.ok_or(InventoryError::Missing)
}

/// Writes the terms anew, at every location at once. Locks the item, then its levels. Buckets are made and filled, or gathered: pieces that
/// are promised stay in the bucket they were promised from until that is over, and are as good as any others.
///
/// # Errors
/// `Missing`, `Outdated`, `Invalid`.
pub async fn put_item(
    tx: &mut WriteTx<'_>,
    id: InventoryItemId,
    seen: &IfMatch,
    wish: &PutInventoryItem,
    actor: &str,
) -> Result<InventoryItemView, InventoryError> {
    wish.check()?;
    let before = queries::lock_item(tx, id).await?.ok_or(InventoryError::Missing)?;
    seen.check(&ETag::new(before.version)).map_err(InventoryError::Outdated)?;
    queries::lock_levels(tx, &[id], None).await?;
    queries::put_item(tx, id, wish).await?;
    queries::apply_terms(tx, id).await?;
    queries::set_backorderable(tx, id, before.backorders).await?;
    if wish.buckets > 0 || before.buckets > 0 {
        for location in queries::places_of(tx, id).await? {
            if wish.buckets > 0 {
                queries::make_buckets(tx, id, location, wish.buckets).await?;
            }
            queries::deal(tx, id, location, wish.buckets, actor).await?;
        }
    }
    tx.catalogue_changed();
    show_item(tx, id).await
}
