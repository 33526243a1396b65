//! Where a store sells: countries with their currency, language, and whether prices include tax.
//!
//! A country belongs to at most one market; the default one takes whom none names. A cart that is made for a country is priced in its
//! market's currency, for good.

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;

pub use error::{CATALOGUE, MarketError};
pub use model::Market;
pub use queries::{currencies, for_country};
pub use routes::routes;
