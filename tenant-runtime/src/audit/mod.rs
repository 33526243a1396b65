//! Who did what in the store: an append-only log whose entries seal one another.
//!
//! Whatever whoever works for the store does by a right that shoppers do not have ends up here, written down by the permit itself
//! ([`Log`]): the request, and digests of what it was about before and after. A capability that has more to tell calls [`record`] inside the
//! transaction of the act instead. Writers are ordered by the row of the chain's end; take it last, so that the lock is short. The store's
//! own role can add entries and change none.

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{Log, record, verify};
pub use model::{By, Change, Verdict};
pub use routes::routes;
pub use souk_access::Cause;
