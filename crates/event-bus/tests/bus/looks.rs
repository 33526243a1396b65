//! A broker for a test, and looking into its topic and at what was heard of it.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::OwnedMessage;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use souk_event_bus::KafkaConfig;
use souk_kernel::id::StoreId;
use uuid::Uuid;

use crate::bus::heard;
use crate::ground::Ground;

/// librdkafka's own cluster with the topic in it.
pub fn mock(kafka: &mut KafkaConfig) -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).unwrap();
    kafka.brokers = cluster.bootstrap_servers();
    cluster.create_topic(&format!("{}events", kafka.prefix), kafka.partitions, 1).unwrap();
    cluster
}

pub fn client(kafka: &KafkaConfig) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &kafka.brokers);
    for (name, value) in &kafka.properties {
        client.set(name, value);
    }
    client
}

/// Everything in the topic of events, up to where it ended when this was called.
pub fn topic(kafka: &KafkaConfig) -> Vec<OwnedMessage> {
    let group = Uuid::now_v7().to_string();
    let reader: BaseConsumer =
        client(kafka).set("group.id", group).set("enable.auto.commit", "false").create().unwrap();
    let name = format!("{}events", kafka.prefix);
    let (mut expected, mut places) = (0, TopicPartitionList::new());
    for partition in 0..kafka.partitions {
        expected += reader.fetch_watermarks(&name, partition, Duration::from_secs(10)).unwrap().1;
        places.add_partition_offset(&name, partition, Offset::Beginning).unwrap();
    }
    reader.assign(&places).unwrap();
    let mut found = Vec::new();
    let began = Instant::now();
    while found.len() < usize::try_from(expected).unwrap() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{} of {expected} messages were read",
            found.len()
        );
        if let Some(message) = reader.poll(Duration::from_secs(1)) {
            found.push(message.unwrap().detach());
        }
    }
    found
}

/// What was heard of a shelf, in order.
pub async fn notes_of(ground: &Ground, store: StoreId, shelf: Uuid) -> Vec<String> {
    let text = format!("select note from s_{}.heard where shelf = $1 order by number", store.suffix());
    let rows = ground.admin.query(&text, &[&shelf]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Waits until so many were heard: a group takes seconds to find together.
pub async fn eventually_heard(ground: &Ground, store: StoreId, many: usize) {
    for _ in 0..200 {
        if heard(ground, store).await.len() >= many {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("only {} of {many} were heard", heard(ground, store).await.len());
}
