//! What a store is called, where it sits and how it counts: its one row of settings.
//!
//! [`current`] is one statement; whoever prices something reads it once per transaction.

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::SettingsError;
pub use model::{Settings, TaxLevel};
pub use queries::current;
pub use routes::routes;
