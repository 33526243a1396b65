//! Opening, working, ending: the life of a transaction, the same for stores and for the control plane.

use std::sync::atomic::Ordering;
use std::time::Instant;

use souk_kernel::Clock;
use souk_kernel::id::StoreId;
use tracing::Instrument;

use crate::entry::Standing;
use crate::error::{DbError, TenancyError};
use crate::lane::Lane;
use crate::prologue::Prologue;
use crate::queue::Place;
use crate::session::Session;
use crate::transaction::{ReadTx, WriteTx};
use crate::work::Work;

/// What the server is told the transaction may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    LookUp,
    Write,
}

impl Mode {
    fn label(self) -> &'static str {
        match self {
            Self::Read | Self::LookUp => "read",
            Self::Write => "write",
        }
    }
}

/// Everything a transaction stands on.
pub(crate) struct Ground<'s> {
    pub(crate) plane: &'static str,
    pub(crate) name: &'static str,
    pub(crate) mode: Mode,
    pub(crate) lane: &'s Lane,
    pub(crate) prologue: &'s Prologue,
    /// One store must not take a whole lane.
    pub(crate) standing: Option<&'s Standing>,
    pub(crate) store: StoreId,
    pub(crate) clock: &'s Clock,
    pub(crate) deadline: Instant,
}

impl<'s> Ground<'s> {
    pub(crate) async fn read<T, E, F>(self, work: F) -> Result<T, E>
    where
        for<'t, 'c> F: AsyncFnOnce(&'t mut ReadTx<'c>) -> Result<T, E>
            + Work<&'t mut ReadTx<'c>, Result<T, E>, Fut: Send>,
        F: Send,
        T: Send,
        E: From<TenancyError> + Send,
    {
        let span = self.span();
        async move {
            let mut end = Ending::new(&self);
            let (mut session, _permit) = self.open(&mut end).await?;
            let now = self.clock.now();
            let mut tx = ReadTx::new(
                session.connection().map_err(TenancyError::from)?,
                self.store,
                now,
                &self.prologue.tag,
            );
            let outcome = work(&mut tx).await;
            let failed = tx.failed();
            if failed {
                session.roll_back().await;
            } else if let Err(error) = session.commit().await {
                // What was read was read; the connection is closed.
                tracing::debug!(%error, "a reading transaction did not end in order");
            }
            end.done(if outcome.is_ok() { "ok" } else { "refused" });
            outcome
        }
        .instrument(span)
        .await
    }

    pub(crate) async fn write<T, E, F>(self, work: F) -> Result<T, E>
    where
        for<'t, 'c> F: AsyncFnOnce(&'t mut WriteTx<'c>) -> Result<T, E>
            + Work<&'t mut WriteTx<'c>, Result<T, E>, Fut: Send>,
        F: Send,
        T: Send,
        E: From<TenancyError> + Send,
    {
        let span = self.span();
        async move {
            let mut end = Ending::new(&self);
            let (mut session, _permit) = self.open(&mut end).await?;
            let now = self.clock.now();
            let mut tx = WriteTx::new(ReadTx::new(
                session.connection().map_err(TenancyError::from)?,
                self.store,
                now,
                &self.prologue.tag,
            ));
            let outcome = work(&mut tx).await;
            let failed = tx.failed();
            let changed = Changed(self.standing.filter(|_| tx.changes_catalogue()));
            match outcome {
                Err(error) => {
                    changed.not_so();
                    session.roll_back().await;
                    end.done("refused");
                    Err(error)
                }
                // PostgreSQL answers COMMIT of a failed transaction with a ROLLBACK and no error.
                Ok(_) if failed => {
                    session.roll_back().await;
                    end.done("aborted");
                    Err(TenancyError::Db(DbError::Aborted).into())
                }
                Ok(value) => match session.commit().await {
                    Ok(()) => {
                        drop(changed);
                        end.done("ok");
                        Ok(value)
                    }
                    Err(error) => {
                        end.done(error.label());
                        Err(TenancyError::Db(error).into())
                    }
                },
            }
        }
        .instrument(span)
        .await
    }

    async fn open(&self, end: &mut Ending) -> Result<(Session, Option<Place<'s>>), TenancyError> {
        let waited = Instant::now();
        let opened = async {
            let permit = match self.standing {
                None => None,
                Some(standing) => Some(standing.queue.enter(self.deadline).await?),
            };
            let prologue = match self.mode {
                Mode::Read => &self.prologue.read,
                Mode::LookUp => &self.prologue.look_up,
                Mode::Write => &self.prologue.write,
            };
            Ok((Session::begin(self.lane, prologue, self.deadline).await?, permit))
        }
        .await;
        metrics::histogram!("souk_tenancy_wait_seconds", "plane" => self.plane).record(waited.elapsed());
        opened.inspect_err(|error: &TenancyError| end.done(error.label()))
    }

    fn span(&self) -> tracing::Span {
        tracing::info_span!(
            "transaction",
            name = self.name,
            mode = self.mode.label(),
            store = %self.prologue.tag.trim_matches([' ', '/', '*'])
        )
    }
}

/// Tells this process's caches, before anybody is told that it is done, that a catalogue changed: also when the future is dropped or the
/// connection breaks while the COMMIT is under way, for then it may have.
struct Changed<'s>(Option<&'s Standing>);

impl Changed<'_> {
    fn not_so(mut self) {
        self.0 = None;
    }
}

impl Drop for Changed<'_> {
    fn drop(&mut self) {
        if let Some(standing) = self.0 {
            standing.catalogue.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// Counts and times a transaction when it ends, however it ends.
struct Ending {
    plane: &'static str,
    name: &'static str,
    mode: Mode,
    started: Instant,
    outcome: &'static str,
}

impl Ending {
    fn new(ground: &Ground<'_>) -> Self {
        let Ground { plane, name, mode, .. } = *ground;
        // Until something better is known: the future was dropped, or it panicked.
        Self { plane, name, mode, started: Instant::now(), outcome: "dropped" }
    }

    fn done(&mut self, outcome: &'static str) {
        self.outcome = outcome;
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let labels = [
            ("plane", self.plane),
            ("name", self.name),
            ("mode", self.mode.label()),
            ("outcome", self.outcome),
        ];
        metrics::counter!("souk_tenancy_transactions_total", &labels).increment(1);
        metrics::histogram!("souk_tenancy_transaction_seconds", "plane" => self.plane, "name" => self.name)
            .record(self.started.elapsed());
    }
}
