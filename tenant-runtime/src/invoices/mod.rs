//! Invoices for what was paid, and credit notes for what went back: what tax law asks of a sale.
//!
//! A document is a copy of all that it says, numbered without a gap in a sequence of its kind, and nothing about it changes later: not when the
//! order does, nor the settings, nor the seller's name. [`model`] makes it of the order as it is then; the PDF is drawn from the copy each time
//! it is asked for. Order first, then the settings, which count: whoever issues holds the order's lock when it takes a number, and keeps the
//! other until the commit.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::attachment;
pub use error::{CATALOGUE, InvoiceError};
pub use events::{InvoiceIssued, Invoicing};
pub use model::Invoice;
pub use queries::{find, of_customer};
pub use routes::routes;
