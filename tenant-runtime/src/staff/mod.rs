//! Who works in a store, with which role, and the keys of its machines.
//!
//! Roles and rights are decided by `souk_access` from the same tables; here they are shown and changed, and keys are made and revoked.
//! Nobody gives what they do not hold, and the last owner stays.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{StaffLetter, accept, colleague, letter};
pub use error::{CATALOGUE, StaffError};
pub use events::StaffInvited;
pub use model::{Colleague, StaffView, check_scopes};
pub use routes::routes;
