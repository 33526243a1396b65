//! One store's way to the lanes: so many transactions at once, so many waiting, and no more.

use std::cmp::Ordering as Size;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::TenancyError;

/// Fair, and bounded: whoever comes when too many wait is told at once, instead of after a wait that helps nobody.
#[derive(Debug)]
pub(crate) struct Queue {
    permits: Semaphore,
    /// How many may be at work.
    size: Mutex<usize>,
    /// How many too many are at work since there may be fewer: so many leave without making room.
    surplus: AtomicUsize,
    waiting: AtomicUsize,
    most_waiting: usize,
}

/// Leaves the queue however the waiting ends.
struct Waiting<'q>(&'q AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A place among those at work; it is the next one's when dropped.
#[derive(Debug)]
pub(crate) struct Place<'q> {
    permit: Option<SemaphorePermit<'q>>,
    surplus: &'q AtomicUsize,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        let one_less = |surplus: usize| surplus.checked_sub(1);
        if self.surplus.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less).is_ok() {
            permit.forget();
        }
    }
}

impl Queue {
    pub(crate) fn new(permits: usize, most_waiting: usize) -> Self {
        Self {
            permits: Semaphore::new(permits),
            size: Mutex::new(permits),
            surplus: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            most_waiting,
        }
    }

    /// From now on so many may be at work. Those who are stay: with fewer places, the next ones begin when enough have left.
    pub(crate) fn resize(&self, permits: usize) {
        let mut size = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        match permits.cmp(&size) {
            Size::Equal => {}
            Size::Greater => {
                let more = permits - *size;
                let less = |surplus: usize| Some(surplus.saturating_sub(more));
                let (Ok(surplus) | Err(surplus)) =
                    self.surplus.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
                self.permits.add_permits(more.saturating_sub(surplus));
            }
            Size::Less => {
                let fewer = *size - permits;
                let free = self.permits.forget_permits(fewer);
                self.surplus.fetch_add(fewer - free, Ordering::AcqRel);
            }
        }
        *size = permits;
    }

    /// A place, by `deadline`.
    ///
    /// # Errors
    /// `Busy` when too many wait already, or when the time is up.
    pub(crate) async fn enter(&self, deadline: Instant) -> Result<Place<'_>, TenancyError> {
        let place = |permit| Place { permit: Some(permit), surplus: &self.surplus };
        if let Ok(permit) = self.permits.try_acquire() {
            return Ok(place(permit));
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if before >= self.most_waiting {
            metrics::counter!("souk_tenancy_turned_away_total").increment(1);
            return Err(TenancyError::Busy);
        }
        tokio::time::timeout_at(deadline.into(), self.permits.acquire())
            .await
            .map_err(|_| TenancyError::Busy)?
            .map(place)
            .map_err(|_| TenancyError::StoreGone)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn the_queue_is_as_long_as_it_may_be_and_turns_the_rest_away_at_once() {
        let queue = Queue::new(1, 2);
        let soon = Instant::now() + Duration::from_millis(200);
        let inside = queue.enter(soon).await.unwrap();
        let (mut first, mut second) = (Box::pin(queue.enter(soon)), Box::pin(queue.enter(soon)));
        assert!(futures_util::poll!(&mut first).is_pending());
        assert!(futures_util::poll!(&mut second).is_pending());
        let began = Instant::now();
        assert!(matches!(queue.enter(soon).await, Err(TenancyError::Busy)));
        assert!(began.elapsed() < Duration::from_millis(100), "at once");
        // Who gives up waiting makes room.
        drop(second);
        let mut third = Box::pin(queue.enter(soon));
        assert!(futures_util::poll!(&mut third).is_pending());
        drop(inside);
        drop(first.await.unwrap());
        drop(third.await.unwrap());
        let _held = queue.enter(soon).await.unwrap();
        assert!(matches!(queue.enter(soon).await, Err(TenancyError::Busy)), "time is up");
        assert_eq!(queue.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn another_size_holds_at_once_for_those_who_come_and_takes_nobodys_place() {
        let queue = Queue::new(2, 8);
        let soon = || Instant::now() + Duration::from_millis(50);
        let full = async || matches!(queue.enter(soon()).await, Err(TenancyError::Busy));
        let (first, second) = (queue.enter(soon()).await.unwrap(), queue.enter(soon()).await.unwrap());
        assert!(full().await);
        queue.resize(3);
        let third = queue.enter(soon()).await.unwrap();
        assert!(full().await);
        // Fewer than are at work: two leave before the next one begins.
        queue.resize(2);
        queue.resize(1);
        drop(first);
        assert!(full().await);
        drop(second);
        assert!(full().await);
        drop(third);
        let alone = queue.enter(soon()).await.unwrap();
        assert!(full().await);
        // Places that were to go and are wanted again are not given twice.
        queue.resize(0);
        queue.resize(2);
        let other = queue.enter(soon()).await.unwrap();
        assert!(full().await);
        drop((alone, other));
        assert_eq!((queue.permits.available_permits(), queue.surplus.load(Ordering::Relaxed)), (2, 0));
        queue.resize(1);
        assert_eq!(queue.permits.available_permits(), 1);
    }
}
