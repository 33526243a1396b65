//! Kafka between the outbox and the consumers.
//!
//! One topic, `<prefix>events`, holds everything; its key is store and aggregate, so a partition holds an aggregate's
//! events in order. Kafka's own transactions are not used: what makes an effect happen once is the dedupe row in
//! PostgreSQL, and so a message may come any number of times.

mod config;
mod context;
mod lanes;
mod listener;
mod publisher;
mod readers;
mod survey;
mod topics;

pub use config::KafkaConfig;
pub(crate) use listener::Listener;
pub(crate) use publisher::{Publisher, Sent};
pub(crate) use readers::Readers;
pub(crate) use survey::Surveyor;
