//! Sales channels: where which product is sold.
//!
//! What shoppers see of a channel is a row for each product, true or false, that reads join; times at which that changes are carried out by a
//! worker, which tells caches and listeners as if somebody had done it by hand then.

mod actions;
mod error;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{place, publish_due};
pub use error::{CATALOGUE, ChannelError};
pub use model::{ChannelName, Placement};
pub use queries::{channel_names, keep_channels, placements};
pub use routes::routes;
