//! What a shopper considers, priced on the server.
//!
//! Whoever has the secret has the cart. Every answer is the whole cart at today's prices, with its taxes and what delivery would cost.
//! A checkout [`take`]s it, marks it completing while the money is on its way, and then completed or open again.
//!
//! A cart with [`Terms`] is a draft order: staff fills it, at prices that were agreed, and no shopper changes it.

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
mod state;
#[cfg(test)]
mod tests;

pub use actions::{begin, create, forget, of_customer, priced, rewrite};
pub use error::{CATALOGUE, CartError};
pub use model::{
    Address, AgreedDelivery, AgreedDiscount, AgreedLine, AgreedWare, Attributes, Cart, CartLine, Change,
    MOST_LINES, MOST_PIECES, NewCart, NewCartLine, Off, Quote, QuotedLine, QuotedShipping, Terms,
};
pub use queries::idle::{LeftCart, LeftLine, expire, left, left_lines, open_by_mail};
pub use queries::{end, find_draft, mark_completed, mark_completing, open_to, reopen, take, take_draft};
pub use routes::{CART_SECRET, routes};
pub use state::CartState;
