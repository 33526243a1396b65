//! What can go wrong while a store is made, changed or removed.
use souk_kernel::StoreId;
use tokio_postgres::error::SqlState;

/// Every error of this crate. Nothing of a failed step is committed; calling again is always safe.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvisionError {
    /// The database refused or dropped the connection, or a statement failed.
    #[error("database: {}", explain(.0))]
    Database(#[from] tokio_postgres::Error),
    /// A migration failed; the schema is as it was before that file.
    #[error("migration {migration} of {schema}: {}", explain(.source))]
    Migration { schema: String, migration: String, source: tokio_postgres::Error },
    /// Every lane holds as many stores as it may: this database is full, place the store on another.
    #[error("all {lanes} lanes hold {per_lane} stores each: this database takes no more")]
    LanesFull { lanes: u16, per_lane: u32 },
    /// Another store answers at one of the hosts.
    #[error("one of the hosts already belongs to another store: {0}")]
    HostTaken(String),
    /// The owner's store is being deleted or gone; an owner reference is never used twice.
    #[error("store {store} is {state}")]
    Gone { store: StoreId, state: String },
    /// No such store in this database's ledger.
    #[error("store {0} is not in the ledger")]
    Unknown(StoreId),
    /// Somebody acted with a higher fence number since: this caller's order is outdated.
    #[error("fence {given} is older than the ledger's {recorded}")]
    Stale { given: i64, recorded: i64 },
    /// The store's state does not allow the step.
    #[error("store {store} is {state}: cannot {wanted}")]
    WrongState { store: StoreId, state: String, wanted: &'static str },
    /// A wall between stores is missing; the store does not go live.
    #[error("{schema} is not isolated: {}", .breaches.join(", "))]
    NotIsolated { schema: String, breaches: Vec<String> },
    /// The request cannot be carried out as it is; the text says what to change.
    #[error("{0}")]
    Refused(String),
    /// A watcher asked to stop; the next call goes on from here.
    #[error("interrupted: {0}")]
    Interrupted(String),
}

impl ProvisionError {
    /// True when trying again a little later may well succeed (no connection, lock timeout, deadlock, interruption).
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) | Self::Migration { source: error, .. } => is_transient(error),
            Self::Interrupted(_) => true,
            _ => false,
        }
    }
}

pub(crate) fn is_transient(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => {
            *code == SqlState::LOCK_NOT_AVAILABLE
                || *code == SqlState::T_R_DEADLOCK_DETECTED
                || *code == SqlState::T_R_SERIALIZATION_FAILURE
                || *code == SqlState::ADMIN_SHUTDOWN
                || *code == SqlState::CRASH_SHUTDOWN
                || *code == SqlState::CANNOT_CONNECT_NOW
                || *code == SqlState::TOO_MANY_CONNECTIONS
        }
        None => true,
    }
}

/// The server's message with its code, or the client's: `tokio_postgres` alone says only "db error".
pub(crate) fn explain(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => {
            let detail = db.detail().map(|text| format!(" ({text})")).unwrap_or_default();
            format!("{} [{}]{detail}", db.message(), db.code().code())
        }
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}
