//! A store's account at a provider: its keys, sealed, and what may be told of them. Pure, but for the sealing.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use souk_access::{KeyMode, Sealed, SigningKey, TokenError, Vault};
use souk_api::FieldError;
use souk_kernel::StoreId;
use utoipa::ToSchema;

use super::ProviderCode;
use crate::payments::error::PaymentError;

/// The envelope keys of stores are this issuer's, whoever seals with them.
const ISSUER: &str = "souk:runtime";
/// The former secret of an endpoint is believed for this long after it was exchanged: as long as Stripe signs with both.
pub const FORMER_LASTS: TimeDelta = TimeDelta::hours(24);
/// Longer than any key there is.
const LONGEST: usize = 255;

/// The keys of a store's account as they are kept. Worth nothing without the deployment's secret.
#[derive(Clone, Debug)]
pub struct Account {
    pub sealed: Sealed,
    /// Whether its keys move money.
    pub mode: KeyMode,
    /// Until when the endpoint's former secret is believed as well.
    pub former_until: Option<DateTime<Utc>>,
}

/// The keys themselves, in memory only. `Debug` shows none.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// Opens the provider's API.
    pub secret_key: String,
    /// Signs the provider's events.
    #[serde(default)]
    pub webhook_secret: Option<String>,
    /// Signed them until it was exchanged.
    #[serde(default)]
    pub former_webhook_secret: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// Seals and opens the keys of stores' accounts, each store's with a key of its own.
#[derive(Clone)]
pub struct Safe {
    root: std::sync::Arc<SigningKey>,
}

impl Safe {
    /// `secret` is the deployment's: every process opens what another sealed.
    ///
    /// # Errors
    /// When no key derives from it; never in practice.
    pub fn new(secret: &[u8]) -> Result<Self, TokenError> {
        Ok(Self { root: std::sync::Arc::new(SigningKey::derive(ISSUER, secret, "secrets of stores")?) })
    }

    fn vault(&self, store: StoreId) -> Result<Vault, TokenError> {
        Vault::of_store(ISSUER, &self.root, store)
    }

    /// Seals the keys of a store's account at a provider.
    ///
    /// # Errors
    /// [`PaymentError::Sealing`] when the operating system gives no random bytes.
    pub fn seal(&self, store: StoreId, provider: ProviderCode, keys: &Keys) -> Result<Sealed, PaymentError> {
        let text = serde_json::to_vec(keys).map_err(|error| PaymentError::Sealing(error.to_string()))?;
        let vault = self.vault(store).map_err(|error| PaymentError::Sealing(error.to_string()))?;
        vault
            .seal(owner(provider).as_bytes(), &text)
            .map_err(|error| PaymentError::Sealing(error.to_string()))
    }

    /// Opens them; `None` when they were altered, are another store's, or were sealed with another deployment's secret.
    pub fn open(&self, store: StoreId, provider: ProviderCode, sealed: &Sealed) -> Option<Keys> {
        let text = self.vault(store).ok()?.open(owner(provider).as_bytes(), sealed)?;
        serde_json::from_slice(&text).ok()
    }
}

fn owner(provider: ProviderCode) -> String {
    format!("credentials at {}", provider.as_str())
}

/// What staff sees of the keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CredentialsView {
    /// `live` keys move money, `test` keys do not.
    #[schema(example = "test")]
    pub mode: String,
    /// Enough of the secret key to tell it from others.
    #[schema(example = "sk_test_…4242")]
    pub hint: String,
    /// Whether events of the provider are believed. Without them payments are asked about instead, which takes longer.
    pub has_webhook_secret: bool,
    /// Until when events signed with the former secret are believed as well.
    pub former_webhook_secret_until: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
}

/// Keys of the store's account. What is left out stays.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"secret_key": "sk_test_51Souk4242", "webhook_secret": "whsec_2sY8wHq0"}))]
pub struct SetCredentials {
    /// `sk_…`, or a restricted key `rk_…` that may write PaymentIntents, Checkout Sessions and Refunds and read Charges and Disputes.
    #[schema(example = "sk_test_51Souk4242")]
    pub secret_key: Option<String>,
    /// `whsec_…` of the endpoint. A new one is believed at once, the former one for 24 hours more.
    #[schema(example = "whsec_2sY8wHq0")]
    pub webhook_secret: Option<String>,
}

impl fmt::Debug for SetCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetCredentials").finish_non_exhaustive()
    }
}

/// What is kept after a change.
#[derive(Clone, Debug)]
pub struct NewCredentials {
    pub keys: Keys,
    pub mode: KeyMode,
    pub hint: String,
    pub former_until: Option<DateTime<Utc>>,
}

impl SetCredentials {
    /// The keys after the change, from those before it and until when a former secret was believed.
    ///
    /// # Errors
    /// [`PaymentError::Fields`] for keys that have not the form of keys, for none at all, and when the first ones lack the secret key.
    pub fn apply(
        self,
        before: Option<(Keys, Option<DateTime<Utc>>)>,
        now: DateTime<Utc>,
    ) -> Result<NewCredentials, PaymentError> {
        let mut errors = Vec::new();
        let mut refuse = |pointer: &'static str, code: &'static str, message: &'static str| {
            errors.push(FieldError::new(pointer, code, message));
        };
        if let Some(key) = &self.secret_key
            && mode_of(key).is_none()
        {
            refuse("/secret_key", "invalid", "must be a key sk_test_…, sk_live_…, rk_test_… or rk_live_…");
        }
        if let Some(secret) = &self.webhook_secret
            && !has_form(secret, "whsec_")
        {
            refuse("/webhook_secret", "invalid", "must be the signing secret whsec_… of the endpoint");
        }
        if self.secret_key.is_none() && (before.is_none() || self.webhook_secret.is_none()) {
            refuse("/secret_key", "required", "must be given");
        }
        if !errors.is_empty() {
            return Err(PaymentError::Fields(errors));
        }
        let (known, until) = match before {
            Some((keys, until)) => (Some(keys), until),
            None => (None, None),
        };
        let known_secret = known.as_ref().and_then(|keys| keys.webhook_secret.clone());
        let exchanged = self.webhook_secret.is_some() && self.webhook_secret != known_secret;
        let (former, former_until) = match (exchanged, known_secret.clone()) {
            (true, Some(former)) => (Some(former), Some(now + FORMER_LASTS)),
            (true, None) => (None, None),
            (false, _) => (known.as_ref().and_then(|keys| keys.former_webhook_secret.clone()), until),
        };
        let secret_key = self.secret_key.or_else(|| known.map(|keys| keys.secret_key)).unwrap_or_default();
        let mode = mode_of(&secret_key).unwrap_or(KeyMode::Test);
        let hint = hint_of(&secret_key);
        let webhook_secret = self.webhook_secret.or(known_secret);
        let keys = Keys { secret_key, webhook_secret, former_webhook_secret: former };
        Ok(NewCredentials { keys, mode, hint, former_until })
    }
}

fn has_form(text: &str, start: &str) -> bool {
    let rest = text.strip_prefix(start).unwrap_or_default();
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'/' | b'=' | b'-');
    text.len() <= LONGEST && rest.len() >= 4 && rest.bytes().all(letter)
}

/// Whether a secret key moves money; `None` for what is no such key.
fn mode_of(key: &str) -> Option<KeyMode> {
    const STARTS: [(&str, KeyMode); 4] = [
        ("sk_test_", KeyMode::Test),
        ("rk_test_", KeyMode::Test),
        ("sk_live_", KeyMode::Live),
        ("rk_live_", KeyMode::Live),
    ];
    STARTS.into_iter().find(|(start, _)| has_form(key, start)).map(|(_, mode)| mode)
}

/// Its beginning and its last four letters.
fn hint_of(key: &str) -> String {
    let start: String = key.chars().take(8).collect();
    let tail = key.get(key.len().saturating_sub(4)..).unwrap_or_default();
    format!("{start}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key: Option<&str>, webhook: Option<&str>) -> SetCredentials {
        SetCredentials { secret_key: key.map(str::to_owned), webhook_secret: webhook.map(str::to_owned) }
    }

    #[test]
    fn a_secret_that_is_exchanged_is_believed_for_a_day() {
        let now = DateTime::UNIX_EPOCH;
        let first = set(Some("sk_test_abcd4242"), Some("whsec_one1")).apply(None, now).unwrap();
        assert_eq!(
            (first.mode, first.hint.as_str(), first.former_until),
            (KeyMode::Test, "sk_test_…4242", None)
        );
        let second = set(None, Some("whsec_two2")).apply(Some((first.keys.clone(), None)), now).unwrap();
        assert_eq!(second.former_until, Some(now + FORMER_LASTS));
        assert_eq!(second.keys.former_webhook_secret.as_deref(), Some("whsec_one1"));
        assert_eq!(second.keys.secret_key, "sk_test_abcd4242");
        // The same one again takes nothing back, another key neither.
        let before = Some((second.keys.clone(), second.former_until));
        let third = set(Some("rk_live_efgh1111"), Some("whsec_two2")).apply(before, now).unwrap();
        assert_eq!((third.mode, third.former_until), (KeyMode::Live, second.former_until));
        assert_eq!(third.keys.former_webhook_secret.as_deref(), Some("whsec_one1"));
        assert_eq!(format!("{:?}", third.keys), "Keys(…)");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let now = DateTime::UNIX_EPOCH;
        let pk = "pk_test_abcd4242";
        for wish in [
            set(None, None),
            set(None, Some("whsec_one1")),
            set(Some(pk), None),
            set(Some("sk_test_"), None),
            set(Some("sk_test_abcd 242"), None),
            set(Some("sk_test_abcd4242"), Some("secret")),
        ] {
            assert!(matches!(wish.apply(None, now), Err(PaymentError::Fields(_))));
        }
    }

    #[test]
    fn keys_open_for_their_store_and_provider_only() {
        let safe = Safe::new(b"of tests").unwrap();
        let (store, keys) = (
            StoreId::new(),
            Keys { secret_key: "sk_test_1".to_owned(), webhook_secret: None, former_webhook_secret: None },
        );
        let sealed = safe.seal(store, ProviderCode::Stripe, &keys).unwrap();
        assert_eq!(safe.open(store, ProviderCode::Stripe, &sealed), Some(keys));
        assert_eq!(safe.open(StoreId::new(), ProviderCode::Stripe, &sealed), None);
        assert_eq!(safe.open(store, ProviderCode::Test, &sealed), None);
        assert_eq!(Safe::new(b"of others").unwrap().open(store, ProviderCode::Stripe, &sealed), None);
    }
}
