//! Where a store's own pages live: its account pages, and the pages of other origins that may call it from a browser.

mod actions;
mod error;
mod model;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::StorefrontError;
pub use model::{Origins, PublicAddress};
pub use queries::{account_url, origins};
pub use routes::routes;
