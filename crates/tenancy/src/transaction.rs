//! The only two things a query accepts: [`ReadTx`] and [`WriteTx`].

use std::ops::{Deref, DerefMut};
use std::time::Instant;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel_async::{AnsiTransactionManager, TransactionManager};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use souk_kernel::id::StoreId;
use tracing::Instrument;

use crate::count::StatementCount;
use crate::error::{DbError, TenancyError};
use crate::lane::Connection;
use crate::statement::{self, Rows};
use crate::work::Work;

/// An open transaction that may read. READ ONLY on the server too, unless it is inside a [`WriteTx`].
///
/// Every query runs as the store's role, in the store's schema. Statements are one per call (the extended
/// protocol refuses stacked ones). Dropping a statement's future before it is ready, or an error of one, leaves
/// a transaction that only rolls back.
pub struct ReadTx<'c> {
    connection: &'c mut Connection,
    store: StoreId,
    now: DateTime<Utc>,
    tag: &'c str,
    statements: u32,
    failed: bool,
    /// Savepoints begun and not ended; one whose future was dropped stays open.
    savepoints: u32,
    changes_catalogue: bool,
    logged: bool,
}

/// An open transaction that may write; everything a [`ReadTx`] does, it does too.
pub struct WriteTx<'c>(ReadTx<'c>);

impl<'c> Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for WriteTx<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'c> ReadTx<'c> {
    pub(crate) fn new(
        connection: &'c mut Connection,
        store: StoreId,
        now: DateTime<Utc>,
        tag: &'c str,
    ) -> Self {
        Self {
            connection,
            store,
            now,
            tag,
            statements: 0,
            failed: false,
            savepoints: 0,
            changes_catalogue: false,
            logged: false,
        }
    }

    /// Whether the transaction can only be rolled back.
    pub(crate) fn failed(&self) -> bool {
        self.failed || self.savepoints > 0
    }

    /// The store this transaction is inside of. The control plane's own transactions have the nil id.
    #[must_use]
    pub fn store(&self) -> StoreId {
        self.store
    }

    /// When this transaction began, by the process's clock: one instant for everything it writes.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Statements sent so far, without BEGIN, COMMIT and savepoints.
    #[must_use]
    pub fn statements(&self) -> u32 {
        self.statements
    }

    /// Every row of `query`.
    ///
    /// # Errors
    /// See [`DbError`]; never `NotFound`.
    pub fn load<U: Send + 'static>(&mut self, query: impl Rows<U>) -> BoxFuture<'_, Result<Vec<U>, DbError>> {
        let (span, rows) = query.send(self.tag, self.connection);
        self.statements += 1;
        watched(rows, &mut self.failed).instrument(span).boxed()
    }

    /// The one row of `query`.
    ///
    /// # Errors
    /// `NotFound` for none and `TooManyRows` for several (neither harms the transaction); else see [`DbError`].
    pub fn one<U: Send + 'static>(&mut self, query: impl Rows<U>) -> BoxFuture<'_, Result<U, DbError>> {
        let row = self.optional(query);
        async move { row.await?.ok_or(DbError::NotFound) }.boxed()
    }

    /// The one row of `query`, or none.
    ///
    /// # Errors
    /// `TooManyRows` for several (which does not harm the transaction); else see [`DbError`].
    pub fn optional<U: Send + 'static>(
        &mut self,
        query: impl Rows<U>,
    ) -> BoxFuture<'_, Result<Option<U>, DbError>> {
        let rows = self.load(query);
        async move {
            let mut rows = rows.await?;
            let row = rows.pop();
            if rows.is_empty() { Ok(row) } else { Err(DbError::TooManyRows) }
        }
        .boxed()
    }
}

impl<'c> WriteTx<'c> {
    pub(crate) fn new(tx: ReadTx<'c>) -> Self {
        Self(tx)
    }

    /// Says that what shoppers see of the catalogue is another once this transaction has committed. Caches of this process know it before
    /// the caller does; other processes hear it from the database (the triggers of `migrations/store/0035_catalogue_changes.sql`).
    pub fn catalogue_changed(&mut self) {
        self.0.changes_catalogue = true;
    }

    pub(crate) fn changes_catalogue(&self) -> bool {
        self.0.changes_catalogue
    }

    /// Says that the log has what this transaction does, or that it does nothing that belongs there (it counts attempts).
    pub fn logged(&mut self) {
        self.0.logged = true;
    }

    /// Whether [`Self::logged`] was said, and not inside a savepoint that was undone.
    #[must_use]
    pub fn is_logged(&self) -> bool {
        self.0.logged
    }

    /// Runs a statement that returns no rows; gives the number of rows it touched.
    ///
    /// # Errors
    /// See [`DbError`]; never `NotFound`: touching no row is `Ok(0)`.
    pub fn execute(
        &mut self,
        query: impl QueryFragment<Pg> + QueryId,
    ) -> BoxFuture<'_, Result<usize, DbError>> {
        let tx = &mut self.0;
        let (span, count) = statement::send(query, tx.tag, tx.connection);
        tx.statements += 1;
        watched(count, &mut tx.failed).instrument(span).boxed()
    }

    /// Runs `work` so that its failure undoes only what it did; the transaction goes on. Two more round trips:
    /// prefer `ON CONFLICT` where it says the same.
    ///
    /// # Errors
    /// What `work` returned; `Aborted` if it returned `Ok` over a failed statement; or the savepoint's own failure.
    #[expect(
        clippy::manual_async_fn,
        reason = "that the future is Send is promised here, not guessed at each call"
    )]
    pub fn savepoint<'t, T, E, F>(
        &'t mut self,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + Send + use<'t, 'c, T, E, F>
    where
        for<'w, 'x> F: AsyncFnOnce(&'w mut WriteTx<'x>) -> Result<T, E>
            + Work<&'w mut WriteTx<'x>, Result<T, E>, Fut: Send>,
        F: Send,
        T: Send,
        E: From<TenancyError> + Send,
    {
        async move {
            if self.0.failed {
                return Err(TenancyError::Db(DbError::Aborted).into());
            }
            let (depth, logged) = (self.0.savepoints, self.0.logged);
            self.0.savepoints += 1;
            AnsiTransactionManager::begin_transaction(self.0.connection).await.map_err(refused)?;
            let outcome = match work(self).await {
                Ok(_) if self.0.failed || self.0.savepoints != depth + 1 => {
                    Err(TenancyError::Db(DbError::Aborted).into())
                }
                outcome => outcome,
            };
            if self.0.savepoints != depth + 1 {
                // A savepoint inside this one was abandoned: a ROLLBACK would end that one instead of this.
                return outcome;
            }
            match &outcome {
                Ok(_) => AnsiTransactionManager::commit_transaction(self.0.connection).await,
                Err(_) => {
                    self.0.logged = logged;
                    AnsiTransactionManager::rollback_transaction(self.0.connection).await
                }
            }
            .map_err(refused)?;
            // Rolled back to where it was before, whatever failed since.
            self.0.failed = false;
            self.0.savepoints = depth;
            outcome
        }
    }
}

fn refused(error: diesel::result::Error) -> TenancyError {
    TenancyError::Db(error.into())
}

/// Counts and times one statement, and marks the transaction failed from before it is sent until it has
/// succeeded: so an abandoned statement counts as a failed one.
async fn watched<T>(
    work: impl Future<Output = diesel::QueryResult<T>>,
    failed: &mut bool,
) -> Result<T, DbError> {
    let before = std::mem::replace(failed, true);
    StatementCount::add_statement();
    let started = Instant::now();
    let outcome = work.await;
    metrics::histogram!("souk_tenancy_statement_seconds").record(started.elapsed());
    match outcome {
        Ok(value) => {
            *failed = before;
            Ok(value)
        }
        Err(error) => {
            tracing::debug!(%error, "statement failed");
            let error = DbError::from(error);
            metrics::counter!("souk_tenancy_statement_errors_total", "kind" => error.label()).increment(1);
            Err(error)
        }
    }
}
