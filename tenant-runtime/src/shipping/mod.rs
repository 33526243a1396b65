//! What delivery costs: zones and rates, and which of them fit a destination.
//!
//! [`options`] is one statement. A country belongs to at most one zone; a zone for the rest of the world takes whom none names.

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::{CATALOGUE, ShippingError};
pub use model::ShippingOption;
pub use queries::options;
pub use routes::routes;
