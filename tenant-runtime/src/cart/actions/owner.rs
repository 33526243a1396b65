//! Carts of signed-in customers: what they filled before signing in becomes theirs, and every device of theirs finds it.

use souk_access::LinkSecret;
use souk_kernel::{CartId, CustomerId};
use souk_tenancy::{ReadTx, WriteTx};

use super::{changeable, make, priced};
use crate::cart::error::CartError;
use crate::cart::model::{Cart, NewCart, Priced};
use crate::cart::queries;
use crate::customers::{self, Buyer, Reception};

/// Makes a cart the customer's. What lies in other carts of theirs comes along, the larger quantity of each variant, and those carts end as
/// merged. An address the cart lacks is taken from the address book. Locks the customer first, so two devices do not merge at once.
pub async fn claim(
    tx: &mut WriteTx<'_>,
    id: CartId,
    secret: &LinkSecret,
    customer: CustomerId,
    reception: &Reception,
) -> Result<Priced, CartError> {
    let buyer = customers::buyer(tx, customer).await?.ok_or(CartError::Unknown)?;
    let cart = changeable(tx, id, secret).await?;
    if cart.customer.is_some_and(|owner| owner != customer) {
        return Err(CartError::Unknown);
    }
    let others = queries::active_of(tx, customer, Some(id)).await?;
    if !others.is_empty() {
        queries::merge(tx, id, &others).await?;
    }
    give(tx, id, &buyer, reception).await
}

/// The customer's own cart, the one used last; a new one if there is none. The answer has a secret that opens it from every device.
pub async fn own(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    reception: &Reception,
) -> Result<Priced, CartError> {
    let buyer = customers::buyer(tx, customer).await?.ok_or(CartError::Unknown)?;
    let id = match queries::active_of(tx, customer, None).await?.first() {
        Some(id) => *id,
        None => make(tx, NewCart { customer: Some(customer), ..NewCart::default() }).await?.cart.id,
    };
    give(tx, id, &buyer, reception).await
}

async fn give(
    tx: &mut WriteTx<'_>,
    id: CartId,
    buyer: &Buyer,
    reception: &Reception,
) -> Result<Priced, CartError> {
    let secret = reception.cart_secret(id, buyer.id).ok_or(CartError::Unknown)?;
    queries::give(tx, id, buyer, &secret).await?;
    let cart = queries::find(tx, id, &secret).await?.ok_or(CartError::Unknown)?;
    let quote = priced(tx, &cart).await?;
    Ok(Priced { cart, quote, warnings: Vec::new(), secret: Some(secret) })
}

/// The carts of a customer that are not bought, for their export.
///
/// # Errors
/// The database's only.
pub async fn of_customer(tx: &mut ReadTx<'_>, customer: CustomerId) -> Result<Vec<Cart>, CartError> {
    queries::all_of(tx, customer).await
}

/// Takes the person out of every cart of theirs, also those they filled as a guest of this mailbox. Bought ones keep their lines, the others
/// lose them.
///
/// # Errors
/// The database's only.
pub async fn forget(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    mailbox: Option<&str>,
) -> Result<(), CartError> {
    queries::forget(tx, customer, mailbox).await
}
