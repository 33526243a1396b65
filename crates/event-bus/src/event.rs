//! An event, and how a capability states one.

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt};
use serde::Serialize;
use serde::de::Error as _;
use souk_kernel::id::{EventId, StoreId};
use souk_telemetry::{FailPoint, fail_point};
use souk_tenancy::{DbError, WriteTx};
use uuid::Uuid;

use crate::queries;

/// Something that happened, as it stands in the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its identity; the same through every repeated delivery.
    pub id: EventId,
    /// The store it happened in.
    pub store: StoreId,
    /// The sort of thing it happened to: `order`.
    pub aggregate_type: String,
    /// The thing it happened to.
    pub aggregate_id: Uuid,
    /// The how-manieth event of that thing, from 1 without gaps; 0 for those stated before there were numbers.
    pub sequence: i64,
    /// What happened: `order.placed`.
    pub kind: String,
    /// Version of the payload's form.
    pub version: u16,
    /// When the transaction that stated it began.
    pub occurred_at: DateTime<Utc>,
    /// What there is to know about it.
    pub payload: serde_json::Value,
    /// W3C trace context of the request that caused it.
    pub traceparent: Option<String>,
}

impl Event {
    /// Reads the payload as a fact.
    ///
    /// # Errors
    /// If the payload does not have the fact's form, or one that is newer than this program knows; `?` in a consumer
    /// turns that into [`crate::ConsumerError::Unreadable`], which is not retried.
    pub fn fact<F: Fact + serde::de::DeserializeOwned>(&self) -> Result<F, serde_json::Error> {
        if self.version > F::VERSION {
            let (version, known) = (self.version, F::VERSION);
            return Err(serde_json::Error::custom(format!("version {version} is newer than {known}")));
        }
        F::deserialize(&self.payload)
    }
}

/// A payload that knows what it is about. Forms only grow: a changed meaning is a new version.
pub trait Fact: Serialize {
    /// What happened: `order.placed`.
    const KIND: &'static str;
    /// Version of the form, from 1.
    const VERSION: u16;
    /// The sort of thing it happened to: `order`.
    const AGGREGATE: &'static str;
    /// The thing it happened to.
    fn aggregate_id(&self) -> Uuid;
}

/// The largest payload, as JSON. librdkafka and brokers take a message of a million bytes unless they are told otherwise; envelope, key and
/// headers have their place in the rest.
const LARGEST: usize = 900_000;

/// A fact that no broker would carry.
#[derive(Debug, thiserror::Error)]
#[error("{kind} has {bytes} bytes, and no event may have more than {LARGEST}")]
struct TooLarge {
    kind: &'static str,
    bytes: usize,
}

/// How many bytes the payload has on the wire; nothing is kept of it.
fn size(payload: &serde_json::Value) -> Result<usize, serde_json::Error> {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, payload)?;
    Ok(count.0)
}

/// States a fact. It becomes an event if and only if `tx` commits; the store is the one `tx` is in. One statement, which
/// locks the aggregate's event number until `tx` ends: events of one aggregate are numbered in the order of commits.
///
/// # Errors
/// As any statement; `Other` if the payload cannot be written as JSON, or is so large that no broker would take it: what cannot be told does
/// not become true either.
pub fn emit<'t, F: Fact>(tx: &'t mut WriteTx<'_>, fact: &F) -> BoxFuture<'t, Result<EventId, DbError>> {
    let id = EventId::new();
    let (payload, aggregate) = (payload_of(fact), fact.aggregate_id());
    async move {
        let traceparent = souk_telemetry::traceparent();
        queries::emit(tx, id, F::AGGREGATE, aggregate, F::KIND, F::VERSION, payload?, traceparent).await?;
        fail_point(FailPoint::EventStated);
        Ok(id)
    }
    .boxed()
}

/// States many facts of one kind, in this order, as [`emit`] does each. One statement. Name the aggregates in the order in which everybody locks
/// them.
///
/// # Errors
/// As [`emit`].
pub async fn emit_all<F: Fact>(tx: &mut WriteTx<'_>, facts: &[F]) -> Result<(), DbError> {
    let mut rows = Vec::with_capacity(facts.len());
    for fact in facts {
        let (id, aggregate) = (EventId::new().uuid(), fact.aggregate_id());
        rows.push(serde_json::json!({ "id": id, "aggregate": aggregate, "payload": payload_of(fact)? }));
    }
    let traceparent = souk_telemetry::traceparent();
    queries::emit_all(tx, F::AGGREGATE, F::KIND, F::VERSION, rows.into(), traceparent).await?;
    fail_point(FailPoint::EventStated);
    Ok(())
}

fn payload_of<F: Fact>(fact: &F) -> Result<serde_json::Value, DbError> {
    let payload = serde_json::to_value(fact).map_err(|error| DbError::Other(Box::new(error)))?;
    let bytes = size(&payload).map_err(|error| DbError::Other(Box::new(error)))?;
    if bytes > LARGEST {
        return Err(DbError::Other(Box::new(TooLarge { kind: F::KIND, bytes })));
    }
    #[cfg(feature = "test_support")]
    crate::test_support::look(F::KIND, F::VERSION, &payload);
    Ok(payload)
}

/// Heard events are remembered longer than the outbox (30 days) and Kafka keep them, so that a late repeat is still known.
const REMEMBER: chrono::TimeDelta = chrono::TimeDelta::days(45);

/// Forgets events heard long ago, at most `limit`; gives how many. One statement.
///
/// # Errors
/// As any statement.
pub async fn forget_heard(tx: &mut WriteTx<'_>, limit: u32) -> Result<usize, DbError> {
    let before = tx.now() - REMEMBER;
    queries::forget_heard(tx, before, i64::from(limit)).await
}
