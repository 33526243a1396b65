//! What is owed has to be known before anything is bought: by the store's own rates, or by its tax provider.

use souk_access::{Permission, Permit, Writes};

use super::super::error::CheckoutError;
use crate::cart::Quote;
use crate::tax::{OnFailure, TaxProviders, TaxQuestion};

/// Holds that nobody has to be asked any more what is owed, or that `own_rates` count without the answer.
///
/// # Errors
/// [`CheckoutError::Unassessed`]: roll back, [`assess`], and try once more.
pub fn assessed(quote: &Quote, own_rates: bool) -> Result<(), CheckoutError> {
    match &quote.unasked {
        Some(question) if !own_rates => Err(CheckoutError::Unassessed(question.clone())),
        Some(_) | None => Ok(()),
    }
}

/// Asks the store's tax provider, outside of any transaction. `true`: there is no answer that counts, and the sale goes on by the store's own
/// rates.
///
/// # Errors
/// [`CheckoutError::TaxesUnknown`] where nothing is sold without the answer; the database's.
pub async fn assess<P: Permission<Access = Writes>>(
    permit: &Permit<P>,
    providers: &TaxProviders,
    question: &TaxQuestion,
) -> Result<bool, CheckoutError> {
    if providers.ask(permit, question).await? {
        return Ok(false);
    }
    match question.on_failure {
        OnFailure::OwnRates => Ok(true),
        OnFailure::Refuse => Err(CheckoutError::TaxesUnknown),
    }
}
