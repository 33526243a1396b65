//! What happened in a store, for whoever wants to follow: a list to read on from a cursor, a stream, and the catalogue of all kinds.
//!
//! The events are those of the outbox, as they were committed, for 30 days. Reading on from the last one misses none: an event of a
//! transaction that may still commit is not told before those that may come in front of it.

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::FeedError;
pub use model::catalogue::{Announced, announced, document};
pub use model::letters::Consumers;
pub use routes::routes;
