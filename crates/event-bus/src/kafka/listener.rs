//! One consumer reading the topic in a group of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Message as _, TopicPartitionList};
use souk_kernel::id::StoreId;
use souk_telemetry::{FailPoint, fail_point};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::config::KafkaConfig;
use super::context::Hearing;
use super::lanes::{Job, Lanes, Work};
use super::readers::Readers;
use crate::clerk::BusError;
use crate::consumer::Consumer;
use crate::envelope::Envelope;
use crate::event::Event;
use crate::intake::{Intake, Taken};
use crate::queries::unreadable;

/// Offsets are committed this often; after a crash what came since is read again and found heard.
const COMMIT_EVERY: Duration = Duration::from_millis(500);
/// All of them each so-manieth time, for nobody hears of a commit that the broker refused in the middle of a rebalance: the offset would
/// stay behind until the partition's next event, and whoever asks would be told that there is something unread.
const COMMIT_ALL: u32 = 10;
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// No more than this are heard in one transaction, whatever a consumer says: half of what may wait in a partition.
const MOST_TOGETHER: usize = 32;

/// Reads for one consumer until told to stop.
pub(crate) struct Listener {
    config: KafkaConfig,
    consumer: Arc<dyn Consumer>,
    intake: Arc<Intake>,
    readers: Arc<Readers>,
}

impl Listener {
    pub(crate) fn new(
        config: KafkaConfig,
        consumer: Arc<dyn Consumer>,
        intake: Arc<Intake>,
        readers: Arc<Readers>,
    ) -> Self {
        Self { config, consumer, intake, readers }
    }

    pub(crate) async fn run(self, stopping: watch::Receiver<bool>) {
        let mut stop = stopping.clone();
        loop {
            match self.session(stopping.clone()).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(%error, consumer = self.consumer.name(), "reading from Kafka failed")
                }
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// One client's life; `Ok` when told to stop.
    async fn session(&self, mut stopping: watch::Receiver<bool>) -> Result<(), BusError> {
        let name = self.consumer.name();
        let lanes = Arc::new(Lanes::new(self.config.events()));
        let reader = Arc::new(open(&self.config, name, &lanes)?);
        self.readers.put(name, &reader);
        let mut workers = JoinSet::new();
        let mut tick = tokio::time::interval(COMMIT_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut ticks = 0_u32;
        let outcome = loop {
            tokio::select! {
                biased;
                () = told(&mut stopping) => break Ok(()),
                _ = tick.tick() => {
                    ticks = ticks.wrapping_add(1);
                    commit(&reader, &lanes.to_commit(ticks.is_multiple_of(COMMIT_ALL)), CommitMode::Async);
                    pace(&reader, &lanes)?;
                    while workers.try_join_next().is_some() {}
                }
                message = reader.recv() => match message {
                    Ok(message) => {
                        let job = Job {
                            offset: message.offset(),
                            key: message.key().map(<[u8]>::to_vec),
                            payload: message.payload().unwrap_or_default().to_vec(),
                        };
                        fail_point(FailPoint::KafkaRead);
                        let partition = message.partition();
                        if let Some(work) = lanes.push(partition, job) {
                            let (consumer, intake) = (Arc::clone(&self.consumer), Arc::clone(&self.intake));
                            workers.spawn(hear(partition, work, Arc::clone(&lanes), consumer, intake, self.config.events()));
                        }
                        pace(&reader, &lanes)?;
                    }
                    // librdkafka goes on by itself after everything but these.
                    Err(KafkaError::MessageConsumptionFatal(code)) => break Err(KafkaError::MessageConsumptionFatal(code)),
                    Err(error) => {
                        if !is_passing(&error) {
                            tracing::warn!(%error, consumer = name, "kafka");
                        }
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
            }
        };
        lanes.close();
        while workers.join_next().await.is_some() {}
        commit(&reader, &lanes.to_commit(false), CommitMode::Sync);
        // Closing the reader waits for the broker, which may be away.
        let _ = tokio::task::spawn_blocking(move || drop(reader)).await;
        Ok(outcome?)
    }
}

/// A reader in the consumer's group.
fn open(
    config: &KafkaConfig,
    name: &'static str,
    lanes: &Arc<Lanes>,
) -> Result<StreamConsumer<Hearing>, KafkaError> {
    let group = config.group(name);
    let client = config.client(&[
        ("group.id", group.as_str()),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("auto.offset.reset", "earliest"),
        ("partition.assignment.strategy", "cooperative-sticky"),
        ("session.timeout.ms", "10000"),
        ("heartbeat.interval.ms", "2000"),
        // What one consumer holds in memory beside its lanes.
        ("queued.max.messages.kbytes", "4096"),
        ("fetch.message.max.bytes", "1048576"),
        ("statistics.interval.ms", "15000"),
        ("topic.metadata.refresh.interval.ms", "30000"),
        ("reconnect.backoff.max.ms", "2000"),
    ]);
    let reader: StreamConsumer<Hearing> =
        client.create_with_context(Hearing { name, lanes: Arc::clone(lanes) })?;
    reader.subscribe(&[&config.events()])?;
    Ok(reader)
}

/// Reads no further where too much waits, and on where little is left.
fn pace(reader: &StreamConsumer<Hearing>, lanes: &Lanes) -> Result<(), KafkaError> {
    let (pause, resume) = lanes.pauses();
    reader.pause(&pause)?;
    reader.resume(&resume)
}

async fn told(stopping: &mut watch::Receiver<bool>) {
    // Nobody is left who could tell: that is a wish to stop too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// The topic is made by whoever publishes first.
fn is_passing(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnknownTopicOrPartition)
}

fn commit(reader: &StreamConsumer<Hearing>, list: &TopicPartitionList, mode: CommitMode) {
    if list.count() == 0 {
        return;
    }
    fail_point(FailPoint::KafkaCommitting);
    match reader.commit(list, mode) {
        Ok(()) => fail_point(FailPoint::KafkaCommitted),
        Err(error) => tracing::warn!(%error, "what was heard is not committed; it may be read again"),
    }
}

/// The worker of one partition: one event after the other, or as many of those that wait as the consumer hears together. While the database is
/// away it holds what is at hand; the partition is paused meanwhile, and the reader goes on answering the group.
async fn hear(
    partition: i32,
    mut work: Work,
    lanes: Arc<Lanes>,
    consumer: Arc<dyn Consumer>,
    intake: Arc<Intake>,
    topic: String,
) {
    let most = consumer.together().clamp(1, MOST_TOGETHER);
    let mut jobs = Vec::new();
    while let Some(job) = work.jobs.recv().await {
        jobs.push(job);
        while jobs.len() < most
            && let Ok(job) = work.jobs.try_recv()
        {
            jobs.push(job);
        }
        let place = Place { partition, topic: &topic, given_up: &work.given_up };
        loop {
            match hear_all(&place, &jobs, consumer.as_ref(), &intake).await {
                Ok(true) => break,
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(
                        error,
                        consumer = consumer.name(),
                        partition,
                        "held until the database is back"
                    );
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
        }
        for job in jobs.drain(..) {
            lanes.heard(partition, &work.given_up, job.offset);
        }
    }
}

/// Where a worker reads.
struct Place<'w> {
    partition: i32,
    topic: &'w str,
    given_up: &'w AtomicBool,
}

impl Place<'_> {
    /// The partition belongs to somebody else now: begin nothing more.
    fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::SeqCst)
    }
}

/// Hears all of these; `false` when the partition was given up before that. What was heard until then is found heard by whoever reads it again.
async fn hear_all(
    place: &Place<'_>,
    jobs: &[Job],
    consumer: &dyn Consumer,
    intake: &Intake,
) -> Result<bool, String> {
    let (stores, mut alone) =
        if jobs.len() > 1 { of_stores(jobs) } else { (Vec::new(), jobs.iter().collect()) };
    for OfStore { events, jobs, .. } in stores {
        if place.is_given_up() {
            return Ok(false);
        }
        if events.len() == 1 || !intake.take_together(consumer, &events).await? {
            alone.extend(jobs);
        }
    }
    // Stores are apart, and within one the order is still the topic's.
    for job in alone {
        if place.is_given_up() {
            return Ok(false);
        }
        hear_one(place, job, consumer, intake).await?;
    }
    Ok(true)
}

/// What waits of one store, in the topic's order.
struct OfStore<'j> {
    store: StoreId,
    events: Vec<Event>,
    jobs: Vec<&'j Job>,
}

/// Messages by the store they are of, and those that are no events.
fn of_stores(jobs: &[Job]) -> (Vec<OfStore<'_>>, Vec<&Job>) {
    let (mut stores, mut unreadable): (Vec<OfStore<'_>>, Vec<&Job>) = (Vec::new(), Vec::new());
    for job in jobs {
        let Ok(event) = Envelope::read(&job.payload, now()) else {
            unreadable.push(job);
            continue;
        };
        let at = stores.iter().position(|known| known.store == event.store);
        match at.and_then(|at| stores.get_mut(at)) {
            Some(known) => {
                known.events.push(event);
                known.jobs.push(job);
            }
            None => stores.push(OfStore { store: event.store, events: vec![event], jobs: vec![job] }),
        }
    }
    (stores, unreadable)
}

async fn hear_one(
    place: &Place<'_>,
    job: &Job,
    consumer: &dyn Consumer,
    intake: &Intake,
) -> Result<(), String> {
    let Place { partition, topic, .. } = *place;
    match Envelope::read(&job.payload, now()) {
        Ok(event) => match intake.take(consumer, &event).await {
            Taken::Yes => Ok(()),
            Taken::NotNow(error) => Err(error),
        },
        Err(error) => {
            tracing::error!(%error, topic, partition, offset = job.offset, "a message is no event");
            let desk = intake.clerk.desk().await.map_err(|error| error.to_string())?;
            let (key, reason) = (job.key.as_deref(), error.to_string());
            unreadable::keep(&desk.client, topic, partition, job.offset, key, &job.payload, &reason)
                .await
                .map_err(|error| error.to_string())
        }
    }
}

/// Only to refuse what claims to come from the future: the real clock is meant.
#[expect(clippy::disallowed_methods, reason = "compares with the clocks of other machines")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

#[cfg(test)]
mod tests {
    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

    use super::*;

    /// Reads until nothing comes any more; the offsets of what came.
    async fn read(
        reader: &StreamConsumer<Hearing>,
        lanes: &Lanes,
        mut patience: Duration,
        work: &mut Option<Work>,
    ) -> Vec<i64> {
        let mut offsets = Vec::new();
        while let Ok(message) = tokio::time::timeout(patience, reader.recv()).await {
            let message = message.unwrap();
            let job = Job { offset: message.offset(), key: None, payload: Vec::new() };
            offsets.push(job.offset);
            if let Some(begun) = lanes.push(message.partition(), job) {
                *work = Some(begun);
            }
            pace(reader, lanes).unwrap();
            patience = Duration::from_secs(2);
        }
        offsets
    }

    #[tokio::test]
    async fn what_a_consumer_cannot_keep_up_with_stays_with_the_broker() {
        let cluster = MockCluster::new(1).unwrap();
        let mut config = KafkaConfig::new(cluster.bootstrap_servers());
        config.partitions = 1;
        cluster.create_topic(&config.events(), 1, 1).unwrap();
        let (topic, producer): (_, BaseProducer) = (config.events(), config.client(&[]).create().unwrap());
        for _ in 0..200 {
            let record = BaseRecord::<str, str>::to(&topic).partition(0).payload("{}");
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(Duration::from_secs(10)).unwrap();

        let (lanes, mut work) = (Arc::new(Lanes::new(topic)), None);
        let reader = open(&config, "scribe", &lanes).unwrap();
        // A group takes a while to be made.
        let first = read(&reader, &lanes, Duration::from_secs(20), &mut work).await;
        assert_eq!(first, (0..64).collect::<Vec<_>>());
        let given_up = &work.as_ref().unwrap().given_up;
        for offset in 0..48 {
            lanes.heard(0, given_up, offset);
        }
        pace(&reader, &lanes).unwrap();
        let next = read(&reader, &lanes, Duration::from_secs(10), &mut work).await;
        assert_eq!(next, (64..112).collect::<Vec<_>>(), "read on where it was, and not beyond");
    }
}
