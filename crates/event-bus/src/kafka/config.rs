//! Which broker, and how it is spoken to.

use std::time::Duration;

use rdkafka::ClientConfig;

use super::topics;
use crate::clerk::BusError;

/// Where the brokers are and how topics are to be there.
#[derive(Clone, Debug)]
pub struct KafkaConfig {
    /// `host:port,host:port`
    pub brokers: String,
    /// Begins the names of topics and groups, so that two installations share a cluster.
    pub prefix: String,
    /// Partitions of a topic that has to be made: the most processes of one consumer that share its work. Never changed
    /// later, because the order per key would break.
    pub partitions: i32,
    /// Copies of a topic that has to be made. 3 in production, where a write is stored when 2 have it.
    pub replication: i32,
    /// How long a topic that has to be made keeps messages.
    pub retention: Duration,
    /// Further properties of librdkafka, such as `security.protocol`, `sasl.mechanism`, `sasl.username`, `ssl.ca.location`.
    pub properties: Vec<(String, String)>,
}

impl KafkaConfig {
    /// The defaults: prefix `souk.`, 12 partitions, 1 copy, kept 7 days, no TLS.
    #[must_use]
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            prefix: "souk.".to_owned(),
            partitions: 12,
            replication: 1,
            retention: Duration::from_secs(7 * 24 * 3600),
            properties: Vec::new(),
        }
    }

    /// Makes the topic or compares it with its declaration; what is otherwise without doing harm, in words. For whoever starts a relay and
    /// would rather not start with a topic in which the order per key breaks.
    ///
    /// # Errors
    /// [`BusError::Topic`] for such a topic; others when the broker is away.
    pub async fn check(&self) -> Result<Vec<String>, BusError> {
        topics::ensure(self).await
    }

    /// The topic of all events.
    pub(crate) fn events(&self) -> String {
        format!("{}events", self.prefix)
    }

    /// The group in which this consumer reads.
    pub(crate) fn group(&self, consumer: &str) -> String {
        format!("{}{consumer}", self.prefix)
    }

    /// What every client is told. Properties given by the operator win.
    pub(crate) fn client(&self, ours: &[(&str, &str)]) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &self.brokers).set("client.id", "souk");
        for (name, value) in ours {
            client.set(*name, *value);
        }
        for (name, value) in &self.properties {
            client.set(name, value);
        }
        client
    }
}
