//! What an operator can see and do: who lags, what is dead, hear it again.

use chrono::{DateTime, Utc};
use souk_kernel::id::{EventId, StoreId};
use souk_tenancy::Database;
use tokio_postgres::{Client, NoTls};

use crate::clerk::{BusError, CONNECT_TIMEOUT, LOGIN, PATIENCE};
use crate::queries::outbox;
use crate::queries::undelivered::{self, DeadLetter, Standing};

/// Which published events are meant; everything that is `None` is no condition.
#[derive(Clone, Debug, Default)]
pub struct Range {
    /// One event.
    pub event: Option<EventId>,
    /// Of one store.
    pub store: Option<StoreId>,
    /// That happened at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// That happened before this time.
    pub until: Option<DateTime<Utc>>,
    /// Of these kinds.
    pub kinds: Option<Vec<String>>,
}

/// How far the whole bus is.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Overview {
    /// Events in the outbox that were not carried on yet.
    pub outbox_waiting: i64,
    /// Age of the oldest of them, in seconds.
    pub outbox_oldest_seconds: f64,
    /// Events that no broker would take.
    pub outbox_dead: i64,
    /// Every consumer with something undelivered.
    pub consumers: Vec<Standing>,
}

/// A connection for an operator, as the login `relay`.
pub struct Operator {
    client: Client,
}

impl Operator {
    /// Connects.
    ///
    /// # Errors
    /// When the database cannot be reached or refuses the login.
    pub async fn connect(database: &Database, password: &str) -> Result<Self, BusError> {
        let login = database.login(LOGIN, password);
        let (client, connection) = tokio::time::timeout(CONNECT_TIMEOUT, login.connect(NoTls)).await??;
        tokio::spawn(connection);
        client.batch_execute(PATIENCE).await?;
        Ok(Self { client })
    }

    /// Outbox and consumers.
    ///
    /// # Errors
    /// The database only.
    pub async fn overview(&self) -> Result<Overview, BusError> {
        let backlog = outbox::backlog(&self.client).await?;
        Ok(Overview {
            outbox_waiting: backlog.waiting,
            outbox_oldest_seconds: backlog.oldest,
            outbox_dead: backlog.dead,
            consumers: undelivered::standings(&self.client).await?,
        })
    }

    /// Dead letters, newest first.
    ///
    /// # Errors
    /// The database only.
    pub async fn dead_letters(&self, consumer: Option<&str>, most: u32) -> Result<Vec<DeadLetter>, BusError> {
        Ok(undelivered::dead(&self.client, consumer, i64::from(most)).await?)
    }

    /// Gives dead letters another life: these, or all of a consumer, or all. How many there were.
    ///
    /// # Errors
    /// The database only.
    pub async fn revive(&self, ids: Option<&[i64]>, consumer: Option<&str>) -> Result<u64, BusError> {
        Ok(undelivered::revive(&self.client, ids, consumer).await?)
    }

    /// Has a consumer hear events once more, in order per aggregate; how many. `name` makes a replay repeatable: the
    /// same name and range add nothing. What the consumer did at the first hearing it does again, unless its own tables
    /// say that it is done.
    ///
    /// # Errors
    /// The database only.
    pub async fn replay(&self, consumer: &str, name: &str, which: &Range) -> Result<u64, BusError> {
        Ok(undelivered::replay(&self.client, consumer, name, which).await?)
    }
}
