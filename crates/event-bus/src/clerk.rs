//! A connection as the login `relay`, opened again when it has ended.

use std::sync::Arc;
use std::time::Duration;

use souk_tenancy::Database;
use tokio::sync::Mutex;
use tokio_postgres::{Client, NoTls, Statement};

use crate::queries::undelivered;

pub(crate) const LOGIN: &str = "relay";
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A statement that hangs must not hang the bus: the server ends it. Statements are planned once, for planning costs more than their work.
pub(crate) const PATIENCE: &str =
    "set statement_timeout = 10000; set lock_timeout = 2000; set plan_cache_mode = force_generic_plan";

/// Why the platform's own tables could not be reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BusError {
    /// A statement, or the connection.
    #[error("the outbox: {}", .0.as_db_error().map_or_else(|| .0.to_string(), ToString::to_string))]
    Postgres(#[from] tokio_postgres::Error),
    /// No answer.
    #[error("the database did not answer in time")]
    Slow(#[from] tokio::time::error::Elapsed),
    /// The connection ended.
    #[error("the connection ended")]
    Ended,
    /// The broker, or what it was asked.
    #[error("kafka: {0}")]
    Kafka(#[from] rdkafka::error::KafkaError),
    /// The producer no longer knows what the broker has and takes no more: another one has to be made.
    #[error("kafka: the producer has ended: {0}")]
    Producer(String),
    /// A topic is not as it is declared.
    #[error("topic {topic}: {cause}")]
    Topic {
        /// Which.
        topic: String,
        /// What is the matter, and the way out.
        cause: String,
    },
    /// There is no such consumer.
    #[error("no consumer is called {0}")]
    Unknown(String),
}

/// A connection and what was prepared on it.
pub(crate) struct Desk {
    pub(crate) client: Client,
    pub(crate) is_behind: Statement,
    pub(crate) any_waits: Statement,
    pub(crate) claim_undelivered: Statement,
}

/// Hands out the one connection that all consumers of a process share; statements are pipelined.
pub(crate) struct Clerk {
    database: Database,
    password: String,
    desk: Mutex<Option<Arc<Desk>>>,
}

impl Clerk {
    pub(crate) fn new(database: Database, password: String) -> Self {
        Self { database, password, desk: Mutex::new(None) }
    }

    /// The connection; opens one if there is none.
    pub(crate) async fn desk(&self) -> Result<Arc<Desk>, BusError> {
        let mut kept = self.desk.lock().await;
        if let Some(desk) = kept.as_ref().filter(|desk| !desk.client.is_closed()) {
            return Ok(Arc::clone(desk));
        }
        *kept = None;
        let open = async {
            let (client, connection) = self.database.login(LOGIN, &self.password).connect(NoTls).await?;
            tokio::spawn(connection);
            client.batch_execute(PATIENCE).await?;
            let is_behind = client.prepare(undelivered::IS_BEHIND).await?;
            let any_waits = client.prepare(undelivered::ANY_WAITS).await?;
            let claim_undelivered = client.prepare(undelivered::CLAIM).await?;
            Ok::<_, BusError>(Desk { client, is_behind, any_waits, claim_undelivered })
        };
        let desk = Arc::new(tokio::time::timeout(CONNECT_TIMEOUT, open).await??);
        *kept = Some(Arc::clone(&desk));
        Ok(desk)
    }
}
