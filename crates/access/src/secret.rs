//! Random secrets that are shown once and kept only as a SHA-256 digest.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Length of 256 random bits in unpadded base64url.
pub(crate) const BODY: usize = 43;

/// The operating system gave no random bytes; nothing was issued.
#[derive(Debug, thiserror::Error)]
#[error("no random bytes")]
pub struct NoEntropy;

/// What is stored of a secret: its SHA-256. Compared in constant time; `Debug` shows nothing.
///
/// A plain hash is right here and wrong for passwords: the input is 256 random bits, so there is nothing to guess.
#[derive(Clone, Copy)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// The digest of a secret's whole text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// A digest that was computed before.
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes to store or to look up by.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Constant-time comparison with stored bytes.
    pub fn matches(&self, stored: &[u8]) -> bool {
        self.0.as_slice().ct_eq(stored).into()
    }
}

impl PartialEq for SecretDigest {
    fn eq(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl Eq for SecretDigest {}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(…)")
    }
}

/// 43 characters holding 256 random bits.
pub(crate) fn random_body() -> Result<String, NoEntropy> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| NoEntropy)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether a text could have come from [`random_body`].
pub(crate) fn is_body(text: &str) -> bool {
    text.len() == BODY
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// A link or cart secret: 256 random bits for a mail link, a cart or a guest's order. Shown once, stored as its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkSecret(String);

impl LinkSecret {
    /// A new secret.
    pub fn mint() -> Result<Self, NoEntropy> {
        random_body().map(Self)
    }

    /// Reads a secret from a request; `None` when it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        is_body(text).then(|| Self(text.to_owned()))
    }

    /// What to store or look up by.
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }

    /// The secret itself, for the one answer or mail that shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// What the secret of an app begins with.
pub(crate) const APP_SECRET: &str = "app_secret_";

/// The secret of an app: `app_secret_` and 256 random bits. Shown once, stored as its digest; `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct AppSecret(String);

impl AppSecret {
    /// A new secret.
    ///
    /// # Errors
    /// The operating system gave no random bytes.
    pub fn mint() -> Result<Self, NoEntropy> {
        Ok(Self(format!("{APP_SECRET}{}", random_body()?)))
    }

    /// Reads a secret from a request; `None` when it cannot be one, so no query is spent on it.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix(APP_SECRET).filter(|body| is_body(body)).map(|_| Self(text.to_owned()))
    }

    /// What to store or look up by.
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }

    /// What a person recognises it by, safe to store and show: `app_secret_AbCd`.
    pub fn prefix(&self) -> &str {
        self.0.get(..APP_SECRET.len() + 4).unwrap_or_default()
    }

    /// The secret itself, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AppSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppSecret(…)")
    }
}

impl fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkSecret(…)")
    }
}
