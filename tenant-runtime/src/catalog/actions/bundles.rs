//! Bundles: variants that are made of others' stock.

use souk_api::{ETag, FieldError, IfMatch};
use souk_kernel::{InventoryItemId, VariantId};
use souk_tenancy::WriteTx;

use super::{changed, find, locked};
use crate::catalog::error::CatalogError;
use crate::catalog::model::{Bundle, NewComponent, SetComponents, VariantView, check_components};
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
    compose(tx, (variant, now.inventory_item), &wish.components).await?;
    queries::edit_variant(tx, &now).await?;
    find(changed(tx, product).await?, variant)
}

/// The same as a file says it. The product is locked, and the table where there are parts. At most five statements.
pub async fn put(tx: &mut WriteTx<'_>, bundle: &Bundle) -> Result<(), CatalogError> {
    let Bundle { place, variant, parts } = bundle;
    let skus: Vec<String> = parts.iter().filter_map(|part| Some(part.sku.as_ref()?.to_string())).collect();
    let known = if skus.is_empty() { Vec::new() } else { bundles::by_sku(tx, skus).await? };
    let (mut wishes, mut faults) = (Vec::with_capacity(parts.len()), Vec::new());
    for (number, part) in parts.iter().enumerate() {
        match part.named(&known) {
            Some(wish) => wishes.push(wish),
            None => {
                let message = "must be the SKU of a variant of this store, or of an earlier row";
                faults.push(FieldError::new(format!("{place}/components/{number}/sku"), "unknown", message));
            }
        }
    }
    if !faults.is_empty() {
        return Err(CatalogError::Invalid(faults));
    }
    let at = |fault: FieldError| {
        // It may be named by its SKU: the complaint is about the component, whatever names it.
        let pointer = fault.pointer.strip_suffix("/variant").unwrap_or(&fault.pointer).to_owned();
        FieldError { pointer: pointer.into(), ..fault }.below(place)
    };
    match compose(tx, (variant.id, variant.inventory_item), &wishes).await {
        Ok(()) => Ok(queries::edit_variant(tx, variant).await?),
        Err(CatalogError::Invalid(faults)) => {
            Err(CatalogError::Invalid(faults.into_iter().map(at).collect()))
        }
        Err(error) => Err(error),
    }
}

/// Makes a variant of these.
async fn compose(
    tx: &mut WriteTx<'_>,
    bundle: (VariantId, InventoryItemId),
    wishes: &[NewComponent],
) -> Result<(), CatalogError> {
    let (known, is_part) = bundles::candidates(tx, bundle.0, wishes).await?;
    check_components(bundle.0, is_part, wishes, &known).map_err(CatalogError::Invalid)?;
    let part = |wish: &NewComponent| {
        let found = known.iter().find(|known| known.variant == wish.variant)?;
        Some((*found, i32::try_from(wish.quantity.get()).ok()?))
    };
    let parts: Vec<_> = wishes.iter().filter_map(part).collect();
    Ok(bundles::replace(tx, bundle, &parts).await?)
}
