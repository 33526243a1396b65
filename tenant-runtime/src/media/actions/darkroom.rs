//! Where pictures are worked on: on threads that may block, one of each work at a time, so that whoever only reads does not feel it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use moka::future::Cache;
use souk_api::Problem;
use souk_kernel::{ImageId, StoreId};
use souk_media::{Limits, Size};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::super::error::MediaError;
use super::super::model::{Developed, Original, Shown, SizeKey, sized, whole};
use super::shelf::Shelf;

/// Work of one kind at the same time, and those who wait for it at most: each holds a file in memory.
const SEATS: usize = 1;
const LINE: usize = 12;
/// How long somebody waits for a seat.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of sizes kept in memory.
const SIZES: u64 = 24 * 1024 * 1024;

/// Where pictures are worked on. Cheap to clone; one for each process.
#[derive(Clone)]
pub struct Darkroom {
    room: Arc<Room>,
}

struct Room {
    shelf: Option<Shelf>,
    /// What comes in does not keep what is shown waiting.
    developing: Bench,
    rendering: Bench,
    sizes: Cache<SizeKey, Shown>,
}

impl Darkroom {
    /// With an object store, or without: then rows have the bytes, and sizes are kept in memory only.
    pub fn new(shelf: Option<Shelf>) -> Self {
        let weight = |_: &SizeKey, shown: &Shown| u32::try_from(shown.bytes.len()).unwrap_or(u32::MAX);
        let sizes = Cache::builder().max_capacity(SIZES).weigher(weight).build();
        let (developing, rendering) = (Bench::new(), Bench::new());
        Self { room: Arc::new(Room { shelf, developing, rendering, sizes }) }
    }

    /// The object store.
    pub fn shelf(&self) -> Option<&Shelf> {
        self.room.shelf.as_ref()
    }

    /// Takes a picture that somebody sent: see [`souk_media::develop`].
    ///
    /// # Errors
    /// [`MediaError::Refused`]; [`MediaError::Busy`].
    pub async fn develop(&self, bytes: Bytes) -> Result<Developed, MediaError> {
        let work = move || souk_media::develop(&bytes, &Limits::SHOP);
        let master = self.room.developing.work(work).await??;
        Ok(Developed::new(master, self.shelf().is_some()))
    }

    /// Puts the bytes of a picture that was announced onto the shelf.
    ///
    /// # Errors
    /// [`MediaError::Away`].
    pub async fn put(&self, store: StoreId, file: &Developed) -> Result<(), MediaError> {
        match self.shelf() {
            Some(shelf) => shelf.put(&whole(store, file.id), file.bytes.clone()).await,
            None => Ok(()),
        }
    }

    /// A picture as it is kept.
    ///
    /// # Errors
    /// [`MediaError::Away`], also when the object is not there.
    pub async fn whole(&self, store: StoreId, original: Original) -> Result<Shown, MediaError> {
        let Original { content_type, object, content } = original;
        if let Some(bytes) = content {
            return Ok(Shown { content_type, bytes });
        }
        let missing = || MediaError::Away("there is no such object, or no object store".to_owned());
        let (object, shelf) = object.zip(self.shelf()).ok_or_else(missing)?;
        let bytes = shelf.get(&whole(store, object)).await?.ok_or_else(missing)?;
        Ok(Shown { content_type, bytes })
    }

    /// A size of a picture: from memory, from the shelf, or made of what `find` gives. Asked for at the same time, it is made once.
    ///
    /// # Errors
    /// As [`Self::whole`]; [`MediaError::Busy`]; what `find` says.
    pub async fn sized(
        &self,
        store: StoreId,
        image: ImageId,
        object: Option<Uuid>,
        size: Size,
        find: impl Future<Output = Result<Original, Problem>>,
    ) -> Result<Shown, MediaError> {
        let content_type = size.format.content_type().to_owned();
        let place = object.zip(self.shelf()).map(|(object, shelf)| (shelf, sized(store, object, size)));
        let make = async {
            if let Some((shelf, name)) = &place
                && let Some(bytes) = shelf.get(name).await?
            {
                return Ok(Shown { content_type, bytes });
            }
            let original = self.whole(store, find.await?).await?;
            let work = move || souk_media::render(&original.bytes, size, &Limits::SHOP);
            let rendered = self.room.rendering.work(work).await?.map_err(MediaError::from)?;
            let bytes = Bytes::from(rendered.bytes);
            if let Some((shelf, name)) = &place
                && let Err(error) = shelf.put(name, bytes.clone()).await
            {
                tracing::warn!(%error, "a size was not kept and will be made again");
            }
            Ok::<_, Problem>(Shown { content_type, bytes })
        };
        let made = self.room.sizes.try_get_with(SizeKey { store, image, size }, make).await;
        made.map_err(|problem: Arc<Problem>| MediaError::Told(Problem::clone(&problem)))
    }
}

/// A few seats, and a line of those who wait for one.
struct Bench {
    seats: Arc<Semaphore>,
    line: Semaphore,
}

impl Bench {
    fn new() -> Self {
        Self { seats: Arc::new(Semaphore::new(SEATS)), line: Semaphore::new(LINE) }
    }

    /// Does it on a thread that may block. Whoever goes away while it is done leaves the seat taken until it is.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, MediaError> {
        let _place = self.line.try_acquire().map_err(|_| MediaError::Busy)?;
        let seat = tokio::time::timeout(PATIENCE, Arc::clone(&self.seats).acquire_owned()).await;
        let seat = seat.map_err(|_| MediaError::Busy)?.map_err(|_| MediaError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let _seat = seat;
            work()
        });
        // A decoder that panics has found a picture nobody thought of.
        let broken = |_| MediaError::from(souk_media::Refused::Broken("it cannot be decoded".to_owned()));
        done.await.map_err(broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn more_than_can_wait_are_sent_away_at_once() {
        let bench = Arc::new(Bench::new());
        let (free, blocked) = std::sync::mpsc::channel::<()>();
        let blocked = Arc::new(std::sync::Mutex::new(blocked));
        let mut waiting = Vec::new();
        for _ in 0..LINE {
            let (bench, blocked) = (Arc::clone(&bench), Arc::clone(&blocked));
            waiting.push(tokio::spawn(async move {
                bench.work(move || blocked.lock().unwrap().recv().is_ok()).await.unwrap()
            }));
        }
        while bench.line.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(bench.work(|| ()).await, Err(MediaError::Busy)));
        for _ in 0..LINE {
            free.send(()).unwrap();
        }
        for one in waiting {
            assert!(one.await.unwrap());
        }
        // What panics gives its seat back.
        assert!(matches!(bench.work(|| panic!("a picture")).await, Err::<(), _>(MediaError::Refused(_))));
        assert_eq!(bench.work(|| 7).await.unwrap(), 7);
    }
}
