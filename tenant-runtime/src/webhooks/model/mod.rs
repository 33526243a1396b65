//! Endpoints, deliveries, the signature, when to try again.

mod signature;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Integer, Jsonb, Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid,
};
use serde::{Deserialize, Serialize};
use souk_kernel::{EventId, Text, WebhookDeliveryId, WebhookEndpointId};
use utoipa::ToSchema;
use uuid::Uuid;

pub use signature::{Secret, signatures};

/// Endpoints of one store.
pub const MOST_ENDPOINTS: i64 = 50;
/// How long a rotated secret still signs.
pub const OVERLAP: TimeDelta = TimeDelta::hours(24);
/// An endpoint that took nothing for so long is disabled.
pub const PATIENCE: TimeDelta = TimeDelta::days(3);
/// Events told at once that were missed: their bodies are in memory for a moment.
pub const MOST_MISSED: i64 = 5000;
/// Longer than any attempt may take.
pub const LEASE: TimeDelta = TimeDelta::minutes(1);

/// When a delivery that failed is tried again: the schedule of Standard Webhooks, 75 hours in all. `None`: given up.
pub fn retry_after(attempts: i32) -> Option<TimeDelta> {
    const SECONDS: [i64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
    let index = usize::try_from(attempts - 1).unwrap_or(0);
    SECONDS.get(index).map(|seconds| TimeDelta::seconds(*seconds))
}

/// How long an endpoint is left alone after so many failures in a row: 5 s after the second, doubling to 5 min. One alone says nothing yet.
pub fn rest_after(failures: i32) -> Option<TimeDelta> {
    let doublings = u32::try_from(failures - 2).ok()?.min(6);
    Some(TimeDelta::seconds((5_i64 << doublings).min(300)))
}

/// Up to a tenth more, by chance: what failed together must not return together. `chance` is any byte.
pub fn with_jitter(pause: TimeDelta, chance: u8) -> TimeDelta {
    pause + TimeDelta::milliseconds(pause.num_milliseconds() / 10 * i64::from(chance) / 255)
}

/// What endpoints may be: put into `app_data`.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Addresses of this machine and plain HTTP: for development.
    pub private: bool,
    /// Every kind of event.
    pub kinds: Vec<&'static str>,
}

/// Whether events of one aggregate wait for each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ordering {
    /// Each is sent as soon as it is there.
    #[default]
    None,
    /// One waits until those before it of the same aggregate were delivered or given up.
    Aggregate,
}

impl Ordering {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Aggregate => "aggregate",
        }
    }
}

/// A new endpoint.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEndpoint {
    #[schema(example = "https://erp.example.com/souk")]
    pub url: Text<2000>,
    #[serde(default)]
    pub description: Option<Text<200>>,
    /// Kinds of events; all if empty or absent.
    #[serde(default)]
    #[schema(example = json!(["order.placed", "order.paid"]))]
    pub types: Vec<Text<100>>,
    #[serde(default)]
    pub ordering: Ordering,
}

/// What changes about an endpoint; absent fields stay.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditEndpoint {
    pub url: Option<Text<2000>>,
    pub description: Option<Text<200>>,
    pub types: Option<Vec<Text<100>>>,
    pub ordering: Option<Ordering>,
    pub enabled: Option<bool>,
}

/// Events to send again: one, or those of a time. Also those that the endpoint was never told, since it was made and at most 30 days ago: it was
/// disabled, or wanted other types. At most 5000 of those at once, oldest first.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"event": "evt_01h455vb4pex5vsknk084sn02q"}))]
pub struct ResendWish {
    pub event: Option<EventId>,
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Only deliveries that failed; then nothing that was never told.
    #[serde(default)]
    pub only_failed: bool,
}

/// How many deliveries will be sent again.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Resent {
    pub deliveries: i64,
}

/// An endpoint.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct EndpointView {
    #[diesel(sql_type = SqlUuid)]
    pub id: WebhookEndpointId,
    #[diesel(sql_type = SqlText)]
    pub url: String,
    #[diesel(sql_type = SqlText)]
    pub description: String,
    #[diesel(sql_type = Array<SqlText>)]
    pub types: Vec<String>,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "none")]
    pub ordering: String,
    /// `enabled` or `disabled`.
    #[diesel(sql_type = SqlText)]
    #[schema(example = "enabled")]
    pub state: String,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub disabled_reason: Option<String>,
    /// Since when nothing has been delivered; null while it works.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub failing_since: Option<DateTime<Utc>>,
    /// Nothing was sent there before then, because it failed several times in a row. A test or a resend does not wait for it. Null when it
    /// takes something again.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub resting_until: Option<DateTime<Utc>>,
    /// Until then the secret before the last rotation signs too.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub old_secret_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

/// An endpoint with its secret, shown when it is made and when it is rotated.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EndpointSecretView {
    #[serde(flatten)]
    pub endpoint: EndpointView,
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
}

/// What became of telling one endpoint one event.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct DeliveryView {
    #[diesel(sql_type = SqlUuid)]
    pub id: WebhookDeliveryId,
    #[diesel(sql_type = SqlUuid)]
    pub endpoint_id: WebhookEndpointId,
    /// The `webhook-id` that was sent.
    #[diesel(sql_type = SqlUuid)]
    pub event_id: EventId,
    /// 0 the first telling; each resend counts one more.
    #[diesel(sql_type = Integer)]
    pub round: i32,
    #[diesel(sql_type = SqlText, column_name = "kind")]
    #[serde(rename = "type")]
    #[schema(example = "order.placed")]
    pub kind: String,
    /// `pending`, `delivered` or `failed`.
    #[diesel(sql_type = SqlText)]
    #[schema(example = "delivered")]
    pub state: String,
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub next_attempt_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub last_status: Option<i32>,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub last_error: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub finished_at: Option<DateTime<Utc>>,
}

/// One attempt: what was sent and what came back.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct AttemptView {
    #[diesel(sql_type = Integer)]
    pub number: i32,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Integer)]
    pub took_ms: i32,
    #[diesel(sql_type = Jsonb)]
    #[schema(value_type = Object)]
    pub request_headers: serde_json::Value,
    #[diesel(sql_type = Nullable<Integer>)]
    pub status: Option<i32>,
    /// Its first 4 KiB.
    #[diesel(sql_type = Nullable<SqlText>)]
    pub response_body: Option<String>,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub error: Option<String>,
}

/// A delivery with its body and all attempts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeliveryDetailView {
    #[serde(flatten)]
    pub delivery: DeliveryView,
    pub request_body: String,
    pub log: Vec<AttemptView>,
}

/// What a courier is given.
#[derive(Clone, Debug, QueryableByName)]
pub struct Parcel {
    #[diesel(sql_type = SqlUuid)]
    pub id: WebhookDeliveryId,
    #[diesel(sql_type = SqlUuid)]
    pub endpoint_id: WebhookEndpointId,
    #[diesel(sql_type = SqlUuid)]
    pub event_id: EventId,
    #[diesel(sql_type = SqlText)]
    pub body: String,
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    #[diesel(sql_type = SqlText)]
    pub url: String,
    #[diesel(sql_type = diesel::sql_types::Binary)]
    pub secret: Vec<u8>,
    #[diesel(sql_type = Nullable<diesel::sql_types::Binary>)]
    pub old_secret: Option<Vec<u8>>,
}

/// An endpoint that something is due for.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct DueEndpoint {
    #[diesel(sql_type = SqlUuid)]
    pub endpoint_id: WebhookEndpointId,
    /// Whether it failed last time.
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub failing: bool,
}

/// How an endpoint stands that took nothing.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Failing {
    /// In a row.
    #[diesel(sql_type = Integer)]
    pub failures: i32,
    /// Nothing was taken for longer than it may be.
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub exhausted: bool,
    /// It rests already: this came in late.
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub resting: bool,
}

/// An endpoint as planning needs it.
#[derive(Clone, Debug, QueryableByName)]
pub struct Listener {
    #[diesel(sql_type = SqlUuid)]
    pub id: WebhookEndpointId,
}

/// An event that an endpoint was never told.
#[derive(Clone, Debug, QueryableByName)]
pub struct Missed {
    #[diesel(sql_type = SqlUuid)]
    pub event_id: EventId,
    #[diesel(sql_type = SqlText)]
    pub aggregate_type: String,
    #[diesel(sql_type = SqlUuid)]
    pub aggregate_id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub sequence: i64,
    #[diesel(sql_type = SqlText)]
    pub kind: String,
    #[diesel(sql_type = Integer)]
    pub version: i32,
    #[diesel(sql_type = Timestamptz)]
    pub occurred_at: DateTime<Utc>,
    #[diesel(sql_type = Jsonb)]
    pub payload: serde_json::Value,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub traceparent: Option<String>,
}

/// How many.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Count {
    #[diesel(sql_type = BigInt)]
    pub count: i64,
}

/// What an endpoint is told about.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    pub event: EventId,
    pub kind: String,
    pub aggregate: Uuid,
    pub sequence: i64,
    pub body: String,
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn three_days_and_then_no_more() {
        let all: Vec<_> = (1..).map_while(retry_after).collect();
        assert_eq!(all.len(), 9);
        let whole: TimeDelta = all.iter().sum();
        assert_eq!(whole, TimeDelta::seconds(272_105), "75 h 35 min");
        assert_eq!(retry_after(10), None);
        let rests: Vec<_> =
            (0..10).map(|failures| rest_after(failures).map(|rest| rest.num_seconds())).collect();
        let expected = [5, 10, 20, 40, 80, 160, 300, 300].map(Some);
        assert_eq!((&rests[..2], &rests[2..]), (&[None, None][..], &expected[..]));
        assert_eq!(with_jitter(TimeDelta::seconds(300), 0), TimeDelta::seconds(300));
        assert_eq!(with_jitter(TimeDelta::seconds(300), 255), TimeDelta::seconds(330));
    }
}
