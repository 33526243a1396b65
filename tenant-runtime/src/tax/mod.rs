//! What the state is owed on a sale: regions, versioned rates, classes of goods, who is relieved, and the arithmetic of tax lines.
//!
//! [`rules_for`] reads all that says what is owed at a destination (one statement); [`of_sale`] is pure. Whether a VAT number is in use is
//! asked outside of any transaction ([`Registers`]) and noted ([`known_number`]).
//!
//! A store may have its taxes worked out elsewhere ([`TaxProviders`]), and what became of orders told there ([`TaxFiling`], [`file_due`]): whoever prices a basket looks for an answer that is kept
//! ([`kept_estimate`]), and whoever answers a request asks what is missing, outside of any transaction.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{
    HttpRegister, NumberRegister, RegisterError, Registers, TaxProvider, TaxProviderError, TaxProviders,
    TaxProvidersUnready, file_due, kept_estimate, known_number,
};
pub use error::{CATALOGUE, TaxError};
pub use events::TaxFiling;
pub use model::arithmetic::{SaleTaxes, delivery_without_tax, of_sale, without_tax};
pub use model::{
    AskTaxNumber, ClassCode, Destination, EstimateFault, OnFailure, TaxAccount, TaxBuyer, TaxEstimate,
    TaxExemptionView, TaxLine, TaxLineView, TaxQuestion, TaxReason, TaxRelief, TaxRules, TaxSource, Taxable,
    VatNumber, summed,
};
pub use queries::{exemptions, forget, rules_for};
pub use routes::routes;
