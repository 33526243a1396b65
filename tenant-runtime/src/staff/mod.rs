//! Who works in a store, with which role, and the keys of its machines.
//!
//! Roles and rights are decided by `souk_access` from the same tables; here they are shown, and keys are made and revoked.

mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::CATALOGUE;
pub use routes::routes;
