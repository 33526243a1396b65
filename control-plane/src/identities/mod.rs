//! Signing in with others: people whom an OpenID Connect provider vouches for.
//!
//! The browser goes to the provider and comes back here with a code; what the provider says is kept under a ticket, and the client that began
//! fetches it with a verifier only it knows. With the ticket somebody signs in, or, signed in already, links the identity to their account.
//! Issuer and subject say who it is. An address decides nothing: one that is not verified is not believed, and one that has an account
//! already is no way into it.

mod actions;
mod error;
mod model;
mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::CATALOGUE;
pub use permissions::ALL as PERMISSIONS;
pub use queries::{forget, forget_account};
pub use routes::routes;
