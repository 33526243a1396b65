//! What the state is owed on a sale: regions, versioned rates, and the arithmetic of tax lines.
//!
//! [`rules_for`] reads the rates in force at a destination (one statement); [`lines`] is pure.

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::TaxError;
pub use model::arithmetic::lines;
pub use model::{Destination, TaxLine, TaxLineView, TaxReason, TaxRule, TaxRules, Taxable};
pub use queries::rules_for;
pub use routes::routes;
