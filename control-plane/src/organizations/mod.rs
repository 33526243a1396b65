//! Organizations own stores; their members have roles in them.

mod actions;
mod error;
mod model;
mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::found;
pub use error::CATALOGUE;
pub use model::{Organization, OrganizationView};
pub use permissions::ALL as PERMISSIONS;
pub use queries::{find, lock, of_account};
pub use routes::routes;
