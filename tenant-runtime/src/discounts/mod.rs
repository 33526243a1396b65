//! What is taken off prices, and for whom.
//!
//! A discount comes by code or by itself. [`candidates`] gives those that may apply, [`reckon`] works out which do and how much they
//! take off which line, or why a code does not. A checkout [`redeem`]s what its order stands on; limits are held there, under the
//! discounts' locks, and [`release`] gives the uses of an order back that came to nothing.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;

pub use actions::{may_enter, redeem, release};
pub use error::{CATALOGUE, DiscountError};
pub use events::{DiscountCreated, DiscountDeleted, DiscountUpdated};
pub use model::{
    Applied, Code, CodeView, Delivery, Discount, Goods, Purchase, Reckoning, Refusal, names_collections,
    reckon,
};
pub use queries::candidates;
pub use routes::routes;
