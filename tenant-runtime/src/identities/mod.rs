//! Signing in with others: customers and staff whom an OpenID Connect provider vouches for that the store's owner named.
//!
//! The browser goes to the provider and comes back here with a code; what the provider says is kept under a ticket, and the client that began
//! fetches it with a verifier only it knows. With the ticket somebody signs in, or, signed in already, links the identity to who they are.
//! Issuer and subject say who it is. An address decides nothing: one that is not verified is not believed, and one that has an account
//! already is no way into it. Nobody works in a store because a provider says so: staff link an identity when they join, or later.
//!
//! The app needs an [`Embassy`] as `web::Data`.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::{CATALOGUE, IdentityError};
pub use events::StaffNewDevice;
pub use model::{Embassy, EmbassyError, IdentityView};
pub use queries::sessions::{SeenDevice, device};
pub use queries::{forget, forget_customer, of_customer};
pub use routes::routes;
