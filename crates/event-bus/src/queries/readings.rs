//! How far each consumer's group has read the topic, as the broker said it last.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_postgres::{Client, Error};

/// How far a consumer has read the topic.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Reading {
    /// Which consumer.
    pub consumer: String,
    /// Events of the topic, of all kinds, that it has neither heard nor kept for later.
    pub unread: i64,
    /// Age of the oldest of them, in seconds.
    pub oldest_seconds: f64,
    /// When the broker was asked.
    pub measured_at: DateTime<Utc>,
    /// How long ago that was, in seconds.
    pub measured_seconds: f64,
}

/// What the broker says of one consumer.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) consumer: &'static str,
    pub(crate) unread: i64,
    pub(crate) oldest_at: Option<DateTime<Utc>>,
}

/// The database's time if one of these consumers was not looked at for so long, by whichever process; then the broker is to be asked.
pub(crate) async fn due(
    client: &Client,
    consumers: &[&str],
    every: Duration,
) -> Result<Option<DateTime<Utc>>, Error> {
    let text = "select now() where cardinality($1::text[]) > (
        select count(*) from platform.consumer_readings
        where consumer = any($1) and measured_at > now() - $2::float8 * interval '1 second')";
    let row = client.query_opt(text, &[&consumers, &every.as_secs_f64()]).await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// Keeps what the broker was asked after `measured_at`. Consumers that nobody looks at any more are forgotten a day after the others.
pub(crate) async fn keep(client: &Client, measured_at: DateTime<Utc>, found: &[Found]) -> Result<(), Error> {
    let text = "insert into platform.consumer_readings as r (consumer, unread, oldest_at, measured_at)
        values ($1, $2, $3, $4)
        on conflict (consumer) do update
        set unread = excluded.unread, oldest_at = excluded.oldest_at, measured_at = excluded.measured_at
        where r.measured_at < excluded.measured_at";
    for Found { consumer, unread, oldest_at } in found {
        client.execute(text, &[consumer, unread, oldest_at, &measured_at]).await?;
    }
    let former = "delete from platform.consumer_readings where measured_at < $1 - interval '1 day'";
    client.execute(former, &[&measured_at]).await.map(drop)
}

/// Every consumer's reading; none where there is no broker.
pub(crate) async fn all(client: &Client) -> Result<Vec<Reading>, Error> {
    let text =
        "select consumer, unread, measured_at, extract(epoch from now() - measured_at)::float8 as measured,
            greatest(0, coalesce(extract(epoch from now() - oldest_at), 0))::float8 as oldest
        from platform.consumer_readings order by consumer";
    let rows = client.query(text, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Reading {
                consumer: row.try_get("consumer")?,
                unread: row.try_get("unread")?,
                oldest_seconds: row.try_get("oldest")?,
                measured_at: row.try_get("measured_at")?,
                measured_seconds: row.try_get("measured")?,
            })
        })
        .collect()
}

/// There is no broker any more: consumers hear from the outbox.
pub(crate) async fn forget(client: &Client) -> Result<(), Error> {
    client.execute("delete from platform.consumer_readings", &[]).await.map(drop)
}
