//! Having carriers and a store's tax provider say what they alone know of a basket, outside of any transaction.

use std::mem::take;

use souk_access::{Permission, Permit, Writes};
use souk_tenancy::ReadTx;

use super::priced;
use crate::cart::error::CartError;
use crate::cart::model::{Advisers, Cart, Quote};
use crate::shipping;

/// The quote of a cart, priced anew with what carriers say if they had to be asked, and then with what the tax provider says, whose answer
/// depends on the delivery; else as it is. Nothing more where a store has neither.
///
/// # Errors
/// As [`priced`]. A tax provider that gives no answer is none: the quote says `fallback`.
pub async fn advised<P: Permission<Access = Writes>>(
    permit: &Permit<P>,
    advisers: &Advisers,
    cart: &Cart,
    mut quote: Quote,
) -> Result<Quote, CartError> {
    if !quote.asks.is_empty() {
        shipping::ask(permit, &advisers.carriers, take(&mut quote.asks)).await?;
        quote = again(permit, cart).await?;
    }
    match &quote.unasked {
        Some(question) if advisers.taxes.ask(permit, question).await? => again(permit, cart).await,
        Some(_) | None => Ok(quote),
    }
}

async fn again<P: Permission<Access = Writes>>(permit: &Permit<P>, cart: &Cart) -> Result<Quote, CartError> {
    let cart = cart.clone();
    permit.read("carts.price_again", async move |tx: &mut ReadTx<'_>| priced(tx, &cart).await).await
}
