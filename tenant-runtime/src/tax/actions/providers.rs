//! Asking a store's tax provider what a basket owes. Never called inside a transaction.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use souk_access::{Permission, Permit, Sealed, SigningKey, TokenError, Vault, Writes};
use souk_kernel::StoreId;
use souk_tenancy::{ReadTx, WriteTx};
use uuid::Uuid;

use crate::tax::error::TaxError;
use crate::tax::model::{
    Breaker, EstimateFault, PutTaxProvider, SharedSecret, TaxAccount, TaxAccountRow, TaxEstimate,
    TaxProviderView, TaxQuestion, fingerprint,
};
use crate::tax::queries;

/// The envelope keys of stores are this issuer's, whoever seals with them.
const ISSUER: &str = "souk:runtime";
/// What is sealed.
const OWNER: &[u8] = b"secret of the tax provider";
/// More than any store may grant; each store's own time is shorter.
const WHOLE: Duration = Duration::from_secs(10);
/// More than the answer about the longest cart has.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// Why there is no answer that counts.
#[derive(Debug, thiserror::Error)]
pub enum TaxProviderError {
    /// It was not asked, did not answer in time, or not with 200.
    #[error("no answer: {0}")]
    Away(String),
    /// It answered something else.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
    #[error("the answer is not believed: {0}")]
    Unsound(#[from] EstimateFault),
}

/// Somebody who works out taxes and keeps account of them.
pub trait TaxProvider: Send + Sync {
    /// What a basket owes. Answers in the account's time; what it says is not checked yet. Asking again changes nothing.
    fn estimate<'p>(
        &'p self,
        account: &'p TaxAccount,
        question: &'p [u8],
        now: DateTime<Utc>,
    ) -> BoxFuture<'p, Result<TaxEstimate, TaxProviderError>>;

    /// Takes what became of an order. Answers in the account's time; the same `id` is the same news, however often it comes.
    fn file<'p>(
        &'p self,
        account: &'p TaxAccount,
        id: &'p str,
        news: &'p [u8],
        now: DateTime<Utc>,
    ) -> BoxFuture<'p, Result<(), TaxProviderError>>;
}

/// A provider that is asked over HTTP: what is asked and told is posted as JSON, signed as Standard Webhooks are, and taken with 2xx.
struct HttpTaxProvider {
    client: reqwest::Client,
    private: bool,
}

impl HttpTaxProvider {
    async fn post(
        &self,
        account: &TaxAccount,
        id: &str,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Vec<u8>, TaxProviderError> {
        let away = |error: reqwest::Error| TaxProviderError::Away(error.without_url().to_string());
        let url = souk_outbound::readable(&account.url, self.private)
            .map_err(|message| TaxProviderError::Away(format!("the address {message}")))?;
        let timestamp = now.timestamp();
        let request = self
            .client
            .post(url)
            .timeout(account.timeout)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", account.secret.signature(id, timestamp, body))
            .body(body.to_vec());
        let mut response = request.send().await.map_err(away)?;
        if !response.status().is_success() {
            return Err(TaxProviderError::Away(format!("it answered {}", response.status().as_u16())));
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(away)? {
            answer.extend_from_slice(&chunk);
            if answer.len() > LARGEST_ANSWER {
                return Err(TaxProviderError::Unreadable("it is too long".to_owned()));
            }
        }
        Ok(answer)
    }
}

impl TaxProvider for HttpTaxProvider {
    fn estimate<'p>(
        &'p self,
        account: &'p TaxAccount,
        question: &'p [u8],
        now: DateTime<Utc>,
    ) -> BoxFuture<'p, Result<TaxEstimate, TaxProviderError>> {
        async move {
            let id = format!("tax_{}", Uuid::now_v7().simple());
            let answer = self.post(account, &id, question, now).await?;
            serde_json::from_slice(&answer).map_err(|error| TaxProviderError::Unreadable(error.to_string()))
        }
        .boxed()
    }

    fn file<'p>(
        &'p self,
        account: &'p TaxAccount,
        id: &'p str,
        news: &'p [u8],
        now: DateTime<Utc>,
    ) -> BoxFuture<'p, Result<(), TaxProviderError>> {
        async move { self.post(account, id, news, now).await.map(drop) }.boxed()
    }
}

/// Why nobody can be asked.
#[derive(Debug, thiserror::Error)]
pub enum TaxProvidersUnready {
    #[error(transparent)]
    Client(#[from] reqwest::Error),
    #[error(transparent)]
    Key(#[from] TokenError),
}

/// The tax providers of the stores of this process, each behind a breaker of its own. Cheap to clone.
#[derive(Clone)]
pub struct TaxProviders {
    provider: Arc<dyn TaxProvider>,
    root: Arc<SigningKey>,
    private: bool,
    /// Of stores whose provider failed lately.
    breakers: Arc<Mutex<HashMap<StoreId, Breaker>>>,
}

impl fmt::Debug for TaxProviders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaxProviders").field("private", &self.private).finish_non_exhaustive()
    }
}

impl TaxProviders {
    /// Asks over HTTP. `secret` is the deployment's and seals the secrets that sign; `private` allows addresses of this machine and plain HTTP:
    /// for development.
    ///
    /// # Errors
    /// When the client or the key cannot be made.
    pub fn new(secret: &[u8], private: bool) -> Result<Self, TaxProvidersUnready> {
        let client = souk_outbound::client(private, WHOLE)?;
        Ok(Self {
            provider: Arc::new(HttpTaxProvider { client, private }),
            root: Arc::new(SigningKey::derive(ISSUER, secret, "secrets of stores")?),
            private,
            breakers: Arc::default(),
        })
    }

    /// The store's envelope key: another store's opens nothing of it.
    fn vault(&self, store: StoreId) -> Result<Vault, TokenError> {
        Vault::of_store(ISSUER, &self.root, store)
    }

    fn sealed(&self, store: StoreId, secret: &SharedSecret) -> Result<Sealed, TaxError> {
        Ok(self.vault(store)?.seal(OWNER, secret.bytes())?)
    }

    fn account(&self, store: StoreId, row: &TaxAccountRow) -> Result<TaxAccount, TaxProviderError> {
        let sealed = Sealed { key: row.secret_key.clone(), bytes: row.secret.clone() };
        let opened = self.vault(store).ok().and_then(|vault| vault.open(OWNER, &sealed));
        let unusable = || TaxProviderError::Away("its secret cannot be opened; set it anew".to_owned());
        let secret = SharedSecret::opened(opened.ok_or_else(unusable)?);
        let timeout = Duration::from_millis(u64::try_from(row.timeout_ms).unwrap_or_default());
        Ok(TaxAccount { url: row.url.clone(), secret, timeout })
    }

    /// Tells what became of an order; the same `id` is the same news.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn tell(
        &self,
        store: StoreId,
        row: &TaxAccountRow,
        (id, news): (&str, &[u8]),
        now: DateTime<Utc>,
    ) -> Result<(), TaxProviderError> {
        self.provider.file(&self.account(store, row)?, id, news, now).await
    }

    /// Asks what has not been asked yet and keeps the answer, for whoever prices the same basket from now on. `false`: there is no answer that
    /// counts. Two transactions, and the provider between them.
    ///
    /// # Errors
    /// The database's only.
    pub async fn ask<P: Permission<Access = Writes>>(
        &self,
        permit: &Permit<P>,
        question: &TaxQuestion,
    ) -> Result<bool, TaxError> {
        let look = async |tx: &mut ReadTx<'_>| Ok::<_, TaxError>(queries::account(tx).await?);
        let Some(row) = permit.read("tax_provider.account", look).await? else { return Ok(false) };
        let (store, now) = (permit.store(), permit.clock().now());
        let body = question.body()?;
        let answer = match self.answer(store, &row, &body, question, now).await {
            Ok(answer) => serde_json::to_value(answer)?,
            Err(error) => {
                metrics::counter!("souk_tax_provider_failures_total").increment(1);
                tracing::warn!(%store, %error, "a tax provider gave no answer that counts");
                return Ok(false);
            }
        };
        let keep = async move |tx: &mut WriteTx<'_>| {
            queries::keep_estimate(tx, &row, fingerprint(&body), answer).await?;
            // Nobody decided anything: what was answered is kept for a while.
            tx.logged();
            Ok::<_, TaxError>(())
        };
        permit.write("tax_provider.keep", keep).await?;
        Ok(true)
    }

    async fn answer(
        &self,
        store: StoreId,
        row: &TaxAccountRow,
        body: &[u8],
        question: &TaxQuestion,
        now: DateTime<Utc>,
    ) -> Result<TaxEstimate, TaxProviderError> {
        let account = self.account(store, row)?;
        if !self.admits(store, now) {
            return Err(TaxProviderError::Away("it is left alone for a moment".to_owned()));
        }
        let asked = self.provider.estimate(&account, body, now).await;
        let checked = asked.and_then(|estimate| Ok(estimate.checked(question)?));
        self.heard(store, checked.is_ok(), now);
        checked
    }

    fn admits(&self, store: StoreId, now: DateTime<Utc>) -> bool {
        // A panic in here leaves counts that are as good as any.
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        breakers.get_mut(&store).is_none_or(|breaker| breaker.admits(now))
    }

    fn heard(&self, store: StoreId, well: bool, now: DateTime<Utc>) {
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        if well {
            breakers.remove(&store);
        } else if breakers.entry(store).or_default().failed(now) {
            tracing::warn!(%store, "a tax provider is left alone for a moment");
        }
    }

    /// Sets the store's provider up; without a new secret the one before stays. What the provider before answered counts no more.
    ///
    /// # Errors
    /// 422 for an address that may not be asked, times beyond what may be, or no secret at all.
    pub async fn put(
        &self,
        tx: &mut WriteTx<'_>,
        wish: &PutTaxProvider,
    ) -> Result<TaxProviderView, TaxError> {
        wish.check().map_err(|(pointer, message)| TaxError::field(pointer, message))?;
        souk_outbound::readable(wish.url.as_str(), self.private).map_err(TaxError::Address)?;
        let sealed = wish.secret.as_ref().map(|secret| self.sealed(tx.store(), secret)).transpose()?;
        let put = queries::put_provider(tx, wish, sealed.as_ref()).await?;
        put.ok_or_else(|| TaxError::field("/secret", "must be given: there is none yet"))
    }

    /// The breaker of a store forgets: its provider is another.
    pub fn begin_anew(&self, store: StoreId) {
        self.heard(store, true, DateTime::UNIX_EPOCH);
    }
}

/// What the store's provider answered to a question, if that still counts. One statement.
///
/// # Errors
/// The database's only.
pub async fn kept_estimate(
    tx: &mut ReadTx<'_>,
    question: &TaxQuestion,
) -> Result<Option<TaxEstimate>, TaxError> {
    let kept = queries::estimate(tx, fingerprint(&question.body()?)).await?;
    // What cannot be read any more is asked again.
    Ok(kept.and_then(|estimate| estimate.checked(question).ok()))
}
