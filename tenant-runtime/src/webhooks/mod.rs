//! What happens in a store, told to addresses of the merchant's: signed as Standard Webhooks say, tried again for three days, logged.
//!
//! [`Webhooks`] hears every event and writes a delivery for each endpoint that wants it, in the event's own transaction. [`send_due`] hands
//! what is due to the [`Courier`], which sends outside any transaction and only to addresses of the open internet. Each endpoint has its
//! own few seats there, and whoever comes back takes along what is due next, so one that hangs keeps nobody waiting. One that fails twice
//! in a row rests, longer each time.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{Courier, Handed, forget, send_due};
pub use error::{CATALOGUE, WebhookError};
pub use events::{WebhookDisabled, Webhooks};
pub use model::Rules;
pub use routes::routes;
