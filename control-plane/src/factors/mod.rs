//! A second factor beside the password: codes of an authenticator app, and recovery codes for the day the phone is gone.
//!
//! Passkeys will be another kind beside `totp`. Dangerous acts ask whoever has a second factor to have proved themselves lately.

mod actions;
mod error;
mod model;
mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{check, demand_recent};
pub use error::{CATALOGUE, FactorError};
pub use permissions::ALL as PERMISSIONS;
pub use routes::routes;
