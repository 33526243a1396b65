//! An event as JSON: in Kafka, in webhooks, in the events API. `docs/EVENTS.md` is its description.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::id::{EventId, StoreId};
use uuid::Uuid;

use crate::event::Event;

/// The version of the envelope this program writes and the newest it reads.
pub const ENVELOPE_VERSION: u16 = 1;

/// Clocks differ; an event further ahead than this is none of ours.
const FROM_THE_FUTURE: TimeDelta = TimeDelta::hours(1);

/// An event on the wire. Readers ignore fields they do not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Version of the envelope itself.
    pub envelope: u16,
    /// The event's identity; the same through every repeated delivery.
    pub id: EventId,
    /// What happened: `order.placed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Version of the form of `data`.
    pub version: u16,
    /// The store it happened in.
    pub store_id: StoreId,
    /// The sort of thing it happened to: `order`.
    pub aggregate_type: String,
    /// The thing it happened to.
    pub aggregate_id: Uuid,
    /// The how-manieth event of that thing, from 1 without gaps.
    pub sequence: i64,
    /// When the transaction that stated it began.
    pub occurred_at: DateTime<Utc>,
    /// W3C trace context of the request that caused it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub traceparent: Option<String>,
    /// What there is to know about it; its form is decided by `type` and `version`.
    pub data: serde_json::Value,
}

/// Why bytes are no event of ours.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// No JSON, or fields are missing or of another type.
    #[error("not an event: {0}")]
    Form(#[from] serde_json::Error),
    /// Written by a newer program.
    #[error("envelope version {0} is newer than {ENVELOPE_VERSION}")]
    Version(u16),
    /// Its clock is wrong, or it was made up.
    #[error("from the future: {0}")]
    Future(DateTime<Utc>),
}

impl From<Event> for Envelope {
    fn from(event: Event) -> Self {
        Self {
            envelope: ENVELOPE_VERSION,
            id: event.id,
            kind: event.kind,
            version: event.version,
            store_id: event.store,
            aggregate_type: event.aggregate_type,
            aggregate_id: event.aggregate_id,
            sequence: event.sequence,
            occurred_at: event.occurred_at,
            traceparent: event.traceparent,
            data: event.payload,
        }
    }
}

impl Envelope {
    /// Reads bytes of a topic. `now` is the reader's time.
    ///
    /// # Errors
    /// See [`EnvelopeError`].
    pub fn read(bytes: &[u8], now: DateTime<Utc>) -> Result<Event, EnvelopeError> {
        let envelope: Self = serde_json::from_slice(bytes)?;
        if envelope.envelope > ENVELOPE_VERSION {
            return Err(EnvelopeError::Version(envelope.envelope));
        }
        if envelope.occurred_at > now + FROM_THE_FUTURE {
            return Err(EnvelopeError::Future(envelope.occurred_at));
        }
        Ok(Event {
            id: envelope.id,
            store: envelope.store_id,
            aggregate_type: envelope.aggregate_type,
            aggregate_id: envelope.aggregate_id,
            sequence: envelope.sequence,
            kind: envelope.kind,
            version: envelope.version,
            occurred_at: envelope.occurred_at,
            payload: envelope.data,
            traceparent: envelope.traceparent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &str = include_str!("../golden/envelope.v1.json");

    #[test]
    fn the_first_version_stays_readable_and_is_what_we_write() {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let event = Envelope::read(GOLDEN.as_bytes(), now).unwrap();
        assert_eq!((event.kind.as_str(), event.version, event.sequence), ("order.placed", 1, 3));
        let again = serde_json::to_string_pretty(&Envelope::from(event)).unwrap();
        assert_eq!(again.trim(), GOLDEN.trim());
    }

    #[test]
    fn what_is_no_event_says_why() {
        let now: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().unwrap();
        let refused = |text: &str| Envelope::read(text.as_bytes(), now).unwrap_err().to_string();
        assert!(refused("{").starts_with("not an event: EOF"));
        assert!(refused("{}").starts_with("not an event: missing field"));
        assert_eq!(
            refused(&GOLDEN.replace("\"envelope\": 1", "\"envelope\": 2")),
            "envelope version 2 is newer than 1"
        );
        let ahead = GOLDEN.replace("2026-11-24T10:15:30.123456Z", "2026-11-24T13:00:01Z");
        assert_eq!(refused(&ahead), "from the future: 2026-11-24 13:00:01 UTC");
        let odd = GOLDEN.replace("\"sequence\": 3", "\"sequence\": 3, \"colour\": \"red\"");
        assert!(Envelope::read(odd.as_bytes(), now).is_ok(), "fields only grow");
    }
}
