//! The first API keys of a store whose owner comes from outside the control plane.
//!
//! The form (`sk_test_` and 43 characters of base64url) is `souk_access::ApiKey`'s, which cannot be seen from here; a test of the
//! control plane, which sees both, holds the two together.
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use souk_kernel::StoreId;

use crate::error::ProvisionError;
use crate::seeds::{ApiKeySeed, StaffSeed};

/// A new key in plain text: `kind` is `publishable` or `secret`, `mode` is `test` or `live`.
pub fn mint_key(kind: &str, mode: &str) -> Result<String, ProvisionError> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| ProvisionError::Refused(format!("no randomness: {error}")))?;
    let form = if kind == "secret" { "sk" } else { "pk" };
    Ok(format!("{form}_{mode}_{}", URL_SAFE_NO_PAD.encode(bytes)))
}

impl ApiKeySeed {
    /// What the store keeps of a key: a secret one may do everything. `None` when the text is no key.
    #[must_use]
    pub fn of(text: &str, name: &str) -> Option<Self> {
        let hash: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Self::of_digest(text.get(..12)?, &hash, name)
    }

    /// The same for a key that only its holder has: its first 12 characters and the SHA-256 of all, in hexadecimal.
    #[must_use]
    pub fn of_digest(prefix: &str, sha256: &str, name: &str) -> Option<Self> {
        let (kind, scopes) = match prefix.get(..3)? {
            "sk_" => ("secret", vec!["*".to_owned()]),
            "pk_" => ("publishable", Vec::new()),
            _ => return None,
        };
        let mode = prefix.get(3..)?.split('_').next().filter(|mode| ["test", "live"].contains(mode))?;
        Some(Self {
            id: StoreId::new().uuid(),
            kind: kind.to_owned(),
            mode: mode.to_owned(),
            name: name.to_owned(),
            prefix: prefix.to_owned(),
            hash: sha256.to_owned(),
            scopes,
        })
    }
}

impl StaffSeed {
    /// An owner who has no account anywhere yet: known by the address alone.
    #[must_use]
    pub fn first(email: &str, email_key: &str, name: &str) -> Self {
        Self {
            id: StoreId::new().uuid(),
            account_id: StoreId::new().uuid(),
            email: email.to_owned(),
            email_key: email_key.to_owned(),
            name: name.to_owned(),
            role: "owner".to_owned(),
        }
    }
}
