//! The books: double-entry journal posted in the transaction of the fact.
//!
//! Whoever states a fact calls [`post`] (or [`post_all`]) in the same transaction with an [`Entry`] made by one of the
//! posting rules in [`rules`]. An entry that does not balance cannot be made; the database checks once more at commit.

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{post, post_all};
pub use error::LedgerError;
pub use model::{AccountCode, AccountKind, Entry, Line, rules};
pub use routes::routes;
