//! What delivery costs: zones and rates, and which of them fit a destination.
//!
//! [`options`] is one statement. A country, a province, a range of postal codes belongs to at most one zone; of the zones that
//! have a place the most specific one delivers there, and a zone for the rest of the world takes what is left.

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::{CATALOGUE, ShippingError};
pub use model::{Parcel, ShippingOption};
pub use queries::options;
pub use routes::routes;
