//! Who works in which organization, with which role; invitations bring new people in.
//!
//! Nobody grants a role that holds more than their own, and the last owner stays.

mod actions;
mod error;
mod model;
mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::CATALOGUE;
pub use model::Role;
pub use permissions::ALL as PERMISSIONS;
pub use queries::{Register, join, owners, role_of};
pub use routes::routes;
