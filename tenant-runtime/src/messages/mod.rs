//! Mail a store sends when something happened.
//!
//! [`OrderMail`] hears events and queues a mail in the event's own transaction, so a fact and its mail are one. [`send_due`] empties the
//! queue. A process that dies between sending and marking sends once more, under the same Message-ID.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;

pub use actions::{Sender, send_due};
pub use error::MessageError;
pub use events::{CustomerMail, OrderMail};
pub use routes::{captured_routes, routes};
