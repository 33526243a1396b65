//! What is done with files of pictures.

mod darkroom;
mod fetcher;
mod shelf;

use std::time::Duration;

use souk_access::WorkerPermit;
use souk_due_work::DeskConfig;
use souk_telemetry::Shutdown;
use souk_tenancy::{ReadTx, WriteTx};

use super::error::MediaError;
use super::model::{Developed, STORES, of_object, of_store};
use super::queries;

pub use darkroom::Darkroom;
pub use fetcher::{Fetcher, Missed};
pub use shelf::{Shelf, ShelfError};

/// Files put away in one go.
const SOME: i64 = 50;
/// How often somebody looks for objects of stores that are gone.
const ROUND: Duration = Duration::from_secs(3600);
const MEGABYTE: i64 = 1_000_000;

/// Announces a file whose bytes are about to be put onto the shelf, and takes its room; `limit` is the plan's, in MB. What is not kept within the
/// hour is put away. Two statements.
///
/// # Errors
/// [`MediaError::Quota`]; the database's.
pub async fn announce(tx: &mut WriteTx<'_>, file: &Developed, limit: u32) -> Result<(), MediaError> {
    take(tx, file, limit, false).await
}

/// Keeps a file, in the transaction that shows it: one that was announced, or one whose row has the bytes. One or two statements.
///
/// # Errors
/// [`MediaError::Late`] for what was announced too long ago; [`MediaError::Quota`]; the database's.
pub async fn keep(tx: &mut WriteTx<'_>, file: &Developed, limit: u32) -> Result<(), MediaError> {
    if !file.shelved {
        return take(tx, file, limit, true).await;
    }
    if queries::keep(tx, file.id).await? { Ok(()) } else { Err(MediaError::Late) }
}

async fn take(tx: &mut WriteTx<'_>, file: &Developed, limit: u32, kept: bool) -> Result<(), MediaError> {
    if !queries::count(tx, file.size(), i64::from(limit) * MEGABYTE).await? {
        return Err(MediaError::Quota(limit));
    }
    Ok(queries::insert(tx, file, kept).await?)
}

/// Puts away some of the files that nothing shows, objects first; whether there may be more. Done twice at the same time, it does no harm.
///
/// # Errors
/// The object store's and the database's: done again later.
pub async fn tidy(worker: &WorkerPermit, darkroom: &Darkroom) -> Result<bool, MediaError> {
    let late = async |tx: &mut WriteTx<'_>| Ok::<_, MediaError>(queries::give_up(tx).await?);
    worker.write("media.give_up", late).await?;
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, MediaError>(queries::gone(tx, SOME).await?);
    let gone = worker.read("media.gone", look).await?;
    if gone.is_empty() {
        return Ok(false);
    }
    if let Some(shelf) = darkroom.shelf() {
        for object in &gone {
            shelf.clear(&of_object(worker.store(), *object)).await?;
        }
    }
    let more = gone.len() >= usize::try_from(SOME).unwrap_or(usize::MAX);
    let forget = async move |tx: &mut WriteTx<'_>| Ok::<_, MediaError>(queries::forget(tx, gone).await?);
    worker.write("media.forget", forget).await?;
    Ok(more)
}

/// Puts away the objects of stores that are gone for good, once an hour until the wish to stop. The ledger says which they are: a store that it
/// does not know of, or that can be restored, keeps its objects.
pub async fn sweep(darkroom: Darkroom, desk: DeskConfig, shutdown: Shutdown) {
    let Some(shelf) = darkroom.shelf().cloned() else { return };
    while shutdown.pause(ROUND).await {
        match sweep_once(&shelf, &desk).await {
            Ok(0) => {}
            Ok(stores) => tracing::info!(stores, "the pictures of stores that are gone were put away"),
            Err(error) => tracing::warn!(%error, "the pictures of stores that are gone stay for now"),
        }
    }
}

async fn sweep_once(shelf: &Shelf, desk: &DeskConfig) -> Result<usize, MediaError> {
    let there = shelf.below(STORES).await?;
    let there: Vec<_> = there.iter().filter_map(|name| name.parse().ok()).collect();
    if there.is_empty() {
        return Ok(0);
    }
    let gone = souk_due_work::deleted(desk, &there).await;
    let gone = gone.map_err(|error| MediaError::Away(error.to_string()))?;
    for store in &gone {
        shelf.clear(&of_store(*store)).await?;
    }
    Ok(gone.len())
}
