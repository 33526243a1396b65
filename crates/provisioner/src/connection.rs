//! The provisioner's own few connections. A connection that met an error is dropped, which rolls its transaction back.
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::{Client, Config, NoTls};

use crate::error::ProvisionError;

/// A backend that makes schemas grows by about 0.9 MB per schema and never gives it back: it is replaced after this many.
const SCHEMAS_PER_CONNECTION: u32 = 200;

pub(crate) struct Connections {
    config: Config,
    idle: Mutex<Vec<(Client, u32)>>,
    permits: Semaphore,
}

/// One connection for one piece of work. Dropping it closes it; [`Lent::keep`] gives it back.
pub(crate) struct Lent<'c> {
    client: Option<Client>,
    schemas: u32,
    of: &'c Connections,
    _permit: SemaphorePermit<'c>,
}

impl Connections {
    pub fn new(config: Config, at_most: usize) -> Self {
        Self { config, idle: Mutex::new(Vec::new()), permits: Semaphore::new(at_most.max(1)) }
    }

    pub async fn lend(&self) -> Result<Lent<'_>, ProvisionError> {
        let permit =
            self.permits.acquire().await.map_err(|_| ProvisionError::Refused("shutting down".into()))?;
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match idle {
                Some((client, _)) if client.is_closed() => {}
                Some((client, schemas)) => {
                    return Ok(Lent { client: Some(client), schemas, of: self, _permit: permit });
                }
                None => {
                    let client = connect(&self.config).await?;
                    return Ok(Lent { client: Some(client), schemas: 0, of: self, _permit: permit });
                }
            }
        }
    }
}

impl Lent<'_> {
    /// The work ended in order: the next one may use this connection, unless it has made its share of schemas.
    pub fn keep(mut self) {
        if let Some(client) = self.client.take()
            && self.schemas < SCHEMAS_PER_CONNECTION
        {
            self.of.idle.lock().unwrap_or_else(PoisonError::into_inner).push((client, self.schemas));
        }
    }

    pub fn count_schema(&mut self) {
        self.schemas += 1;
    }

    pub fn has_had_enough(&self) -> bool {
        self.schemas >= SCHEMAS_PER_CONNECTION
    }
}

impl std::ops::Deref for Lent<'_> {
    type Target = Client;
    fn deref(&self) -> &Client {
        match &self.client {
            Some(client) => client,
            None => unreachable!("the client leaves only in `keep`, which consumes the loan"),
        }
    }
}

/// Opens one connection; its driver runs on the current tokio runtime until the client is dropped.
pub(crate) async fn connect(config: &Config) -> Result<Client, ProvisionError> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a provisioner connection ended");
        }
    });
    Ok(client)
}

/// `postgres://host:port/db` with or without a user, as the given login.
pub(crate) fn config_for(url: &str, user: &str, password: &str) -> Result<Config, ProvisionError> {
    let mut config: Config = url.parse().map_err(|_| {
        ProvisionError::Refused("the database URL must look like postgres://host:port/name".into())
    })?;
    config.user(user).password(password).application_name("souk-provisioner");
    Ok(config)
}
