//! The sale itself: prepare, pay, settle, finalise.
//!
//! *Prepare* is one transaction: lock the cart, price it, compare with what the shopper saw, reserve the stock, write the attempt and its
//! payment session. *Pay* asks the provider, outside any transaction, in a task that outlives the request. *Finalise* is [`settle`]: one
//! idempotent transaction under the order's lock, called by the checkout itself, the return page, the provider's webhook and the poller
//! alike; whoever comes second changes nothing.
//!
//! The app needs a [`Till`] as `web::Data`; a worker calls [`sweep`] where a clock has come round (`worker.rs`).

mod actions;
mod error;
mod model;
pub mod permissions;
mod routes;

#[cfg(test)]
mod tests;

pub use actions::poll::{Swept, run_due_refunds, sweep};
pub use actions::settle::{Settled, settle};
pub use error::{CATALOGUE, CheckoutError};
pub use model::Till;
pub use routes::routes;
