//! Leaving a provider alone that does not answer, so that its silence does not become everybody's waiting.

use std::future::Future;
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use souk_kernel::{Clock, StoreId};
use souk_outbound::Breaker;

use super::super::model::{
    Account, BalanceEntry, DueRefund, Keys, PaymentSession, PayoutFact, ProviderEvent, ProviderFact,
};
use super::provider::{Provider, ProviderError, StartPayment, WebhookError, WebhookHeaders};

/// A provider behind a breaker. While it is open, calls end as [`ProviderError::Unreachable`] at once: nothing left this machine.
pub struct Guarded<P> {
    inner: P,
    clock: Clock,
    standing: Mutex<Breaker>,
}

impl<P> Guarded<P> {
    /// Puts a breaker in front.
    pub fn new(inner: P, clock: Clock) -> Self {
        Self { inner, clock, standing: Mutex::default() }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Breaker, DateTime<Utc>) -> T) -> T {
        let now = self.clock.now();
        // A panic in here leaves two numbers that are as good as any.
        let mut standing = self.standing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut standing, now)
    }

    async fn guard<T>(
        &self,
        call: impl Future<Output = Result<T, ProviderError>> + Send,
    ) -> Result<T, ProviderError> {
        if !self.with(Breaker::admits) {
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

    fn payouts<'a>(
        &'a self,
        store: StoreId,
        account: Option<&'a Account>,
        since: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Vec<PayoutFact>, ProviderError>> {
        self.guard(self.inner.payouts(store, account, since)).boxed()
    }

    fn payout_entries<'a>(
        &'a self,
        store: StoreId,
        account: Option<&'a Account>,
        payout: &'a str,
    ) -> BoxFuture<'a, Result<Vec<BalanceEntry>, ProviderError>> {
        self.guard(self.inner.payout_entries(store, account, payout)).boxed()
    }

    fn check<'a>(&'a self, keys: &'a Keys) -> BoxFuture<'a, Result<(), ProviderError>> {
        self.guard(self.inner.check(keys)).boxed()
    }
}
