//! Who wants to be told what: that something can be bought again, what becomes of an order, that a cart was left lying, what a day sold.
//!
//! Nothing is mailed here. Workers look at what is due and state facts; [`Waiting`] hears that something is back and wakes those who wait;
//! the mails follow in `messages`, which asks [`letter`] and [`followers`] whom they go to. A mailbox that somebody typed is asked first.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{
    CartLink, Letter, cart_link, end_all, followers, forget, letter, low_stock_threshold, remind_due,
    say_stock, staff_mailbox, tell_day, wake_due,
};
pub use error::{CATALOGUE, SubscriptionError};
pub use events::{BackInStock, CartAbandoned, DailyDigest, LowOnStock, SubscriptionLetterWanted, Waiting};
pub use model::SubscriptionView;
pub use queries::{Follower, of_mailbox};
pub use routes::routes;
