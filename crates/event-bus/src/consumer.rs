//! Who listens, and how listening fails.

use futures_util::future::BoxFuture;
use souk_tenancy::{DbError, TenancyError, WriteTx};

use crate::event::Event;

/// Hears events of every store.
///
/// ```
/// # use souk_event_bus::{Consumer, ConsumerError, Event};
/// # use souk_tenancy::{WriteTx, sql};
/// # use futures_util::future::{BoxFuture, FutureExt};
/// struct Greeter;
///
/// impl Consumer for Greeter {
///     fn name(&self) -> &'static str {
///         "greeter"
///     }
///     fn wants(&self, kind: &str) -> bool {
///         kind == "customer.registered"
///     }
///     fn hear<'a>(&'a self, tx: &'a mut WriteTx<'_>, _: &'a Event) -> BoxFuture<'a, Result<(), ConsumerError>> {
///         async move {
///             tx.execute(sql("insert into greetings default values")).await?;
///             Ok(())
///         }
///         .boxed()
///     }
/// }
/// ```
pub trait Consumer: Send + Sync {
    /// Its name in `heard_events`. Changing it makes every undelivered event new to it; never reuse one.
    fn name(&self) -> &'static str;

    /// Whether events of this kind concern it.
    fn wants(&self, kind: &str) -> bool;

    /// How many events of one store, in their order, it may hear in one transaction where several wait; 1: each has its own. More is for those
    /// that do little with each and lock no row that others change: what one event locked stays locked until the last was heard, and whoever
    /// locks things in another order would wait in a circle. One event that fails undoes them all; then each is heard alone.
    fn together(&self) -> usize {
        1
    }

    /// Takes in one event, inside a transaction of the event's store that commits when this returns `Ok`. Called
    /// again after an error; its committed effect happens once. What leaves the database (a mail, a call) must go
    /// through a table that another worker empties.
    ///
    /// # Errors
    /// See [`ConsumerError`] for what each leads to.
    fn hear<'a>(
        &'a self,
        tx: &'a mut WriteTx<'_>,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<(), ConsumerError>>;
}

/// Why a consumer could not take in an event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsumerError {
    /// A statement failed. Tried again with backoff; not counted as an attempt while the database is away.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The transaction could not be opened or committed. As above; not counted when no connection was free.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
    /// The payload does not have the expected form. Trying again cannot help: dead at once.
    #[error("unreadable payload: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Anything else. Tried again with backoff.
    #[error("{0}")]
    Failed(String),
}

impl ConsumerError {
    /// Nobody could have done better now: the attempt does not count.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Db(DbError::Unavailable)
                | Self::Tenancy(TenancyError::Busy | TenancyError::Db(DbError::Unavailable))
        )
    }

    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Unreadable(_))
    }
}
