//! How much there is: locations, levels, reservations, movements.
//!
//! `available = on_hand − unavailable − committed − reserved`, and it never falls below `−backorderable`. Whoever changes levels
//! locks their rows first, in the order of their ids, and only then touches reservations; so two checkouts never wait for each other
//! in a ring. Every change of a level leaves a [`model::MovementKind`] row behind.
//!
//! An item that many buy at once may be dealt into buckets: at each location a few more rows, at locations of their own that nobody sees
//! (`bucket_of`). They are levels like any other. A checkout takes one that nobody has locked, and asks all of them before it says that something
//! is sold out. Rows of buckets are locked after all others.

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

pub use actions::{
    available, commit_reservations, create_item, create_items, expire_due, give_up, hold, release, reserve,
    retire, set_on_hand, set_policy, shelf, ship, uncommit, unship,
};
pub use error::{CATALOGUE, InventoryError, OUT_OF_STOCK, Shortage};
pub use events::StockTransferMoved;
pub use model::{CameBack, Commitment, Demand, GivenUp, Held, NewItem, Policy, Shelf, Shipped};
pub use routes::routes;
