//! What can go wrong between a permit and a row, sorted by what the caller can do about it.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

/// One statement failed. After any of these except [`DbError::NotFound`] and [`DbError::TooManyRows`] the
/// transaction cannot be committed any more (unless the statement ran inside [`crate::WriteTx::savepoint`]).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// The database cannot be reached, is restarting, or the connection broke. When it comes from COMMIT
    /// the outcome is unknown: repeat under the same idempotency key. HTTP: 503 with Retry-After.
    #[error("the database is not available")]
    Unavailable,
    /// The statement ran longer than `statement_timeout`, or waited longer than `lock_timeout`. HTTP: 503.
    #[error("the statement took too long")]
    Timeout,
    /// A unique constraint refused the row.
    #[error("unique constraint {constraint} violated")]
    Unique {
        /// Name of the constraint or unique index.
        constraint: String,
    },
    /// A foreign key refused the row.
    #[error("foreign key {constraint} violated")]
    Foreign {
        /// Name of the constraint.
        constraint: String,
    },
    /// A CHECK refused the row.
    #[error("check {constraint} violated")]
    Check {
        /// Name of the constraint.
        constraint: String,
    },
    /// An exclusion constraint refused the row.
    #[error("exclusion constraint {constraint} violated")]
    Exclusion {
        /// Name of the constraint.
        constraint: String,
    },
    /// A NOT NULL column got none.
    #[error("column {column} must not be null")]
    NotNull {
        /// Name of the column.
        column: String,
    },
    /// Two transactions collided under serializable or repeatable read. The whole transaction may be retried.
    #[error("serialization failure")]
    Serialization,
    /// PostgreSQL broke a deadlock by ending this transaction. The whole transaction may be retried.
    #[error("deadlock")]
    Deadlock,
    /// A write inside a READ ONLY transaction.
    #[error("write in a read-only transaction")]
    ReadOnly,
    /// `one` found no row.
    #[error("no row")]
    NotFound,
    /// `one` or `optional` found more than one row: the query is wrong.
    #[error("more than one row")]
    TooManyRows,
    /// The work returned `Ok` although one of its statements had failed or was abandoned. PostgreSQL would
    /// have turned the COMMIT into a silent ROLLBACK; this says it aloud. Nothing was written.
    #[error("the transaction had already failed")]
    Aborted,
    /// Anything else: a mistake in a statement, a missing right, a value that does not decode.
    #[error("database error: {0}")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl DbError {
    /// Whether the same transaction, run again from its start, may succeed at once.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Serialization | Self::Deadlock)
    }

    /// Whether the unique constraint (or unique index) of this name refused the row.
    #[must_use]
    pub fn is_unique(&self, name: &str) -> bool {
        matches!(self, Self::Unique { constraint } if constraint == name)
    }

    /// The violated constraint's name, whatever its sort.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Unique { constraint }
            | Self::Foreign { constraint }
            | Self::Check { constraint }
            | Self::Exclusion { constraint } => Some(constraint),
            _ => None,
        }
    }

    /// A bounded word for metrics.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Unique { .. } => "unique",
            Self::Foreign { .. } => "foreign",
            Self::Check { .. } => "check",
            Self::Exclusion { .. } => "exclusion",
            Self::NotNull { .. } => "not_null",
            Self::Serialization => "serialization",
            Self::Deadlock => "deadlock",
            Self::ReadOnly => "read_only",
            Self::NotFound => "not_found",
            Self::TooManyRows => "too_many_rows",
            Self::Aborted => "aborted",
            Self::Other(_) => "other",
        }
    }
}

impl From<DieselError> for DbError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NotFound,
            DieselError::BrokenTransactionManager => Self::Aborted,
            DieselError::DatabaseError(kind, information) => classify(kind, information),
            other => Self::Other(Box::new(other)),
        }
    }
}

fn classify(
    kind: DatabaseErrorKind,
    information: Box<dyn DatabaseErrorInformation + Send + Sync>,
) -> DbError {
    let constraint = || information.constraint_name().unwrap_or_default().to_owned();
    match kind {
        DatabaseErrorKind::UniqueViolation => DbError::Unique { constraint: constraint() },
        DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => {
            DbError::Foreign { constraint: constraint() }
        }
        DatabaseErrorKind::CheckViolation => DbError::Check { constraint: constraint() },
        DatabaseErrorKind::ExclusionViolation => DbError::Exclusion { constraint: constraint() },
        DatabaseErrorKind::NotNullViolation => {
            DbError::NotNull { column: information.column_name().unwrap_or_default().to_owned() }
        }
        DatabaseErrorKind::SerializationFailure => DbError::Serialization,
        DatabaseErrorKind::ReadOnlyTransaction => DbError::ReadOnly,
        DatabaseErrorKind::ClosedConnection => DbError::Unavailable,
        DatabaseErrorKind::UnableToSendCommand if is_loss_of_connection(information.message()) => {
            DbError::Unavailable
        }
        _ => by_message(information.message())
            .unwrap_or_else(|| DbError::Other(Box::new(DieselError::DatabaseError(kind, information)))),
    }
}

/// tokio-postgres reports failures of its own (no SQLSTATE) by text; only these mean that the link broke.
fn is_loss_of_connection(message: &str) -> bool {
    message.starts_with("connection closed")
        || message.starts_with("error communicating with the server")
        || message.starts_with("error connecting to server")
}

/// diesel hides the SQLSTATE of the errors it has no kind for. The server speaks `lc_messages = C`, whose
/// texts have been stable for decades; a text not known here becomes `Other`, never a wrong answer.
fn by_message(message: &str) -> Option<DbError> {
    const TIMEOUT: [&str; 3] = [
        "canceling statement due to statement timeout",
        "canceling statement due to lock timeout",
        "canceling statement due to user request",
    ];
    const AWAY: [&str; 6] = [
        "terminating connection",
        "the database system is",
        "sorry, too many clients already",
        "remaining connection slots are reserved",
        "too many connections for",
        "connection closed",
    ];
    if TIMEOUT.iter().any(|text| message.starts_with(text)) {
        Some(DbError::Timeout)
    } else if message.starts_with("deadlock detected") {
        Some(DbError::Deadlock)
    } else if message.starts_with("current transaction is aborted") {
        Some(DbError::Aborted)
    } else if AWAY.iter().any(|text| message.starts_with(text)) {
        Some(DbError::Unavailable)
    } else {
        None
    }
}

/// A transaction could not be opened or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TenancyError {
    /// A statement, the prologue, or COMMIT failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// No permit or no connection came free within `acquire_timeout`. Nothing was done. HTTP: 503, Retry-After.
    #[error("no database connection came free in time")]
    Busy,
    /// The store is being deleted, or is no longer there. HTTP: 404.
    #[error("the store is gone")]
    StoreGone,
}

impl TenancyError {
    /// Whether the same transaction, run again from its start, may succeed at once.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Db(error) if error.is_retryable())
    }

    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Db(error) => error.label(),
            Self::Busy => "busy",
            Self::StoreGone => "store_gone",
        }
    }
}
