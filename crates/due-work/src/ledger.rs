//! What the ledger says of stores that no transaction can be opened in any more.

use std::time::Duration;

use souk_kernel::StoreId;
use tokio_postgres::NoTls;

use crate::desk::{DeskConfig, LOGIN};
use crate::queries;

const PATIENCE: Duration = Duration::from_secs(10);

/// The ledger could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database's.
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    /// It hangs.
    #[error("the database did not answer in time")]
    Silent(#[from] tokio::time::error::Elapsed),
}

/// Which of these stores are gone for good: their rows are still there and say so. One that can be restored, and one that the ledger does not
/// know, are not among them. One connection of its own, for whoever asks seldom.
///
/// # Errors
/// The database is away.
pub async fn deleted(config: &DeskConfig, stores: &[StoreId]) -> Result<Vec<StoreId>, LedgerError> {
    let login = config.database.login(LOGIN, &config.password);
    let (client, connection) = tokio::time::timeout(PATIENCE, login.connect(NoTls)).await??;
    // Ends with the client.
    tokio::spawn(connection);
    Ok(tokio::time::timeout(PATIENCE, queries::deleted(&client, stores)).await??)
}
