//! Asking addresses that others gave us, webhooks and identity providers: the open internet, and nothing else.
//!
//! [`readable`] judges an address as it is written, [`client`] where its name leads when it is connected to. Both are needed: addresses that
//! are numbers are never resolved, and a name may lead elsewhere a moment later.

mod address;
mod connector;

pub use address::{is_public, readable};
pub use connector::client;
