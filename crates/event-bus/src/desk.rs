//! What an operator can see and do: who lags, what is dead, hear it again.

use chrono::{DateTime, Utc};
use souk_kernel::id::{EventId, StoreId};
use souk_tenancy::Database;
use tokio_postgres::{Client, NoTls};

use crate::clerk::{BusError, CONNECT_TIMEOUT, LOGIN, PATIENCE};
use crate::queries::outbox::{self, Untold};
use crate::queries::readings::{self, Reading};
use crate::queries::undelivered::{self, DeadLetter, Standing};
use crate::queries::unreadable::{self, Unreadable};

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
    /// When the last event was carried on: heard, or in the topic.
    pub published_at: Option<DateTime<Utc>>,
    /// How far each consumer has read the topic; none without a broker.
    pub readings: Vec<Reading>,
    /// Messages of the topic that are no events.
    pub unreadable: i64,
    /// Every consumer with something undelivered.
    pub consumers: Vec<Standing>,
}

impl Overview {
    /// Whether every consumer has heard every event that was stated: nothing waits, nothing was given up, and the broker was asked after the
    /// last event had reached it.
    #[must_use]
    pub fn is_all_heard(&self) -> bool {
        let is_late = |reading: &Reading| self.published_at.is_none_or(|last| last < reading.measured_at);
        self.is_nothing_open() && self.readings.iter().all(is_late)
    }

    /// Whether nothing is known to be open, but the broker was last asked before the last event reached it.
    #[must_use]
    pub fn waits_for_the_broker(&self) -> bool {
        self.is_nothing_open() && !self.is_all_heard()
    }

    fn is_nothing_open(&self) -> bool {
        let is_carried = self.outbox_waiting == 0 && self.outbox_dead == 0;
        let is_read = self.readings.iter().all(|reading| reading.unread == 0);
        is_carried && is_read && self.consumers.is_empty()
    }
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
        // The broker's word first: what reaches the topic after it shows in `published_at`, and what a consumer keeps for later is written down
        // before it counts as read.
        let readings = readings::all(&self.client).await?;
        let backlog = outbox::backlog(&self.client).await?;
        Ok(Overview {
            outbox_waiting: backlog.waiting,
            outbox_oldest_seconds: backlog.oldest,
            outbox_dead: backlog.dead,
            published_at: backlog.published_at,
            readings,
            unreadable: unreadable::count(&self.client).await?,
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

    /// Events that no broker would take, newest first.
    ///
    /// # Errors
    /// The database only.
    pub async fn untold(&self, most: u32) -> Result<Vec<Untold>, BusError> {
        Ok(outbox::dead(&self.client, i64::from(most)).await?)
    }

    /// Has events that no broker would take carried on once more: those at these positions, or all. How many there were. They come after what
    /// their aggregates stated since.
    ///
    /// # Errors
    /// The database only.
    pub async fn carry_again(&self, positions: Option<&[i64]>) -> Result<u64, BusError> {
        Ok(outbox::revive(&self.client, positions).await?)
    }

    /// Messages of the topic that are no events, newest first.
    ///
    /// # Errors
    /// The database only.
    pub async fn unreadable(&self, most: u32) -> Result<Vec<Unreadable>, BusError> {
        Ok(unreadable::list(&self.client, i64::from(most)).await?)
    }

    /// Forgets messages that are no events: those at these places, or all. How many there were.
    ///
    /// # Errors
    /// The database only.
    pub async fn forget_unreadable(&self, places: Option<&[String]>) -> Result<u64, BusError> {
        Ok(unreadable::forget(&self.client, places).await?)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn overview(unread: i64, measured_at: &str) -> Overview {
        let reading = Reading {
            consumer: "order_mail".to_owned(),
            unread,
            oldest_seconds: 0.0,
            measured_at: measured_at.parse().unwrap(),
            measured_seconds: 3.0,
        };
        Overview {
            outbox_waiting: 0,
            outbox_oldest_seconds: 0.0,
            outbox_dead: 0,
            published_at: Some("2026-11-24T12:00:00Z".parse().unwrap()),
            readings: vec![reading],
            unreadable: 0,
            consumers: Vec::new(),
        }
    }

    #[test]
    fn all_is_heard_only_when_the_broker_said_so_after_the_last_event() {
        let (before, after) = ("2026-11-24T12:00:00Z", "2026-11-24T12:00:01Z");
        assert!(overview(0, after).is_all_heard());
        assert!(!overview(0, before).is_all_heard(), "what was published since is not counted");
        assert!(overview(0, before).waits_for_the_broker() && !overview(0, after).waits_for_the_broker());
        assert!(!overview(1, before).waits_for_the_broker(), "it said already that there is more");
        assert!(!overview(1, after).is_all_heard());
        assert!(!Overview { outbox_waiting: 1, ..overview(0, after) }.is_all_heard());
        assert!(!Overview { outbox_dead: 1, ..overview(0, after) }.is_all_heard());
        let failed = Standing { consumer: "order_mail".to_owned(), waiting: 0, dead: 1, oldest_seconds: 0.0 };
        assert!(!Overview { consumers: vec![failed], ..overview(0, after) }.is_all_heard());
        assert!(
            Overview { published_at: None, ..overview(0, before) }.is_all_heard(),
            "nothing was said yet"
        );
        assert!(
            Overview { readings: Vec::new(), ..overview(0, before) }.is_all_heard(),
            "there is no broker"
        );
    }
}
