//! Where a store sells: countries with their currency and language.

mod model;
mod queries;

pub use model::Market;
pub use queries::for_country;
