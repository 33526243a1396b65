//! Events on their way: relayed and heard, how soon, a long backlog, a bad endpoint beside a good one.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::Client as Sql;
use uuid::Uuid;

use crate::http::{Client, Request};
use crate::measure::System;
use crate::platform::Shop;
use crate::process;

/// Events of one thing, in a row.
const OF_ONE: i64 = 10;
/// How long a backlog may take.
const PATIENCE: Duration = Duration::from_secs(3600);
const WAITING: &str = "SELECT count(*) FROM platform.outbox WHERE published_at IS NULL AND dead_at IS NULL";
/// Whether a consumer has something to hear again, or has not read all of the topic; it has read what was there when the broker was asked.
const UNHEARD: &str = "SELECT EXISTS (SELECT FROM platform.undelivered WHERE dead_at IS NULL)
    OR EXISTS (SELECT FROM platform.consumer_readings WHERE unread > 0
        OR measured_at <= (SELECT coalesce(max(published_at), '-infinity') FROM platform.outbox))";

/// When a backlog is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The outbox has none of it left: it is in the topic, or heard.
    Carried,
    /// The consumer that wants all of it has heard the last.
    Heard,
}

/// A store's outbox, written past the store.
pub struct Outbox<'s> {
    sql: &'s Sql,
    schema: String,
    store: Uuid,
}

/// What a backlog cost.
pub struct Drained {
    pub events: i64,
    /// Until it was over.
    pub took: Duration,
    /// CPU-seconds per 1,000 events until then.
    pub runtime: f64,
    pub postgres: f64,
    /// Events the consumer that wants all of them had heard by then.
    pub heard: i64,
    /// Resident memory of the runtime, in MB: before, and the most there was.
    pub before_mb: f64,
    pub most_mb: f64,
}

impl Drained {
    pub fn per_second(&self) -> f64 {
        self.events as f64 / self.took.as_secs_f64()
    }
}

impl<'s> Outbox<'s> {
    pub async fn of(sql: &'s Sql, shop: &Shop) -> anyhow::Result<Self> {
        let text = "SELECT store_id FROM platform.store_ledger WHERE schema_name = $1";
        let store = sql.query_one(text, &[&shop.schema]).await?.get(0);
        Ok(Self { sql, schema: shop.schema.clone(), store })
    }

    /// States so many events of `count / 10` things, in one transaction.
    async fn state(&self, count: i64) -> anyhow::Result<()> {
        let text = "INSERT INTO platform.outbox (event_id, store_id, aggregate_type, aggregate_id, sequence, type, version, payload)
            SELECT gen_random_uuid(), $1, 'product', md5($2::text || i % $3)::uuid, i / $3 + 1, 'product.updated', 1,
                jsonb_build_object('product_id', 'prd_01h455vb4pex5vsknk084sn02q', 'handle', 'bench-' || i, 'title', repeat('x', 100))
            FROM generate_series(0, $4::bigint - 1) i";
        let (seed, things) = (Uuid::now_v7().to_string(), (count / OF_ONE).max(1));
        self.sql.execute(text, &[&self.store, &seed, &things, &count]).await?;
        self.sql.batch_execute("ANALYZE platform.outbox").await?;
        Ok(())
    }

    async fn heard(&self) -> anyhow::Result<i64> {
        let text = format!("SELECT count(*) FROM {}.heard_events WHERE consumer = 'webhooks'", self.schema);
        Ok(self.sql.query_one(&text, &[]).await?.get(0))
    }

    async fn is_over(&self, end: End, heard: i64) -> anyhow::Result<bool> {
        let waiting: i64 = self.sql.query_one(WAITING, &[]).await?.get(0);
        Ok(waiting == 0 && (end == End::Carried || self.heard().await? >= heard))
    }

    /// How long it takes until no consumer has anything left to hear. The broker is asked every five seconds.
    pub async fn settle(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        while self.sql.query_one(UNHEARD, &[]).await?.get(0) {
            ensure!(began.elapsed() < PATIENCE, "consumers have something left after {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(began.elapsed())
    }

    /// States a backlog and waits until it is over.
    pub async fn drain(&self, system: System, count: i64, end: End) -> anyhow::Result<Drained> {
        let heard = self.heard().await?;
        let before_mb = process::resident_mb(system.runtime);
        let cpu = (process::cpu(system.runtime), process::cpu(system.postgres));
        self.state(count).await?;
        // What stating them cost is not the relay's; what it relays meanwhile is nothing before the commit.
        let seeded = process::cpu(system.postgres);
        let (began, mut most_mb) = (Instant::now(), before_mb);
        while !self.is_over(end, heard + count).await? {
            ensure!(began.elapsed() < PATIENCE, "the backlog is not drained after {PATIENCE:?}");
            most_mb = f64::max(most_mb, process::resident_mb(system.runtime));
            tokio::time::sleep(Duration::from_millis(if count > 100_000 { 1000 } else { 100 })).await;
        }
        let took = began.elapsed();
        let thousands = count as f64 / 1000.0;
        let spent =
            |pid, before: Duration| process::cpu(pid).saturating_sub(before).as_secs_f64() / thousands;
        Ok(Drained {
            events: count,
            took,
            runtime: spent(system.runtime, cpu.0),
            postgres: spent(system.postgres, seeded.max(cpu.1)),
            heard: self.heard().await? - heard,
            before_mb,
            most_mb,
        })
    }

    /// From the commit of an event to the commit of its effect, one event after the other, sorted. Looked for every millisecond.
    pub async fn latencies(&self, count: usize) -> anyhow::Result<Vec<Duration>> {
        let state = "INSERT INTO platform.outbox (event_id, store_id, aggregate_type, aggregate_id, sequence, type, version, payload)
            VALUES ($1, $2, 'product', $1, 1, 'product.updated', 1, '{}')";
        let state = self.sql.prepare(state).await?;
        let look = format!(
            "SELECT EXISTS (SELECT FROM {}.heard_events WHERE consumer = 'webhooks' AND event_id = $1)",
            self.schema
        );
        let look = self.sql.prepare(&look).await?;
        let mut times = Vec::with_capacity(count);
        for number in 0..count {
            // Not in step with the relay's own looks.
            tokio::time::sleep(Duration::from_millis(20 + number as u64 * 7919 % 97)).await;
            let event = Uuid::now_v7();
            self.sql.execute(&state, &[&event, &self.store]).await?;
            let began = Instant::now();
            while !self.sql.query_one(&look, &[&event]).await?.get::<_, bool>(0) {
                ensure!(began.elapsed() < Duration::from_secs(60), "an event is not heard after a minute");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            times.push(began.elapsed());
        }
        times.sort_unstable();
        Ok(times)
    }

    /// Takes the made-up events out again.
    pub async fn tidy(&self) -> anyhow::Result<()> {
        let text = "DELETE FROM platform.outbox WHERE store_id = $1 AND type = 'product.updated'";
        self.sql.execute(text, &[&self.store]).await?;
        Ok(())
    }
}

/// A receiver on loopback: it takes everything, or never answers.
async fn receiver(answers: bool) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(take(stream, answers));
        }
    });
    Ok(address)
}

async fn take(mut stream: TcpStream, answers: bool) {
    let (mut buffer, mut kept) = ([0; 8192], Vec::new());
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..read]);
        let Some(length) = whole(&kept) else { continue };
        kept.drain(..length);
        if !answers {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        if stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.is_err() {
            return;
        }
    }
}

/// How long the request at the beginning is, once all of it is there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    Some(head + length.unwrap_or(0)).filter(|whole| bytes.len() >= *whole)
}

/// Milliseconds from an event until a good endpoint had taken it, sorted: alone, and beside one that never answers.
pub struct Neighbours {
    pub alone: Vec<Duration>,
    pub beside: Vec<Duration>,
}

/// Tells a good endpoint so many events, `rounds` times alone and beside a bad one by turns.
pub async fn neighbours(
    address: SocketAddr,
    shop: &Shop,
    outbox: &Outbox<'_>,
    count: i64,
    rounds: usize,
) -> anyhow::Result<Neighbours> {
    // A connection for each: the server closes one that is silent while webhooks are waited for.
    let bearer = format!("Bearer {}", shop.secret_key);
    let headers = [("authorization", bearer.as_str())];
    let mut made = Vec::new();
    for answers in [true, false] {
        let url = format!("http://{}/hook", receiver(answers).await?);
        let wish = json!({ "url": url, "types": ["product.updated"] });
        let endpoint = Client::new(address)
            .fine(&Request::post(&shop.host, "/admin/v1/webhook-endpoints", &headers, &wish))
            .await?;
        made.push(endpoint.json()["id"].as_str().context("an endpoint's id")?.to_owned());
    }
    let mut found = Neighbours { alone: Vec::new(), beside: Vec::new() };
    for round in 0..rounds * 2 {
        let beside = round % 2 == 1;
        let path = format!("/admin/v1/webhook-endpoints/{}", made[1]);
        let wish = json!({ "enabled": beside }).to_string();
        Client::new(address)
            .fine(&Request::new("PATCH", &shop.host, &path, &headers, wish.as_bytes()))
            .await?;
        let times = told(outbox, count).await?;
        if beside { found.beside.extend(times) } else { found.alone.extend(times) }
    }
    for endpoint in made {
        let path = format!("/admin/v1/webhook-endpoints/{endpoint}");
        Client::new(address).fine(&Request::new("DELETE", &shop.host, &path, &headers, b"")).await?;
    }
    found.alone.sort_unstable();
    found.beside.sort_unstable();
    Ok(found)
}

/// How long each of so many events took to reach the good endpoint, by the runtime's own log.
async fn told(outbox: &Outbox<'_>, count: i64) -> anyhow::Result<Vec<Duration>> {
    let schema = &outbox.schema;
    let last: Option<Uuid> = outbox
        .sql
        .query_one(&format!("SELECT max(id::text)::uuid FROM {schema}.webhook_deliveries"), &[])
        .await?
        .get(0);
    let last = last.unwrap_or_default();
    for _ in 0..count {
        outbox.state(1).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let text = format!(
        "SELECT extract(epoch FROM finished_at - created_at)::float8 FROM {schema}.webhook_deliveries WHERE id > $1 AND state = 'delivered'"
    );
    let began = Instant::now();
    loop {
        let rows = outbox.sql.query(&text, &[&last]).await?;
        if rows.len() as i64 >= count {
            return Ok(rows
                .iter()
                .map(|row| Duration::from_secs_f64(row.get::<_, f64>(0).max(0.0)))
                .collect());
        }
        ensure!(began.elapsed() < Duration::from_secs(60), "{} of {count} webhooks arrived", rows.len());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
