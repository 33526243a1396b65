//! The topics there must be: made when missing, compared when there.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::types::RDKafkaErrorCode;

use super::config::KafkaConfig;
use super::context::Quiet;
use crate::clerk::BusError;

const TIMEOUT: Duration = Duration::from_secs(10);

/// What a producer of ours sends at most in a message: librdkafka's `message.max.bytes`.
const LARGEST: i64 = 1_000_000;

/// Makes the topic of events or compares it with its declaration; in what it is otherwise than declared without doing harm, in words.
/// Somebody else may have good reasons for it: it is said, not changed.
///
/// # Errors
/// When the broker is away, refuses, or the topic has another number of partitions than declared: keys would go to
/// other partitions than where their earlier events are.
pub(crate) async fn ensure(config: &KafkaConfig) -> Result<Vec<String>, BusError> {
    let admin: Arc<AdminClient<Quiet>> = Arc::new(config.client(&[]).create_with_context(Quiet)?);
    let name = config.events();
    let wrong = |cause: String| BusError::Topic { topic: name.clone(), cause };
    let (retention, copies_needed) = (config.retention.as_millis().to_string(), copies_needed(config));
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT)).request_timeout(Some(TIMEOUT));
    let there = partitions(&admin, &name).await?;
    if there == 0 {
        let topic = NewTopic::new(&name, config.partitions, TopicReplication::Fixed(config.replication))
            .set("retention.ms", &retention)
            .set("cleanup.policy", "delete")
            .set("min.insync.replicas", &copies_needed);
        for made in admin.create_topics([&topic], &options).await? {
            match made {
                Ok(_) => tracing::info!(topic = name, partitions = config.partitions, "topic made"),
                // Somebody else was making it too.
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, error)) => return Err(wrong(format!("it cannot be made: {error}"))),
            }
        }
        return Ok(Vec::new());
    }
    if usize::try_from(config.partitions).ok() != Some(there) {
        let declared = config.partitions;
        return Err(wrong(format!(
            "it has {there} partitions, {declared} are declared; set KAFKA_PARTITIONS to what is there"
        )));
    }
    let Ok(described) = admin.describe_configs([&ResourceSpecifier::Topic(&name)], &options).await else {
        // Who may write into a topic need not be allowed to look at its settings.
        return Ok(Vec::new());
    };
    let found = described.into_iter().flatten().next();
    let value = |setting: &str| found.as_ref()?.get(setting)?.value.clone();
    Ok(differences(config, value))
}

/// In how many copies a write is to be before it counts.
fn copies_needed(config: &KafkaConfig) -> String {
    let copies = if config.replication >= 3 { 2 } else { 1 };
    copies.to_string()
}

/// What is otherwise than declared.
fn differences(config: &KafkaConfig, found: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let number = |setting: &str| found(setting).and_then(|value| value.parse::<i64>().ok());
    let mut words = Vec::new();
    let wanted = i64::try_from(config.retention.as_millis()).unwrap_or(i64::MAX);
    if let Some(kept) = number("retention.ms").filter(|kept| *kept != wanted) {
        words.push(format!("it keeps messages for {kept} ms, KAFKA_RETENTION_DAYS says {wanted} ms"));
    }
    let needed = copies_needed(config);
    if let Some(copies) = found("min.insync.replicas").filter(|copies| *copies != needed) {
        words.push(format!(
            "a write counts when {copies} copies have it, with KAFKA_REPLICATION={} it should be {needed} (min.insync.replicas)",
            config.replication
        ));
    }
    if let Some(largest) = number("max.message.bytes").filter(|largest| *largest < LARGEST) {
        words.push(format!(
            "it takes messages up to {largest} bytes, events have up to {LARGEST} (max.message.bytes)"
        ));
    }
    words
}

/// How many partitions there are; 0 if there is no such topic.
async fn partitions(admin: &Arc<AdminClient<Quiet>>, name: &str) -> Result<usize, BusError> {
    let (admin, name) = (Arc::clone(admin), name.to_owned());
    // A call that blocks.
    let ask = move || {
        let metadata = admin.inner().fetch_metadata(Some(&name), TIMEOUT)?;
        Ok(metadata.topics().first().map_or(0, |topic| topic.partitions().len()))
    };
    tokio::task::spawn_blocking(ask).await.map_err(|_| BusError::Ended)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_otherwise_than_declared_is_said_with_the_name_of_the_setting() {
        let mut config = KafkaConfig::new("");
        config.replication = 3;
        let declared = |setting: &str| {
            let value = match setting {
                "retention.ms" => "604800000",
                "min.insync.replicas" => "2",
                "max.message.bytes" => "1048588",
                other => panic!("{other} is nobody's business"),
            };
            Some(value.to_owned())
        };
        assert_eq!(differences(&config, declared), [""; 0]);
        assert_eq!(differences(&config, |_| None), [""; 0], "what cannot be seen is not complained of");
        let other = |setting: &str| {
            let value = match setting {
                "retention.ms" => "86400000",
                "min.insync.replicas" => "1",
                _ => "500000",
            };
            Some(value.to_owned())
        };
        let words = [
            "it keeps messages for 86400000 ms, KAFKA_RETENTION_DAYS says 604800000 ms",
            "a write counts when 1 copies have it, with KAFKA_REPLICATION=3 it should be 2 (min.insync.replicas)",
            "it takes messages up to 500000 bytes, events have up to 1000000 (max.message.bytes)",
        ];
        assert_eq!(differences(&config, other), words);
        config.replication = 1;
        assert_eq!(differences(&config, other).len(), 2, "one copy is enough where there is one");
    }
}
