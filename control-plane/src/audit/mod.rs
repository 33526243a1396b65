//! Who did what in an organization: an append-only log whose entries seal one another.
//!
//! Capabilities [`look`] at what the act is about before it and call [`record`] after it, inside its transaction: the entry has digests of both. What they do not tell the permit writes down itself ([`Log`]): in the
//! organization the route is about, or, for what somebody does to their account, in every organization they are a member of. Writers of one organization are ordered by the row of
//! the chain's end; take it last, so that the lock is short.

mod actions;
mod model;
mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{Log, look, record};
pub use model::{AuditEntryView, By, Subject, Was};
pub use permissions::ALL as PERMISSIONS;
pub use routes::routes;
