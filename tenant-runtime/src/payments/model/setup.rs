//! How a store has set up its providers. Pure.

use serde::{Deserialize, Serialize};
use souk_access::KeyMode;
use souk_api::FieldError;
use souk_kernel::Text;
use utoipa::ToSchema;

use super::ProviderCode;
use super::account::{Account, CredentialsView};
use crate::payments::error::PaymentError;

/// Most hosts of a merchant's own storefronts.
const MOST_HOSTS: usize = 20;

/// A provider's settings as they are kept: `payment_providers.settings`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Setup {
    /// Hold the money and let staff capture it; else it is captured at once.
    #[serde(default)]
    pub capture_later: bool,
    /// Hosts of the merchant's own storefronts that shoppers may be sent back to, besides the store's.
    #[serde(default)]
    pub return_hosts: Vec<String>,
    /// The store's keys there, which are kept elsewhere.
    #[serde(skip)]
    pub account: Option<Account>,
}

impl Setup {
    /// Whether whoever has a key of this mode may pay with the store's account: a live key does not pay with play money, nor a test key with
    /// real money.
    pub fn is_for(&self, mode: KeyMode) -> bool {
        self.account.as_ref().is_none_or(|account| account.mode == mode)
    }
}

/// A provider as staff sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProviderView {
    #[schema(example = "test")]
    pub code: String,
    /// What shoppers read.
    #[schema(example = "Card")]
    pub title: String,
    /// Whether shoppers may choose it.
    pub enabled: bool,
    /// Hold the money and let staff capture it; else it is captured at once.
    #[schema(example = false)]
    pub capture_later: bool,
    /// Hosts of your own storefronts that shoppers may be sent back to, besides the store's.
    #[schema(example = json!(["shop.example.com"]))]
    pub return_hosts: Vec<String>,
    /// The keys of the store's account there; none where there are none, or none are needed.
    pub credentials: Option<CredentialsView>,
    /// Grows with every change; the ETag.
    #[schema(example = 1)]
    pub version: i64,
}

/// A way to pay.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProviderOfferView {
    #[schema(example = "test")]
    pub code: String,
    #[schema(example = "Card")]
    pub title: String,
}

impl ProviderView {
    /// Whether whoever has a key of this mode may pay this way.
    pub fn is_for(&self, mode: KeyMode) -> bool {
        let own = self.credentials.as_ref().is_none_or(|keys| keys.mode == mode.as_str());
        own && ProviderCode::parse(&self.code).is_some_and(|provider| provider.is_for(mode))
    }
}

impl From<ProviderView> for ProviderOfferView {
    fn from(provider: ProviderView) -> Self {
        Self { code: provider.code, title: provider.title }
    }
}

/// What to change; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditProvider {
    #[schema(value_type = Option<String>, example = "Card")]
    pub title: Option<Text<60>>,
    pub enabled: Option<bool>,
    pub capture_later: Option<bool>,
    /// All of them, at most 20: plain host names, without scheme, port or path.
    #[schema(value_type = Option<Vec<String>>, example = json!(["shop.example.com"]))]
    pub return_hosts: Option<Vec<Text<253>>>,
}

impl EditProvider {
    /// The provider after the change.
    ///
    /// # Errors
    /// [`PaymentError::Fields`] for hosts that are none.
    pub fn apply(self, mut provider: ProviderView) -> Result<ProviderView, PaymentError> {
        let Self { title, enabled, capture_later, return_hosts } = self;
        if let Some(title) = title {
            title.as_str().clone_into(&mut provider.title);
        }
        provider.enabled = enabled.unwrap_or(provider.enabled);
        provider.capture_later = capture_later.unwrap_or(provider.capture_later);
        if let Some(hosts) = return_hosts {
            provider.return_hosts = checked(&hosts)?;
        }
        Ok(provider)
    }
}

fn checked(hosts: &[Text<253>]) -> Result<Vec<String>, PaymentError> {
    if hosts.len() > MOST_HOSTS {
        let error = FieldError::new("/return_hosts", "too_many", "must be at most 20 hosts");
        return Err(PaymentError::Fields(vec![error]));
    }
    let mut errors = Vec::new();
    for (place, host) in hosts.iter().enumerate() {
        if !is_host(host.as_str()) {
            let message = "must be a plain host name such as shop.example.com";
            errors.push(FieldError::new(format!("/return_hosts/{place}"), "invalid", message));
        }
    }
    if !errors.is_empty() {
        return Err(PaymentError::Fields(errors));
    }
    let mut hosts: Vec<String> = hosts.iter().map(|host| host.as_str().to_ascii_lowercase()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    Ok(hosts)
}

/// Labels of letters, digits and inner hyphens, at least two of them, the last one no number.
fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.contains('.') && text.split('.').all(label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_and_nothing_else() {
        for good in ["shop.example.com", "a.b", "xn--bcher-kva.example", "SHOP.example"] {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "localhost",
            "https://a.b",
            "a.b:80",
            "a.b/c",
            "a..b",
            "-a.b",
            "a-.b",
            "10.0.0.1",
            "a b.c",
            "*.a.b",
            "",
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
