//! Customers of a store: their accounts, sessions and address books.
//!
//! The same mailbox in two stores is two customers. Answers never tell whether an address has an account; the mail does, and it is
//! written by a listener: an event says which letter is wanted, and the secret of its link is made when the letter is ([`letter`]), so
//! no secret and no address is ever in an event. Guessing is slowed down per account and per network, never by locking an account.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
pub mod tests;

pub use actions::{
    Letter, Outlook, admit_payment, buyer, claimed, count_decline, erase, export, letter, mailbox, open,
    ordered, outlook, register_vouched, tell_of_identity,
};
pub use error::{CATALOGUE, CustomerError};
pub use events::{CustomerErased, CustomerRegistered, LetterWanted};
pub use model::{Address, Buyer, CustomerExport, Mailbox, Origin, Reception, Tokens, Typed, customer_of};
pub use queries::locale_of;
pub use routes::routes;

/// Holds that a signed-in customer is who they are: by their current password, where guesses are counted like sign-ins; or, of whoever has
/// none and types none, by a session that their provider vouched for within the last 15 minutes.
///
/// # Errors
/// [`CustomerError::WrongPassword`]; 429 after too many; 401 `step_up_required` for a session that is older.
pub async fn prove<P: souk_access::Permission<Access = souk_access::Writes>>(
    permit: &souk_access::Permit<P>,
    reception: &Reception,
    origin: &Origin,
    typed: Option<&str>,
) -> Result<souk_kernel::CustomerId, CustomerError> {
    Ok(actions::prove(permit, reception, origin, typed).await?.id)
}
