//! The topic of events, read and written past Souk.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

/// As `KafkaConfig` has it by default.
const TOPIC: &str = "souk.events";
pub const PARTITIONS: i32 = 12;
const PATIENCE: Duration = Duration::from_secs(30);

fn client(port: u16) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", format!("127.0.0.1:{port}"));
    client
}

/// How often each event of a store (`sto_…`) is in the topic, by its id; everything up to where the topic ends now is read.
pub fn events(port: u16, store: &str) -> BTreeMap<String, usize> {
    let reader: BaseConsumer = client(port)
        .set("group.id", format!("drill-{}", uuid::Uuid::now_v7()))
        .set("auto.offset.reset", "earliest")
        .create()
        .expect("a consumer");
    let ends = (0..PARTITIONS).map(|partition| {
        let (first, end) = reader.fetch_watermarks(TOPIC, partition, PATIENCE).expect("the topic's ends");
        end - first
    });
    let expected = usize::try_from(ends.sum::<i64>()).expect("a count");
    reader.subscribe(&[TOPIC]).expect("the topic");
    let (mut read, mut found, began) = (0, BTreeMap::new(), Instant::now());
    while read < expected {
        assert!(began.elapsed() < 2 * PATIENCE, "{read} of {expected} messages of the topic were read");
        let Some(message) = reader.poll(Duration::from_millis(500)) else { continue };
        let message = message.expect("a message");
        read += 1;
        let header = |name: &str| {
            let headers = message.headers()?;
            let found = headers.iter().find(|header| header.key == name)?;
            Some(String::from_utf8_lossy(found.value?).into_owned())
        };
        if header("store").as_deref() == Some(store)
            && let Some(id) = header("id")
        {
            *found.entry(id).or_default() += 1;
        }
    }
    found
}

/// Puts something that is no event into every partition.
pub fn poison(port: u16) {
    let writer: BaseProducer = client(port).create().expect("a producer");
    for partition in 0..PARTITIONS {
        let record =
            BaseRecord::<[u8], [u8]>::to(TOPIC).partition(partition).payload(&b"{\"envelope\": \xff"[..]);
        writer.send(record).map_err(|(error, _)| error).expect("it is taken");
    }
    writer.flush(PATIENCE).expect("the broker has it");
}
