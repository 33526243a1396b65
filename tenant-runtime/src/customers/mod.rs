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
    Letter, admit_payment, buyer, count_decline, erase, export, letter, open, ordered, register_vouched,
    tell_of_identity,
};
pub use error::{CATALOGUE, CustomerError};
pub use events::{CustomerErased, CustomerRegistered, LetterWanted};
pub use model::{Address, Buyer, CustomerExport, Origin, Reception, Tokens, Typed, customer_of};
pub use routes::routes;

/// Checks the current password of a signed-in customer; guesses are counted like sign-ins.
///
/// # Errors
/// [`CustomerError::WrongPassword`]; 429 after too many.
pub async fn prove<P: souk_access::Permission<Access = souk_access::Writes>>(
    permit: &souk_access::Permit<P>,
    reception: &Reception,
    origin: &Origin,
    typed: &str,
) -> Result<souk_kernel::CustomerId, CustomerError> {
    Ok(actions::prove(permit, reception, origin, typed).await?.id)
}
