//! Events into the topic.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::join_all;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use souk_telemetry::{FailPoint, fail_point};

use super::config::KafkaConfig;
use super::context::Quiet;
use super::topics;
use crate::clerk::BusError;
use crate::envelope::Envelope;
use crate::event::Event;

/// Shorter than a lease: the delivery report is there before anybody else may claim the event.
const MESSAGE_TIMEOUT_MS: &str = "15000";
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);

/// What the delivery report says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// All copies that are asked for have it.
    Stored,
    /// The broker did not say so in time. It may have it nevertheless.
    NotNow(String),
    /// No broker will ever take it.
    Never(String),
}

pub(crate) struct Publisher {
    producer: FutureProducer<Quiet>,
    topic: String,
}

impl Publisher {
    /// Checks the topic, makes the producer.
    pub(crate) async fn open(config: &KafkaConfig) -> Result<Self, BusError> {
        for otherwise in topics::ensure(config).await? {
            tracing::warn!(topic = config.events(), otherwise, "the topic is otherwise than declared");
        }
        let producer = config
            .client(&[
                ("enable.idempotence", "true"),
                ("acks", "all"),
                ("message.timeout.ms", MESSAGE_TIMEOUT_MS),
                ("compression.type", "lz4"),
                ("linger.ms", "2"),
                ("queue.buffering.max.messages", "10000"),
                ("reconnect.backoff.max.ms", "2000"),
            ])
            .create_with_context(Quiet)?;
        Ok(Self { producer, topic: config.events() })
    }

    /// Why this producer takes nothing any more, if that is so: librdkafka gives one up when it cannot tell what the broker has of it.
    pub(crate) fn ended(&self) -> Option<String> {
        self.producer.client().fatal_error().map(|(code, reason)| format!("{code}: {reason}"))
    }

    /// Sends events and waits for every delivery report, in the same order.
    pub(crate) async fn send(&self, events: impl Iterator<Item = &Event>) -> Vec<Sent> {
        let mut reports = pin!(join_all(events.map(|event| self.send_one(event))));
        // The first look at them hands them to the producer.
        let first = poll_fn(|context| Poll::Ready(reports.as_mut().poll(context))).await;
        fail_point(FailPoint::KafkaProducing);
        match first {
            Poll::Ready(sent) => sent,
            Poll::Pending => reports.await,
        }
    }

    async fn send_one(&self, event: &Event) -> Sent {
        let version = event.version.to_string();
        let (id, store) = (event.id.to_string(), event.store.to_string());
        let key = format!("{store}/{}/{}", event.aggregate_type, event.aggregate_id);
        let payload = match serde_json::to_vec(&Envelope::from(event.clone())) {
            Ok(payload) => payload,
            Err(error) => return Sent::Never(error.to_string()),
        };
        let mut headers = OwnedHeaders::new();
        let fixed = [
            ("id", Some(id.as_str())),
            ("type", Some(event.kind.as_str())),
            ("store", Some(store.as_str())),
            ("schema_version", Some(version.as_str())),
            ("traceparent", event.traceparent.as_deref()),
        ];
        for (key, value) in fixed {
            if value.is_some() {
                headers = headers.insert(Header { key, value });
            }
        }
        let record = FutureRecord::to(&self.topic)
            .key(&key)
            .payload(&payload)
            .headers(headers)
            .timestamp(event.occurred_at.timestamp_millis());
        match self.producer.send(record, QUEUE_TIMEOUT).await {
            Ok(_) => Sent::Stored,
            Err((error, _)) => judge(&error),
        }
    }
}

fn judge(error: &KafkaError) -> Sent {
    match error.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::InvalidMessage
            | RDKafkaErrorCode::InvalidMessageSize
            | RDKafkaErrorCode::InvalidRecord,
        ) => Sent::Never(error.to_string()),
        _ => Sent::NotNow(error.to_string()),
    }
}
