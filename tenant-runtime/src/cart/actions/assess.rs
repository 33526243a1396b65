//! Having a store's tax provider say what a basket owes, outside of any transaction.

use souk_access::{Permission, Permit, Writes};
use souk_tenancy::ReadTx;

use super::priced;
use crate::cart::error::CartError;
use crate::cart::model::{Cart, Quote};
use crate::tax::TaxProviders;

/// The quote of a cart, priced anew if the tax provider had to be asked and answered; else as it is. Nothing more where a store has no
/// provider.
///
/// # Errors
/// As [`priced`]. A provider that gives no answer is none: the quote says `fallback`.
pub async fn assessed<P: Permission<Access = Writes>>(
    permit: &Permit<P>,
    providers: &TaxProviders,
    cart: &Cart,
    quote: Quote,
) -> Result<Quote, CartError> {
    let Some(question) = &quote.unasked else { return Ok(quote) };
    if !providers.ask(permit, question).await? {
        return Ok(quote);
    }
    let cart = cart.clone();
    permit.read("carts.assess", async move |tx: &mut ReadTx<'_>| priced(tx, &cart).await).await
}
