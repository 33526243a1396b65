//! Products from files, and into files: many at once, as work that goes on by itself.
//!
//! A file is looked through while it arrives (rows are counted, its header is read) and kept in pieces of the store's own schema. Workers
//! take it from there: some products in one transaction with the mark of how far it is, so whoever is killed loses nothing and repeats
//! nothing. What a product becomes, the catalogue decides, as for a single request.

mod actions;
mod error;
mod events;
mod model;
mod queries;
mod routes;
mod state;
#[cfg(test)]
mod tests;

pub use actions::{Worked, forget, work_due};
pub use error::{CATALOGUE, ImportError};
pub use events::ImportFinished;
pub use routes::routes;
