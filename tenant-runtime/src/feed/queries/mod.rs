//! The store's own events, through the door that `platform` has for them.

pub mod letters;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::EventId;
use souk_tenancy::{DbError, ReadTx, sql};
use uuid::Uuid;

use super::model::Place;

/// An event and its place.
#[derive(QueryableByName)]
pub struct EventRow {
    #[diesel(sql_type = BigInt)]
    transaction: i64,
    #[diesel(sql_type = BigInt)]
    position: i64,
    #[diesel(sql_type = SqlUuid)]
    pub event_id: EventId,
    #[diesel(sql_type = Text)]
    pub aggregate_type: String,
    #[diesel(sql_type = SqlUuid)]
    pub aggregate_id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub sequence: i64,
    #[diesel(sql_type = Text, column_name = "type")]
    pub kind: String,
    #[diesel(sql_type = Integer)]
    pub version: i32,
    #[diesel(sql_type = Timestamptz)]
    pub occurred_at: DateTime<Utc>,
    #[diesel(sql_type = Jsonb)]
    pub payload: serde_json::Value,
}

impl EventRow {
    pub fn place(&self) -> Place {
        Place(self.transaction, self.position)
    }
}

/// Events after a place, oldest first. Those of transactions that may still commit are not among them.
pub async fn after(
    tx: &mut ReadTx<'_>,
    place: Place,
    kinds: Option<Vec<String>>,
    most: i64,
) -> Result<Vec<EventRow>, DbError> {
    let rows = sql("select * from platform.own_events($1, $2, $3, $4)")
        .bind::<BigInt, _>(place.0)
        .bind::<BigInt, _>(place.1)
        .bind::<Nullable<Array<Text>>, _>(kinds)
        .bind::<Integer, _>(i32::try_from(most).unwrap_or(i32::MAX));
    tx.load(rows).await
}

#[derive(QueryableByName)]
struct OldestOpen {
    #[diesel(sql_type = BigInt)]
    transaction: i64,
}

/// The place behind which everything is that has not become true yet.
pub async fn now(tx: &mut ReadTx<'_>) -> Result<Place, DbError> {
    let oldest = sql("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as transaction");
    let OldestOpen { transaction } = tx.one(oldest).await?;
    Ok(Place(transaction.saturating_sub(1), i64::MAX))
}
