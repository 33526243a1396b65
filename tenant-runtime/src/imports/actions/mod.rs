//! Taking files in, carrying them out, and writing them.

mod export;
mod upload;
mod work;

use chrono::TimeDelta;
use souk_kernel::ImportId;
use souk_tenancy::{DbError, WriteTx};

use super::error::ImportError;
use super::model::ImportView;
use super::queries;
use super::state::ImportEvent;

pub use export::written;
pub use upload::receive;
#[cfg(test)]
pub use work::step;
pub use work::{Worked, work_due};

/// A file of which nothing came for so long does not arrive any more.
const SILENT: TimeDelta = TimeDelta::minutes(15);
/// An import that is over is kept for so long.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Stops an import: what was applied stays. Stopping it again changes nothing. Waits for the products under way.
///
/// # Errors
/// `Unknown`; `Over` when there is nothing left to stop.
pub async fn cancel(tx: &mut WriteTx<'_>, import: ImportId) -> Result<ImportView, ImportError> {
    let job = queries::lock(tx, import).await?.ok_or(ImportError::Unknown)?;
    let state = job.state.on(ImportEvent::Cancel)?;
    if state != job.state {
        queries::end(tx, import, state, None).await?;
        queries::drop_file(tx, import).await?;
    }
    queries::find(tx, import).await?.ok_or(ImportError::Unknown)
}

/// Forgets imports that were over long ago, and files that did not arrive; at most so many, for housekeeping. Gives how many.
///
/// # Errors
/// The database's only.
pub async fn forget(tx: &mut WriteTx<'_>, most: u32) -> Result<usize, DbError> {
    let (silent, kept) = (tx.now() - SILENT, tx.now() - KEPT);
    let stale = queries::abandon_stale(tx, silent).await?;
    Ok(stale.max(queries::forget(tx, kept, i64::from(most)).await?))
}
