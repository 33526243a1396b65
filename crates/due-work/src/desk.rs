//! Claims wishes and has them carried out, until it is told to stop.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use souk_kernel::StoreId;
use souk_telemetry::{FailPoint, fail_point};
use souk_tenancy::Database;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use crate::queries::{self, Claimed};

pub(crate) const LOGIN: &str = "relay";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MEASURE_EVERY: Duration = Duration::from_secs(15);
/// Wishes taken at a time: those of one store become one visit, so a busy store does not keep the others waiting.
const BATCH: i64 = 500;
/// A store that is not live is looked at again after this.
const NOT_LIVE: Duration = Duration::from_secs(600);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What is to become of a wish that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is done; what becomes due later has a wish of its own.
    Done,
    /// There was more than one visit may take.
    Again,
    /// It comes round by the clock.
    In(Duration),
}

/// Visits one store. An error is logged and tried again, after 1 s, doubling to 5 min.
pub type Handler = Arc<dyn Fn(StoreId) -> BoxFuture<'static, Result<Next, String>> + Send + Sync>;

/// Settings of a desk.
#[derive(Clone)]
pub struct DeskConfig {
    /// Where the database is.
    pub database: Database,
    /// Password of the login `relay`.
    pub password: String,
    /// Stores visited at the same time: fewer than connections, so that shoppers always find one.
    pub parallel: usize,
    /// How long a claimed wish stays this desk's; also bounds a visit.
    pub lease: Duration,
    /// How often the index is asked while nothing is due.
    pub poll: Duration,
    /// Work of this store only (a dedicated runtime); `None` takes every store's.
    pub only_store: Option<StoreId>,
}

impl DeskConfig {
    /// The defaults: 4 at a time, lease 60 s, asked twice a second, every store.
    #[must_use]
    pub fn new(database: Database, password: String) -> Self {
        let (lease, poll) = (Duration::from_secs(60), Duration::from_millis(500));
        Self { database, password, parallel: 4, lease, poll, only_store: None }
    }
}

/// A running desk. Any number may run on one database. Dropping it is like a crash: what it held comes back when the lease ends.
pub struct Desk {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Desk {
    /// Starts at once, and keeps trying while the database is away. Wishes of kinds without a handler are left for others.
    #[must_use]
    pub fn start(config: DeskConfig, handlers: BTreeMap<&'static str, Handler>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let clerk = Clerk { config, handlers, stopping };
        Self { stop, task: tokio::spawn(clerk.run()) }
    }

    /// Claims nothing more and waits for the visits under way.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = (&mut self.task).await {
            tracing::error!(%error, "the desk of due work did not stop in order");
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Clerk {
    config: DeskConfig,
    handlers: BTreeMap<&'static str, Handler>,
    stopping: watch::Receiver<bool>,
}

#[derive(Debug, thiserror::Error)]
enum DeskError {
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    #[error("the database did not answer in time")]
    Slow(#[from] tokio::time::error::Elapsed),
}

/// All wishes of one kind in one store: one visit.
struct Visit {
    store: StoreId,
    kind: &'static str,
    positions: Vec<i64>,
    attempts: i32,
    live: bool,
}

impl Clerk {
    async fn run(self) {
        let mut stopping = self.stopping.clone();
        let mut failures = 0_i32;
        loop {
            let started = Instant::now();
            match self.session().await {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, failures, "due work cannot be claimed"),
            }
            failures = if started.elapsed() > Duration::from_secs(30) { 0 } else { failures + 1 };
            tokio::select! {
                () = tokio::time::sleep(pause(failures).min(Duration::from_secs(5))) => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// One connection's life; `Ok` when told to stop.
    async fn session(&self) -> Result<(), DeskError> {
        let login = self.config.database.login(LOGIN, &self.config.password);
        let (client, connection) = tokio::time::timeout(CONNECT_TIMEOUT, login.connect(NoTls)).await??;
        // Ends with the client, and then every statement fails.
        tokio::spawn(connection);
        let settings = "set statement_timeout = 10000; set lock_timeout = 2000; set plan_cache_mode = force_generic_plan";
        tokio::time::timeout(CONNECT_TIMEOUT, client.batch_execute(settings)).await??;
        let (client, claim) = (&client, client.prepare(queries::CLAIM).await?);
        let kinds: Vec<&'static str> = self.handlers.keys().copied().collect();
        let DeskConfig { parallel, lease, poll, only_store, .. } = self.config;
        let mut stopping = self.stopping.clone();
        let (mut measured, mut waiting, mut claimed_at) = (None::<Instant>, Vec::new(), Instant::now());
        let mut visits = FuturesUnordered::new();
        loop {
            if *stopping.borrow() {
                while let Some(ended) = visits.next().await {
                    ended?;
                }
                return Ok(());
            }
            if measured.is_none_or(|at| at.elapsed() > MEASURE_EVERY) {
                measured = Some(Instant::now());
                let (due, late) = queries::backlog(client).await?;
                metrics::gauge!("souk_due_work_waiting").set(due as f64);
                metrics::gauge!("souk_due_work_late_seconds").set(late);
            }
            if claimed_at.elapsed() > lease.mul_f64(0.2) {
                // Slow visits have used up the others' time: their wishes come back with the lease, perhaps to somebody else.
                waiting.clear();
            }
            if waiting.is_empty() {
                claimed_at = Instant::now();
                let claimed = queries::claim(client, &claim, &kinds, BATCH, lease, only_store).await?;
                if !claimed.is_empty() {
                    fail_point(FailPoint::DueClaimed);
                }
                waiting = self.plan(claimed);
            }
            while visits.len() < parallel
                && let Some(visit) = waiting.pop()
            {
                visits.push(self.visit(client, visit));
            }
            tokio::select! {
                Some(ended) = visits.next() => ended?,
                () = tokio::time::sleep(poll), if waiting.is_empty() => {}
                _ = stopping.changed() => {}
            }
        }
    }

    fn plan(&self, claimed: Vec<Claimed>) -> Vec<Visit> {
        let mut visits: BTreeMap<(StoreId, &'static str), Visit> = BTreeMap::new();
        for wish in claimed {
            let Some((&kind, _)) = self.handlers.get_key_value(wish.kind.as_str()) else { continue };
            let (store, live) = (wish.store, wish.live);
            let visit = visits.entry((store, kind)).or_insert_with(|| Visit {
                store,
                kind,
                positions: Vec::new(),
                attempts: 0,
                live,
            });
            visit.positions.push(wish.position);
            visit.attempts = visit.attempts.max(wish.attempts);
        }
        visits.into_values().collect()
    }

    async fn visit(&self, client: &Client, visit: Visit) -> Result<(), DeskError> {
        let Visit { store, kind, positions, attempts, live } = visit;
        if !live {
            return Ok(queries::again(client, &positions, NOT_LIVE, true).await?);
        }
        let Some(handler) = self.handlers.get(kind) else { return Ok(()) };
        let started = Instant::now();
        let work = AssertUnwindSafe(handler(store)).catch_unwind();
        // Ended before the lease, so that nobody else comes meanwhile.
        let outcome = match tokio::time::timeout(self.config.lease.mul_f64(0.8), work).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err("it panicked".to_owned()),
            Err(_) => Err("it took too long".to_owned()),
        };
        metrics::histogram!("souk_due_work_seconds", "kind" => kind).record(started.elapsed());
        let word = if outcome.is_ok() { "ok" } else { "error" };
        metrics::counter!("souk_due_work_visits_total", "kind" => kind, "outcome" => word).increment(1);
        match outcome {
            Ok(Next::Done) => {
                fail_point(FailPoint::DueVisited);
                queries::done(client, &positions).await?;
                fail_point(FailPoint::DueDone);
            }
            Ok(Next::Again) => queries::again(client, &positions, Duration::ZERO, true).await?,
            Ok(Next::In(wait)) => queries::again(client, &positions, wait, true).await?,
            Err(error) => {
                tracing::warn!(%store, kind, error, attempts, "due work failed; it is tried again");
                queries::again(client, &positions, pause(attempts), false).await?;
            }
        }
        Ok(())
    }
}

fn pause(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}
