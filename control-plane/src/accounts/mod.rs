//! People: signing up, confirming an address, changing and forgetting a password, leaving.
//!
//! Answers never tell whether an address has an account; the mail does. Confirming the address does not stand between
//! signing up and the first store.

mod actions;
mod error;
mod model;
mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::{AccountError, CATALOGUE};
pub use model::{Account, AccountView, Typed};
pub use permissions::ALL as PERMISSIONS;
pub use queries::{find, find_by_email, insert_vouched, lock, password, raise_epoch};
pub use routes::{prove, routes};
