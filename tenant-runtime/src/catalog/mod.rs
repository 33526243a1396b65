//! What is for sale: products, options, variants, pictures, prices, collections.
//!
//! A product's row is locked before anything that belongs to it changes, and its version counts every such change. Every write also
//! raises the store's `catalogue_version`, by which caches know that they are old.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{collections_of, sellable};
pub use error::{CATALOGUE, CatalogError};
pub use events::{ProductCreated, ProductDeleted, ProductUpdated};
pub use model::{Sellable, Status, price_of};
pub use routes::routes;
