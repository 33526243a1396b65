//! How many statements a piece of work cost, so that a test (or a response header) can hold it to a number.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

tokio::task_local! {
    static CURRENT: StatementCount;
}

#[derive(Debug, Default)]
struct Counters {
    statements: AtomicU32,
    transactions: AtomicU32,
}

/// Counts the statements and transactions of every future that runs inside [`StatementCount::scope`].
///
/// Cloning shares the counters. The count belongs to the task: work moved to `tokio::spawn` is counted only
/// if the spawned future is wrapped in `StatementCount::current()`'s scope again.
#[derive(Clone, Debug, Default)]
pub struct StatementCount(Arc<Counters>);

impl StatementCount {
    /// A count at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `future`; everything it asks of a database is counted here. Scopes nest: the innermost counts.
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self.clone(), future)
    }

    /// The count of the scope this task runs in, if any.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Statements sent by the work itself: without BEGIN, COMMIT, ROLLBACK and savepoints.
    #[must_use]
    pub fn statements(&self) -> u32 {
        self.0.statements.load(Ordering::Relaxed)
    }

    /// Transactions opened.
    #[must_use]
    pub fn transactions(&self) -> u32 {
        self.0.transactions.load(Ordering::Relaxed)
    }

    pub(crate) fn add_statement() {
        let _ = CURRENT.try_with(|count| count.0.statements.fetch_add(1, Ordering::Relaxed));
    }

    pub(crate) fn add_transaction() {
        let _ = CURRENT.try_with(|count| count.0.transactions.fetch_add(1, Ordering::Relaxed));
    }
}
