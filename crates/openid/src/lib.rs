//! Signing in with others: OpenID Connect, authorization code with PKCE S256, state, nonce and the issuer of the answer.
//!
//! A [`Provider`] is configured by name, issuer and client; everything else it says of itself in its discovery document. [`Provider::begin`]
//! gives the address to send a browser to, [`Provider::finish`] turns the code that comes back into a [`Person`], or says no. Who that
//! person is here is for the caller to say, by [`Person::issuer`] and [`Person::subject`] and by nothing else: an e-mail address is what
//! somebody claims, and believable only when the provider says it was verified.
//!
//! What is refused: documents, keys and tokens of another issuer; unsigned tokens, and those whose algorithm does not fit the key
//! (`alg: none`, HMAC with a public key); another audience, another nonce, tokens that are too old; addresses that the [`Client`] may not
//! ask; redirects; answers that are too long or take too long.

pub mod challenge;
mod claims;
mod fetch;
mod flow;
mod keys;
mod metadata;
mod provider;
#[cfg(feature = "test_support")]
pub mod test_support;
pub mod web;

pub use claims::{Expected, Refused};
pub use fetch::{Client, FetchError};
pub use flow::Flow;
pub use provider::{ConfigError, OpenIdError, Person, Provider, ProviderConfig};
