//! Finished answers in memory, by owner, version and question.
//!
//! Whoever fills it says which version of the owner's data the answer was made from; an answer of another version is never given out, so
//! nothing has to be removed when something changes. Bounded by bytes. When it is full, the owner with the most bytes gives up what it used
//! longest ago: one that asks everything once cannot push out the others. Of several who ask the same at once, one makes the answer and the
//! others wait for it.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::body::to_bytes;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use hashlink::LruCache;
use tokio::sync::watch;

use crate::etag::{ETag, not_modified};
use crate::problem::{INTERNAL, Problem};

/// What an entry costs beside its bytes: headers, key, list and map.
const OVERHEAD: usize = 400;

/// A successful answer as it goes over the wire.
#[derive(Clone, Debug)]
struct Kept {
    etag: ETag,
    content_type: Option<HeaderValue>,
    link: Option<HeaderValue>,
    body: Bytes,
}

struct Shelf {
    version: u64,
    entries: LruCache<Box<str>, Kept>,
    bytes: usize,
}

#[derive(Default)]
struct Shelves {
    by_owner: HashMap<u128, Shelf>,
    by_size: BTreeSet<(usize, u128)>,
    bytes: usize,
}

/// Answers that are being made just now; each ends, and wakes who waits, when its sender is dropped.
type Flights = Mutex<HashMap<(Edition, Box<str>), watch::Receiver<()>>>;

/// See the module. Cheap to clone; clones share.
#[derive(Clone)]
pub struct ReadCache {
    most: usize,
    shelves: Arc<Mutex<Shelves>>,
    flights: Arc<Flights>,
}

/// Whose answer, and of which version of their data; taken before the data is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edition {
    pub owner: u128,
    pub version: u64,
    /// Which of the owner's readers see this; 0 for those who see what everybody sees.
    pub readers: u128,
}

impl ReadCache {
    /// Holds at most so many bytes; 0 keeps nothing.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, shelves: Arc::default(), flights: Arc::default() }
    }

    /// Bytes it holds now, its own included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.locked().bytes
    }

    /// The kept answer to this request, or the one that `make` gives, which is kept if it is a 200. Both carry a strong ETag and `no-cache`
    /// (keep it, but ask before using it); 304 for whoever has it already. `edition` is `None` when nobody knows how current the version
    /// is: then nothing is kept or given out. Who finds somebody else making the same waits, and makes it when that came to nothing.
    ///
    /// # Errors
    /// `make`'s own.
    pub async fn serve(
        &self,
        req: &HttpRequest,
        edition: Option<Edition>,
        make: impl Future<Output = Result<HttpResponse, Problem>>,
    ) -> Result<HttpResponse, Problem> {
        let Some(edition) = edition.filter(|_| self.most > 0) else {
            return finished(make.await?, |kept| kept.answer(req)).await;
        };
        let asked = req.uri().path_and_query().map_or("/", |both| both.as_str());
        let question = match edition.readers {
            0 => Cow::Borrowed(asked),
            // No address begins so.
            readers => Cow::Owned(format!("{readers:x} {asked}")),
        };
        let question = question.as_ref();
        if let Some(kept) = self.get(edition, question) {
            count("hit");
            return Ok(kept.answer(req));
        }
        let _flight = match self.take_off(edition, question) {
            Ok(flight) => Some(flight),
            Err(mut theirs) => {
                // Ends with an error, for nothing is ever sent.
                let _ = theirs.changed().await;
                if let Some(kept) = self.get(edition, question) {
                    count("joined");
                    return Ok(kept.answer(req));
                }
                None
            }
        };
        count("miss");
        finished(make.await?, |kept| {
            let answer = kept.answer(req);
            self.put(edition, question, kept);
            answer
        })
        .await
    }

    /// A flight of one's own, or somebody else's to wait for.
    fn take_off(&self, edition: Edition, question: &str) -> Result<Flight<'_>, watch::Receiver<()>> {
        let key = (edition, question.into());
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(theirs) = flights.get(&key) {
            return Err(theirs.clone());
        }
        let (landing, landed) = watch::channel(());
        flights.insert(key.clone(), landed);
        Ok(Flight { flights: &self.flights, key, _landing: landing })
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Shelves> {
        // Whoever panicked held it between two consistent states or lost some bytes of the count.
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, edition: Edition, question: &str) -> Option<Kept> {
        let mut shelves = self.locked();
        let shelf = shelves.by_owner.get_mut(&edition.owner)?;
        if shelf.version != edition.version {
            return None;
        }
        shelf.entries.get(question).cloned()
    }

    fn put(&self, edition: Edition, question: &str, kept: Kept) {
        let size = kept.size(question);
        // A page that would take a quarter of everything is no page.
        if size > self.most / 4 {
            return;
        }
        let mut shelves = self.locked();
        shelves.put(edition, question, kept, size);
        while shelves.bytes > self.most && shelves.give_up() {}
        metrics::gauge!("souk_read_cache_bytes").set(shelves.bytes as f64);
    }
}

/// Whoever makes an answer for all who wait. Lands however the making ends, also when the client went away.
struct Flight<'c> {
    flights: &'c Flights,
    key: (Edition, Box<str>),
    /// Dropped after the entry is gone, and with it the waiting ends.
    _landing: watch::Sender<()>,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("souk_read_cache_reads_total", "outcome" => outcome).increment(1);
}

/// A 200 as `answered` makes it of its bytes; anything else as it is.
async fn finished(
    made: HttpResponse,
    answered: impl FnOnce(Kept) -> HttpResponse,
) -> Result<HttpResponse, Problem> {
    if made.status() == StatusCode::OK { Kept::of(made).await.map(answered) } else { Ok(made) }
}

impl Shelves {
    fn put(&mut self, edition: Edition, question: &str, kept: Kept, size: usize) {
        let Edition { owner, version, readers: _ } = edition;
        let shelf = self.by_owner.entry(owner).or_insert_with(|| Shelf {
            version,
            entries: LruCache::new_unbounded(),
            bytes: 0,
        });
        let before = shelf.bytes;
        if shelf.version > version {
            // Made from data that has changed since.
            return;
        }
        if shelf.version < version {
            (shelf.version, shelf.bytes) = (version, 0);
            shelf.entries.clear();
        }
        if let Some(old) = shelf.entries.insert(question.into(), kept) {
            shelf.bytes -= old.size(question);
        }
        shelf.bytes += size;
        self.by_size.remove(&(before, owner));
        self.by_size.insert((shelf.bytes, owner));
        self.bytes = self.bytes + shelf.bytes - before;
    }

    /// Takes one entry from the owner with the most; false when there is none.
    fn give_up(&mut self) -> bool {
        let Some((before, owner)) = self.by_size.pop_last() else { return false };
        let Some(shelf) = self.by_owner.get_mut(&owner) else { return true };
        if let Some((question, old)) = shelf.entries.remove_lru() {
            shelf.bytes -= old.size(&question);
        }
        self.bytes = self.bytes + shelf.bytes - before;
        if shelf.entries.is_empty() {
            self.by_owner.remove(&owner);
        } else {
            self.by_size.insert((shelf.bytes, owner));
        }
        true
    }
}

impl Kept {
    async fn of(made: HttpResponse) -> Result<Self, Problem> {
        let taken = |headers: &HeaderMap, name| headers.get(name).cloned();
        let content_type = taken(made.headers(), header::CONTENT_TYPE);
        let link = taken(made.headers(), header::LINK);
        let body = to_bytes(made.into_body()).await;
        let body = body.map_err(|error| Problem::new(&INTERNAL).source(error.to_string()))?;
        Ok(Self { etag: ETag::of(&body), content_type, link, body })
    }

    fn answer(&self, req: &HttpRequest) -> HttpResponse {
        let mut answer = not_modified(req, &self.etag).unwrap_or_else(|| {
            let mut fresh = HttpResponse::Ok();
            fresh.insert_header(&self.etag);
            if let Some(link) = &self.link {
                fresh.insert_header((header::LINK, link.clone()));
            }
            if let Some(content_type) = &self.content_type {
                fresh.insert_header((header::CONTENT_TYPE, content_type.clone()));
            }
            fresh.body(self.body.clone())
        });
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answer
    }

    fn size(&self, question: &str) -> usize {
        self.body.len() + question.len() + self.link.as_ref().map_or(0, |link| link.len()) + OVERHEAD
    }
}

#[cfg(test)]
mod tests;
