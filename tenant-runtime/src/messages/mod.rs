//! Mail a store sends when something happened, in its own words and looks.
//!
//! [`OrderMail`], [`CustomerMail`] and [`NoticeMail`] hear events and queue a mail in the event's own transaction, so a fact and its mail are
//! one. [`send_due`] empties the queue; addresses that are on the suppression list are marked, not written to. A process that dies between
//! sending and marking sends once more, under the same Message-ID.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::send::{Sender, send_due};
pub use actions::tidy;
pub use error::{CATALOGUE, MessageError};
pub use events::{CustomerMail, NoticeMail, OrderMail};
pub use model::{MailRoom, samples};
pub use routes::{captured_routes, page_routes, routes};
