//! Pools of connections, one small one per login.

use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{HookError, PoolError, TimeoutType, Timeouts};
use diesel::ConnectionError;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::{Hook, Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use futures_util::FutureExt;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio_postgres::NoTls;

use crate::error::{DbError, TenancyError};

pub(crate) type Connection = AsyncPgConnection;
pub(crate) type Lease = Object<Connection>;

/// The login role of a lane; lanes count from 1.
#[must_use]
pub fn lane_role(lane: u16) -> String {
    format!("runtime_{lane}")
}

/// The password of a lane's login.
#[must_use]
pub fn lane_password(lane_secret: &str, lane: u16) -> String {
    role_password(lane_secret, &lane_role(lane))
}

/// hex(HMAC-SHA256(secret, role name)): one secret, a password per login, nothing to store.
#[must_use]
pub fn role_password(lane_secret: &str, role: &str) -> String {
    // HMAC takes a key of any length; the error type exists for other MACs, and then nobody may log in.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(lane_secret.as_bytes()) else {
        return String::new();
    };
    mac.update(role.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One login's connections, opened when first needed.
pub(crate) struct Lane {
    pool: Pool<Connection>,
    size: usize,
}

impl Lane {
    pub(crate) fn new(
        config: tokio_postgres::Config,
        size: usize,
        max_age: Duration,
    ) -> Result<Self, TenancyError> {
        let mut setup = ManagerConfig::<Connection>::default();
        // The prologue is the test of a recycled connection; a ping before it would be one more round trip.
        setup.recycling_method = RecyclingMethod::Fast;
        setup.custom_setup = Box::new(move |_| {
            let config = config.clone();
            async move {
                let (client, connection) = config
                    .connect(NoTls)
                    .await
                    .map_err(|error| ConnectionError::BadConnection(error.to_string()))?;
                Connection::try_from_client_and_connection(client, connection).await
            }
            .boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config(String::new(), setup);
        let pool = Pool::builder(manager)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .pre_recycle(Hook::sync_fn(move |_, metrics| {
                if metrics.age() < max_age { Ok(()) } else { Err(HookError::message("old enough")) }
            }))
            .build()
            .map_err(|error| DbError::Other(Box::new(error)))?;
        Ok(Self { pool, size })
    }

    /// How many connections may be found dead before a fresh one must come.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// A connection, by `deadline`.
    ///
    /// # Errors
    /// `Busy` if none came free in time; `Unavailable` if a new one could not be opened.
    pub(crate) async fn checkout(&self, deadline: Instant) -> Result<Lease, TenancyError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeouts = Timeouts { wait: Some(left), create: Some(Duration::from_secs(5)), recycle: None };
        self.pool.timeout_get(&timeouts).await.map_err(|error| match error {
            PoolError::Timeout(TimeoutType::Wait) => TenancyError::Busy,
            error => {
                tracing::warn!(%error, "no connection to the database");
                TenancyError::Db(DbError::Unavailable)
            }
        })
    }
}
