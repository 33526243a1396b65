//! Businesses: asked for, opened by a worker, renamed, suspended, resumed, deleted with a date until which they can be had back.
//!
//! A request never provisions. It checks quota and name, writes a row and an operation, and answers 202; the worker does the
//! rest ([`carry_out`]). A store has no id until the provisioner has given it one.

mod actions;
mod error;
mod model;
mod permissions;
mod queries;
mod routes;
mod state;
#[cfg(test)]
mod tests;

pub use actions::{Hands, carry_out, compare, observed, pass, removed, request_due_purges};
pub use error::{CATALOGUE, StoreError};
pub use model::{StaffToken, Store, StoreView};
pub use permissions::ALL as PERMISSIONS;
pub use queries::find;
pub use routes::routes;
