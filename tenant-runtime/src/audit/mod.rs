//! Who did what in the store: an append-only log whose entries seal one another.
//!
//! Capabilities call [`record`] inside the transaction of the act. Writers are ordered by the row of the chain's end; take it last, so
//! that the lock is short. The store's own role can add entries and change none.

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{record, verify};
pub use model::{By, Cause, Change, Verdict};
pub use routes::routes;
