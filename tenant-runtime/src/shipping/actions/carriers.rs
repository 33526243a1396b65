//! Asking carriers' programs what a parcel costs: outside of any transaction, in bounded time, and not while they are known to be away.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use reqwest::StatusCode;
use souk_access::{Permission, Permit, Sealed, SigningKey, TokenError, Vault, Writes};
use souk_kernel::{Clock, ShippingCalculatorId, StoreId};
use souk_outbound::{Breaker, Secret, signatures};
use souk_tenancy::{ReadTx, WriteTx};
use uuid::Uuid;

use crate::shipping::error::ShippingError;
use crate::shipping::model::{Answered, Ask, CalculatorAccount, Parcel, Service, services};
use crate::shipping::queries::calculators as queries;

/// The envelope keys of stores are this issuer's, whoever seals with them.
const ISSUER: &str = "souk:runtime";
/// Longer than any program is waited for; each has a timeout of its own.
const LONGEST: Duration = Duration::from_secs(5);
/// What is read of an answer at most.
const MOST_BYTES: usize = 64 * 1024;
/// A program that had no good answer is asked about the same parcel again after this.
const AWAY: TimeDelta = TimeDelta::seconds(15);

/// Why a program did not say what a parcel costs.
#[derive(Debug, thiserror::Error)]
pub enum CalculatorError {
    /// Nothing came, or not in time, or the program says that it is broken.
    #[error("{0}")]
    Away(String),
    /// It answered what cannot be used.
    #[error("{0}")]
    Unusable(String),
}

/// Somebody who knows what delivery costs.
pub trait Calculator: Send + Sync {
    /// The services for a parcel, priced in its currency. Answers in bounded time.
    ///
    /// # Errors
    /// See [`CalculatorError`].
    fn services<'c>(&'c self, parcel: &'c Parcel) -> BoxFuture<'c, Result<Vec<Service>, CalculatorError>>;
}

/// A program that is asked by a signed POST.
struct HttpCalculator {
    client: reqwest::Client,
    private: bool,
    clock: Clock,
    url: String,
    secret: Secret,
    timeout: Duration,
}

impl Calculator for HttpCalculator {
    fn services<'c>(&'c self, parcel: &'c Parcel) -> BoxFuture<'c, Result<Vec<Service>, CalculatorError>> {
        async move {
            let url = souk_outbound::readable(&self.url, self.private)
                .map_err(|message| CalculatorError::Unusable(format!("the address {message}")))?;
            let question = parcel.question();
            let (id, at) = (Uuid::now_v7().to_string(), self.clock.now().timestamp());
            let signature = signatures(std::iter::once(self.secret.0.as_slice()), &id, at, &question);
            let request = self
                .client
                .post(url)
                .timeout(self.timeout)
                .header("content-type", "application/json")
                .header("webhook-id", id)
                .header("webhook-timestamp", at.to_string())
                .header("webhook-signature", signature)
                .body(question);
            let answer = request.send().await.map_err(|error| told(&error))?;
            let status = answer.status();
            if status.is_server_error() {
                return Err(CalculatorError::Away(format!("it answered {}", status.as_u16())));
            }
            if status != StatusCode::OK {
                return Err(CalculatorError::Unusable(format!("it answered {}", status.as_u16())));
            }
            let bytes = whole(answer).await?;
            services(&bytes, parcel.merchandise_total.currency()).map_err(CalculatorError::Unusable)
        }
        .boxed()
    }
}

async fn whole(mut answer: reqwest::Response) -> Result<Vec<u8>, CalculatorError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| told(&error))? {
        if bytes.len() + chunk.len() > MOST_BYTES {
            return Err(CalculatorError::Unusable(format!("its answer has more than {MOST_BYTES} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// What somebody who probes a network would like to know, is not said.
fn told(error: &reqwest::Error) -> CalculatorError {
    let text = if error.is_timeout() { "no whole answer in time" } else { "it could not be reached" };
    CalculatorError::Away(text.to_owned())
}

/// The process could not get ready to ask anybody.
#[derive(Debug, thiserror::Error)]
pub enum CarriersError {
    #[error(transparent)]
    Client(#[from] reqwest::Error),
    #[error(transparent)]
    Key(#[from] TokenError),
}

/// Whose program it is, and which.
type Named = (StoreId, ShippingCalculatorId);

/// What asks the carriers of all stores of a process: the client, the key that opens their secrets, and who is left alone for a moment.
/// Cheap to clone.
#[derive(Clone)]
pub struct Carriers(Arc<Office>);

struct Office {
    client: reqwest::Client,
    private: bool,
    root: SigningKey,
    clock: Clock,
    /// Of those who failed to answer; whoever answers is forgotten.
    breakers: Mutex<HashMap<Named, Breaker>>,
}

impl fmt::Debug for Carriers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carriers").field("private", &self.0.private).finish_non_exhaustive()
    }
}

impl Carriers {
    /// `secret` is the deployment's: every process opens what another sealed. `private` allows addresses of this machine and plain HTTP: for
    /// development.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn new(secret: &[u8], private: bool, clock: Clock) -> Result<Self, CarriersError> {
        let client = souk_outbound::client(private, LONGEST)?;
        let root = SigningKey::derive(ISSUER, secret, "secrets of stores")?;
        Ok(Self(Arc::new(Office { client, private, root, clock, breakers: Mutex::default() })))
    }

    /// Whether a program may be there.
    ///
    /// # Errors
    /// [`ShippingError::Address`].
    pub fn check(&self, url: &str) -> Result<(), ShippingError> {
        souk_outbound::readable(url, self.0.private).map(drop).map_err(ShippingError::Address)
    }

    /// Seals a program's secret.
    ///
    /// # Errors
    /// [`ShippingError::Sealing`] when the operating system gives no random bytes.
    pub fn seal(&self, (store, id): Named, secret: &Secret) -> Result<Sealed, ShippingError> {
        let failed = |error: &dyn fmt::Display| ShippingError::Sealing(error.to_string());
        let vault = Vault::of_store(ISSUER, &self.0.root, store).map_err(|error| failed(&error))?;
        vault.seal(owner(id).as_bytes(), &secret.0).map_err(|error| failed(&error))
    }

    fn open(&self, store: StoreId, account: &CalculatorAccount) -> Option<Secret> {
        let vault = Vault::of_store(ISSUER, &self.0.root, store).ok()?;
        vault.open(owner(account.id).as_bytes(), &account.secret).map(Secret)
    }

    fn with<T>(&self, named: Named, change: impl FnOnce(&mut Breaker, DateTime<Utc>) -> T) -> T {
        let now = self.0.clock.now();
        // A panic in here leaves numbers that are as good as any.
        let mut breakers = self.0.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        let breaker = breakers.entry(named).or_default();
        let outcome = change(breaker, now);
        if *breaker == Breaker::default() {
            breakers.remove(&named);
        }
        outcome
    }

    /// Asks one program about one parcel, unless it is left alone.
    async fn services(
        &self,
        store: StoreId,
        account: &CalculatorAccount,
        parcel: &Parcel,
    ) -> Result<Vec<Service>, CalculatorError> {
        let Some(secret) = self.open(store, account) else {
            return Err(CalculatorError::Unusable("its secret cannot be read: give it a new one".to_owned()));
        };
        let named = (store, account.id);
        if !self.with(named, Breaker::admits) {
            return Err(CalculatorError::Away("left alone for a moment: it does not answer".to_owned()));
        }
        let timeout = Duration::from_millis(u64::try_from(account.timeout_ms).unwrap_or_default());
        let (client, clock) = (self.0.client.clone(), self.0.clock.clone());
        let calculator = HttpCalculator {
            client,
            private: self.0.private,
            clock,
            url: account.url.clone(),
            secret,
            timeout,
        };
        let outcome = calculator.services(parcel).await;
        let (word, answered) = match &outcome {
            Ok(_) => ("answered", true),
            Err(CalculatorError::Unusable(_)) => ("unusable", true),
            Err(CalculatorError::Away(_)) => ("away", false),
        };
        metrics::counter!("souk_shipping_calculator_calls_total", "result" => word).increment(1);
        self.with(named, |breaker, now| breaker.heard(answered, now));
        outcome
    }

    /// The same, as it is kept.
    async fn answered(
        &self,
        store: StoreId,
        account: &CalculatorAccount,
        question: [u8; 32],
        parcel: &Parcel,
    ) -> Answered {
        let outcome = self.services(store, account, parcel).await.map_err(|error| error.to_string());
        let holds = match &outcome {
            Ok(_) => TimeDelta::seconds(i64::from(account.cache_seconds)),
            Err(cause) => {
                tracing::warn!(calculator = %account.id, cause, "a carrier's program does not say what a parcel costs");
                AWAY
            }
        };
        let good_until = self.0.clock.now() + holds;
        Answered { calculator: account.id, question, outcome, good_until }
    }
}

fn owner(id: ShippingCalculatorId) -> String {
    format!("shipping calculator {id}")
}

/// Asks all of these at once and keeps what they say; what cannot be had is kept too, for a moment. Prices that are worked out after it know no
/// more asks of these. Two transactions, and none while somebody is waited for.
///
/// # Errors
/// The database's only.
pub async fn ask<P: Permission<Access = Writes>>(
    permit: &Permit<P>,
    carriers: &Carriers,
    asks: Vec<Ask>,
) -> Result<(), ShippingError> {
    let asks: BTreeMap<_, _> =
        asks.into_iter().map(|ask| ((ask.calculator, ask.parcel.fingerprint()), ask.parcel)).collect();
    let ids: Vec<ShippingCalculatorId> = asks.keys().map(|(calculator, _)| *calculator).collect();
    let look = async move |tx: &mut ReadTx<'_>| Ok::<_, ShippingError>(queries::accounts(tx, &ids).await?);
    let accounts = permit.read("shipping.calculators", look).await?;
    let store = permit.store();
    let mut asked: Vec<BoxFuture<'_, Answered>> = Vec::with_capacity(asks.len());
    for ((id, question), parcel) in &asks {
        let Some(account) = accounts.iter().find(|account| account.id == *id) else { continue };
        asked.push(carriers.answered(store, account, *question, parcel).boxed());
    }
    let answers = join_all(asked).await;
    let keep = async move |tx: &mut WriteTx<'_>| {
        // What a shopper's cart costs is nobody's act.
        tx.logged();
        Ok::<_, ShippingError>(queries::keep(tx, answers).await?)
    };
    permit.write("shipping.quotes", keep).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn carriers_are_of_the_open_internet_only() {
        let carriers = Carriers::new(b"of tests", false, Clock::system()).unwrap();
        for url in [
            "http://rates.example.com/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://169.254.169.254/latest/meta-data/",
            "https://2130706433/",
            "https://localhost/",
            "https://ada:secret@rates.example.com/",
        ] {
            assert!(matches!(carriers.check(url), Err(ShippingError::Address(_))), "{url}");
        }
        assert!(carriers.check("https://rates.example.com/souk").is_ok());
    }

    #[tokio::test]
    async fn a_secret_opens_for_its_store_and_its_program_only() {
        let carriers = Carriers::new(b"of tests", true, Clock::system()).unwrap();
        let (store, id, secret) = (StoreId::new(), ShippingCalculatorId::new(), Secret::random().unwrap());
        let sealed = carriers.seal((store, id), &secret).unwrap();
        let account = |id| CalculatorAccount {
            id,
            url: String::new(),
            secret: sealed.clone(),
            timeout_ms: 100,
            cache_seconds: 60,
        };
        assert_eq!(carriers.open(store, &account(id)).map(|opened| opened.0), Some(secret.0));
        assert!(carriers.open(StoreId::new(), &account(id)).is_none());
        assert!(carriers.open(store, &account(ShippingCalculatorId::new())).is_none());
        let others = Carriers::new(b"of others", true, Clock::system()).unwrap();
        assert!(others.open(store, &account(id)).is_none());
    }
}
