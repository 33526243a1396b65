//! The service that works out a store's taxes instead of its own rates: how it is set up, and how long one that fails is left alone. Pure.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Binary, Bool, Integer, Text as SqlText, Timestamptz};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use souk_kernel::Text;
use utoipa::ToSchema;

/// So many questions in a row without a usable answer, and the provider is left alone …
const PATIENCE: u32 = 3;
/// … for this long; then one question tries.
const PAUSE: TimeDelta = TimeDelta::seconds(30);

/// What happens to a sale while the provider gives no usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The store's own rates count, and the order says so.
    OwnRates,
    /// Nothing is sold.
    Refuse,
}

impl OnFailure {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnRates => "own_rates",
            Self::Refuse => "refuse",
        }
    }

    /// What `as_str` wrote; what is not known sells nothing.
    pub fn stored(text: &str) -> Self {
        if text == Self::OwnRates.as_str() { Self::OwnRates } else { Self::Refuse }
    }
}

/// Who worked the taxes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaxSource {
    /// The store's own rates.
    Own,
    /// The store's tax provider.
    Provider,
    /// The store's own rates, because the provider gave no usable answer.
    Fallback,
}

impl TaxSource {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Provider => "provider",
            Self::Fallback => "fallback",
        }
    }

    /// What `as_str` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Own, Self::Provider, Self::Fallback].into_iter().find(|source| source.as_str() == text)
    }
}

/// Signs what is asked: `whsec_` and base64 of 24 to 64 bytes. `Debug` shows none.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SharedSecret(Vec<u8>);

/// The text was not such a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `whsec_` and base64 of 24 to 64 bytes")]
pub struct SharedSecretError;

impl SharedSecret {
    /// The bytes, to be sealed.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What was sealed.
    pub const fn opened(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The header `webhook-signature` of Standard Webhooks 1.0: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`.
    pub fn signature(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        // HMAC takes keys of every length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(…)")
    }
}

impl TryFrom<String> for SharedSecret {
    type Error = SharedSecretError;
    fn try_from(text: String) -> Result<Self, SharedSecretError> {
        let bytes = text.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok());
        let bytes = bytes.filter(|bytes| (24..=64).contains(&bytes.len()));
        bytes.map(Self).ok_or(SharedSecretError)
    }
}

/// A tax provider as it shall be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"enabled": false, "url": "https://tax.example.com/estimates", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "timeout_ms": 2000, "cache_seconds": 900, "on_failure": "own_rates"}))]
pub struct PutTaxProvider {
    /// Whether it is asked; else the store's own rates count.
    pub enabled: bool,
    /// Where questions are posted: `https://`, of the open internet.
    #[schema(example = "https://tax.example.com/estimates")]
    pub url: Text<2048>,
    /// Signs the questions, as webhooks are signed: `whsec_` and base64 of 24 to 64 bytes. Never shown again; left out, the one before stays.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100, example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: Option<SharedSecret>,
    /// How long an answer may take, in milliseconds: 100 to 10000. A shopper may be waiting.
    #[schema(minimum = 100, maximum = 10000, example = 2000)]
    pub timeout_ms: i32,
    /// How long an answer counts for the same basket, in seconds: 60 to 86400.
    #[schema(minimum = 60, maximum = 86400, example = 900)]
    pub cache_seconds: i32,
    pub on_failure: OnFailure,
}

impl PutTaxProvider {
    /// What the types cannot say: pointer and what would have been right.
    ///
    /// # Errors
    /// The first of them.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !(100..=10_000).contains(&self.timeout_ms) {
            return Err(("/timeout_ms", "must be 100 to 10000"));
        }
        if !(60..=86_400).contains(&self.cache_seconds) {
            return Err(("/cache_seconds", "must be 60 to 86400"));
        }
        Ok(())
    }
}

/// The store's tax provider. Its secret is never shown.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct TaxProviderView {
    #[diesel(sql_type = Bool)]
    #[schema(example = true)]
    pub enabled: bool,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "https://tax.example.com/estimates")]
    pub url: String,
    #[diesel(sql_type = Integer)]
    #[schema(example = 2000)]
    pub timeout_ms: i32,
    #[diesel(sql_type = Integer)]
    #[schema(example = 900)]
    pub cache_seconds: i32,
    #[diesel(sql_type = SqlText)]
    #[schema(value_type = OnFailure)]
    pub on_failure: String,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

/// Who works out the store's taxes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaxProviderSetup {
    /// Null: only the store's own rates.
    pub provider: Option<TaxProviderView>,
}

/// A provider as it is asked.
#[derive(Clone, Debug)]
pub struct TaxAccount {
    pub url: String,
    pub secret: SharedSecret,
    pub timeout: Duration,
}

/// The row of a provider that is enabled, its secret sealed.
#[derive(QueryableByName)]
pub struct TaxAccountRow {
    #[diesel(sql_type = SqlText)]
    pub url: String,
    #[diesel(sql_type = Binary)]
    pub secret: Vec<u8>,
    #[diesel(sql_type = SqlText)]
    pub secret_key: String,
    #[diesel(sql_type = Integer)]
    pub timeout_ms: i32,
    #[diesel(sql_type = Integer)]
    pub cache_seconds: i32,
}

/// How a store's provider has answered lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    paused_until: Option<DateTime<Utc>>,
}

impl Breaker {
    /// Whether a question may go out now. Of those that come when the pause is over, the first: the next pause begins with it.
    pub fn admits(&mut self, now: DateTime<Utc>) -> bool {
        match self.paused_until {
            Some(until) if now < until => false,
            Some(_) => {
                self.paused_until = Some(now + PAUSE);
                true
            }
            None => true,
        }
    }

    /// A question came to nothing. True when the provider is left alone from now on.
    pub fn failed(&mut self, now: DateTime<Utc>) -> bool {
        self.failures = self.failures.saturating_add(1);
        let pauses = self.failures >= PATIENCE;
        if pauses {
            self.paused_until = Some(now + PAUSE);
        }
        pauses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        let secret = SharedSecret::try_from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = secret.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(format!("{secret:?}"), "SharedSecret(…)");
        for text in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert_eq!(SharedSecret::try_from(text.to_owned()), Err(SharedSecretError), "{text}");
        }
    }

    #[test]
    fn silence_pauses_it_and_one_tries() {
        let (mut breaker, start) = (Breaker::default(), DateTime::UNIX_EPOCH);
        for failure in 1..=PATIENCE {
            assert!(breaker.admits(start));
            assert_eq!(breaker.failed(start), failure == PATIENCE);
        }
        assert!(!breaker.admits(start + PAUSE - TimeDelta::milliseconds(1)));
        assert!(breaker.admits(start + PAUSE));
        assert!(!breaker.admits(start + PAUSE));
        assert!(breaker.failed(start + PAUSE));
        assert!(breaker.admits(start + PAUSE + PAUSE));
    }
}
