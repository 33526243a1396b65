//! Money the store owes its shoppers: gift cards and store credit, as accounts with every movement of them.
//!
//! Credit is a payment, not a discount: taxes and totals do not know of it. A cart asks what its credit would pay ([`usable`]); the
//! checkout [`hold`]s exactly that under the accounts' locks, the order [`spend`]s it when it is placed, and [`give_back`] returns it
//! when the order comes to nothing. Whoever calls books the journal entry; issuing is booked here.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;

pub use actions::{
    GiftLetter, gift_card, gift_letter, gift_outlook, give_back, hold, of_customer, spend, usable,
};
pub use error::{CATALOGUE, CREDIT_GONE, CreditError};
pub use events::{CreditIssued, GiftCardLetterWanted};
pub use model::{CreditKind, CreditView, GiftCode, MailedCardView, UsableCredit};
pub use queries::letters::{forget as forget_letters, mailed};
pub use routes::routes;
