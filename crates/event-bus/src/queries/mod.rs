//! Every statement of the bus: what a store's transaction says here, the outbox and what was not delivered beside it.

pub(crate) mod outbox;
pub(crate) mod readings;
pub(crate) mod undelivered;
pub(crate) mod unreadable;

use diesel::sql_types::{Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use souk_kernel::id::{EventId, StoreId};
use souk_tenancy::{DbError, WriteTx, sql};
use tokio_postgres::{Error, Row};
use uuid::Uuid;

use crate::event::Event;

/// In the store's transaction, as the store's role.
#[expect(clippy::too_many_arguments, reason = "one argument per column")]
pub(crate) async fn emit(
    tx: &mut WriteTx<'_>,
    id: EventId,
    aggregate_type: &'static str,
    aggregate_id: Uuid,
    kind: &'static str,
    version: u16,
    payload: serde_json::Value,
    traceparent: Option<String>,
) -> Result<(), DbError> {
    let statement = sql("select platform.emit($1, $2, $3, $4, $5, $6, $7)")
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(aggregate_type)
        .bind::<SqlUuid, _>(aggregate_id)
        .bind::<Text, _>(kind)
        .bind::<Integer, _>(i32::from(version))
        .bind::<Jsonb, _>(payload)
        .bind::<Nullable<Text>, _>(traceparent);
    tx.execute(statement).await?;
    Ok(())
}

/// The same of `[{id, aggregate, payload}]`, in this order.
pub(crate) async fn emit_all(
    tx: &mut WriteTx<'_>,
    aggregate_type: &'static str,
    kind: &'static str,
    version: u16,
    facts: serde_json::Value,
    traceparent: Option<String>,
) -> Result<(), DbError> {
    let statement = sql("select platform.emit(w.id, $2, w.aggregate, $3, $4, w.payload, $5) \
         from jsonb_to_recordset($1) as w(id uuid, aggregate uuid, payload jsonb)")
    .bind::<Jsonb, _>(facts)
    .bind::<Text, _>(aggregate_type)
    .bind::<Text, _>(kind)
    .bind::<Integer, _>(i32::from(version))
    .bind::<Nullable<Text>, _>(traceparent);
    tx.execute(statement).await.map(drop)
}

/// `true` if this consumer has not heard this event before; then it has now, if `tx` commits. Waits for another
/// transaction that is just doing the same.
pub(crate) async fn hear_first(
    tx: &mut WriteTx<'_>,
    consumer: String,
    event: EventId,
) -> Result<bool, DbError> {
    let now = tx.now();
    let statement = sql("insert into heard_events (consumer, event_id, heard_at) values ($1, $2, $3) \
         on conflict (consumer, event_id) do nothing")
    .bind::<Text, _>(consumer)
    .bind::<SqlUuid, _>(event)
    .bind::<diesel::sql_types::Timestamptz, _>(now);
    Ok(tx.execute(statement).await? == 1)
}

#[derive(diesel::QueryableByName)]
struct First {
    #[diesel(sql_type = SqlUuid)]
    event_id: EventId,
}

/// Those of these events that this consumer has not heard before; then it has now, if `tx` commits. Waits as [`hear_first`] does.
pub(crate) async fn hear_first_of(
    tx: &mut WriteTx<'_>,
    consumer: String,
    events: &[EventId],
) -> Result<Vec<EventId>, DbError> {
    let now = tx.now();
    let ids: Vec<Uuid> = events.iter().map(|event| event.uuid()).collect();
    let statement = sql("insert into heard_events (consumer, event_id, heard_at) \
         select $1, e.id, $3 from unnest($2) with ordinality e (id, place) order by e.place \
         on conflict (consumer, event_id) do nothing returning event_id")
    .bind::<Text, _>(consumer)
    .bind::<diesel::sql_types::Array<SqlUuid>, _>(ids)
    .bind::<diesel::sql_types::Timestamptz, _>(now);
    let rows: Vec<First> = tx.load(statement).await?;
    Ok(rows.into_iter().map(|row| row.event_id).collect())
}

/// Forgets at most `limit` events heard before `before`; the outbox must have forgotten them earlier. Gives how many.
pub(crate) async fn forget_heard(
    tx: &mut WriteTx<'_>,
    before: chrono::DateTime<chrono::Utc>,
    limit: i64,
) -> Result<usize, DbError> {
    let statement = sql("delete from heard_events where ctid = any(array(
            select ctid from heard_events where heard_at < $1 limit $2))")
    .bind::<diesel::sql_types::Timestamptz, _>(before)
    .bind::<diesel::sql_types::BigInt, _>(limit);
    tx.execute(statement).await
}

/// The event in a row of either table: their columns have the same names.
fn event(row: &Row) -> Result<Event, Error> {
    let version: i32 = row.try_get("version")?;
    Ok(Event {
        id: EventId::from_uuid(row.try_get("event_id")?),
        store: StoreId::from_uuid(row.try_get("store_id")?),
        aggregate_type: row.try_get("aggregate_type")?,
        aggregate_id: row.try_get("aggregate_id")?,
        sequence: row.try_get("sequence")?,
        kind: row.try_get("type")?,
        version: u16::try_from(version).unwrap_or(u16::MAX),
        occurred_at: row.try_get("occurred_at")?,
        payload: row.try_get("payload")?,
        traceparent: row.try_get("traceparent")?,
    })
}
