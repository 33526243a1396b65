//! Leaving a provider alone that does not answer, so that its silence does not become everybody's waiting.

use std::future::Future;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use souk_kernel::{Clock, StoreId};

use super::super::model::{Account, DueRefund, Keys, PaymentSession, ProviderEvent, ProviderFact};
use super::provider::{Provider, ProviderError, StartPayment, WebhookError, WebhookHeaders};

/// So many calls in a row without an answer, and the provider is left alone …
const PATIENCE: u32 = 8;
/// … for this long; then one call tries.
const PAUSE: TimeDelta = TimeDelta::seconds(5);

/// A provider behind a breaker. While it is open, calls end as [`ProviderError::Unreachable`] at once: nothing left this machine.
pub struct Guarded<P> {
    inner: P,
    clock: Clock,
    standing: Mutex<Standing>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Standing {
    failures: u32,
    closed_again: Option<DateTime<Utc>>,
}

impl Standing {
    /// Whether a call may go out now. Of those that come when the pause is over, the first: the next pause begins with it.
    fn admits(&mut self, now: DateTime<Utc>) -> bool {
        match self.closed_again {
            Some(until) if now < until => false,
            Some(_) => {
                self.closed_again = Some(now + PAUSE);
                true
            }
            None => true,
        }
    }

    /// What a call that went out came to. True when this opens the breaker.
    fn heard(&mut self, answered: bool, now: DateTime<Utc>) -> bool {
        if answered {
            *self = Self::default();
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        let opens = self.failures >= PATIENCE;
        if opens {
            self.closed_again = Some(now + PAUSE);
        }
        opens
    }
}

impl<P> Guarded<P> {
    /// Puts a breaker in front.
    pub fn new(inner: P, clock: Clock) -> Self {
        Self { inner, clock, standing: Mutex::default() }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Standing, DateTime<Utc>) -> T) -> T {
        let now = self.clock.now();
        // A panic in here leaves two numbers that are as good as any.
        let mut standing = self.standing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut standing, now)
    }

    async fn guard<T>(
        &self,
        call: impl Future<Output = Result<T, ProviderError>> + Send,
    ) -> Result<T, ProviderError> {
        if !self.with(Standing::admits) {
            return Err(ProviderError::Unreachable("left alone for a moment: it does not answer".to_owned()));
        }
        let outcome = call.await;
        let silent = matches!(outcome, Err(ProviderError::Unreachable(_) | ProviderError::Unknown(_)));
        if self.with(|standing, now| standing.heard(!silent, now)) {
            metrics::counter!("souk_payment_provider_paused_total").increment(1);
            tracing::warn!("a payment provider does not answer and is left alone for a moment");
        }
        outcome
    }
}

impl<P: Provider> Provider for Guarded<P> {
    fn start<'a>(&'a self, wish: &'a StartPayment) -> BoxFuture<'a, Result<ProviderFact, ProviderError>> {
        self.guard(self.inner.start(wish)).boxed()
    }

    fn fetch<'a>(
        &'a self,
        store: StoreId,
        session: &'a PaymentSession,
    ) -> BoxFuture<'a, Result<Option<ProviderFact>, ProviderError>> {
        self.guard(self.inner.fetch(store, session)).boxed()
    }

    fn capture<'a>(
        &'a self,
        store: StoreId,
        session: &'a PaymentSession,
    ) -> BoxFuture<'a, Result<ProviderFact, ProviderError>> {
        self.guard(self.inner.capture(store, session)).boxed()
    }

    fn void<'a>(
        &'a self,
        store: StoreId,
        session: &'a PaymentSession,
    ) -> BoxFuture<'a, Result<ProviderFact, ProviderError>> {
        self.guard(self.inner.void(store, session)).boxed()
    }

    fn refund<'a>(
        &'a self,
        store: StoreId,
        refund: &'a DueRefund,
    ) -> BoxFuture<'a, Result<Option<ProviderFact>, ProviderError>> {
        self.guard(self.inner.refund(store, refund)).boxed()
    }

    fn read_webhook<'a>(
        &'a self,
        store: StoreId,
        account: Option<&'a Account>,
        headers: &'a WebhookHeaders,
        body: &'a [u8],
    ) -> BoxFuture<'a, Result<ProviderEvent, WebhookError>> {
        self.inner.read_webhook(store, account, headers, body)
    }

    fn check<'a>(&'a self, keys: &'a Keys) -> BoxFuture<'a, Result<(), ProviderError>> {
        self.guard(self.inner.check(keys)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_opens_it_and_one_answer_closes_it() {
        let (mut standing, start) = (Standing::default(), DateTime::UNIX_EPOCH);
        for failure in 1..=PATIENCE {
            assert!(standing.admits(start));
            assert_eq!(standing.heard(false, start), failure == PATIENCE);
        }
        assert!(!standing.admits(start + PAUSE - TimeDelta::milliseconds(1)));
        // One tries, the others wait for it.
        assert!(standing.admits(start + PAUSE));
        assert!(!standing.admits(start + PAUSE));
        assert!(standing.heard(false, start + PAUSE));
        assert!(standing.admits(start + PAUSE + PAUSE));
        assert!(!standing.heard(true, start + PAUSE + PAUSE));
        assert_eq!(standing, Standing::default());
        assert!(standing.admits(start) && standing.admits(start));
    }

    #[test]
    fn an_answer_in_between_starts_the_count_anew() {
        let mut standing = Standing::default();
        for _ in 0..PATIENCE - 1 {
            standing.heard(false, DateTime::UNIX_EPOCH);
        }
        standing.heard(true, DateTime::UNIX_EPOCH);
        assert!(!standing.heard(false, DateTime::UNIX_EPOCH));
        assert!(standing.admits(DateTime::UNIX_EPOCH));
    }
}
