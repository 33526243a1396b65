//! What a person may ask of a store that knows them: a copy of everything, and to be forgotten.
//!
//! Orders and books stay, because the law wants them and they are the store's; the person goes. What stays, and for how long, is written
//! in `docs/PRIVACY.md`.

mod actions;
mod error;
mod model;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::CATALOGUE;
pub use routes::routes;
