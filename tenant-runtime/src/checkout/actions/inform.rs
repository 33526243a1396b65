//! What is owed has to be known before anything is bought: also what only carriers and a tax provider can say.

use souk_access::{Permission, Permit, Writes};

use super::super::error::{CheckoutError, Unknown};
use crate::cart::{Advisers, Quote};
use crate::shipping;
use crate::tax::OnFailure;

/// As often as a checkout may have to be tried again after somebody was asked: carriers, then the tax provider.
pub const QUESTIONS: u32 = 2;

/// Holds that nobody has to be asked any more what is owed, or that the store's `own_rates` of tax count without the answer.
///
/// # Errors
/// [`CheckoutError::Unknown`]: roll back, [`inform`], and try again.
pub fn known(quote: &Quote, own_rates: bool) -> Result<(), CheckoutError> {
    if !quote.asks.is_empty() {
        return Err(CheckoutError::Unknown(Unknown::Delivery(quote.asks.clone())));
    }
    match &quote.unasked {
        Some(question) if !own_rates => Err(CheckoutError::Unknown(Unknown::Tax(question.clone()))),
        Some(_) | None => Ok(()),
    }
}

/// Asks, outside of any transaction. `true`: the tax provider gives no answer that counts, and the sale goes on by the store's own rates.
///
/// # Errors
/// [`CheckoutError::TaxesUnknown`] where nothing is sold without the answer; the database's.
pub async fn inform<P: Permission<Access = Writes>>(
    permit: &Permit<P>,
    advisers: &Advisers,
    unknown: Unknown,
) -> Result<bool, CheckoutError> {
    match unknown {
        Unknown::Delivery(asks) => {
            shipping::ask(permit, &advisers.carriers, asks).await?;
            Ok(false)
        }
        Unknown::Tax(question) => match (advisers.taxes.ask(permit, &question).await?, question.on_failure) {
            (true, _) => Ok(false),
            (false, OnFailure::OwnRates) => Ok(true),
            (false, OnFailure::Refuse) => Err(CheckoutError::TaxesUnknown),
        },
    }
}
