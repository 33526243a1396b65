//! What a consumer is to hear again later, and what it was given up on.

use std::time::Duration;

use chrono::{DateTime, Utc};
use souk_kernel::id::{EventId, StoreId};
use tokio_postgres::{Client, Error, Row, Statement};
use uuid::Uuid;

use super::event;
use crate::event::Event;

/// Whether this consumer still has an earlier event of the same aggregate to hear.
pub(crate) const IS_BEHIND: &str = "select exists (select from platform.undelivered
    where consumer = $1 and store_id = $2 and aggregate_id = $3 and aggregate_type = $4 and dead_at is null
      and sequence <= $5 and event_id <> $6)";

/// Runs [`IS_BEHIND`].
pub(crate) async fn is_behind(
    client: &Client,
    statement: &Statement,
    consumer: &str,
    event: &Event,
) -> Result<bool, Error> {
    let row = client
        .query_one(
            statement,
            &[
                &consumer,
                &event.store.uuid(),
                &event.aggregate_id,
                &event.aggregate_type,
                &event.sequence,
                &event.id.uuid(),
            ],
        )
        .await?;
    row.try_get(0)
}

/// Whether this consumer has still to hear anything of one of these aggregates of a store.
pub(crate) const ANY_WAITS: &str = "select exists (select from platform.undelivered
    where consumer = $1 and store_id = $2 and aggregate_id = any($3) and dead_at is null)";

/// Runs [`ANY_WAITS`].
pub(crate) async fn any_waits(
    client: &Client,
    statement: &Statement,
    consumer: &str,
    store: StoreId,
    aggregates: &[Uuid],
) -> Result<bool, Error> {
    client.query_one(statement, &[&consumer, &store.uuid(), &aggregates]).await?.try_get(0)
}

/// How an event comes to lie here.
#[derive(Debug)]
pub(crate) struct Parking<'p> {
    pub(crate) attempts: i32,
    pub(crate) error: Option<&'p str>,
    pub(crate) pause: Duration,
    pub(crate) dead: bool,
}

/// Keeps an event for later. Idempotent.
pub(crate) async fn park(
    client: &Client,
    consumer: &str,
    event: &Event,
    parking: &Parking<'_>,
) -> Result<(), Error> {
    let text = "insert into platform.undelivered (consumer, event_id, store_id, aggregate_type, aggregate_id, sequence,
            type, version, payload, traceparent, occurred_at, attempts, last_error, available_at, dead_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, now() + $14::float8 * interval '1 second',
            case when $15 then now() end)
        on conflict (consumer, event_id, replay) do nothing";
    client
        .execute(
            text,
            &[
                &consumer,
                &event.id.uuid(),
                &event.store.uuid(),
                &event.aggregate_type,
                &event.aggregate_id,
                &event.sequence,
                &event.kind,
                &i32::from(event.version),
                &event.payload,
                &event.traceparent,
                &event.occurred_at,
                &parking.attempts,
                &parking.error,
                &parking.pause.as_secs_f64(),
                &parking.dead,
            ],
        )
        .await
        .map(drop)
}

/// One to try again.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) id: i64,
    pub(crate) consumer: String,
    pub(crate) replay: String,
    pub(crate) attempts: i32,
    pub(crate) event: Event,
}

/// As the outbox's claim: a lease, and only the first of an aggregate.
pub(crate) const CLAIM: &str = "with next as (
        select u.id from platform.undelivered u
        where u.dead_at is null and u.available_at <= now() and u.consumer = any($3)
          and not exists (
            select from platform.undelivered earlier
            where earlier.consumer = u.consumer and earlier.store_id = u.store_id
              and earlier.aggregate_id = u.aggregate_id and earlier.aggregate_type = u.aggregate_type
              and (earlier.sequence, earlier.id) < (u.sequence, u.id) and earlier.dead_at is null offset 0)
        order by u.available_at, u.id limit $1
        for update of u skip locked)
    update platform.undelivered u set available_at = now() + $2::float8 * interval '1 second'
    from next where u.id = next.id
    returning u.*";

/// Runs [`CLAIM`].
pub(crate) async fn claim(
    client: &Client,
    statement: &Statement,
    most: usize,
    lease: Duration,
    consumers: &[&str],
) -> Result<Vec<Due>, Error> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = client.query(statement, &[&most, &lease.as_secs_f64(), &consumers]).await?;
    rows.iter().map(due).collect()
}

fn due(row: &Row) -> Result<Due, Error> {
    Ok(Due {
        id: row.try_get("id")?,
        consumer: row.try_get("consumer")?,
        replay: row.try_get("replay")?,
        attempts: row.try_get("attempts")?,
        event: event(row)?,
    })
}

/// It was heard.
pub(crate) async fn settle(client: &Client, id: i64) -> Result<(), Error> {
    client.execute("delete from platform.undelivered where id = $1", &[&id]).await.map(drop)
}

/// It was not, again. `parking.attempts` is the new count.
pub(crate) async fn again(client: &Client, id: i64, parking: &Parking<'_>) -> Result<(), Error> {
    let text = "update platform.undelivered set attempts = $2, last_error = $3,
            available_at = now() + $4::float8 * interval '1 second', dead_at = case when $5 then now() end
        where id = $1";
    let pause = parking.pause.as_secs_f64();
    client.execute(text, &[&id, &parking.attempts, &parking.error, &pause, &parking.dead]).await.map(drop)
}

/// One consumer's state.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Standing {
    /// Which consumer.
    pub consumer: String,
    /// Events it is to hear again or for the first time.
    pub waiting: i64,
    /// Events it was given up on.
    pub dead: i64,
    /// Age of the oldest waiting one, in seconds.
    pub oldest_seconds: f64,
}

/// Every consumer that has something undelivered.
pub(crate) async fn standings(client: &Client) -> Result<Vec<Standing>, Error> {
    let text = "select consumer, count(*) filter (where dead_at is null) as waiting,
            count(*) filter (where dead_at is not null) as dead,
            coalesce(extract(epoch from now() - min(occurred_at) filter (where dead_at is null)), 0)::float8 as oldest
        from platform.undelivered group by consumer order by consumer";
    let rows = client.query(text, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Standing {
                consumer: row.try_get("consumer")?,
                waiting: row.try_get("waiting")?,
                dead: row.try_get("dead")?,
                oldest_seconds: row.try_get("oldest")?,
            })
        })
        .collect()
}

/// An event a consumer was given up on.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct DeadLetter {
    /// Names it towards an operator.
    pub id: i64,
    /// Which consumer.
    pub consumer: String,
    /// Which event.
    pub event: EventId,
    /// Of which store.
    pub store: StoreId,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// How often it was tried.
    pub attempts: i32,
    /// What the last attempt failed with.
    pub last_error: Option<String>,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// When it was given up.
    pub dead_at: DateTime<Utc>,
}

/// Dead letters, newest first.
pub(crate) async fn dead(
    client: &Client,
    consumer: Option<&str>,
    most: i64,
) -> Result<Vec<DeadLetter>, Error> {
    let text = "select id, consumer, event_id, store_id, type, attempts, last_error, occurred_at, dead_at
        from platform.undelivered where dead_at is not null and ($1::text is null or consumer = $1)
        order by dead_at desc, id desc limit $2";
    let rows = client.query(text, &[&consumer, &most]).await?;
    rows.iter()
        .map(|row| {
            Ok(DeadLetter {
                id: row.try_get("id")?,
                consumer: row.try_get("consumer")?,
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

/// Gives dead letters another life: those with these ids, or all of a consumer.
pub(crate) async fn revive(
    client: &Client,
    ids: Option<&[i64]>,
    consumer: Option<&str>,
) -> Result<u64, Error> {
    let text = "update platform.undelivered set dead_at = null, attempts = 0, available_at = now()
        where dead_at is not null and ($1::bigint[] is null or id = any($1)) and ($2::text is null or consumer = $2)";
    client.execute(text, &[&ids, &consumer]).await
}

/// Has a consumer hear published events of these stores and times once more, in order, under the replay's name.
pub(crate) async fn replay(
    client: &Client,
    consumer: &str,
    name: &str,
    which: &crate::desk::Range,
) -> Result<u64, Error> {
    let text = "insert into platform.undelivered (consumer, replay, event_id, store_id, aggregate_type, aggregate_id,
            sequence, type, version, payload, traceparent, occurred_at)
        select $1, $2, event_id, store_id, aggregate_type, aggregate_id, coalesce(sequence, 0), type, version, payload,
            traceparent, occurred_at
        from platform.outbox
        where published_at is not null and ($3::uuid is null or event_id = $3) and ($4::uuid is null or store_id = $4)
          and ($5::timestamptz is null or occurred_at >= $5) and ($6::timestamptz is null or occurred_at < $6)
          and ($7::text[] is null or type = any($7))
        order by position
        on conflict (consumer, event_id, replay) do nothing";
    let (event, store) = (which.event.map(EventId::uuid), which.store.map(StoreId::uuid));
    client.execute(text, &[&consumer, &name, &event, &store, &which.from, &which.until, &which.kinds]).await
}
