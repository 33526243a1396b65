//! What happened, told once it is true: outbox, relay, consumers.
//!
//! ```text
//! emit(tx, &fact)         in the store's own transaction: true if and only if the transaction commits
//!    -> platform.outbox   one table for all stores; the store is taken from the transaction's role
//!    -> Relay             claims rows with a lease, hands each event to every Consumer that wants it
//!    -> Consumer::hear    inside a transaction of that store, together with a row in `heard_events`
//! ```
//!
//! Delivery is at least once, its effect in the store's schema exactly once: effect and dedupe row are one
//! transaction. Events of one aggregate are heard in the order of their positions; one that fails holds back those
//! behind it until it succeeds or is declared dead. Positions follow the order of commits only if whoever changes an
//! aggregate holds a lock on its row, as every capability here does.

mod consumer;
mod delivery;
mod event;
mod queries;
mod relay;

pub use consumer::{Consumer, ConsumerError};
pub use event::{Event, Fact, emit, forget_heard};
pub use relay::{Relay, RelayConfig, Scopes};
