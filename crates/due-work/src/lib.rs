//! What stores have to do at a time.
//!
//! ```text
//! a row that says when (a reservation, a payment to ask about, a mail)
//!    -> trigger -> platform.due_work    in the same transaction: it is due if and only if the row is there
//!    -> Desk                            claims wishes whose time has come, with a lease and SKIP LOCKED
//!    -> Handler                         one visit to the store for all its wishes of a kind
//! ```
//!
//! The alternative, visiting every store each second to see, costs 2,000 transactions a second for 1,000 idle stores; this costs one
//! index probe per `poll` and process, whatever the number of stores. Nothing is notified, so no notification can be lost, and no commit
//! of a shopper queues for PostgreSQL's notification lock.
//!
//! At least once: a worker that dies gives its wishes back when the lease ends, so a handler takes what it does under its own lock
//! (`FOR UPDATE SKIP LOCKED`) and may find nothing left to do.

mod desk;
mod ledger;
mod queries;

pub use desk::{Desk, DeskConfig, Handler, Next};
pub use ledger::{LedgerError, deleted};
