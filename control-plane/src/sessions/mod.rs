//! Being signed in: short access tokens, and refresh tokens that are used once.
//!
//! A session is a family of refresh tokens. Each exchange uses one up and gives its successor; one that comes back a second
//! time was stolen or copied, so the whole family ends. Guessing is slowed down per account and per network, never by
//! locking an account.

mod actions;
mod error;
mod model;
mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{attempt, end_all, forgive, open};
pub use error::{CATALOGUE, SessionError};
pub use model::{Door, EndReason, Tokens};
pub use permissions::ALL as PERMISSIONS;
pub use queries::{forget, standing};
pub use routes::routes;
