//! Opening places, changing them, and taking them out of service.

use souk_api::{ETag, IfMatch};
use souk_kernel::LocationId;
use souk_tenancy::{ReadTx, WriteTx};

use crate::inventory::error::InventoryError;
use crate::inventory::model::{CreateLocation, EditLocation, LocationView};
use crate::inventory::queries;

/// One place. One statement.
///
/// # Errors
/// `Missing`.
pub async fn show_location(tx: &mut ReadTx<'_>, id: LocationId) -> Result<LocationView, InventoryError> {
    queries::location(tx, id).await?.ok_or(InventoryError::Missing)
}

/// Opens a place; nothing lies there yet. One statement.
///
/// # Errors
/// `NameTaken`, `Invalid`.
pub async fn create_location(
    tx: &mut WriteTx<'_>,
    wish: &CreateLocation,
) -> Result<LocationView, InventoryError> {
    wish.check()?;
    Ok(queries::create_location(tx, LocationId::new(), wish).await?)
}

/// Changes a place. One that is taken out of service must be empty: its levels are locked and looked at.
///
/// # Errors
/// `Missing`, `Outdated`, `NameTaken`, `Invalid`; `LocationInUse` and `LastLocation` when it cannot be taken out of service.
pub async fn edit_location(
    tx: &mut WriteTx<'_>,
    id: LocationId,
    seen: &IfMatch,
    wish: &EditLocation,
) -> Result<LocationView, InventoryError> {
    wish.check()?;
    let closes = wish.active == Some(false);
    // Before its own row, in the order of ids: two that close at once do not wait for each other.
    let others = if closes { Some(queries::other_active(tx, id).await?) } else { None };
    let now = queries::lock_location(tx, id).await?.ok_or(InventoryError::Missing)?;
    seen.check(&ETag::new(now.version)).map_err(InventoryError::Outdated)?;
    if now.active && closes {
        let items = queries::lying_at(tx, id).await?;
        let transfers = queries::busy(tx, id).await?;
        if !items.is_empty() || transfers > 0 {
            return Err(InventoryError::LocationInUse { items, transfers });
        }
        if others == Some(0) {
            return Err(InventoryError::LastLocation);
        }
    }
    if wish.active.is_some_and(|active| active != now.active) {
        tx.catalogue_changed();
    }
    Ok(queries::edit_location(tx, id, wish).await?)
}
