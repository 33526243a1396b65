//! What we ask of whoever takes the money, and who is there to ask. Never called inside a transaction.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use souk_kernel::{Clock, Money, PaymentSessionId, StoreId};

use super::super::model::{DueRefund, PaymentSession, ProviderCode, ProviderEvent, ProviderFact};
use super::{breaker::Guarded, manual::Manual, test::Test};

/// A payment to be started. The session's id is both our reference and the idempotency key.
#[derive(Clone, Debug)]
pub struct StartPayment {
    pub store: StoreId,
    pub provider: ProviderCode,
    pub session: PaymentSessionId,
    pub amount: Money,
    /// Hold the money only.
    pub capture_later: bool,
    /// Where the provider sends the shopper: our return page.
    pub return_url: String,
    /// Where the provider sends its events.
    pub webhook_url: String,
    /// What the shopper's client got from the provider instead of a card number. Never stored.
    pub token: Option<String>,
}

/// How a call to a provider ends when there is no fact.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The provider understood and said no; nothing happened there.
    #[error("refused: {code}: {message}")]
    Refused { code: String, message: String },
    /// Nothing left this machine, so nothing happened there.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    /// It may or may not have happened: ask with the same key, never with a new one.
    #[error("no answer that says what happened: {0}")]
    Unknown(String),
    /// This provider has no such thing.
    #[error("this provider cannot do that")]
    Unsupported,
}

/// The three headers of Standard Webhooks.
#[derive(Clone, Debug, Default)]
pub struct WebhookHeaders {
    pub id: Option<String>,
    pub timestamp: Option<String>,
    pub signature: Option<String>,
}

/// Why a webhook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    #[error("a header is missing or unreadable")]
    Headers,
    #[error("the signature is not right")]
    Signature,
    #[error("the time is too far from ours")]
    Time,
    #[error("the body is unreadable")]
    Body,
}

type Answer<'a, T> = BoxFuture<'a, Result<T, ProviderError>>;

/// A payment provider. Every call is bounded in time and may be repeated.
pub trait Provider: Send + Sync {
    /// Starts a payment, or finds the one this session started before.
    fn start<'a>(&'a self, wish: &'a StartPayment) -> Answer<'a, ProviderFact>;

    /// What the provider knows about a session; `None` if it never heard of it.
    fn fetch<'a>(&'a self, store: StoreId, session: &'a PaymentSession) -> Answer<'a, Option<ProviderFact>>;

    /// Takes all of the money that is held.
    fn capture<'a>(&'a self, store: StoreId, session: &'a PaymentSession) -> Answer<'a, ProviderFact>;

    /// Lets the held money go.
    fn void<'a>(&'a self, store: StoreId, session: &'a PaymentSession) -> Answer<'a, ProviderFact>;

    /// Gives money back, under the refund's own key. The fact is `None` where nobody keeps a book.
    fn refund<'a>(&'a self, store: StoreId, refund: &'a DueRefund) -> Answer<'a, Option<ProviderFact>>;

    /// Reads a webhook, if it is from the provider.
    ///
    /// # Errors
    /// See [`WebhookError`].
    fn read_webhook(&self, headers: &WebhookHeaders, body: &[u8]) -> Result<ProviderEvent, WebhookError>;
}

/// Where the providers are.
#[derive(Clone, Debug)]
pub struct ProvidersConfig {
    /// Base URL of souk-payment-provider; without it `test` payments are refused.
    pub test_url: Option<String>,
    /// `whsec_…`, shared with it; without it no webhook is believed.
    pub test_webhook_secret: Option<String>,
    /// How long one call may take.
    pub timeout: Duration,
    pub clock: Clock,
}

/// The providers of this process.
#[derive(Clone)]
pub struct Providers {
    manual: Arc<Manual>,
    test: Option<Arc<Guarded<Test>>>,
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Providers").field("test", &self.test.is_some()).finish_non_exhaustive()
    }
}

impl Providers {
    /// Readies the providers that are configured.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(config: &ProvidersConfig) -> Result<Self, reqwest::Error> {
        let guarded = |test| Arc::new(Guarded::new(test, config.clock.clone()));
        Ok(Self { manual: Arc::new(Manual), test: Test::new(config)?.map(guarded) })
    }

    /// Whether this process has the provider of this code.
    pub fn has(&self, code: &str) -> bool {
        ProviderCode::parse(code).is_some_and(|code| self.of(code).is_some())
    }

    /// The provider of this code, if this process has it.
    pub fn of(&self, code: ProviderCode) -> Option<&dyn Provider> {
        match code {
            ProviderCode::Manual => Some(&*self.manual),
            ProviderCode::Test => self.test.as_deref().map(|test| test as &dyn Provider),
        }
    }
}
