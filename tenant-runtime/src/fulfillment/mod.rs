//! Sending what was sold: pieces of an order's lines leave the house together, with a tracking number, and the shopper is told.
//!
//! A fulfillment takes its pieces off the shelves on which the order has them, counts them at the order's lines, and the order's
//! `fulfillment_status` follows; all in one transaction, under the order's lock. One that never left is cancelled: its pieces go back on
//! their shelves, for the order as far as it still wants them.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
mod state;
#[cfg(test)]
mod tests;

pub use error::CATALOGUE;
pub use events::{FulfillmentCancelled, FulfillmentCreated, FulfillmentUpdated};
pub use routes::routes;
