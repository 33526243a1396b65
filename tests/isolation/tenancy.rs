//! The storm below the doors: sixteen connections, and transactions that are dropped, panic, fail, take too long and lose their server.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use futures_util::FutureExt as _;
use souk_tenancy::{DbError, Directory, Mint, ReadTx, Tenancy, TenancyConfig, TenancyError, WriteTx, sql};
use uuid::Uuid;

use super::chance::Chance;
use super::planting::Table;
use super::strike::{Kind, ON_PURPOSE, Struck};
use super::wire::Wire;
use super::world::{Shop, World};

/// 8 lanes of 2.
pub const CONNECTIONS: usize = 16;
const AT_ONCE: usize = 48;
/// Transactions for each store.
const EACH: usize = 20;
const LIMIT: Duration = Duration::from_millis(150);
/// The server ends a connection, or the wire is cut, after so many transactions; a table is locked as often.
const CALAMITY: usize = 60;

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("another mind")]
    Refused,
}

/// What was counted.
#[derive(Default)]
struct Tally {
    reads: AtomicUsize,
    rows: AtomicUsize,
    canaries: AtomicUsize,
    committed: AtomicUsize,
    /// Dropped while their COMMIT may have been under way.
    uncertain: AtomicUsize,
    refused: AtomicUsize,
    failed: AtomicUsize,
    timed_out: AtomicUsize,
    panicked: AtomicUsize,
    dropped: AtomicUsize,
    lost: AtomicUsize,
    busy: AtomicUsize,
}

fn add(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}

struct Storm {
    world: Arc<World>,
    mint: Mint,
    /// `select … from <table>`, for each.
    tables: Vec<&'static str>,
    tally: Tally,
    findings: Mutex<Vec<String>>,
}

/// What every transaction must be, and remember: nothing of any before it.
const STANDING: &str = "select concat_ws(' ', session_user, current_user, current_setting('search_path'),
    current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('transaction_read_only'),
    current_setting('work_mem'), current_setting('souk.stray', true)) as word";
const STRAY: &str = "set local souk.stray = 'left behind'";
const MEMORY: &str = "set local work_mem = '1234kB'";
const SCRIBBLE: &str = "insert into heard_events (consumer, event_id) values ($1, $2)";

/// Gives what holds the connections, which are still there.
///
/// # Panics
/// When anything of a store was seen in another, or a transaction ended otherwise than it should.
pub async fn storm(world: &Arc<World>, wire: &Arc<Wire>, seed: u64) -> Tenancy {
    let way = format!("postgres://{}/{}", wire.address, world.database.name);
    let secret = world.database.secrets.lane_secret.clone();
    let mut config = TenancyConfig::new(way.parse().expect("a database"), secret);
    assert_eq!(usize::from(config.lanes) * config.connections_per_lane, CONNECTIONS);
    (config.statement_timeout, config.lock_timeout) = (LIMIT, LIMIT);
    config.acquire_timeout = Duration::from_secs(60);
    let directory = Directory::start(&config).await;
    let (tenancy, mint) = Tenancy::start(config, directory).expect("lanes");
    let text = |table: &Table| -> &'static str {
        format!("select t::text as word from {} t limit 100", table.name).leak()
    };
    let tables = world.tables.iter().map(text).collect();
    let (tally, findings) = (Tally::default(), Mutex::default());
    let storm = Arc::new(Storm { world: Arc::clone(world), mint, tables, tally, findings });
    let next = Arc::new(AtomicUsize::new(0));
    let workers = (0..AT_ONCE as u64).map(|stream| {
        let (storm, next, wire) = (Arc::clone(&storm), Arc::clone(&next), Arc::clone(wire));
        let chance = Chance::new(seed, stream);
        tokio::spawn(async move {
            let total = storm.world.shops.len() * EACH;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= total {
                    return;
                }
                if number % CALAMITY == CALAMITY - 1 {
                    storm.calamity(&wire, &chance).await;
                }
                // Every store as often as every other, neighbours of a lane one after the other.
                let shop = &storm.world.shops[number * 7 % storm.world.shops.len()];
                storm.one(shop, &chance).await;
            }
        })
    });
    for worker in futures_util::future::join_all(workers).await {
        worker.expect("a worker");
    }
    storm.ends(wire);
    tenancy
}

impl Storm {
    async fn one(&self, shop: &Arc<Shop>, chance: &Chance) {
        let Some(scope) = self.mint.scope_of(shop.id) else {
            return self.finds(shop, "the directory does not know it");
        };
        let tally = &self.tally;
        match chance.below(12) {
            0..=3 => {
                let outcome =
                    scope.read::<_, Ended, _>("look", async |tx| self.look(tx, shop, chance, "on").await);
                match outcome.await {
                    Ok(()) => add(&tally.reads),
                    Err(error) => self.excuse(shop, "a read", error),
                }
            }
            4 => {
                match scope.write::<_, Ended, _>("write", async |tx| self.write(tx, shop, chance).await).await
                {
                    Ok(()) => add(&tally.committed),
                    Err(error) => self.excuse(shop, "a write", error),
                }
            }
            5 => {
                let work = scope.write::<(), Ended, _>("refuse", async |tx| {
                    self.undone(tx, shop, chance).await?;
                    Err(Ended::Refused)
                });
                match work.await {
                    Err(Ended::Refused) => add(&tally.refused),
                    Err(error) => self.excuse(shop, "a refusal", error),
                    Ok(()) => self.finds(shop, "a refusal was committed"),
                }
            }
            6 => {
                let work = scope.write::<_, Ended, _>("fail", async |tx| {
                    self.undone(tx, shop, chance).await?;
                    let failed = tx.execute(sql("insert into heard_events (consumer) values (null)")).await;
                    assert!(failed.is_err(), "{ON_PURPOSE}: it must fail");
                    Ok(())
                });
                match work.await {
                    Err(Ended::Tenancy(TenancyError::Db(DbError::Aborted))) => add(&tally.failed),
                    Err(error) => self.excuse(shop, "a failure", error),
                    Ok(()) => self.finds(shop, "a failed transaction was committed"),
                }
            }
            7 => {
                let work = scope.write::<_, Ended, _>("sleep", async |tx| {
                    self.undone(tx, shop, chance).await?;
                    Ok(tx.execute(sql("select pg_sleep(5)")).await.map(drop)?)
                });
                match work.await {
                    Err(Ended::Db(DbError::Timeout)) => add(&tally.timed_out),
                    Err(error) => self.excuse(shop, "a timeout", error),
                    Ok(()) => self.finds(shop, "a statement of five seconds ended in order"),
                }
            }
            8 => {
                let work = scope.write::<(), Ended, _>("panic", async |tx| {
                    self.undone(tx, shop, chance).await?;
                    panic!("{ON_PURPOSE}");
                });
                match AssertUnwindSafe(work).catch_unwind().await {
                    Err(_) => add(&tally.panicked),
                    Ok(Err(error)) => self.excuse(shop, "a panic", error),
                    Ok(Ok(())) => self.finds(shop, "a panic was survived"),
                }
            }
            9 => {
                // Somewhere, the savepoint too.
                let work = scope.write::<(), Ended, _>("undo", async |tx| {
                    self.undone(tx, shop, chance).await?;
                    tx.savepoint::<(), Ended, _>(async |tx| self.undone(tx, shop, chance).await).await?;
                    Err(Ended::Refused)
                });
                let kind = if chance.below(3) == 0 { Kind::Panic } else { Kind::Drop };
                self.struck(shop, chance, work, kind).await;
            }
            10 => {
                let work = scope.write::<_, Ended, _>("undo a wait", async |tx| {
                    self.undone(tx, shop, chance).await?;
                    let sleeps = tx.execute(sql("select pg_sleep(0.1)"));
                    let _ = Struck::new(sleeps, chance.below(2), Kind::Drop).await;
                    Err::<(), _>(Ended::Refused)
                });
                self.struck(shop, chance, work, Kind::Drop).await;
            }
            _ => {
                // What is dropped may be a COMMIT under way: then nobody knows, but the row is the store's own.
                let work = scope.write::<_, Ended, _>("write", async |tx| self.write(tx, shop, chance).await);
                match Struck::new(work, chance.below(12), Kind::Drop).await {
                    None => add(&tally.uncertain),
                    Some(Ok(())) => add(&tally.committed),
                    Some(Err(error)) => self.excuse(shop, "a write", error),
                }
            }
        }
    }

    async fn struck(
        &self,
        shop: &Shop,
        chance: &Chance,
        work: impl Future<Output = Result<(), Ended>>,
        kind: Kind,
    ) {
        let struck = Struck::new(work, chance.below(10), kind);
        match AssertUnwindSafe(struck).catch_unwind().await {
            Err(_) => add(&self.tally.panicked),
            Ok(None) => add(&self.tally.dropped),
            Ok(Some(Err(Ended::Refused))) => add(&self.tally.refused),
            Ok(Some(Err(error))) => self.excuse(shop, "work that was to be undone", error),
            Ok(Some(Ok(()))) => self.finds(shop, "work that was to be undone was committed"),
        }
    }

    /// Stands where it should, and sees its own rows only.
    async fn look(
        &self,
        tx: &mut ReadTx<'_>,
        shop: &Shop,
        chance: &Chance,
        read_only: &str,
    ) -> Result<(), Ended> {
        let standing = tx.one::<Word>(sql(STANDING)).await?.word;
        let limit = LIMIT.as_millis();
        let expected = format!(
            "runtime_{} {} {}, extensions {limit}ms {limit}ms {read_only} 4MB",
            shop.lane, shop.role, shop.schema
        );
        if standing.trim_end() != expected {
            self.finds(shop, &format!("stands as `{standing}` instead of `{expected}`"));
        }
        for _ in 0..2 {
            let table = *chance.of(&self.tables);
            let rows = tx.load::<Word>(sql(table)).await?;
            self.tally.rows.fetch_add(rows.len(), Ordering::Relaxed);
            for row in rows {
                self.tally.canaries.fetch_add(shop.mark.own(&row.word), Ordering::Relaxed);
                if let Some(found) = shop.mark.foreign(&row.word) {
                    self.finds(shop, &format!("{found} was seen by `{table}`"));
                }
            }
        }
        Ok(())
    }

    /// Leaves settings behind, and a row of the store's own.
    async fn write(&self, tx: &mut WriteTx<'_>, shop: &Shop, chance: &Chance) -> Result<(), Ended> {
        self.scribble(tx, shop, chance, &shop.mark.word).await
    }

    /// The same with a row that nobody may ever see.
    async fn undone(&self, tx: &mut WriteTx<'_>, shop: &Shop, chance: &Chance) -> Result<(), Ended> {
        self.scribble(tx, shop, chance, &shop.mark.undone).await
    }

    async fn scribble(
        &self,
        tx: &mut WriteTx<'_>,
        shop: &Shop,
        chance: &Chance,
        word: &str,
    ) -> Result<(), Ended> {
        if tx.statements() == 0 {
            self.look(tx, shop, chance, "off").await?;
        }
        tx.execute(sql(STRAY)).await?;
        tx.execute(sql(MEMORY)).await?;
        let row = sql(SCRIBBLE).bind::<Text, _>(word).bind::<SqlUuid, _>(Uuid::now_v7());
        tx.execute(row).await?;
        Ok(())
    }

    /// The server ends a connection, the wire is cut, or somebody locks a table of some store for longer than anybody waits.
    async fn calamity(&self, wire: &Wire, chance: &Chance) {
        let admin = &self.world.admin;
        match chance.below(3) {
            0 => {
                let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
                    AND usename ~ '^runtime_[0-9]' ORDER BY md5(pid::text || $1) LIMIT 1";
                admin.query(sql, &[&chance.next().to_string()]).await.expect("the server answers");
            }
            1 => {
                wire.cut(|open| chance.below(open));
            }
            _ => {
                let schema = &chance.of(&self.world.shops).schema;
                let sql = format!("BEGIN; LOCK TABLE {schema}.heard_events; SELECT pg_sleep(0.2); COMMIT");
                admin.batch_execute(&sql).await.expect("a lock");
            }
        }
    }

    /// Another end than was meant: what calamities explain is counted, the rest is found.
    fn excuse(&self, shop: &Shop, what: &str, error: Ended) {
        let tally = &self.tally;
        match error {
            Ended::Db(DbError::Unavailable) | Ended::Tenancy(TenancyError::Db(DbError::Unavailable)) => {
                add(&tally.lost);
            }
            Ended::Db(DbError::Timeout) => add(&tally.timed_out),
            Ended::Tenancy(TenancyError::Busy) => add(&tally.busy),
            // The server says so when it ends a connection in the middle of a statement.
            error if error.to_string().contains("terminating connection") => add(&tally.lost),
            error => self.finds(shop, &format!("{what} ended with {error:?}")),
        }
    }

    fn finds(&self, shop: &Shop, what: &str) {
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        findings.push(format!("store {} ({}): {what}", shop.mark.word, shop.schema));
    }

    fn ends(&self, wire: &Wire) {
        let findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = &self.tally;
        let [
            reads,
            rows,
            canaries,
            committed,
            uncertain,
            refused,
            failed,
            timed_out,
            panicked,
            dropped,
            lost,
            busy,
        ] = [
            &tally.reads,
            &tally.rows,
            &tally.canaries,
            &tally.committed,
            &tally.uncertain,
            &tally.refused,
            &tally.failed,
            &tally.timed_out,
            &tally.panicked,
            &tally.dropped,
            &tally.lost,
            &tally.busy,
        ]
        .map(|counter| counter.load(Ordering::Relaxed));
        let (ever, open) = wire.count();
        println!(
            "isolation, transactions: {reads} reads, {committed} commits, {refused} refused, {failed} failed, {timed_out} timed out, \
             {panicked} panicked, {dropped} dropped, {uncertain} dropped near their commit, {lost} lost their connection, {busy} busy; \
             {rows} rows seen, {canaries} canaries, {} of others; {ever} connections opened, {open} open, {} statements cancelled",
            findings.len(),
            wire.cancelled()
        );
        assert!(
            findings.is_empty(),
            "{} findings:\n{}",
            findings.len(),
            findings[..findings.len().min(30)].join("\n")
        );
        assert!(open <= CONNECTIONS, "{open} connections are open");
        let least = self.world.shops.len();
        assert!(
            reads > least && canaries > least && committed > 0 && refused > 0 && failed > 0,
            "the storm was none"
        );
        assert!(
            timed_out > 0 && panicked > 0 && dropped > 0 && uncertain > 0 && lost > 0,
            "the storm was none"
        );
    }
}
