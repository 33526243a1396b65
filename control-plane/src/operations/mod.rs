//! Work that outlives a request: durable queue rows with steps, claimed by workers under a lease.
//!
//! A row is claimed with `SKIP LOCKED`, worked on outside any transaction, and finished in one. Every step is safe to repeat,
//! so a worker that dies anywhere leaves a row whose lease runs out and that the next worker takes up.

mod actions;
mod error;
mod model;
mod permissions;
mod queries;
mod routes;
mod state;
#[cfg(test)]
mod tests;

pub use actions::{claim, failed_for_good, forget_secrets, put_back, settle, start_step, submit, wait};
pub use error::{CATALOGUE, OperationError};
pub use model::{Failure, KEYS_KEPT, Keys, NewOperation, Operation, OperationKind, OperationView};
pub use permissions::ALL as PERMISSIONS;
pub use queries::{forget_keys, is_waiting, keep_secret, nudge, renew, unfinished, view};
pub use routes::routes;
pub use state::OperationState;
