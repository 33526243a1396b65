//! What we ask of whoever takes the money, and who is there to ask. Never called inside a transaction.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use reqwest::{Client, RequestBuilder, StatusCode};
use souk_access::TokenError;
use souk_kernel::{Clock, Money, PaymentSessionId, StoreId};

use super::super::model::{
    Account, DueRefund, Keys, PaymentSession, ProviderCode, ProviderEvent, ProviderFact, Safe,
};
use super::{breaker::Guarded, manual::Manual, stripe::Stripe, test::Test};

/// More than any answer of a provider has.
const LARGEST_ANSWER: usize = 1024 * 1024;

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
    /// What the shopper reads on the provider's page: the store's name.
    pub title: String,
    /// The store's keys there.
    pub account: Option<Account>,
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
    /// The store's account there cannot be used: keys are missing or refused. Nothing happened.
    #[error("the store's account at the provider cannot be used: {0}")]
    NotSetUp(String),
    /// It may or may not have happened: ask with the same key, never with a new one.
    #[error("no answer that says what happened: {0}")]
    Unknown(String),
    /// This provider has no such thing.
    #[error("this provider cannot do that")]
    Unsupported,
}

/// What webhooks are signed by: the three headers of Standard Webhooks, or Stripe's one.
#[derive(Clone, Debug, Default)]
pub struct WebhookHeaders {
    pub id: Option<String>,
    pub timestamp: Option<String>,
    pub signature: Option<String>,
    pub stripe: Option<String>,
}

/// Why a webhook is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    #[error("a header is missing or unreadable")]
    Headers,
    #[error("the signature is not right")]
    Signature,
    #[error("the time is too far from ours")]
    Time,
    #[error("the body is unreadable")]
    Body,
    /// It is the provider's, but what it is about could not be read there: it has to come again.
    #[error("what it is about cannot be read at the provider: {0}")]
    Away(String),
}

type Answer<'a, T> = BoxFuture<'a, Result<T, ProviderError>>;

/// A payment provider. Every call is bounded in time and may be repeated.
pub trait Provider: Send + Sync {
    /// Starts a payment, or finds the one this session started before.
    fn start<'a>(&'a self, wish: &'a StartPayment) -> Answer<'a, ProviderFact>;

    /// What the provider knows about a session; `None` if it never heard of it.
    fn fetch<'a>(&'a self, store: StoreId, session: &'a PaymentSession) -> Answer<'a, Option<ProviderFact>>;

    /// Takes the money that is held: all of it, or the session's part, whose rest is let go.
    fn capture<'a>(&'a self, store: StoreId, session: &'a PaymentSession) -> Answer<'a, ProviderFact>;

    /// Lets the held money go.
    fn void<'a>(&'a self, store: StoreId, session: &'a PaymentSession) -> Answer<'a, ProviderFact>;

    /// Gives money back, under the refund's own key. The fact is `None` where nobody keeps a book.
    fn refund<'a>(&'a self, store: StoreId, refund: &'a DueRefund) -> Answer<'a, Option<ProviderFact>>;

    /// Reads a webhook, if it is from the provider: by the store's own secret where it has an account there.
    ///
    /// # Errors
    /// See [`WebhookError`].
    fn read_webhook<'a>(
        &'a self,
        store: StoreId,
        account: Option<&'a Account>,
        headers: &'a WebhookHeaders,
        body: &'a [u8],
    ) -> BoxFuture<'a, Result<ProviderEvent, WebhookError>>;

    /// Whether the provider knows these keys.
    fn check<'a>(&'a self, _: &'a Keys) -> Answer<'a, ()> {
        ready(Err(ProviderError::Unsupported)).boxed()
    }
}

/// An HTTP client whose calls take at most `timeout`, and follow nobody elsewhere.
///
/// # Errors
/// When the TLS library cannot be set up.
pub(super) fn http_client(timeout: Duration) -> Result<Client, reqwest::Error> {
    // Fails when the process has chosen one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(timeout)
        .connect_timeout(timeout.min(Duration::from_secs(2)))
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

/// Sends, and reads the whole answer, sorting failures by what they say about the money.
pub(super) async fn read_whole(request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), ProviderError> {
    let mut response = request.send().await.map_err(|error| {
        let error = error.without_url();
        let text = error.to_string();
        if error.is_connect() { ProviderError::Unreachable(text) } else { ProviderError::Unknown(text) }
    })?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|error| ProviderError::Unknown(error.without_url().to_string()))?
    {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST_ANSWER {
            return Err(ProviderError::Unknown("the answer is too long".to_owned()));
        }
    }
    Ok((status, body))
}

/// Why there are no providers.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    #[error(transparent)]
    Client(#[from] reqwest::Error),
    #[error(transparent)]
    Key(#[from] TokenError),
}

/// Where the providers are.
#[derive(Clone)]
pub struct ProvidersConfig {
    /// Base URL of souk-payment-provider; without it `test` payments are refused.
    pub test_url: Option<String>,
    /// `whsec_…`, shared with it; without it no webhook is believed.
    pub test_webhook_secret: Option<String>,
    /// Base URL of Stripe's API.
    pub stripe_url: String,
    /// The deployment's: seals the keys of stores' accounts.
    pub secret: Vec<u8>,
    /// How long one call may take.
    pub timeout: Duration,
    pub clock: Clock,
}

/// The providers of this process.
#[derive(Clone)]
pub struct Providers {
    manual: Arc<Manual>,
    test: Option<Arc<Guarded<Test>>>,
    stripe: Arc<Guarded<Stripe>>,
    safe: Safe,
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
    pub fn new(config: &ProvidersConfig) -> Result<Self, Unready> {
        let guarded = |test| Arc::new(Guarded::new(test, config.clock.clone()));
        Ok(Self {
            manual: Arc::new(Manual),
            test: Test::new(config)?.map(guarded),
            stripe: Arc::new(Guarded::new(Stripe::new(config)?, config.clock.clone())),
            safe: Safe::new(&config.secret)?,
        })
    }

    /// What seals the keys of stores' accounts.
    pub const fn safe(&self) -> &Safe {
        &self.safe
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
            ProviderCode::Stripe => Some(&*self.stripe),
        }
    }
}
