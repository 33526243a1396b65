//! Pictures that are fetched from the open internet, outside any transaction.

use std::time::Duration;

use chrono::TimeDelta;
use souk_access::WorkerPermit;
use souk_api::Problem;
use souk_kernel::ProductId;
use souk_tenancy::{DbError, ReadTx, WriteTx};
use tokio::sync::Semaphore;

use super::locked;
use super::pictures::{self, Hung};
use crate::catalog::error::CatalogError;
use crate::catalog::model::{FetchImage, ImageFetchView};
use crate::catalog::queries;
use crate::catalog::queries::fetches::{self, NewFetch};
use crate::media::{self, Darkroom, Developed, Fetcher, MediaError, Missed};

/// Pictures under way at the same time in this process, of the few visits that all due work together has.
static SEATS: Semaphore = Semaphore::const_new(2);
/// Fetching one, all its addresses together: less than a visit may last.
const PATIENCE: Duration = Duration::from_secs(40);
/// When it is tried again, minute by minute; then it is given up.
const AGAIN: [i64; 3] = [1, 5, 30];
/// How long those that are over are remembered.
const KEPT: TimeDelta = TimeDelta::days(30);

/// What a visit came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// There is nothing to do.
    Nothing,
    /// There may be more to do.
    More,
    /// Others are at it; look again soon.
    Busy,
}

/// Has a picture fetched. The same one twice is fetched once.
pub async fn wish(
    tx: &mut WriteTx<'_>,
    product: ProductId,
    wish: &FetchImage,
) -> Result<ImageFetchView, CatalogError> {
    wish.check()?;
    let now = locked(tx, product, None).await?;
    pictures::own(&now, wish.variant)?;
    let (url, alt) = (wish.url.as_str(), wish.alt.as_ref().map_or("", |alt| alt.as_str()));
    let position = wish.position.map(i32::from);
    fetches::queue(tx, &NewFetch { product, variant: wish.variant, url, alt, position }).await?;
    fetches::queued(tx, product, url).await?.ok_or(CatalogError::Unknown)
}

/// Fetches the store's next picture and gives it to its product. Whoever does the same at the same time does no harm: the second finds it done, and
/// its file is put away.
///
/// # Errors
/// The database's, and the object store's; another visit tries again.
pub async fn fetch_due(
    worker: &WorkerPermit,
    darkroom: &Darkroom,
    fetcher: &Fetcher,
) -> Result<Fetched, CatalogError> {
    let Ok(_seat) = SEATS.try_acquire() else { return Ok(Fetched::Busy) };
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, CatalogError>(fetches::next(tx).await?);
    let Some(fetch) = worker.read("catalog.next_fetch", look).await? else { return Ok(Fetched::Nothing) };
    match bring(worker, darkroom, fetcher, &fetch).await {
        Ok(file) => hang(worker, &fetch, &file).await?,
        Err(Miss::Told(missed)) => note(worker, &fetch, missed).await?,
        Err(Miss::Ours(error)) => return Err(error.into()),
    }
    Ok(Fetched::More)
}

/// Why there is no picture.
enum Miss {
    Told(Missed),
    /// On our side: no attempt of the merchant's.
    Ours(MediaError),
}

impl From<MediaError> for Miss {
    fn from(error: MediaError) -> Self {
        match &error {
            MediaError::Refused(refused) => Self::Told(Missed { cause: refused.to_string(), passing: false }),
            MediaError::Quota(limit) => {
                let cause = format!("the plan allows {limit} MB of pictures");
                Self::Told(Missed { cause, passing: false })
            }
            _ => Self::Ours(error),
        }
    }
}

/// The picture, on the shelf if there is one.
async fn bring(
    worker: &WorkerPermit,
    darkroom: &Darkroom,
    fetcher: &Fetcher,
    fetch: &ImageFetchView,
) -> Result<Developed, Miss> {
    let bytes = tokio::time::timeout(PATIENCE, fetcher.fetch(&fetch.url)).await;
    let late = |_| Miss::Told(Missed { cause: "the server took too long".to_owned(), passing: true });
    let bytes = bytes.map_err(late)?.map_err(Miss::Told)?;
    let file = darkroom.develop(bytes).await?;
    if file.shelved {
        let (announced, limit) = (&file, worker.entry().limits.media_mb);
        let announce = async move |tx: &mut WriteTx<'_>| media::announce(tx, announced, limit).await;
        worker.write("catalog.announce_image", announce).await?;
        darkroom.put(worker.store(), &file).await?;
    }
    Ok(file)
}

async fn hang(worker: &WorkerPermit, fetch: &ImageFetchView, file: &Developed) -> Result<(), CatalogError> {
    let limit = worker.entry().limits.media_mb;
    let work = async move |tx: &mut WriteTx<'_>| {
        // The product first, as whoever deletes it does.
        if queries::lock(tx, fetch.product).await?.is_none() {
            return Ok(());
        }
        let Some(now) = fetches::seize(tx, fetch.id).await? else { return Ok(()) };
        let position = now.position.and_then(|position| usize::try_from(position).ok());
        let (alt, source) = (now.alt.as_str(), Some(now.url.as_str()));
        let hung = Hung { product: now.product, variant: now.variant, alt, source, position };
        let image = pictures::add(tx, hung, file, limit).await?;
        Ok::<_, CatalogError>(fetches::done(tx, fetch.id, image.id).await?)
    };
    match worker.write("catalog.hang_image", work).await {
        Ok(()) => Ok(()),
        Err(error @ (CatalogError::Db(_) | CatalogError::Tenancy(_))) => Err(error),
        Err(error) => {
            let problem = Problem::from(error);
            let cause = problem.detail_text().unwrap_or(problem.kind().title).to_owned();
            note(worker, fetch, Missed { cause, passing: problem.status().as_u16() >= 500 }).await
        }
    }
}

async fn note(worker: &WorkerPermit, fetch: &ImageFetchView, missed: Missed) -> Result<(), CatalogError> {
    let minutes = usize::try_from(fetch.attempts).ok().and_then(|attempts| AGAIN.get(attempts));
    let minutes = minutes.filter(|_| missed.passing).copied();
    let (id, cause) = (fetch.id, missed.cause.as_str());
    let work = async move |tx: &mut WriteTx<'_>| {
        let again = minutes.map(|minutes| tx.now() + TimeDelta::minutes(minutes));
        Ok::<_, CatalogError>(fetches::missed(tx, id, cause, again).await?)
    };
    worker.write("catalog.missed_image", work).await
}

/// Forgets some that have been over for long.
///
/// # Errors
/// Only of the database.
pub async fn forget(tx: &mut WriteTx<'_>, some: u32) -> Result<usize, DbError> {
    let before = tx.now() - KEPT;
    fetches::forget(tx, before, i64::from(some)).await
}
