//! Every statement on the outbox.

use std::time::Duration;

use diesel::sql_types::{Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use souk_kernel::id::{EventId, StoreId};
use souk_tenancy::{DbError, WriteTx, sql};
use tokio_postgres::{Client, Error, Row, Statement};
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

/// `true` if this consumer has not heard this event before; then it has now, if `tx` commits. Waits for another
/// transaction that is just doing the same.
pub(crate) async fn hear_first(
    tx: &mut WriteTx<'_>,
    consumer: &'static str,
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

/// An event this relay may deliver until its lease ends.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) position: i64,
    pub(crate) attempts: i32,
    pub(crate) event: Event,
}

/// Moves `available_at` forward instead of holding a lock: a relay that dies gives its events back when the lease
/// ends. An event behind an unfinished one of the same aggregate is not offered.
pub(crate) const CLAIM: &str = "with next as (
        select o.position from platform.outbox o
        where o.published_at is null and o.dead_at is null and o.available_at <= now()
          and not exists (
            select from platform.outbox earlier
            where earlier.store_id = o.store_id and earlier.aggregate_id = o.aggregate_id
              and earlier.aggregate_type = o.aggregate_type and earlier.position < o.position
              and earlier.published_at is null and earlier.dead_at is null)
        order by o.position limit $1
        for update of o skip locked)
    update platform.outbox o set available_at = now() + $2::float8 * interval '1 second'
    from next where o.position = next.position
    returning o.position, o.attempts, o.event_id, o.store_id, o.aggregate_type, o.aggregate_id, o.type,
        o.version, o.occurred_at, o.payload, o.traceparent";

/// Runs [`CLAIM`], prepared once per connection. The answer is in order of position.
pub(crate) async fn claim(
    client: &Client,
    statement: &Statement,
    most: usize,
    lease: Duration,
) -> Result<Vec<Claimed>, Error> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = client.query(statement, &[&most, &lease.as_secs_f64()]).await?;
    let mut claimed = rows.iter().map(claimed).collect::<Result<Vec<_>, _>>()?;
    claimed.sort_unstable_by_key(|claimed| claimed.position);
    Ok(claimed)
}

fn claimed(row: &Row) -> Result<Claimed, Error> {
    let version: i32 = row.try_get("version")?;
    Ok(Claimed {
        position: row.try_get("position")?,
        attempts: row.try_get("attempts")?,
        event: Event {
            id: EventId::from_uuid(row.try_get("event_id")?),
            store: StoreId::from_uuid(row.try_get("store_id")?),
            aggregate_type: row.try_get("aggregate_type")?,
            aggregate_id: row.try_get("aggregate_id")?,
            kind: row.try_get("type")?,
            version: u16::try_from(version).unwrap_or(u16::MAX),
            occurred_at: row.try_get("occurred_at")?,
            payload: row.try_get("payload")?,
            traceparent: row.try_get("traceparent")?,
        },
    })
}

/// Every consumer has heard it. Idempotent.
pub(crate) async fn mark_published(client: &Client, position: i64) -> Result<(), Error> {
    let text = "update platform.outbox set published_at = now(), last_error = null
        where position = $1 and published_at is null";
    client.execute(text, &[&position]).await.map(drop)
}

/// Not this time; again after `pause`. `counts` says whether it was a real attempt.
pub(crate) async fn mark_failed(
    client: &Client,
    position: i64,
    error: &str,
    pause: Duration,
    counts: bool,
) -> Result<(), Error> {
    let text = "update platform.outbox set attempts = attempts + $2, last_error = $3,
            available_at = now() + $4::float8 * interval '1 second'
        where position = $1 and published_at is null and dead_at is null";
    client.execute(text, &[&position, &i32::from(counts), &error, &pause.as_secs_f64()]).await.map(drop)
}

/// Never again, unless an operator clears `dead_at`.
pub(crate) async fn mark_dead(client: &Client, position: i64, error: &str) -> Result<(), Error> {
    let text = "update platform.outbox set attempts = attempts + 1, last_error = $2, dead_at = now()
        where position = $1 and published_at is null and dead_at is null";
    client.execute(text, &[&position, &error]).await.map(drop)
}

/// How far behind the outbox is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backlog {
    pub(crate) waiting: i64,
    pub(crate) oldest: f64,
    pub(crate) dead: i64,
}

/// Counts what waits and what is dead; the age of the oldest waiting event in seconds.
pub(crate) async fn backlog(client: &Client) -> Result<Backlog, Error> {
    let text = "select count(*) filter (where dead_at is null), count(*) filter (where dead_at is not null),
            coalesce(extract(epoch from now() - min(occurred_at) filter (where dead_at is null)), 0)::float8
        from platform.outbox where published_at is null";
    let row = client.query_one(text, &[]).await?;
    Ok(Backlog { waiting: row.try_get(0)?, dead: row.try_get(1)?, oldest: row.try_get(2)? })
}

/// Forgets events published longer ago than `keep`, some at a time.
pub(crate) async fn forget_published(client: &Client, keep: Duration) -> Result<u64, Error> {
    let text = "delete from platform.outbox where position in (
        select position from platform.outbox where published_at < now() - $1::float8 * interval '1 second' limit 5000)";
    client.execute(text, &[&keep.as_secs_f64()]).await
}
