//! Carts of draft orders, which staff fills: `drafts` decides what, here it is written.

use souk_access::LinkSecret;
use souk_tenancy::WriteTx;

use crate::cart::error::CartError;
use crate::cart::model::Cart;
use crate::cart::queries;

/// Writes a new draft order's cart. Nobody knows the secret that would open it: links are made when they are asked for. One statement.
///
/// # Errors
/// Only of the database; no random bytes.
pub async fn begin(tx: &mut WriteTx<'_>, cart: &Cart) -> Result<(), CartError> {
    queries::insert(tx, cart, &LinkSecret::mint()?).await
}

/// Writes everything of a draft order's cart, which is locked, and counts its version up. Two statements.
///
/// # Errors
/// Only of the database.
pub async fn rewrite(tx: &mut WriteTx<'_>, cart: &Cart) -> Result<(), CartError> {
    queries::update(tx, cart).await?;
    queries::update_terms(tx, cart).await
}
