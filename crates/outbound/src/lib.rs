//! Asking addresses that others gave us, webhooks, identity providers and carriers: the open internet, and nothing else.
//!
//! [`readable`] judges an address as it is written, [`client`] where its name leads when it is connected to. Both are needed: addresses that
//! are numbers are never resolved, and a name may lead elsewhere a moment later.

mod address;
mod breaker;
mod connector;
mod signature;

pub use address::{is_public, readable};
pub use breaker::Breaker;
pub use connector::client;
pub use signature::{Secret, signatures};
