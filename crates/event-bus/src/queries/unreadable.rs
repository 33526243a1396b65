//! What the topic held and nobody could read.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_postgres::{Client, Error};

/// A message of a topic that is no event of ours. No consumer hears it.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Unreadable {
    /// Names it towards an operator: topic, partition and offset, with `/` between.
    pub place: String,
    /// Where it is.
    pub topic: String,
    /// In which of its partitions.
    pub partition: i32,
    /// And where there.
    pub offset: i64,
    /// Why it is no event.
    pub reason: String,
    /// When a consumer came upon it.
    pub noticed_at: DateTime<Utc>,
}

/// Keeps one. Idempotent: every consumer comes upon it.
pub(crate) async fn keep(
    client: &Client,
    topic: &str,
    partition: i32,
    offset: i64,
    key: Option<&[u8]>,
    payload: &[u8],
    reason: &str,
) -> Result<(), Error> {
    let text =
        "insert into platform.unreadable_messages (topic, partition, kafka_offset, key, payload, reason)
        values ($1, $2, $3, $4, $5, $6) on conflict do nothing";
    let payload = &payload[..payload.len().min(64 * 1024)];
    client.execute(text, &[&topic, &partition, &offset, &key, &payload, &reason]).await.map(drop)
}

/// How many are kept.
pub(crate) async fn count(client: &Client) -> Result<i64, Error> {
    client.query_one("select count(*) from platform.unreadable_messages", &[]).await?.try_get(0)
}

/// Those that are kept, newest first.
pub(crate) async fn list(client: &Client, most: i64) -> Result<Vec<Unreadable>, Error> {
    let text = "select topic || '/' || partition || '/' || kafka_offset as place, topic, partition, kafka_offset, reason, noticed_at
        from platform.unreadable_messages order by noticed_at desc, topic, partition, kafka_offset desc limit $1";
    let rows = client.query(text, &[&most]).await?;
    rows.iter()
        .map(|row| {
            Ok(Unreadable {
                place: row.try_get("place")?,
                topic: row.try_get("topic")?,
                partition: row.try_get("partition")?,
                offset: row.try_get("kafka_offset")?,
                reason: row.try_get("reason")?,
                noticed_at: row.try_get("noticed_at")?,
            })
        })
        .collect()
}

/// Forgets those at these places, or all; how many.
pub(crate) async fn forget(client: &Client, places: Option<&[String]>) -> Result<u64, Error> {
    let text = "delete from platform.unreadable_messages
        where $1::text[] is null or topic || '/' || partition || '/' || kafka_offset = any($1)";
    client.execute(text, &[&places]).await
}

/// Forgets what was noticed longer ago than `keep`.
pub(crate) async fn forget_old(client: &Client, keep: Duration) -> Result<u64, Error> {
    let text = "delete from platform.unreadable_messages where noticed_at < now() - $1::float8 * interval '1 second'";
    client.execute(text, &[&keep.as_secs_f64()]).await
}
