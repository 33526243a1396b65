//! Facts become events when their transaction commits, and are heard once, in order, whatever breaks in between.

#[expect(dead_code, reason = "shared with souk-tenancy's tests, which use the rest")]
#[path = "../../tenancy/tests/ground/mod.rs"]
mod ground;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use diesel::sql_types::{Text, Uuid as SqlUuid};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use ground::{Ground, Stores, eventually, on_ground};
use serde::{Deserialize, Serialize};
use souk_event_bus::{Consumer, ConsumerError, Event, Fact, Relay, RelayConfig, Scopes, emit};
use souk_kernel::id::StoreId;
use souk_tenancy::{DbError, StoreScope, TenancyError, WriteTx, sql};
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
struct Counted {
    shelf: Uuid,
    note: String,
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
enum Refused {
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("changed my mind")]
    ChangedMind,
}

/// Writes each note into the table `heard` of the event's store; misbehaves when told to.
struct Scribe {
    name: &'static str,
    calls: AtomicU32,
    hang: AtomicBool,
    busy_for: Duration,
}

impl Scribe {
    fn new(name: &'static str) -> Arc<Self> {
        Self::slow(name, Duration::ZERO)
    }

    fn slow(name: &'static str, busy_for: Duration) -> Arc<Self> {
        Arc::new(Self { name, calls: AtomicU32::new(0), hang: AtomicBool::new(false), busy_for })
    }

    fn calls(&self) -> u32 {
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

async fn state(scope: &StoreScope, shelf: Uuid, notes: &[&str]) {
    for note in notes {
        let fact = Counted { shelf, note: (*note).to_owned() };
        scope.write::<_, Refused, _>("count", async |tx| Ok(emit(tx, &fact).await?)).await.unwrap();
    }
}

async fn shop(ground: &Ground, host: &str) -> StoreId {
    let store = ground.store(1, host).await;
    let make = format!(
        "create table s_{}.heard (number bigserial, consumer text, shelf uuid, note text);
         grant usage on all sequences in schema s_{0} to r_{0}",
        store.suffix()
    );
    ground.admin.batch_execute(&make).await.unwrap();
    store
}

async fn heard(ground: &Ground, store: StoreId) -> Vec<(String, String)> {
    let text = format!("select consumer, note from s_{}.heard order by number", store.suffix());
    let rows = ground.admin.query(&text, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn count(ground: &Ground, condition: &str) -> i64 {
    let text = format!("select count(*) from platform.outbox where {condition}");
    ground.admin.query_one(&text, &[]).await.unwrap().get(0)
}

async fn all_settled(ground: &Ground) {
    eventually("every event is published or dead", async || {
        count(ground, "published_at is null and dead_at is null").await == 0
    })
    .await;
}

fn relay(ground: &Ground, stores: &Stores, consumers: &[&Arc<Scribe>]) -> Relay {
    let mut config = RelayConfig::new(ground.database(), ground::RELAY_PASSWORD.to_owned());
    config.lease = Duration::from_secs(1);
    config.poll = Duration::from_millis(100);
    config.attempts = 3;
    config.first_pause = Duration::from_millis(20);
    let mint = Arc::clone(&stores.mint);
    let scopes: Scopes = Arc::new(move |store| mint.scope_of(store));
    let consumers = consumers.iter().map(|consumer| Arc::clone(consumer) as Arc<dyn Consumer>).collect();
    Relay::start(config, consumers, scopes)
}

#[test]
fn a_fact_is_told_when_it_is_true_and_in_its_own_store() {
    on_ground(async |ground| {
        let (a, b) = (shop(ground, "a.test").await, shop(ground, "b.test").await);
        let stores = ground.tenancy(ground.config()).await;
        let (in_a, in_b) = (stores.scope(a), stores.scope(b));
        let (first, second) = (Scribe::new("first"), Scribe::new("second"));
        let relay = relay(ground, &stores, &[&first, &second]);

        let untrue = in_a.write::<(), _, _>("count", async |tx| {
            emit(tx, &Counted { shelf: Uuid::now_v7(), note: "never".to_owned() }).await?;
            Err(Refused::ChangedMind)
        });
        assert!(matches!(untrue.await, Err(Refused::ChangedMind)));
        let shelf = Uuid::now_v7();
        state(&in_a, shelf, &["one"]).await;
        state(&in_b, shelf, &["two"]).await;
        all_settled(ground).await;
        let both =
            |note: &str| [("first".to_owned(), note.to_owned()), ("second".to_owned(), note.to_owned())];
        assert_eq!(heard(ground, a).await, both("one"));
        assert_eq!(heard(ground, b).await, both("two"));
        let form = "type = 'shelf.counted' and version = 2 and aggregate_type = 'shelf' and published_at is not null";
        assert_eq!((count(ground, form).await, count(ground, "true").await), (2, 2));

        // The relay's own connection is cut; it comes back.
        let cut = "select pg_terminate_backend(pid, 1000) from pg_stat_activity
            where usename = 'relay' and datname = current_database()";
        ground.admin.batch_execute(cut).await.unwrap();
        state(&in_a, shelf, &["three"]).await;
        all_settled(ground).await;
        assert_eq!(heard(ground, a).await.len(), 4);
        relay.stop().await;
    });
}

#[test]
fn a_relay_that_dies_before_marking_costs_no_effect_and_doubles_none() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let mut config = ground.config();
        config.connections_per_lane = 2;
        let stores = ground.tenancy(config).await;
        let scope = stores.scope(store);
        let (first, second) = (Scribe::new("first"), Scribe::new("second"));
        second.hang.store(true, Ordering::SeqCst);
        let dying = relay(ground, &stores, &[&first, &second]);
        state(&scope, Uuid::now_v7(), &["one"]).await;
        eventually("the second consumer hangs", async || second.calls() == 1).await;
        assert_eq!(heard(ground, store).await.len(), 1, "the first consumer's effect is committed");
        drop(dying);
        second.hang.store(false, Ordering::SeqCst);

        let relay = relay(ground, &stores, &[&first, &second]);
        all_settled(ground).await;
        let names: Vec<_> = heard(ground, store).await.into_iter().map(|(consumer, _)| consumer).collect();
        assert_eq!(names, ["first", "second"]);
        assert_eq!((first.calls(), second.calls()), (1, 2));
        assert_eq!(count(ground, "attempts = 0 and published_at is not null").await, 1);
        relay.stop().await;
    });
}

#[test]
fn what_cannot_be_heard_dies_and_holds_back_only_its_own_aggregate() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scope = stores.scope(store);
        let scribe = Scribe::new("scribe");
        let (bad, good) = (Uuid::now_v7(), Uuid::now_v7());
        state(&scope, bad, &["refuse", "after refuse", "panic", "after panic"]).await;
        state(&scope, good, &["free"]).await;
        let unreadable = sql("select platform.emit($1, 'shelf', $1, 'shelf.counted', 9, '{}', null)");
        let unreadable = unreadable.bind::<SqlUuid, _>(Uuid::now_v7());
        scope.write::<_, Refused, _>("emit", async |tx| Ok(tx.execute(unreadable).await?)).await.unwrap();

        let relay = relay(ground, &stores, &[&scribe]);
        all_settled(ground).await;
        let notes: Vec<_> = heard(ground, store).await.into_iter().map(|(_, note)| note).collect();
        assert_eq!(notes, ["free", "after refuse", "after panic"], "a failed attempt leaves nothing");
        assert_eq!(count(ground, "attempts = 3 and last_error = 'scribe: on purpose'").await, 1);
        assert_eq!(count(ground, "attempts = 3 and last_error = 'a consumer panicked'").await, 1);
        assert_eq!(count(ground, "attempts = 1 and version = 9 and last_error like '%unreadable%'").await, 1);
        assert_eq!(count(ground, "dead_at is not null").await, 3);
        relay.stop().await;
    });
}

#[test]
fn many_relays_hear_everything_once_and_each_aggregate_in_order() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let mut config = ground.config();
        config.connections_per_lane = 4;
        let stores = ground.tenancy(config).await;
        let scope = stores.scope(store);
        let scribe = Scribe::slow("scribe", Duration::from_millis(1));
        let shelves: Vec<_> = (0..5).map(|_| Uuid::now_v7()).collect();
        let relays: Vec<_> = (0..3).map(|_| relay(ground, &stores, &[&scribe])).collect();
        let notes: Vec<_> = (0..20).map(|number| format!("{number:02}")).collect();
        for note in &notes {
            for shelf in &shelves {
                state(&scope, *shelf, &[note]).await;
            }
        }
        all_settled(ground).await;
        for shelf in shelves {
            let text =
                format!("select note from s_{}.heard where shelf = $1 order by number", store.suffix());
            let rows = ground.admin.query(&text, &[&shelf]).await.unwrap();
            let heard: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            assert_eq!(heard, notes);
        }
        assert_eq!(count(ground, "dead_at is not null").await, 0);
        for relay in relays {
            relay.stop().await;
        }
    });
}

#[test]
fn stopping_finishes_what_has_begun() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scope = stores.scope(store);
        let scribe = Scribe::slow("scribe", Duration::from_millis(300));
        let relay = relay(ground, &stores, &[&scribe]);
        state(&scope, Uuid::now_v7(), &["begun"]).await;
        eventually("the delivery has begun", async || scribe.calls() == 1).await;
        relay.stop().await;
        assert_eq!(count(ground, "published_at is not null").await, 1);
        state(&scope, Uuid::now_v7(), &["too late"]).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(scribe.calls(), 1);
    });
}
