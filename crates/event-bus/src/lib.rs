//! What happened, told once it is true: outbox, relay, Kafka, consumers.
//!
//! ```text
//! emit(tx, &fact)         in the store's own transaction: true if and only if the transaction commits
//!    -> platform.outbox   one table for all stores; the store is taken from the transaction's role
//!    -> Relay             claims rows with a lease and carries them on:
//!         -> to Kafka, marking them on the delivery report; each consumer reads in a group of its own, or,
//!         -> without a broker, straight to the consumers
//!    -> Consumer::hear    inside a transaction of that store, together with a row in `heard_events`
//!         -> or platform.undelivered: tried again with backoff, then a dead letter until an operator revives it
//! ```
//!
//! Delivery is at least once, its effect in the store's schema exactly once: effect and dedupe row are one
//! transaction. Events of one aggregate are heard in the order of their `sequence`; at a consumer one that fails holds
//! back those behind it until it succeeds or is a dead letter, while other aggregates and other consumers go on. A consumer that says so
//! ([`Consumer::together`]) hears what waits of one store in one transaction, from Kafka; when that fails, each alone.

mod clerk;
mod consumer;
mod delivery;
mod desk;
mod envelope;
mod event;
mod intake;
mod kafka;
mod queries;
mod relay;
#[cfg(feature = "test_support")]
pub mod test_support;

pub use clerk::BusError;
pub use consumer::{Consumer, ConsumerError};
pub use desk::{Operator, Overview, Range};
pub use envelope::{ENVELOPE_VERSION, Envelope, EnvelopeError};
pub use event::{Event, Fact, emit, emit_all, forget_heard};
pub use kafka::KafkaConfig;
pub use queries::outbox::Untold;
pub use queries::readings::Reading;
pub use queries::undelivered::{DeadLetter, Standing};
pub use queries::unreadable::Unreadable;
pub use relay::{Relay, RelayConfig, Scopes};
