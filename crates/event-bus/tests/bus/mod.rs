//! A fact, a consumer that writes down what it hears, and a relay between them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use crate::ground::{self, Ground, Stores, eventually};
use diesel::sql_types::{Text, Uuid as SqlUuid};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use souk_event_bus::{Consumer, ConsumerError, Event, Fact, KafkaConfig, Relay, RelayConfig, Scopes, emit};
use souk_kernel::id::StoreId;
use souk_tenancy::{DbError, StoreScope, TenancyError, WriteTx, sql};
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
pub struct Counted {
    pub shelf: Uuid,
    pub note: String,
}

impl Fact for Counted {
    const KIND: &'static str = "shelf.counted";
    const VERSION: u16 = 2;
    const AGGREGATE: &'static str = "shelf";
    fn aggregate_id(&self) -> Uuid {
        self.shelf
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("changed my mind")]
    ChangedMind,
}

/// Writes each note into the table `heard` of the event's store; misbehaves when told to.
pub struct Scribe {
    name: &'static str,
    calls: AtomicU32,
    pub hang: AtomicBool,
    /// How many it hears in one transaction.
    pub together: AtomicUsize,
    busy_for: Duration,
}

impl Scribe {
    pub fn new(name: &'static str) -> Arc<Self> {
        Self::slow(name, Duration::ZERO)
    }

    pub fn slow(name: &'static str, busy_for: Duration) -> Arc<Self> {
        let (calls, hang, together) = (AtomicU32::new(0), AtomicBool::new(false), AtomicUsize::new(1));
        Arc::new(Self { name, calls, hang, together, busy_for })
    }

    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Consumer for Scribe {
    fn name(&self) -> &'static str {
        self.name
    }

    fn wants(&self, kind: &str) -> bool {
        kind == Counted::KIND
    }

    fn together(&self) -> usize {
        self.together.load(Ordering::SeqCst)
    }

    fn hear<'a>(
        &'a self,
        tx: &'a mut WriteTx<'_>,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<(), ConsumerError>> {
        async move {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let fact: Counted = event.fact()?;
            assert_eq!(tx.store(), event.store);
            let write = sql("insert into heard (consumer, shelf, note) values ($1, $2, $3)")
                .bind::<Text, _>(self.name)
                .bind::<SqlUuid, _>(fact.shelf)
                .bind::<Text, _>(fact.note.clone());
            tx.execute(write).await?;
            tokio::time::sleep(self.busy_for).await;
            match fact.note.as_str() {
                "refuse" => Err(ConsumerError::Failed("on purpose".to_owned())),
                "panic" => panic!("on purpose"),
                _ if self.hang.load(Ordering::SeqCst) => std::future::pending().await,
                _ => Ok(()),
            }
        }
        .boxed()
    }
}

pub async fn state(scope: &StoreScope, shelf: Uuid, notes: &[&str]) {
    for note in notes {
        let fact = Counted { shelf, note: (*note).to_owned() };
        scope.write::<_, Refused, _>("count", async |tx| Ok(emit(tx, &fact).await?)).await.unwrap();
    }
}

/// So many events, each of a shelf of its own, stated in one go.
pub async fn backlog(ground: &Ground, store: StoreId, many: i64) {
    let text = "insert into platform.outbox (event_id, store_id, aggregate_type, aggregate_id, sequence, type, version, payload)
        select id, $1, 'shelf', id, 1, 'shelf.counted', 2, jsonb_build_object('shelf', id, 'note', 'one of many')
        from (select gen_random_uuid() as id from generate_series(1, $2::bigint)) as shelves";
    ground.admin.execute(text, &[&store.uuid(), &many]).await.unwrap();
    ground.admin.batch_execute("analyze platform.outbox").await.unwrap();
}

/// Events that a relay holds by their leases.
pub async fn held(ground: &Ground) -> i64 {
    count(ground, "published_at is null and dead_at is null and available_at > now()").await
}

pub async fn shop(ground: &Ground, host: &str) -> StoreId {
    let store = ground.store(1, host).await;
    let make = format!(
        "create table s_{}.heard (number bigserial, consumer text, shelf uuid, note text);
         grant usage on all sequences in schema s_{0} to r_{0}",
        store.suffix()
    );
    ground.admin.batch_execute(&make).await.unwrap();
    store
}

pub async fn heard(ground: &Ground, store: StoreId) -> Vec<(String, String)> {
    let text = format!("select consumer, note from s_{}.heard order by number", store.suffix());
    let rows = ground.admin.query(&text, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

pub async fn count(ground: &Ground, condition: &str) -> i64 {
    let text = format!("select count(*) from platform.outbox where {condition}");
    ground.admin.query_one(&text, &[]).await.unwrap().get(0)
}

pub async fn undelivered(ground: &Ground, condition: &str) -> i64 {
    let text = format!("select count(*) from platform.undelivered where {condition}");
    ground.admin.query_one(&text, &[]).await.unwrap().get(0)
}

pub async fn all_settled(ground: &Ground) {
    eventually("every event is published and heard or dead", async || {
        count(ground, "published_at is null and dead_at is null").await == 0
            && undelivered(ground, "dead_at is null").await == 0
    })
    .await;
}

pub fn relay(ground: &Ground, stores: &Stores, consumers: &[&Arc<Scribe>]) -> Relay {
    relay_over(ground, stores, consumers, None)
}

pub fn relay_over(
    ground: &Ground,
    stores: &Stores,
    consumers: &[&Arc<Scribe>],
    kafka: Option<KafkaConfig>,
) -> Relay {
    // Longer than a message to Kafka may take.
    let lease = Duration::from_secs(if kafka.is_some() { 20 } else { 1 });
    relay_with(ground, stores, consumers, kafka, lease)
}

pub fn relay_with(
    ground: &Ground,
    stores: &Stores,
    consumers: &[&Arc<Scribe>],
    kafka: Option<KafkaConfig>,
    lease: Duration,
) -> Relay {
    let mut config = RelayConfig::new(ground.database(), ground::RELAY_PASSWORD.to_owned());
    config.lease = lease;
    config.kafka = kafka;
    config.retry_poll = Duration::from_millis(100);
    config.attempts = 3;
    config.first_pause = Duration::from_millis(20);
    let mint = Arc::clone(&stores.mint);
    let scopes: Scopes = Arc::new(move |store| mint.scope_of(store));
    let consumers = consumers.iter().map(|consumer| Arc::clone(consumer) as Arc<dyn Consumer>).collect();
    Relay::start(config, consumers, scopes)
}
