//! What is for sale: products, options, variants, pictures, prices, collections.
//!
//! A product's row is locked before anything that belongs to it changes, and its version counts every such change. Shoppers'
//! pages are kept in memory by the version of the catalogue; every write says `catalogue_changed`, by which this process knows that they
//! are old, and triggers tell the others.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::fetches::{Fetched, fetch_due, forget as forget_fetches};
pub use actions::put::{Putter, after, put_all};
pub use actions::{collections_of, free, sellable};
pub use error::{CATALOGUE, CatalogError};
pub use events::{ProductCreated, ProductDeleted, ProductUpdated};
pub use model::{
    Component, ComponentView, ImageWish, NewOption, OptionView, ProductView, ProductWish, Put, PutBy,
    Sellable, Status, VariantView, VariantWish, made_of, price_of, reduced,
};
pub use queries::names::{Named, named};
pub use routes::{edition, routes};
