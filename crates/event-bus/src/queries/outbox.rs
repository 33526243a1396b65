//! The outbox: what happened and has not been carried on yet, and for 30 days what was.

use std::time::Duration;

use chrono::{DateTime, Utc};
use souk_kernel::id::{EventId, StoreId};
use tokio_postgres::{Client, Error, Statement};

use super::event;
use crate::event::Event;

/// An event this relay may carry until its lease ends.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) position: i64,
    pub(crate) attempts: i32,
    pub(crate) event: Event,
}

/// What [`CLAIM`] is to be planned with, whatever the table held when its plan was made: along the index of what waits, so that a claim
/// costs what it takes and not what waits.
pub(crate) const PLANNED: &str =
    "set enable_seqscan = off; set enable_bitmapscan = off; set enable_hashjoin = off;
    set enable_mergejoin = off";

/// Moves `available_at` forward instead of holding a lock: a relay that dies gives its events back when the lease
/// ends. An event behind an unfinished one of the same aggregate is not offered.
///
/// `offset 0` keeps the question a question about each row. As a join, planned while the table is empty, it compares every event that waits with
/// every other: 14 s instead of 40 ms for 500 of 20,000.
pub(crate) const CLAIM: &str = "with next as (
        select o.position from platform.outbox o
        where o.published_at is null and o.dead_at is null and o.available_at <= now()
          and not exists (
            select from platform.outbox earlier
            where earlier.store_id = o.store_id and earlier.aggregate_id = o.aggregate_id
              and earlier.aggregate_type = o.aggregate_type and earlier.position < o.position
              and earlier.published_at is null and earlier.dead_at is null offset 0)
        order by o.position limit $1
        for update of o skip locked)
    update platform.outbox o set available_at = now() + $2::float8 * interval '1 second'
    from next where o.position = next.position
    returning o.position, o.attempts, o.event_id, o.store_id, o.aggregate_type, o.aggregate_id,
        coalesce(o.sequence, 0) as sequence, o.type, o.version, o.occurred_at, o.payload, o.traceparent";

/// Runs [`CLAIM`], prepared once per connection. The answer is in order of position.
pub(crate) async fn claim(
    client: &Client,
    statement: &Statement,
    most: usize,
    lease: Duration,
) -> Result<Vec<Claimed>, Error> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = client.query(statement, &[&most, &lease.as_secs_f64()]).await?;
    let claimed = rows.iter().map(|row| {
        Ok(Claimed {
            position: row.try_get("position")?,
            attempts: row.try_get("attempts")?,
            event: event(row)?,
        })
    });
    let mut claimed = claimed.collect::<Result<Vec<_>, Error>>()?;
    claimed.sort_unstable_by_key(|claimed| claimed.position);
    Ok(claimed)
}

/// They are where they are to be: in Kafka, or with every consumer. Idempotent.
pub(crate) const MARK: &str = "update platform.outbox set published_at = now(), last_error = null
    where position = any($1) and published_at is null";

/// Runs [`MARK`], prepared once per connection.
pub(crate) async fn mark_published(
    client: &Client,
    statement: &Statement,
    positions: &[i64],
) -> Result<(), Error> {
    client.execute(statement, &[&positions]).await.map(drop)
}

/// Not this time; again after `pause`. `counts` says whether it was a real attempt.
pub(crate) async fn mark_failed(
    client: &Client,
    positions: &[i64],
    error: &str,
    pause: Duration,
    counts: bool,
) -> Result<(), Error> {
    let text = "update platform.outbox set attempts = attempts + $2, last_error = $3,
            available_at = now() + $4::float8 * interval '1 second'
        where position = any($1) and published_at is null and dead_at is null";
    client.execute(text, &[&positions, &i32::from(counts), &error, &pause.as_secs_f64()]).await.map(drop)
}

/// They were not begun with: anybody may claim them at once.
pub(crate) async fn give_back(client: &Client, positions: &[i64]) -> Result<(), Error> {
    let text = "update platform.outbox set available_at = now()
        where position = any($1) and published_at is null and dead_at is null";
    client.execute(text, &[&positions]).await.map(drop)
}

/// Never again, unless an operator has it carried on once more.
pub(crate) async fn mark_dead(client: &Client, positions: &[i64], error: &str) -> Result<(), Error> {
    let text = "update platform.outbox set attempts = attempts + 1, last_error = $2, dead_at = now()
        where position = any($1) and published_at is null and dead_at is null";
    client.execute(text, &[&positions, &error]).await.map(drop)
}

/// An event that no broker would take: no consumer has heard it.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Untold {
    /// Its place in the outbox; names it towards an operator.
    pub position: i64,
    /// Which event.
    pub event: EventId,
    /// Of which store.
    pub store: StoreId,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// How often it was tried.
    pub attempts: i32,
    /// What the broker said.
    pub last_error: Option<String>,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// When it was given up.
    pub dead_at: DateTime<Utc>,
}

/// Events that were given up, newest first.
pub(crate) async fn dead(client: &Client, most: i64) -> Result<Vec<Untold>, Error> {
    let text = "select position, event_id, store_id, type, attempts, last_error, occurred_at, dead_at
        from platform.outbox where published_at is null and dead_at is not null order by position desc limit $1";
    let rows = client.query(text, &[&most]).await?;
    rows.iter()
        .map(|row| {
            Ok(Untold {
                position: row.try_get("position")?,
                event: EventId::from_uuid(row.try_get("event_id")?),
                store: StoreId::from_uuid(row.try_get("store_id")?),
                kind: row.try_get("type")?,
                attempts: row.try_get("attempts")?,
                last_error: row.try_get("last_error")?,
                occurred_at: row.try_get("occurred_at")?,
                dead_at: row.try_get("dead_at")?,
            })
        })
        .collect()
}

/// Has events that were given up carried on once more: these, or all. How many.
pub(crate) async fn revive(client: &Client, positions: Option<&[i64]>) -> Result<u64, Error> {
    let text = "update platform.outbox set dead_at = null, attempts = 0, available_at = now()
        where published_at is null and dead_at is not null and ($1::bigint[] is null or position = any($1))";
    client.execute(text, &[&positions]).await
}

/// How far behind the outbox is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backlog {
    pub(crate) waiting: i64,
    pub(crate) oldest: f64,
    pub(crate) dead: i64,
    /// When the last event was carried on.
    pub(crate) published_at: Option<DateTime<Utc>>,
}

/// Counts what waits and what is dead; the age of the oldest waiting event in seconds.
pub(crate) async fn backlog(client: &Client) -> Result<Backlog, Error> {
    let text = "select count(*) filter (where dead_at is null), count(*) filter (where dead_at is not null),
            coalesce(extract(epoch from now() - min(occurred_at) filter (where dead_at is null)), 0)::float8,
            (select max(published_at) from platform.outbox)
        from platform.outbox where published_at is null";
    let row = client.query_one(text, &[]).await?;
    Ok(Backlog {
        waiting: row.try_get(0)?,
        dead: row.try_get(1)?,
        oldest: row.try_get(2)?,
        published_at: row.try_get(3)?,
    })
}

/// Forgets events published longer ago than `keep`, some at a time.
pub(crate) async fn forget_published(client: &Client, keep: Duration) -> Result<u64, Error> {
    let text = "delete from platform.outbox where position in (
        select position from platform.outbox where published_at < now() - $1::float8 * interval '1 second' limit 5000)";
    client.execute(text, &[&keep.as_secs_f64()]).await
}
