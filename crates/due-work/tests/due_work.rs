//! What is due is done once, soon, and whatever becomes of the worker.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use souk_due_work::{Desk, DeskConfig, Handler, Next};
use souk_kernel::StoreId;
use souk_provisioner::test_support::{TestDatabase, TestStore};
use tokio_postgres::Client;

/// Visits, in order of their beginnings.
type Log = Arc<Mutex<Vec<(StoreId, Instant)>>>;

struct Room {
    config: DeskConfig,
    relay: Client,
}

impl Room {
    async fn open() -> Self {
        let database = TestDatabase::get().await;
        let password = database.secrets.relay.clone();
        let relay = database.login("relay", &password).await.unwrap();
        let mut config = DeskConfig::new(database.url.parse().unwrap(), password);
        config.poll = Duration::from_millis(100);
        config.lease = Duration::from_millis(1500);
        Self { config, relay }
    }

    async fn wish(&self, store: &TestStore, kind: &str, seconds: f64) {
        let text = format!(
            "SELECT platform.note_due('{}', '{kind}', now() + {seconds} * interval '1 second')",
            store.schema
        );
        TestDatabase::get().await.admin(&text).await;
    }

    /// How many wishes of a store and kind are left.
    async fn left(&self, store: &TestStore, kind: &str) -> i64 {
        let text = "SELECT count(*) FROM platform.due_work WHERE store_id = $1 AND kind = $2";
        self.relay.query_one(text, &[&store.id.uuid(), &kind]).await.unwrap().get(0)
    }

    async fn until_left(&self, store: &TestStore, kind: &str, wanted: i64) {
        let deadline = Instant::now() + Duration::from_secs(15);
        while self.left(store, kind).await != wanted {
            assert!(Instant::now() < deadline, "{kind}: never {wanted} left");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Logs each visit, then does what `what` says for the so-manieth.
fn noting(log: &Log, what: impl Fn(usize) -> Outcome + Send + Sync + 'static) -> Handler {
    let log = Arc::clone(log);
    Arc::new(move |store| {
        let number = {
            let mut log = log.lock().unwrap();
            log.push((store, Instant::now()));
            log.len()
        };
        let outcome = what(number);
        async move {
            match outcome {
                Outcome::Give(next) => next,
                Outcome::Hang => std::future::pending().await,
                Outcome::Panic => panic!("on purpose"),
            }
        }
        .boxed()
    })
}

enum Outcome {
    Give(Result<Next, String>),
    Hang,
    Panic,
}

const DONE: Outcome = Outcome::Give(Ok(Next::Done));

#[tokio::test]
async fn a_mail_wakes_its_store_when_it_is_due_and_not_before() {
    let (room, store, log) = (Room::open().await, TestStore::open().await, Log::default());
    let desk = Desk::start(room.config.clone(), BTreeMap::from([("mail", noting(&log, |_| DONE))]));
    let queued = Instant::now();
    let mail = format!(
        "INSERT INTO {}.email_messages (id, template, recipient, subject, body_text, body_html, message_id, state, next_attempt_at, \
         created_at) VALUES (gen_random_uuid(), 't', 'a@b.c', 's', 't', 'h', 'one', 'queued', now() + interval '1 second', now())",
        store.schema
    );
    TestDatabase::get().await.admin(&mail).await;
    assert_eq!(room.left(&store, "mail").await, 1);
    room.until_left(&store, "mail", 0).await;
    let visits: Vec<_> = log.lock().unwrap().iter().filter(|(id, _)| *id == store.id).copied().collect();
    assert_eq!(visits.len(), 1);
    let waited = visits[0].1 - queued;
    assert!(waited >= Duration::from_millis(950) && waited < Duration::from_secs(3), "{waited:?}");
    desk.stop().await;
}

#[tokio::test]
async fn a_rolled_back_wish_was_never_made() {
    let (room, store) = (Room::open().await, TestStore::open().await);
    let text = format!("BEGIN; SELECT platform.note_due('{}', 'undone', now()); ROLLBACK", store.schema);
    TestDatabase::get().await.admin(&text).await;
    assert_eq!(room.left(&store, "undone").await, 0);
}

#[tokio::test]
async fn wishes_of_one_store_are_one_visit_and_two_desks_share_the_stores() {
    let (room, log) = (Room::open().await, Log::default());
    let mut stores = Vec::new();
    for _ in 0..8 {
        stores.push(TestStore::open().await);
    }
    for store in &stores {
        room.wish(store, "shared", 0.0).await;
    }
    let desks: Vec<_> = (0..3)
        .map(|_| Desk::start(room.config.clone(), BTreeMap::from([("shared", noting(&log, |_| DONE))])))
        .collect();
    for store in &stores {
        room.until_left(store, "shared", 0).await;
    }
    let mut visited: Vec<_> = log.lock().unwrap().iter().map(|(store, _)| *store).collect();
    visited.sort_unstable();
    let mut wanted: Vec<_> = stores.iter().map(|store| store.id).collect();
    wanted.sort_unstable();
    assert_eq!(visited, wanted, "each store once");
    for desk in desks {
        desk.stop().await;
    }

    let (log, store) = (Log::default(), &stores[0]);
    for _ in 0..5 {
        room.wish(store, "gathered", 0.0).await;
    }
    let desk = Desk::start(room.config.clone(), BTreeMap::from([("gathered", noting(&log, |_| DONE))]));
    room.until_left(store, "gathered", 0).await;
    assert_eq!(log.lock().unwrap().len(), 1, "five wishes, one visit");
    desk.stop().await;
}

#[tokio::test]
async fn what_a_dead_worker_held_is_done_by_another_when_the_lease_ends() {
    let (room, store, log) = (Room::open().await, TestStore::open().await, Log::default());
    room.wish(&store, "orphaned", 0.0).await;
    let hang = noting(&log, |_| Outcome::Hang);
    let dies = Desk::start(room.config.clone(), BTreeMap::from([("orphaned", hang)]));
    while log.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // As kill -9 would: nothing is marked, nothing is given back.
    drop(dies);
    let heir = Desk::start(room.config.clone(), BTreeMap::from([("orphaned", noting(&log, |_| DONE))]));
    room.until_left(&store, "orphaned", 0).await;
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 2);
    let gap = log[1].1 - log[0].1;
    assert!(gap >= Duration::from_millis(1300) && gap < Duration::from_secs(5), "{gap:?}");
    drop(heir);
}

#[tokio::test]
async fn errors_and_panics_come_again_and_so_does_more_work() {
    let (room, store, log) = (Room::open().await, TestStore::open().await, Log::default());
    let what = |number| match number {
        1 => Outcome::Give(Err("on purpose".to_owned())),
        2 => Outcome::Panic,
        3 | 4 => Outcome::Give(Ok(Next::Again)),
        _ => DONE,
    };
    room.wish(&store, "troubled", 0.0).await;
    let desk = Desk::start(room.config.clone(), BTreeMap::from([("troubled", noting(&log, what))]));
    room.until_left(&store, "troubled", 0).await;
    let times: Vec<_> = log.lock().unwrap().iter().map(|visit| visit.1).collect();
    assert_eq!(times.len(), 5);
    assert!(times[1] - times[0] >= Duration::from_millis(950), "a second after the first failure");
    assert!(times[2] - times[1] >= Duration::from_millis(1950), "two after the second");
    assert!(times[4] - times[2] < Duration::from_secs(3), "more work does not wait");
    desk.stop().await;
}

#[tokio::test]
async fn a_clock_comes_round_and_a_closed_store_waits() {
    let (room, store, log) = (Room::open().await, TestStore::open().await, Log::default());
    room.wish(&store, "round", 0.0).await;
    room.wish(&store, "round", 0.0).await;
    let rounds = noting(&log, |_| Outcome::Give(Ok(Next::In(Duration::from_millis(300)))));
    let desk = Desk::start(room.config.clone(), BTreeMap::from([("round", rounds)]));
    while log.lock().unwrap().len() < 3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(room.left(&store, "round").await, 1, "two wishes became one clock");
    let database = TestDatabase::get().await;
    let to = |state: &str| {
        format!("UPDATE platform.store_ledger SET state = '{state}' WHERE schema_name = '{}'", store.schema)
    };
    database.admin(&to("suspended")).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    let visits = log.lock().unwrap().len();
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(log.lock().unwrap().len(), visits, "nobody visits a closed store");
    database.admin(&to("deleted")).await;
    assert_eq!(room.left(&store, "round").await, 0, "a store that is gone has nothing to do");
    desk.stop().await;
}
