//! Claims events and has them delivered, until it is told to stop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, stream};
use souk_kernel::id::StoreId;
use souk_tenancy::{Database, StoreScope};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use crate::consumer::Consumer;
use crate::delivery::{Outcome, Patience, deliver};
use crate::queries;

const LOGIN: &str = "relay";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MEASURE_EVERY: Duration = Duration::from_secs(15);

/// How the relay opens a store. Only `access::Gate` can mint scopes, so it is handed in.
pub type Scopes = Arc<dyn Fn(StoreId) -> Option<StoreScope> + Send + Sync>;

/// Settings of a relay.
#[derive(Clone)]
pub struct RelayConfig {
    /// Where the database is.
    pub database: Database,
    /// Password of the login `relay`.
    pub password: String,
    /// Events delivered at the same time.
    pub parallel: usize,
    /// How long a claimed event stays this relay's; also bounds its delivery.
    pub lease: Duration,
    /// Longest time until an event is noticed when its notification was lost.
    pub poll: Duration,
    /// Attempts before an event is dead.
    pub attempts: i32,
    /// Pause after the first failure; doubles with each.
    pub first_pause: Duration,
    /// The pauses grow no longer than this.
    pub longest_pause: Duration,
    /// Published events are forgotten after this.
    pub keep: Duration,
}

impl RelayConfig {
    /// The defaults: 4 at a time, lease 30 s, poll 1 s, 10 attempts, pauses 1 s to 10 min, kept 7 days.
    #[must_use]
    pub fn new(database: Database, password: String) -> Self {
        Self {
            database,
            password,
            parallel: 4,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            attempts: 10,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(600),
            keep: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

/// A running relay. Any number may run on one database. Dropping it is like a crash: events in delivery come back
/// when their lease ends, and are not heard twice.
pub struct Relay {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Starts at once, and keeps trying while the database is away.
    #[must_use]
    pub fn start(config: RelayConfig, consumers: Vec<Arc<dyn Consumer>>, scopes: Scopes) -> Self {
        let (stop, stopping) = watch::channel(false);
        let worker = Worker { config, consumers, scopes, stopping };
        Self { stop, task: tokio::spawn(worker.run()) }
    }

    /// Claims nothing more, waits until what is in delivery has been delivered and marked.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = (&mut self.task).await {
            tracing::error!(%error, "the relay did not stop in order");
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Worker {
    config: RelayConfig,
    consumers: Vec<Arc<dyn Consumer>>,
    scopes: Scopes,
    stopping: watch::Receiver<bool>,
}

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    #[error("the database did not answer in time")]
    Slow(#[from] tokio::time::error::Elapsed),
    #[error("the connection ended")]
    Ended,
}

impl Worker {
    fn patience(&self) -> Patience {
        let RelayConfig { attempts, first_pause, longest_pause, .. } = self.config;
        Patience { attempts, first_pause, longest_pause }
    }

    async fn run(self) {
        let mut stopping = self.stopping.clone();
        let reconnect = Patience {
            attempts: i32::MAX,
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(5),
        };
        let mut failures = 0;
        loop {
            let started = Instant::now();
            match self.session().await {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, failures, "the relay lost the outbox"),
            }
            metrics::counter!("souk_relay_disconnects_total").increment(1);
            failures = if started.elapsed() > Duration::from_secs(30) { 0 } else { failures + 1 };
            tokio::select! {
                () = tokio::time::sleep(reconnect.pause(failures)) => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// One connection's life; `Ok` when told to stop.
    async fn session(&self) -> Result<(), RelayError> {
        let login = self.config.database.login(LOGIN, &self.config.password);
        let (client, mut connection) = tokio::time::timeout(CONNECT_TIMEOUT, login.connect(NoTls)).await??;
        let (sender, mut notices) = mpsc::channel(1);
        // Ends when the client is dropped, or when the connection does; then `notices` closes.
        tokio::spawn(async move {
            let mut messages = stream::poll_fn(|context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(_) = message {
                    // One pending notice says as much as many.
                    let _ = sender.try_send(());
                }
            }
        });
        // A claim that hangs must not hang the relay: the server ends it.
        let settings = "listen outbox; set statement_timeout = 10000; set lock_timeout = 2000";
        tokio::time::timeout(CONNECT_TIMEOUT, client.batch_execute(settings)).await??;
        let (client, claim) = (&client, client.prepare(queries::CLAIM).await?);
        let mut stopping = self.stopping.clone();
        let mut measured: Option<Instant> = None;
        let mut deliveries = FuturesUnordered::new();
        loop {
            if *stopping.borrow() {
                while let Some(marked) = deliveries.next().await {
                    let () = marked?;
                }
                return Ok(());
            }
            if measured.is_none_or(|at| at.elapsed() > MEASURE_EVERY) {
                measured = Some(Instant::now());
                self.keep_house(client).await?;
            }
            let free = self.config.parallel.saturating_sub(deliveries.len());
            let claimed = match free {
                0 => Vec::new(),
                free => queries::claim(client, &claim, free, self.config.lease).await?,
            };
            let found = !claimed.is_empty();
            deliveries.extend(claimed.into_iter().map(|claimed| self.deliver_and_mark(client, claimed)));
            if found && deliveries.len() < self.config.parallel {
                continue;
            }
            // Each end of a delivery may let the next event of its aggregate come.
            tokio::select! {
                Some(marked) = deliveries.next() => marked?,
                notice = notices.recv() => notice.ok_or(RelayError::Ended)?,
                () = tokio::time::sleep(self.config.poll) => {}
                _ = stopping.changed() => {}
            }
        }
    }

    async fn deliver_and_mark(&self, client: &Client, claimed: queries::Claimed) -> Result<(), RelayError> {
        let queries::Claimed { position, attempts, event } = claimed;
        // Ended well before the lease, so that nobody else delivers it meanwhile.
        let limit = self.config.lease.mul_f64(0.8);
        let outcome = deliver(&event, attempts, &self.consumers, &self.scopes, self.patience(), limit).await;
        let word = match outcome {
            Outcome::Published => {
                queries::mark_published(client, position).await?;
                "published"
            }
            Outcome::Failed { error, pause, counts } => {
                queries::mark_failed(client, position, &error, pause, counts).await?;
                "failed"
            }
            Outcome::Dead { error } => {
                queries::mark_dead(client, position, &error).await?;
                "dead"
            }
        };
        metrics::counter!("souk_relay_events_total", "outcome" => word).increment(1);
        Ok(())
    }

    async fn keep_house(&self, client: &Client) -> Result<(), RelayError> {
        let backlog = queries::backlog(client).await?;
        metrics::gauge!("souk_outbox_waiting").set(backlog.waiting as f64);
        metrics::gauge!("souk_outbox_oldest_seconds").set(backlog.oldest);
        metrics::gauge!("souk_outbox_dead").set(backlog.dead as f64);
        queries::forget_published(client, self.config.keep).await?;
        Ok(())
    }
}
