//! What the planes hand in: where the database is, how many connections, how long anything may take.

use std::str::FromStr;
use std::time::Duration;

use souk_kernel::Clock;
use souk_kernel::id::StoreId;
use souk_kernel::plan;

use crate::prologue::Limits;

/// Where the database is, without saying as whom: `postgres://host:port/database`.
///
/// A user or password in the URL is ignored; each connection brings its own login. Several hosts may be listed;
/// a Unix socket is given as `?host=/directory`.
#[derive(Clone, Debug)]
pub struct Database {
    config: tokio_postgres::Config,
}

/// The database URL cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseUrlError {
    /// It is not a PostgreSQL URL.
    #[error("must be postgres://host:port/database ({0})")]
    Malformed(#[from] tokio_postgres::Error),
    /// It names no database.
    #[error("must name a database: postgres://host:port/database")]
    NoDatabase,
    /// It insists on TLS, which this build does not speak; use a private network or a local proxy.
    #[error("sslmode=require is not supported; use sslmode=prefer or disable")]
    Tls,
}

impl FromStr for Database {
    type Err = DatabaseUrlError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let config = tokio_postgres::Config::from_str(url)?;
        if config.get_dbname().is_none() {
            return Err(DatabaseUrlError::NoDatabase);
        }
        match config.get_ssl_mode() {
            tokio_postgres::config::SslMode::Disable | tokio_postgres::config::SslMode::Prefer => {}
            _ => return Err(DatabaseUrlError::Tls),
        }
        Ok(Self { config })
    }
}

impl Database {
    /// The connection settings for one login. The session gives up an idle transaction after 10 s, so that a
    /// stuck handler cannot hold locks for long; this is a default of the session, not a store's setting.
    #[must_use]
    pub fn login(&self, role: &str, password: &str) -> tokio_postgres::Config {
        let mut config = self.config.clone();
        config
            .user(role)
            .password(password)
            .application_name(format!("souk {role}"))
            .options("-c idle_in_transaction_session_timeout=10000")
            .connect_timeout(Duration::from_secs(5))
            .keepalives_idle(Duration::from_secs(30));
        config
    }
}

/// Settings of the store side: the directory and the lanes.
#[derive(Clone)]
pub struct TenancyConfig {
    /// Where the database is.
    pub database: Database,
    /// The secret every lane's password is made from: hex(HMAC-SHA256(secret, role name)).
    pub lane_secret: String,
    /// How many lanes there are; logins `runtime_1` … `runtime_<lanes>`.
    pub lanes: u16,
    /// Connections per lane and process. Not fewer than 2, or one slow statement holds up a whole lane.
    pub connections_per_lane: usize,
    /// How many transactions one store may have open or waiting for a connection at once, in this process; `None`: as many as its plan
    /// allows.
    pub permits_per_store: Option<usize>,
    /// How many may wait for such a permit; the next is told [`crate::TenancyError::Busy`] at once.
    pub waiting_per_store: usize,
    /// Longest statement.
    pub statement_timeout: Duration,
    /// Longest wait for a lock.
    pub lock_timeout: Duration,
    /// A connection is replaced at this age: PostgreSQL never forgets a table it has seen.
    pub max_age: Duration,
    /// Longest wait for a permit and a connection together; after that [`crate::TenancyError::Busy`].
    pub acquire_timeout: Duration,
    /// The ledger is read as a whole this often, whatever was heard of it: so long may a lost notification go unnoticed.
    pub reread_every: Duration,
    /// Serve this store only (a dedicated runtime); `None` serves every store of the database.
    pub only_store: Option<StoreId>,
    /// The login of the one store this process serves (`l_<id>_1` or `_2`) and its password: instead of the lanes' logins and
    /// of the directory's, none of which such a process knows. It sees that store's row of the ledger and no other.
    pub own_login: Option<(String, String)>,
    /// What `tx.now()` reads.
    pub clock: Clock,
}

impl TenancyConfig {
    /// The defaults: 8 lanes of 2 connections, the permits of its plan and 512 waiting a store, statements 5 s, locks 1 s, age 30 min,
    /// wait 2 s, the ledger anew every 30 s.
    #[must_use]
    pub fn new(database: Database, lane_secret: String) -> Self {
        Self {
            database,
            lane_secret,
            lanes: 8,
            connections_per_lane: 2,
            permits_per_store: None,
            waiting_per_store: 512,
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(1),
            max_age: Duration::from_secs(30 * 60),
            acquire_timeout: Duration::from_secs(2),
            reread_every: Duration::from_secs(30),
            only_store: None,
            own_login: None,
            clock: Clock::system(),
        }
    }

    /// At least one: a store that may do nothing is suspended, not limited.
    pub(crate) fn permits_of(&self, limits: &plan::Limits) -> usize {
        let of_plan = || usize::try_from(limits.concurrent_transactions).unwrap_or(usize::MAX);
        self.permits_per_store.unwrap_or_else(of_plan).max(1)
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits { statement: self.statement_timeout, lock: self.lock_timeout }
    }
}

/// Settings of the control plane's own pool (login `control_plane`, schema `control`).
#[derive(Clone)]
pub struct ControlConfig {
    /// Where the database is.
    pub database: Database,
    /// Password of the login `control_plane`.
    pub password: String,
    /// Connections of this process.
    pub connections: usize,
    /// Longest statement.
    pub statement_timeout: Duration,
    /// Longest wait for a lock.
    pub lock_timeout: Duration,
    /// A connection is replaced at this age.
    pub max_age: Duration,
    /// Longest wait for a connection; after that [`crate::TenancyError::Busy`].
    pub acquire_timeout: Duration,
    /// What `tx.now()` reads.
    pub clock: Clock,
}

impl ControlConfig {
    /// The defaults: 8 connections, statements 5 s, locks 1 s, age 30 min, wait 2 s.
    #[must_use]
    pub fn new(database: Database, password: String) -> Self {
        Self {
            database,
            password,
            connections: 8,
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(1),
            max_age: Duration::from_secs(30 * 60),
            acquire_timeout: Duration::from_secs(2),
            clock: Clock::system(),
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits { statement: self.statement_timeout, lock: self.lock_timeout }
    }
}
