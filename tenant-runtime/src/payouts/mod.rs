//! What providers pay out, held against what we know: fees, payouts, and the movements each payout is made of.
//!
//! A provider's own book has an **entry** for everything that moved the store's balance there. [`note`] takes in the entry of a captured payment
//! where the provider's word about the payment is settled, so that its fee is booked then; a worker takes in all entries of a payout ([`reconcile_due`]) and finds
//! the payment, refund or dispute of each. What finds none stays visible, and apart in the books, until it does: so account 1000 is what the
//! provider owes us for our payments, and nothing else.
//!
//! [`hear`] takes in what a provider says about a payout. Facts may repeat and come in any order; each movement is booked once.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{hear, note, reconcile_due};
pub use error::PayoutError;
pub use events::{PayoutFailed, PayoutPaid};
pub use routes::routes;
