//! API keys for machines: `sk_live_…` acts for the store, `pk_test_…` only says which storefront is calling.

use std::fmt;

use crate::secret::{APP_SECRET, NoEntropy, SecretDigest, is_body, random_body};

/// What a key may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// `pk_`: may be seen by anyone; holds what a shopper holds.
    Publishable,
    /// `sk_`: holds what its scopes say.
    Secret,
}

impl KeyKind {
    /// As stored: `publishable`, `secret`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Publishable => "publishable",
            Self::Secret => "secret",
        }
    }
}

/// Whether a key is for real: a live one does not pay with play money. All else is alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyMode {
    /// `…_test_…`
    Test,
    /// `…_live_…`
    Live,
}

impl KeyMode {
    /// As stored: `test`, `live`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }
}

const FORMS: [(&str, KeyKind, KeyMode); 4] = [
    ("sk_live_", KeyKind::Secret, KeyMode::Live),
    ("sk_test_", KeyKind::Secret, KeyMode::Test),
    ("pk_live_", KeyKind::Publishable, KeyMode::Live),
    ("pk_test_", KeyKind::Publishable, KeyMode::Test),
];

/// A key in plain text, in memory only: when it is made, and when a request presents it. `Debug` shows only the prefix.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    kind: KeyKind,
    mode: KeyMode,
    text: String,
}

impl ApiKey {
    /// A new key with 256 random bits.
    pub fn mint(kind: KeyKind, mode: KeyMode) -> Result<Self, NoEntropy> {
        let form = match (kind, mode) {
            (KeyKind::Secret, KeyMode::Live) => "sk_live_",
            (KeyKind::Secret, KeyMode::Test) => "sk_test_",
            (KeyKind::Publishable, KeyMode::Live) => "pk_live_",
            (KeyKind::Publishable, KeyMode::Test) => "pk_test_",
        };
        Ok(Self { kind, mode, text: format!("{form}{}", random_body()?) })
    }

    /// Every pair of kind and mode there is.
    pub fn forms() -> impl Iterator<Item = (KeyKind, KeyMode)> {
        FORMS.iter().map(|(_, kind, mode)| (*kind, *mode))
    }

    /// Reads a key from a request; `None` when it cannot be one, so no query is spent on it.
    pub fn parse(text: &str) -> Option<Self> {
        FORMS.iter().find_map(|(form, kind, mode)| {
            text.strip_prefix(form).filter(|body| is_body(body)).map(|_| Self {
                kind: *kind,
                mode: *mode,
                text: text.to_owned(),
            })
        })
    }

    /// Publishable or secret.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Test or live.
    pub fn mode(&self) -> KeyMode {
        self.mode
    }

    /// What to store or look up by.
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.text)
    }

    /// What a person recognises the key by, safe to store and show: `sk_live_AbCd`.
    pub fn prefix(&self) -> &str {
        self.text.get(..12).unwrap_or_default()
    }

    /// The key itself, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}…)", self.prefix())
    }
}

/// Whether a text looks like it carries a key, anywhere and in percent-encoding too: such URLs are refused, because URLs are
/// logged, cached and sent on as referrers.
pub(crate) fn appears_in(url: &str) -> bool {
    let plain = url.replace("%5F", "_").replace("%5f", "_");
    FORMS.iter().any(|(form, _, _)| plain.contains(form))
        || plain.contains(APP_SECRET)
        || plain.contains("access_token=")
        || plain.contains("client_secret=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_survives_its_text() {
        for kind in [KeyKind::Publishable, KeyKind::Secret] {
            for mode in [KeyMode::Test, KeyMode::Live] {
                let key = ApiKey::mint(kind, mode).unwrap();
                let read = ApiKey::parse(key.expose()).unwrap();
                assert_eq!((read.kind(), read.mode()), (kind, mode));
                assert!(read.digest().matches(key.digest().as_bytes()));
                assert!(!format!("{key:?}").contains(key.expose()));
                assert!(appears_in(&format!("/store/v1/products?key={}", key.expose())));
                assert!(appears_in(&format!("/store/v1/products?key={}", key.expose().replace('_', "%5F"))));
                let app = crate::secret::AppSecret::mint().unwrap();
                assert!(appears_in(&format!("/oauth/token?x={}", app.expose())));
            }
        }
    }

    #[test]
    fn nothing_else_is_a_key() {
        let key = ApiKey::mint(KeyKind::Secret, KeyMode::Live).unwrap();
        let long = format!("{}x", key.expose());
        let upper = key.expose().replace("sk_live", "SK_LIVE");
        for bad in ["", "sk_live_", "sk_live_short", long.as_str(), upper.as_str(), "sk_prod_abc"] {
            assert_eq!(ApiKey::parse(bad), None);
        }
        assert!(!appears_in("/store/v1/products?limit=20&after=risk_test"));
    }
}
