//! Groups of customers: who is in which.
//!
//! What is only for some groups says so itself: a price list, a discount, an exemption from tax. Their statements join the members; nobody
//! without a group pays for that with a statement. Being put into a group or taken out of it changes what is priced from then on, never an
//! order.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::{CATALOGUE, GroupError};
pub use events::{CustomerGroupCreated, CustomerGroupDeleted, CustomerGroupUpdated};
pub use model::{MembershipView, too_many};
pub use queries::{forget, of_customer};
pub use routes::routes;
