//! One connection between BEGIN and its end; whatever does not end in order ends the connection.

use std::time::Instant;

use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AnsiTransactionManager, TransactionManager};
use tokio_postgres::NoTls;

use crate::count::StatementCount;
use crate::error::{DbError, TenancyError};
use crate::lane::{Connection, Lane, Lease};

/// A connection with an open transaction.
///
/// Dropping it anywhere but through [`Session::commit`] or [`Session::roll_back`] (an error of the prologue, a
/// dropped future, a panic) closes the connection. diesel would notice an open transaction only when the connection
/// is taken out again, and until then its locks would stay.
pub(crate) struct Session {
    lease: Option<Lease>,
}

impl Session {
    /// Takes a connection and sends `prologue`. A connection found dead is replaced: the prologue is the first
    /// thing said on it, so nothing is done twice.
    ///
    /// # Errors
    /// `Busy`, or what the prologue failed with (`StoreGone` if its role or schema is no longer there).
    pub(crate) async fn begin(lane: &Lane, prologue: &str, deadline: Instant) -> Result<Self, TenancyError> {
        let mut dead = 0;
        loop {
            let mut session = Self { lease: Some(lane.checkout(deadline).await?) };
            let outcome =
                AnsiTransactionManager::begin_transaction_sql(session.connection()?, prologue).await;
            let Err(error) = outcome else {
                StatementCount::add_transaction();
                return Ok(session);
            };
            // A prologue that fails behind its BEGIN leaves an aborted transaction that diesel does not know of.
            session.discard();
            let gone = is_gone(&error);
            match DbError::from(error) {
                DbError::Unavailable if dead < lane.size() => dead += 1,
                _ if gone => return Err(TenancyError::StoreGone),
                error => return Err(error.into()),
            }
        }
    }

    pub(crate) fn connection(&mut self) -> Result<&mut Connection, DbError> {
        self.lease.as_deref_mut().ok_or(DbError::Unavailable)
    }

    /// COMMIT. On an error the connection is closed.
    pub(crate) async fn commit(mut self) -> Result<(), DbError> {
        AnsiTransactionManager::commit_transaction(self.connection()?).await?;
        self.give_back();
        Ok(())
    }

    /// ROLLBACK. On an error the connection is closed, which rolls back as well; so there is nothing to report.
    pub(crate) async fn roll_back(mut self) {
        let Ok(connection) = self.connection() else { return };
        match AnsiTransactionManager::rollback_transaction(connection).await {
            Ok(()) => self.give_back(),
            Err(error) => tracing::warn!(%error, "rollback failed; connection closed"),
        }
    }

    /// Back to the pool, unless something is still open: a savepoint whose future was dropped takes the ROLLBACK for
    /// itself and leaves the transaction.
    fn give_back(&mut self) {
        if self
            .connection()
            .is_ok_and(|connection| !AnsiTransactionManager::is_broken_transaction_manager(connection))
        {
            drop(self.lease.take());
        }
    }

    fn discard(&mut self) {
        if let Some(lease) = self.lease.take() {
            drop(Object::take(lease));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        metrics::counter!("souk_tenancy_connections_discarded_total").increment(1);
        let connection = Object::take(lease);
        // The server would go on with the abandoned statement, and keep its locks, until the statement ends.
        let cancel = connection.cancel_token();
        drop(connection);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = cancel.cancel_query(NoTls).await;
            });
        }
    }
}

/// Whether the prologue failed because the role has been dropped or taken away from this login.
fn is_gone(error: &diesel::result::Error) -> bool {
    let diesel::result::Error::DatabaseError(_, information) = error else { return false };
    let message = information.message();
    message.starts_with("permission denied to set role")
        || (message.starts_with("role ") && message.ends_with("does not exist"))
}
