//! How far every consumer has read the topic: the group's committed offsets against the ends of the partitions. A consumer that hangs cannot
//! say so itself, so somebody beside it asks the broker.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::watch;

use super::config::KafkaConfig;
use super::context::Quiet;
use super::readers::{Reader, Readers};
use crate::clerk::BusError;
use crate::intake::Intake;
use crate::queries::readings::{self, Found};

/// Of all processes together one asks this often.
const EVERY: Duration = Duration::from_secs(5);
const AGAIN_AFTER: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks the broker about the consumers of a process, and writes down what it says.
pub(crate) struct Surveyor {
    config: KafkaConfig,
    intake: Arc<Intake>,
    readers: Arc<Readers>,
}

impl Surveyor {
    pub(crate) fn new(config: KafkaConfig, intake: Arc<Intake>, readers: Arc<Readers>) -> Self {
        Self { config, intake, readers }
    }

    /// Until told to stop.
    pub(crate) async fn run(self, mut stopping: watch::Receiver<bool>) {
        let names: Vec<_> = self.intake.consumers.iter().map(|consumer| consumer.name()).collect();
        let groups = match Groups::new(&self.config, &names, Arc::clone(&self.readers)) {
            Ok(groups) => Arc::new(groups),
            Err(error) => {
                tracing::error!(%error, "nobody looks how far consumers are");
                return;
            }
        };
        loop {
            let looked = tokio::select! {
                looked = self.look(&groups, &names) => looked,
                _ = stopping.wait_for(|stop| *stop) => break,
            };
            let pause = match looked {
                Ok(()) => EVERY,
                Err(error) => {
                    tracing::warn!(%error, "how far consumers are is not known");
                    AGAIN_AFTER
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stopping.wait_for(|stop| *stop) => break,
            }
        }
        // Closing the client blocks.
        let _ = tokio::task::spawn_blocking(move || drop(groups)).await;
    }

    async fn look(&self, groups: &Arc<Groups>, names: &[&'static str]) -> Result<(), BusError> {
        let desk = self.intake.clerk.desk().await?;
        if let Some(measured_at) = readings::due(&desk.client, names, EVERY).await? {
            let groups = Arc::clone(groups);
            let found =
                tokio::task::spawn_blocking(move || groups.ask()).await.map_err(|_| BusError::Ended)??;
            readings::keep(&desk.client, measured_at, &found).await?;
        }
        for reading in readings::all(&desk.client).await? {
            let name = reading.consumer;
            metrics::gauge!("souk_consumer_unread", "consumer" => name.clone()).set(reading.unread as f64);
            metrics::gauge!("souk_consumer_unread_oldest_seconds", "consumer" => name)
                .set(reading.oldest_seconds);
        }
        Ok(())
    }
}

/// Each group is asked about by its own reader; the topic by a client that joins no group: it commits nothing, and takes no partition from
/// anybody.
struct Groups {
    topic: String,
    partitions: i32,
    names: Vec<&'static str>,
    readers: Arc<Readers>,
    client: BaseConsumer<Quiet>,
}

impl Groups {
    fn new(config: &KafkaConfig, names: &[&'static str], readers: Arc<Readers>) -> Result<Self, KafkaError> {
        // A name that whoever may read in our groups may use.
        let group = config.group(names.first().copied().unwrap_or_default());
        let client = config.client(&[
            ("group.id", group.as_str()),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            // One message of a partition is looked at.
            ("queued.max.messages.kbytes", "1024"),
            ("fetch.message.max.bytes", "65536"),
            ("reconnect.backoff.max.ms", "2000"),
        ]);
        let client = client.create_with_context::<_, BaseConsumer<Quiet>>(Quiet)?;
        let (topic, partitions, names) = (config.events(), config.partitions, names.to_vec());
        Ok(Self { topic, partitions, names, readers, client })
    }

    /// Blocks. The ends are asked for first: whoever has read up to them has read all that was published before. A consumer that is just being
    /// opened, or whose group cannot be asked, is left out: its reading grows old, and whoever sees that asks again.
    fn ask(&self) -> Result<Vec<Found>, KafkaError> {
        let mut ends = Vec::new();
        for partition in 0..self.partitions {
            ends.push(self.client.fetch_watermarks(&self.topic, partition, TIMEOUT)?);
        }
        let mut all = Vec::new();
        for &consumer in &self.names {
            let Some(reader) = self.readers.get(consumer) else { continue };
            match self.ask_one(consumer, &reader, &ends) {
                Ok(found) => all.push(found),
                Err(error) => tracing::warn!(%error, consumer, "how far it is is not known"),
            }
        }
        Ok(all)
    }

    fn ask_one(
        &self,
        consumer: &'static str,
        reader: &Reader,
        ends: &[(i64, i64)],
    ) -> Result<Found, KafkaError> {
        let mut asked = TopicPartitionList::new();
        asked.add_partition_range(&self.topic, 0, self.partitions - 1);
        let committed = reader.committed_offsets(asked, TIMEOUT)?;
        let (mut unread, mut behind) = (0_i64, TopicPartitionList::new());
        for (partition, (low, high)) in (0..).zip(ends) {
            // What retention took away before it was read is read by nobody.
            let next = match committed.find_partition(&self.topic, partition).map(|found| found.offset()) {
                Some(Offset::Offset(offset)) => offset.max(*low),
                _ => *low,
            };
            if next < *high {
                unread += high - next;
                behind.add_partition_offset(&self.topic, partition, Offset::Offset(next))?;
            }
        }
        let oldest_at = if unread == 0 { None } else { oldest(&self.client, &behind)? };
        Ok(Found { consumer, unread, oldest_at })
    }
}

/// When the first message of any of these places happened. A partition that does not answer in time is left out.
fn oldest(
    reader: &BaseConsumer<Quiet>,
    behind: &TopicPartitionList,
) -> Result<Option<DateTime<Utc>>, KafkaError> {
    reader.assign(behind)?;
    let (began, mut seen) = (Instant::now(), HashSet::new());
    let mut oldest: Option<DateTime<Utc>> = None;
    while seen.len() < behind.count() && began.elapsed() < TIMEOUT {
        if let Some(Ok(message)) = reader.poll(Duration::from_millis(100))
            && seen.insert(message.partition())
        {
            let at = message.timestamp().to_millis().and_then(DateTime::from_timestamp_millis);
            oldest = oldest.into_iter().chain(at).min();
        }
    }
    reader.unassign()?;
    Ok(oldest)
}
