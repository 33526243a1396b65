//! How much may be under way at once: to one endpoint, to all of this process, to all that fail.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use souk_kernel::WebhookEndpointId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// To one endpoint.
pub const PER_ENDPOINT: usize = 4;
/// To all of this process.
const AT_ONCE: usize = 128;
/// To all that failed last time. They hold a seat for as long as they let us wait, so they get one each and share few: however many
/// fail, the others have room.
const TO_FAILING: usize = 32;

/// The seats of one endpoint that is being told something.
#[derive(Default)]
struct Row {
    taken: usize,
    /// Somebody found none free: whoever gets up looks again first.
    called: bool,
}

type Rows = HashMap<WebhookEndpointId, Row>;

struct Room {
    all: Arc<Semaphore>,
    failing: Arc<Semaphore>,
    rows: Mutex<Rows>,
}

/// All seats. Cheap to clone.
#[derive(Clone)]
pub struct Seats(Arc<Room>);

/// The right to tell one endpoint one thing at a time.
pub struct Seat {
    room: Arc<Room>,
    endpoint: WebhookEndpointId,
    failing: Option<OwnedSemaphorePermit>,
    _all: OwnedSemaphorePermit,
    /// Whether its row still counts it.
    counted: bool,
}

/// What somebody who came with something for an endpoint found.
pub enum Found {
    Free(Vec<Seat>),
    /// None, but whoever sits there looks again before they get up.
    Called,
    /// None, because others have them all.
    Full,
}

impl Room {
    /// Whatever panicked, the counts are right: they change in one step.
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seat(self: &Arc<Self>, rows: &mut Rows, endpoint: WebhookEndpointId, failing: bool) -> Option<Seat> {
        let failing = match failing {
            true => Some(Arc::clone(&self.failing).try_acquire_owned().ok()?),
            false => None,
        };
        let all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        rows.entry(endpoint).or_default().taken += 1;
        Some(Seat { room: Arc::clone(self), endpoint, failing, _all: all, counted: true })
    }
}

impl Seats {
    pub fn new() -> Self {
        Self(Arc::new(Room {
            all: Arc::new(Semaphore::new(AT_ONCE)),
            failing: Arc::new(Semaphore::new(TO_FAILING)),
            rows: Mutex::default(),
        }))
    }

    /// Every free seat of an endpoint; one, if nobody sits there, of an endpoint that failed last time.
    pub fn take(&self, endpoint: WebhookEndpointId, failing: bool) -> Found {
        let mut rows = self.0.rows();
        let taken = rows.get(&endpoint).map_or(0, |row| row.taken);
        let most = if failing { 1 } else { PER_ENDPOINT };
        if let Some(row) = rows.get_mut(&endpoint)
            && taken >= most
        {
            row.called = true;
            return Found::Called;
        }
        let free: Vec<_> = (taken..most).map_while(|_| self.0.seat(&mut rows, endpoint, failing)).collect();
        if free.is_empty() { Found::Full } else { Found::Free(free) }
    }

    /// The seats of somebody who comes back: the same one, all that are free if the endpoint has taken something again, none if it fails and
    /// others sit there or all that failing ones may have are taken.
    pub fn keep(&self, mut seat: Seat, failing: bool) -> Vec<Seat> {
        let mut rows = self.0.rows();
        let taken = rows.get(&seat.endpoint).map_or(0, |row| row.taken);
        if !failing {
            let recovered = seat.failing.take().is_some();
            let endpoint = seat.endpoint;
            let more = (taken..PER_ENDPOINT).map_while(|_| self.0.seat(&mut rows, endpoint, false));
            let more: Vec<_> = if recovered { more.collect() } else { Vec::new() };
            return std::iter::once(seat).chain(more).collect();
        }
        if taken == 1 && seat.failing.is_none() {
            seat.failing = Arc::clone(&self.0.failing).try_acquire_owned().ok();
        }
        // Given up below, when nobody holds the rows.
        drop(rows);
        if taken == 1 && seat.failing.is_some() { vec![seat] } else { Vec::new() }
    }

    /// Gives up seats of one endpoint, unless somebody has come in vain since: then they are given back, and who gets them looks again.
    pub fn give_up(&self, seats: Vec<Seat>) -> Vec<Seat> {
        let Some(endpoint) = seats.first().map(|seat| seat.endpoint) else { return seats };
        let mut rows = self.0.rows();
        if rows.get_mut(&endpoint).is_some_and(|row| std::mem::take(&mut row.called)) {
            return seats;
        }
        // Counted down under the same lock: nobody can find them taken any more.
        for seat in seats {
            seat.stand_up(&mut rows);
        }
        Vec::new()
    }
}

impl Seat {
    /// Counted down here, so not once more when it is dropped.
    fn stand_up(mut self, rows: &mut Rows) {
        self.counted = false;
        count_down(rows, self.endpoint);
    }
}

fn count_down(rows: &mut Rows, endpoint: WebhookEndpointId) {
    if let Some(row) = rows.get_mut(&endpoint) {
        row.taken -= 1;
        if row.taken == 0 {
            rows.remove(&endpoint);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.counted {
            count_down(&mut self.room.rows(), self.endpoint);
        }
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    fn free(found: Found) -> Vec<Seat> {
        match found {
            Found::Free(seats) => seats,
            Found::Called => panic!("called"),
            Found::Full => panic!("full"),
        }
    }

    #[test]
    fn whoever_came_in_vain_is_not_forgotten() {
        let (seats, endpoint) = (Seats::new(), WebhookEndpointId::new());
        let mut taken = free(seats.take(endpoint, false));
        assert_eq!(taken.len(), PER_ENDPOINT);
        assert!(matches!(seats.take(endpoint, false), Found::Called));
        let one = taken.pop().unwrap();
        let again = seats.give_up(vec![one]);
        assert_eq!(again.len(), 1, "who gets up looks again");
        assert_eq!(seats.give_up(again).len(), 0, "once");
        assert_eq!(free(seats.take(endpoint, false)).len(), 1, "and is gone");
        drop(taken);
        assert!(seats.0.rows().is_empty(), "nothing is kept of who is not here");
        assert_eq!(free(seats.take(endpoint, false)).len(), PER_ENDPOINT);
    }

    #[test]
    fn who_fails_gets_one_and_all_when_it_works_again() {
        let (seats, endpoint) = (Seats::new(), WebhookEndpointId::new());
        let mut taken = free(seats.take(endpoint, false));
        let (last, first) = (taken.pop().unwrap(), taken.pop().unwrap());
        assert_eq!(seats.keep(first, true).len(), 0, "others are still there");
        drop(taken);
        let kept = seats.keep(last, true);
        assert_eq!(kept.len(), 1, "the last one goes on");
        assert!(matches!(seats.take(endpoint, true), Found::Called));
        assert_eq!(seats.0.failing.available_permits(), TO_FAILING - 1);
        let kept = kept.into_iter().flat_map(|seat| seats.keep(seat, false)).collect::<Vec<_>>();
        assert_eq!(kept.len(), PER_ENDPOINT, "it works: all of them");
        assert_eq!(seats.0.failing.available_permits(), TO_FAILING);
        drop(kept);
        assert_eq!(free(seats.take(endpoint, true)).len(), 1);
    }

    #[test]
    fn however_many_fail_the_others_have_room() {
        let seats = Seats::new();
        let failing: Vec<_> =
            (0..TO_FAILING).flat_map(|_| free(seats.take(WebhookEndpointId::new(), true))).collect();
        assert_eq!(failing.len(), TO_FAILING);
        assert!(matches!(seats.take(WebhookEndpointId::new(), true), Found::Full));
        let good: Vec<_> = (0..(AT_ONCE - TO_FAILING) / PER_ENDPOINT)
            .flat_map(|_| free(seats.take(WebhookEndpointId::new(), false)))
            .collect();
        assert_eq!(good.len(), AT_ONCE - TO_FAILING);
        assert!(matches!(seats.take(WebhookEndpointId::new(), false), Found::Full));
    }
}
