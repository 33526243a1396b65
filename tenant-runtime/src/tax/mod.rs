//! What the state is owed on a sale: regions, versioned rates, classes of goods, who is relieved, and the arithmetic of tax lines.
//!
//! [`rules_for`] reads all that says what is owed at a destination (one statement); [`of_sale`] is pure. Whether a VAT number is in use is
//! asked outside of any transaction ([`Registers`]) and noted ([`known_number`]).

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{HttpRegister, NumberRegister, RegisterError, Registers, known_number};
pub use error::{CATALOGUE, TaxError};
pub use model::arithmetic::{SaleTaxes, delivery_without_tax, of_sale, without_tax};
pub use model::{
    AskTaxNumber, ClassCode, Destination, TaxBuyer, TaxExemptionView, TaxLine, TaxLineView, TaxReason,
    TaxRelief, TaxRules, Taxable, VatNumber, summed,
};
pub use queries::{exemptions, forget, rules_for};
pub use routes::routes;
