//! Orders that staff puts together for somebody, who gets a link to pay.
//!
//! A draft order is a cart with terms: `cart` holds and prices it, here is what staff does with it and how far it is. Whoever has the link pays it
//! through `checkout` like any cart, and so it becomes an order at most once: the cart's lock and the order's unique index see to that. The
//! cart's row is locked before the draft's, always.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
mod state;
#[cfg(test)]
mod tests;

pub use actions::{Invoice, complete, expire_due, forget, invoice, open, outlook};
pub use error::{CATALOGUE, DraftError};
pub use events::{
    DraftOrderCancelled, DraftOrderCompleted, DraftOrderCreated, DraftOrderExpired, DraftOrderInvoiceSent,
    DraftOrderUpdated,
};
pub use model::{cart_of, link};
pub use routes::{routes, secret_of};
