//! Claims events from the outbox and carries them on: straight to the consumers, or to Kafka, from where each consumer
//! reads for itself.

mod direct;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use souk_kernel::id::StoreId;
use souk_telemetry::{FailPoint, fail_point};
use souk_tenancy::{Database, StoreScope};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls, Statement};

use crate::clerk::{BusError, CONNECT_TIMEOUT, Clerk, LOGIN, PATIENCE};
use crate::consumer::Consumer;
use crate::delivery::Patience;
use crate::intake::Intake;
use crate::kafka::{KafkaConfig, Listener, Publisher, Readers, Sent, Surveyor};
use crate::queries::{outbox, readings, undelivered, unreadable};

const MEASURE_EVERY: Duration = Duration::from_secs(15);
/// Events in one message batch to Kafka; two batches are under way at a time.
const BATCH: usize = 500;
const BATCHES: usize = 2;
/// Claims and marks do not wait for the disk, nor for a standby. What a crash of the database takes back of them is carried on once more, in
/// the same order, and known by its dedupe row; what follows from an event is committed before its mark, on other connections that do wait.
const UNHURRIED: &str = "set synchronous_commit = off";

/// How the relay opens a store. Only `access::Gate` can mint scopes, so it is handed in.
pub type Scopes = Arc<dyn Fn(StoreId) -> Option<StoreScope> + Send + Sync>;

/// Settings of a relay.
#[derive(Clone)]
pub struct RelayConfig {
    /// Where the database is.
    pub database: Database,
    /// Password of the login `relay`.
    pub password: String,
    /// The broker events go through; without one, consumers are fed from the outbox.
    pub kafka: Option<KafkaConfig>,
    /// Events heard at the same time, of different aggregates. Without a broker a relay holds eight times as many by their leases.
    pub parallel: usize,
    /// How long a claimed event stays this relay's; also bounds its delivery.
    pub lease: Duration,
    /// Longest time until an event is noticed. Nothing notifies: PostgreSQL would commit those who notify one after the other.
    pub poll: Duration,
    /// The same for what a consumer could not hear and is tried again.
    pub retry_poll: Duration,
    /// Attempts before an event is a dead letter of a consumer.
    pub attempts: i32,
    /// Pause after the first failure; doubles with each.
    pub first_pause: Duration,
    /// The pauses grow no longer than this.
    pub longest_pause: Duration,
    /// Published events are forgotten after this: as long they can be listed and replayed.
    pub keep: Duration,
}

impl RelayConfig {
    /// The defaults: no broker, 4 at a time, lease 30 s, poll 100 ms and 1 s, 10 attempts, pauses 1 s to 10 min, kept 30 days.
    #[must_use]
    pub fn new(database: Database, password: String) -> Self {
        Self {
            database,
            password,
            kafka: None,
            parallel: 4,
            lease: Duration::from_secs(30),
            poll: Duration::from_millis(100),
            retry_poll: Duration::from_secs(1),
            attempts: 10,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(600),
            keep: Duration::from_secs(30 * 24 * 3600),
        }
    }
}

/// A running relay with its consumers. Any number may run on one database. Dropping it is like a crash: events in
/// delivery come back when their lease ends, and are not heard twice.
pub struct Relay {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Relay {
    /// Starts at once, and keeps trying while the database or the broker is away.
    #[must_use]
    pub fn start(config: RelayConfig, consumers: Vec<Arc<dyn Consumer>>, scopes: Scopes) -> Self {
        let (stop, stopping) = watch::channel(false);
        let RelayConfig { attempts, first_pause, longest_pause, .. } = config;
        let intake = Arc::new(Intake {
            consumers,
            scopes,
            clerk: Clerk::new(config.database.clone(), config.password.clone()),
            patience: Patience { attempts, first_pause, longest_pause },
            // Ended well before the lease, so that nobody else delivers it meanwhile.
            limit: config.lease.mul_f64(0.8),
        });
        let mut tasks = JoinSet::new();
        if let Some(kafka) = &config.kafka {
            let readers = Arc::new(Readers::default());
            for consumer in &intake.consumers {
                let (consumer, intake) = (Arc::clone(consumer), Arc::clone(&intake));
                let listener = Listener::new(kafka.clone(), consumer, intake, Arc::clone(&readers));
                tasks.spawn(listener.run(stopping.clone()));
            }
            let surveyor = Surveyor::new(kafka.clone(), Arc::clone(&intake), readers);
            tasks.spawn(surveyor.run(stopping.clone()));
        }
        {
            let (intake, config, stopping) = (Arc::clone(&intake), config.clone(), stopping.clone());
            tasks.spawn(async move {
                intake.retry(config.parallel, config.lease, config.retry_poll, stopping).await;
            });
        }
        tasks.spawn(Worker { config, intake, stopping }.run());
        Self { stop, tasks }
    }

    /// Claims nothing more, waits until what is in delivery has been delivered and marked.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "the relay did not stop in order");
            }
        }
    }
}

/// A connection to the outbox, and how events are taken from it and their end is written there.
struct Outbox {
    client: Client,
    claim: Statement,
    mark: Statement,
}

struct Worker {
    config: RelayConfig,
    intake: Arc<Intake>,
    stopping: watch::Receiver<bool>,
}

impl Worker {
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
                Err(error) => tracing::warn!(%error, failures, "the relay lost the outbox or the broker"),
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
    async fn session(&self) -> Result<(), BusError> {
        let publisher = match &self.config.kafka {
            Some(kafka) => Some(Publisher::open(kafka).await?),
            None => None,
        };
        let login = self.config.database.login(LOGIN, &self.config.password);
        let (client, connection) = tokio::time::timeout(CONNECT_TIMEOUT, login.connect(NoTls)).await??;
        // Ends when the client is dropped; when the connection does, the next statement says so.
        tokio::spawn(connection);
        tokio::time::timeout(CONNECT_TIMEOUT, client.batch_execute(PATIENCE)).await??;
        client.batch_execute(outbox::PLANNED).await?;
        client.batch_execute(UNHURRIED).await?;
        let claim = client.prepare(outbox::CLAIM).await?;
        let mark = client.prepare(outbox::MARK).await?;
        let desk = Outbox { client, claim, mark };
        match &publisher {
            Some(publisher) => self.to_topic(&desk, publisher).await,
            None => self.to_consumers(&desk).await,
        }
    }

    /// Events that nobody carries, the oldest first and one of an aggregate at most; this relay's until their lease ends.
    async fn claim(&self, desk: &Outbox, most: usize) -> Result<Vec<outbox::Claimed>, BusError> {
        let claimed = outbox::claim(&desk.client, &desk.claim, most, self.config.lease).await?;
        if !claimed.is_empty() {
            fail_point(FailPoint::RelayClaimed);
        }
        Ok(claimed)
    }

    /// In batches, until told to stop.
    async fn to_topic(&self, desk: &Outbox, publisher: &Publisher) -> Result<(), BusError> {
        let mut stopping = self.stopping.clone();
        let mut measured: Option<Instant> = None;
        let mut carried = FuturesUnordered::new();
        loop {
            let ended = publisher.ended();
            if ended.is_some() || *stopping.borrow() {
                while let Some(marked) = carried.next().await {
                    let () = marked?;
                }
                return ended.map_or(Ok(()), |reason| Err(BusError::Producer(reason)));
            }
            if measured.is_none_or(|at| at.elapsed() > MEASURE_EVERY) {
                measured = Some(Instant::now());
                self.keep_house(&desk.client).await?;
            }
            if carried.len() < BATCHES {
                let claimed = self.claim(desk, BATCH).await?;
                if !claimed.is_empty() {
                    carried.push(self.publish(desk, publisher, claimed));
                    if carried.len() < BATCHES {
                        continue;
                    }
                }
            }
            // Each end of a delivery may let the next event of its aggregate come.
            tokio::select! {
                Some(marked) = carried.next() => marked?,
                () = tokio::time::sleep(self.config.poll) => {}
                _ = stopping.changed() => {}
            }
        }
    }

    /// Marks each row by its delivery report.
    async fn publish(
        &self,
        desk: &Outbox,
        publisher: &Publisher,
        load: Vec<outbox::Claimed>,
    ) -> Result<(), BusError> {
        let sent = publisher.send(load.iter().map(|claimed| &claimed.event)).await;
        let (mut published, mut later, mut why) = (Vec::new(), Vec::new(), String::new());
        for (claimed, sent) in load.iter().zip(sent) {
            match sent {
                Sent::Stored => published.push(claimed.position),
                Sent::NotNow(error) => {
                    later.push(claimed.position);
                    why = error;
                }
                Sent::Never(error) => {
                    tracing::error!(id = %claimed.event.id, error, "an event cannot be published");
                    outbox::mark_dead(&desk.client, &[claimed.position], &error).await?;
                }
            }
        }
        let outcomes = [("published", published.len()), ("failed", later.len())];
        if !published.is_empty() {
            fail_point(FailPoint::KafkaProduced);
            outbox::mark_published(&desk.client, &desk.mark, &published).await?;
            fail_point(FailPoint::RelayMarked);
        }
        if !later.is_empty() {
            tracing::warn!(events = later.len(), error = why, "the broker did not take events; they wait");
            outbox::mark_failed(&desk.client, &later, &why, self.intake.patience.pause(0), false).await?;
        }
        for (word, count) in outcomes {
            metrics::counter!("souk_relay_events_total", "outcome" => word).increment(count as u64);
        }
        Ok(())
    }

    async fn keep_house(&self, client: &Client) -> Result<(), BusError> {
        let backlog = outbox::backlog(client).await?;
        metrics::gauge!("souk_outbox_waiting").set(backlog.waiting as f64);
        metrics::gauge!("souk_outbox_oldest_seconds").set(backlog.oldest);
        metrics::gauge!("souk_outbox_dead").set(backlog.dead as f64);
        let standings = undelivered::standings(client).await?;
        for consumer in &self.intake.consumers {
            let name = consumer.name();
            let standing = standings.iter().find(|standing| standing.consumer == name);
            let (waiting, dead, oldest) =
                standing.map_or((0, 0, 0.0), |found| (found.waiting, found.dead, found.oldest_seconds));
            metrics::gauge!("souk_consumer_waiting", "consumer" => name).set(waiting as f64);
            metrics::gauge!("souk_consumer_dead", "consumer" => name).set(dead as f64);
            metrics::gauge!("souk_consumer_oldest_seconds", "consumer" => name).set(oldest);
        }
        metrics::gauge!("souk_unreadable_messages").set(unreadable::count(client).await? as f64);
        if self.config.kafka.is_none() {
            readings::forget(client).await?;
        }
        outbox::forget_published(client, self.config.keep).await?;
        unreadable::forget_old(client, self.config.keep).await?;
        Ok(())
    }
}
