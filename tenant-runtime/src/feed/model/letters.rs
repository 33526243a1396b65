//! What consumers have not heard, and hearing again.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Jsonb, Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_kernel::{EventId, Text};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Whoever hears the events of a store: put into `app_data`.
#[derive(Clone, Debug, Default)]
pub struct Consumers(pub Vec<&'static str>);

impl Consumers {
    /// Whether there is one of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }
}

/// How far a consumer is with the store's events.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConsumerView {
    #[schema(example = "order_mail")]
    pub consumer: &'static str,
    /// Events it failed at and will hear again.
    #[schema(example = 0)]
    pub waiting: i64,
    /// Events it was given up on.
    #[schema(example = 0)]
    pub dead: i64,
    /// When the oldest event happened that it will hear again.
    pub oldest_at: Option<DateTime<Utc>>,
    /// It has not read the broker to the end, for any store: what happened from then on it may not have heard yet.
    pub unread_since: Option<DateTime<Utc>>,
}

/// The same as it is looked up.
#[derive(Clone, Debug, QueryableByName)]
pub struct StandingRow {
    #[diesel(sql_type = SqlText)]
    pub consumer: String,
    #[diesel(sql_type = BigInt)]
    pub waiting: i64,
    #[diesel(sql_type = BigInt)]
    pub dead: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub oldest_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub unread_since: Option<DateTime<Utc>>,
}

/// An event a consumer was given up on.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct DeadLetterView {
    #[diesel(sql_type = BigInt)]
    #[schema(example = 7)]
    pub id: i64,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "order_mail")]
    pub consumer: String,
    #[diesel(sql_type = SqlUuid)]
    pub event_id: EventId,
    #[diesel(sql_type = SqlText, column_name = "type")]
    #[serde(rename = "type")]
    #[schema(example = "order.placed")]
    pub kind: String,
    #[diesel(sql_type = Integer)]
    pub version: i32,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "order")]
    pub aggregate_type: String,
    #[diesel(sql_type = SqlUuid)]
    pub aggregate_id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub sequence: i64,
    /// How often it was tried.
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    /// What the last attempt failed with.
    #[diesel(sql_type = Nullable<SqlText>)]
    pub last_error: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub occurred_at: DateTime<Utc>,
    /// When it was given up.
    #[diesel(sql_type = Timestamptz)]
    pub dead_at: DateTime<Utc>,
    /// What the event says.
    #[diesel(sql_type = Jsonb, column_name = "payload")]
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

/// Which dead letters.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LetterFilter {
    /// Of this consumer; all if absent.
    #[param(value_type = Option<String>, example = "order_mail")]
    pub consumer: Option<Text<60>>,
}

/// Whose dead letters get another life.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryWish {
    #[schema(example = "order_mail")]
    pub consumer: Text<60>,
}

/// Why a dead letter is given up for good.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardWish {
    #[schema(example = "the customer was told by telephone")]
    pub reason: Text<300>,
}

/// What a consumer shall hear once more: one event, or those of a time.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"consumer": "webhooks", "from": "2026-11-24T00:00:00Z", "types": ["order.placed"], "name": "lost on Tuesday"}))]
pub struct ReplayWish {
    pub consumer: Text<60>,
    pub event: Option<EventId>,
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Kinds of events; all if absent.
    pub types: Option<Vec<Text<100>>>,
    /// Makes it repeatable: the same name adds nothing twice.
    pub name: Text<80>,
}

/// How many events.
#[derive(Clone, Copy, Debug, QueryableByName, Serialize, ToSchema)]
pub struct Planned {
    #[diesel(sql_type = BigInt)]
    #[schema(example = 12)]
    pub events: i64,
}
