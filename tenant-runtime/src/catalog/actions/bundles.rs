//! Bundles: variants that are made of others' stock.

use souk_api::{ETag, IfMatch};
use souk_kernel::VariantId;
use souk_tenancy::WriteTx;

use super::{changed, find, locked};
use crate::catalog::error::CatalogError;
use crate::catalog::model::{NewComponent, SetComponents, VariantView, check_components};
use crate::catalog::queries::{self, bundles};

/// What a variant is made of from now on. What carts reserved and orders have stays what it was made of then.
pub async fn set_components(
    tx: &mut WriteTx<'_>,
    variant: VariantId,
    seen: IfMatch,
    wish: &SetComponents,
) -> Result<VariantView, CatalogError> {
    // Before any product: its rules may move, and other bundles may be about to be made of it.
    queries::currency_in_turn(tx).await?;
    bundles::lock(tx).await?;
    let product = queries::owner(tx, variant).await?.ok_or(CatalogError::Unknown)?;
    let now = find(locked(tx, product, None).await?, variant)?;
    seen.check(&ETag::new(now.version)).map_err(CatalogError::Precondition)?;
    let (known, is_part) = bundles::candidates(tx, variant, &wish.components).await?;
    check_components(variant, is_part, &wish.components, &known).map_err(CatalogError::Invalid)?;
    let part = |wish: &NewComponent| {
        let found = known.iter().find(|known| known.variant == wish.variant)?;
        Some((*found, i32::try_from(wish.quantity.get()).ok()?))
    };
    let parts: Vec<_> = wish.components.iter().filter_map(part).collect();
    bundles::replace(tx, (variant, now.inventory_item), &parts).await?;
    queries::edit_variant(tx, &now).await?;
    find(changed(tx, product).await?, variant)
}
