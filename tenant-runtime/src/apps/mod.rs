//! Integrations: apps that ask for scopes, and get what the store's people approve.
//!
//! Somebody registers an app and says what it needs. Whoever may approve gives it all of that, or less, and never what they do not hold
//! themselves; the app's id and its secret, shown once, are its credentials. With them it asks for a token at `/oauth/token` (RFC 6749 §4.4),
//! which works for 15 minutes wherever a staff token does, as far as its scopes go. Whatever takes something away from an app, or the app
//! itself, ends its tokens within a second.

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::CATALOGUE;
pub use routes::routes;
