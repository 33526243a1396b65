//! Naming shipping profiles.

use souk_kernel::ShippingProfileId;
use souk_tenancy::{ReadTx, WriteTx};

use crate::shipping::error::ShippingError;
use crate::shipping::model::{ShippingProfileView, ShippingProfileWish};
use crate::shipping::queries::profiles as queries;

/// Profiles of one store: a cart may have a delivery of each.
const MOST: i64 = 20;

/// The profile, or that there is none. One statement.
pub async fn known(tx: &mut ReadTx<'_>, id: ShippingProfileId) -> Result<ShippingProfileView, ShippingError> {
    queries::profiles(tx, Some(id)).await?.pop().ok_or(ShippingError::Unknown)
}

/// Makes a profile. Two statements.
///
/// # Errors
/// 409 for a name that is taken and when there are 20.
pub async fn create(
    tx: &mut WriteTx<'_>,
    wish: &ShippingProfileWish,
) -> Result<ShippingProfileView, ShippingError> {
    if queries::count(tx).await? >= MOST {
        return Err(ShippingError::TooManyProfiles);
    }
    Ok(queries::insert(tx, ShippingProfileId::new(), wish).await?)
}

/// Names a profile anew. One statement.
///
/// # Errors
/// 404 when there is none, 409 for a name that is taken.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    id: ShippingProfileId,
    wish: &ShippingProfileWish,
) -> Result<ShippingProfileView, ShippingError> {
    queries::replace(tx, id, wish).await?.ok_or(ShippingError::Unknown)
}

/// Removes a profile with its zones; its products are delivered as most goods are. Carts that chose a rate of it get the cheapest of what is left.
/// One statement.
///
/// # Errors
/// 404 when there is none.
pub async fn delete(tx: &mut WriteTx<'_>, id: ShippingProfileId) -> Result<(), ShippingError> {
    if !queries::delete(tx, id).await? {
        return Err(ShippingError::Unknown);
    }
    // Pages of products name their profile.
    tx.catalogue_changed();
    Ok(())
}
