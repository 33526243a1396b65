//! What librdkafka tells us beside messages: logs, statistics, which partitions are ours.

use std::sync::Arc;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;

use super::lanes::Lanes;

fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Warning => tracing::warn!(facility, "kafka: {message}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
            tracing::debug!(facility, "kafka: {message}");
        }
    }
}

/// A producer's or an administrator's.
#[derive(Clone)]
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, "kafka: {reason}");
    }
}

/// That of a consumer which only asks.
impl ConsumerContext for Quiet {}

/// A consumer's.
pub(crate) struct Hearing {
    pub(crate) name: &'static str,
    pub(crate) lanes: Arc<Lanes>,
}

impl ClientContext for Hearing {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, consumer = self.name, "kafka: {reason}");
    }

    fn stats(&self, statistics: Statistics) {
        let partitions = statistics.topics.values().flat_map(|topic| topic.partitions.values());
        let lag: i64 = partitions.map(|partition| partition.consumer_lag.max(0)).sum();
        metrics::gauge!("souk_kafka_consumer_lag", "consumer" => self.name).set(lag as f64);
    }
}

impl ConsumerContext for Hearing {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Revoke(partitions) => {
                let done = self.lanes.give_up(partitions);
                tracing::info!(
                    consumer = self.name,
                    partitions = partitions.count(),
                    "partitions go to others"
                );
                // What was heard is committed before somebody else reads on from there. What is being heard right now
                // they will read again, and find its dedupe row.
                if done.count() > 0
                    && let Err(error) = consumer.commit(&done, CommitMode::Sync)
                {
                    tracing::warn!(%error, consumer = self.name, "what was heard is not committed; it is read again");
                }
            }
            Rebalance::Assign(partitions) => {
                tracing::info!(consumer = self.name, partitions = partitions.count(), "partitions are ours");
            }
            Rebalance::Error(error) => {
                tracing::warn!(%error, consumer = self.name, "the group could not be balanced");
            }
        }
    }
}
