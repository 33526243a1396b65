//! The statements of carts that are draft orders.

use diesel::sql_types::{Binary, Jsonb, Nullable, Timestamptz, Uuid as SqlUuid};
use souk_access::LinkSecret;
use souk_kernel::CartId;
use souk_tenancy::{ReadTx, WriteTx, sql};

use super::{LOAD, LOCK, Row, kept};
use crate::cart::error::CartError;
use crate::cart::model::Cart;

/// A draft order as of now; a shopper's cart is none. With a secret, only if that opens it.
///
/// # Errors
/// The database's only.
pub async fn find_draft(
    tx: &mut ReadTx<'_>,
    id: CartId,
    secret: Option<&LinkSecret>,
) -> Result<Option<Cart>, CartError> {
    let now = tx.now();
    let row: Option<Row> = tx.optional(sql(LOAD).bind::<SqlUuid, _>(id)).await?;
    let row = row.filter(|row| row.terms.is_some() && secret.is_none_or(|secret| row.opens_with(secret)));
    Ok(row.map(|row| row.cart(id, now)).transpose()?)
}

/// The same for whoever works for the store, locked until the transaction ends. Terms stand in the cart's own row, so whoever waited for the
/// lock sees them as they are.
///
/// # Errors
/// The database's only.
pub async fn take_draft(tx: &mut WriteTx<'_>, id: CartId) -> Result<Option<Cart>, CartError> {
    let now = tx.now();
    let row: Option<Row> = tx.optional(sql(LOCK).bind::<SqlUuid, _>(id)).await?;
    Ok(row.filter(|row| row.terms.is_some()).map(|row| row.cart(id, now)).transpose()?)
}

/// Writes whose it is and what was agreed. The cart is locked and its version counted up elsewhere.
pub async fn update_terms(tx: &mut WriteTx<'_>, cart: &Cart) -> Result<(), CartError> {
    let query = sql("UPDATE carts SET customer_id = $2, terms = $3 WHERE id = $1")
        .bind::<SqlUuid, _>(cart.id)
        .bind::<Nullable<SqlUuid>, _>(cart.customer)
        .bind::<Nullable<Jsonb>, _>(kept(cart.terms.as_ref())?);
    Ok(tx.execute(query).await.map(drop)?)
}

/// Lets a draft order be opened with a secret: one that was mailed, or one that staff hands over. The one before of the same way opens nothing
/// any more. The version stays: nothing in the cart changed.
///
/// # Errors
/// The database's only.
pub async fn open_to(
    tx: &mut WriteTx<'_>,
    id: CartId,
    secret: &LinkSecret,
    mailed: bool,
) -> Result<(), CartError> {
    let text = if mailed {
        "UPDATE carts SET owner_secret_hash = $2 WHERE id = $1 AND terms IS NOT NULL"
    } else {
        "UPDATE carts SET secret_hash = $2 WHERE id = $1 AND terms IS NOT NULL"
    };
    let query = sql(text).bind::<SqlUuid, _>(id).bind::<Binary, _>(secret.digest().as_bytes().to_vec());
    Ok(tx.execute(query).await.map(drop)?)
}

/// Ends a draft order that nobody has paid: it cannot be opened for paying any more. The cart is locked.
///
/// # Errors
/// The database's only.
pub async fn end(tx: &mut WriteTx<'_>, id: CartId) -> Result<(), CartError> {
    let now = tx.now();
    let query = sql(
        "UPDATE carts SET state = 'expired', completing_until = NULL, version = version + 1, updated_at = $2 \
         WHERE id = $1 AND terms IS NOT NULL AND state IN ('active', 'completing')",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(now);
    Ok(tx.execute(query).await.map(drop)?)
}
