//! What a shop says beside what it sells: pages, menus, policies.
//!
//! Markup is cleaned when it is written, never when it is read. A page that is to appear later is made visible by a worker at its time, so
//! that what shoppers see depends on rows alone and can be kept in memory. Policies are only ever added to.

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::publish_due;
pub use error::ContentError;
pub use queries::policies::terms_in_force;
pub use routes::routes;
