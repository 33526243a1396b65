//! What delivery costs: zones and rates, and which of them fit a destination. Goods of a shipping profile are delivered by zones of its own.
//!
//! [`options`] is one statement. A country, a province, a range of postal codes belongs to at most one zone of a profile; of the zones that
//! have a place the most specific one delivers there, and a zone for the rest of the world takes what is left.
//!
//! What a calculated rate costs a carrier's program says. It is never asked in a transaction: [`options`] goes by the answers that are kept and
//! says who has to be asked, and whoever is outside of a transaction does, by [`ask`], and prices again.

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{Carriers, CarriersError, ask};
pub use error::{CATALOGUE, QUOTES_PENDING, ShippingError};
pub use model::{Ask, DeliveryDates, Parcel, Pickup, ShippingOption};
pub use queries::calculators::forget;
pub use queries::options;
pub use routes::routes;
