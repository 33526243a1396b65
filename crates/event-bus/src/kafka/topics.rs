//! The topics there must be: made when missing, compared when there.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::types::RDKafkaErrorCode;

use super::config::KafkaConfig;
use super::context::Quiet;
use crate::clerk::BusError;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Makes the topic of events or compares it with its declaration.
///
/// # Errors
/// When the broker is away, refuses, or the topic has another number of partitions than declared: keys would go to
/// other partitions than where their earlier events are.
pub(crate) async fn ensure(config: &KafkaConfig) -> Result<(), BusError> {
    let admin: Arc<AdminClient<Quiet>> = Arc::new(config.client(&[]).create_with_context(Quiet)?);
    let name = config.events();
    let wrong = |cause: String| BusError::Topic { topic: name.clone(), cause };
    let retention = config.retention.as_millis().to_string();
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT)).request_timeout(Some(TIMEOUT));
    let there = partitions(&admin, &name).await?;
    if there == 0 {
        let copies_needed = if config.replication >= 3 { "2" } else { "1" };
        let topic = NewTopic::new(&name, config.partitions, TopicReplication::Fixed(config.replication))
            .set("retention.ms", &retention)
            .set("cleanup.policy", "delete")
            .set("min.insync.replicas", copies_needed);
        for made in admin.create_topics([&topic], &options).await? {
            match made {
                Ok(_) => tracing::info!(topic = name, partitions = config.partitions, "topic made"),
                // Somebody else was making it too.
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, error)) => return Err(wrong(format!("it cannot be made: {error}"))),
            }
        }
    } else if usize::try_from(config.partitions).ok() != Some(there) {
        let declared = config.partitions;
        return Err(wrong(format!(
            "it has {there} partitions, {declared} are declared; set KAFKA_PARTITIONS to what is there"
        )));
    } else {
        check_retention(&admin, &name, &retention, &options).await;
    }
    Ok(())
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

/// Somebody else may have good reasons for another retention; it is said, not changed.
async fn check_retention(admin: &AdminClient<Quiet>, name: &str, wanted: &str, options: &AdminOptions) {
    let Ok(configs) = admin.describe_configs([&ResourceSpecifier::Topic(name)], options).await else {
        return;
    };
    for config in configs.into_iter().flatten() {
        let found = config.get("retention.ms").and_then(|entry| entry.value.clone());
        if found.as_deref().is_some_and(|found| found != wanted) {
            tracing::warn!(
                topic = name,
                found,
                wanted,
                "the topic keeps messages for another time than declared"
            );
        }
    }
}
