//! A second factor beside the password: codes of an authenticator app, and recovery codes for the day the phone is gone.
//!
//! Passkeys will be another kind beside `totp`. A proof (password, and code where there is a second factor) opens dangerous acts for 15
//! minutes: those whose permission says `step_up`, here and in the stores.

mod actions;
mod error;
mod model;
mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{check, reseal};
pub use error::{CATALOGUE, FactorError};
pub use model::Guess;
pub use permissions::ALL as PERMISSIONS;
pub use queries::remove as forget_account;
pub use routes::{count_guess, routes};
