//! One store's way to the lanes: so many transactions at once, so many waiting, and no more.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::TenancyError;

/// Fair, and bounded: whoever comes when too many wait is told at once, instead of after a wait that helps nobody.
#[derive(Debug)]
pub(crate) struct Queue {
    permits: Semaphore,
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

impl Queue {
    pub(crate) fn new(permits: usize, most_waiting: usize) -> Self {
        Self { permits: Semaphore::new(permits), waiting: AtomicUsize::new(0), most_waiting }
    }

    /// A permit, by `deadline`.
    ///
    /// # Errors
    /// `Busy` when too many wait already, or when the time is up.
    pub(crate) async fn enter(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, TenancyError> {
        if let Ok(permit) = self.permits.try_acquire() {
            return Ok(permit);
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
}
