//! Secrets that must be read again, at rest: sealed with a key that is not in the database.

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use souk_kernel::StoreId;

use crate::secret::NoEntropy;
use crate::tokens::{SigningKey, TokenError};

const NONCE: usize = 24;

/// What is stored of a secret: which key sealed it, and the nonce with the ciphertext (XChaCha20-Poly1305).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The `kid` of the signing key the sealing key derives from.
    pub key: String,
    /// 24 bytes of nonce, then the ciphertext and its tag.
    pub bytes: Vec<u8>,
}

/// Seals and opens. Its keys derive from signing keys, so a plane has no further secret to keep; the former signing key stays beside
/// the new one until everything was sealed anew. `Debug` shows the keys' names only.
#[derive(Clone)]
pub struct Vault {
    current: (String, XChaCha20Poly1305),
    former: Vec<(String, XChaCha20Poly1305)>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("current", &self.current.0).finish_non_exhaustive()
    }
}

fn named(key: &SigningKey) -> (String, XChaCha20Poly1305) {
    (key.kid().to_owned(), XChaCha20Poly1305::new(&key.secret_for("vault", &[]).into()))
}

impl Vault {
    /// Seals with the key of `current`; what the keys of `former` sealed can still be opened.
    pub fn new(current: &SigningKey, former: &[SigningKey]) -> Self {
        Self { current: named(current), former: former.iter().map(named).collect() }
    }

    /// The envelope of one store: another store's opens nothing of it. `root` is the deployment's.
    ///
    /// # Errors
    /// When no key derives; never in practice.
    pub fn of_store(issuer: &str, root: &SigningKey, store: StoreId) -> Result<Self, TokenError> {
        let secret = root.secret_for("envelope", store.uuid().as_bytes());
        Ok(Self::new(&SigningKey::derive(issuer, &secret, "envelope")?, &[]))
    }

    /// The names of the keys that open and do not seal any more.
    pub fn former(&self) -> Vec<String> {
        self.former.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Seals a secret. `of` says whose and what for: it opens only under the same.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn seal(&self, of: &[u8], secret: &[u8]) -> Result<Sealed, NoEntropy> {
        let mut nonce = [0_u8; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| NoEntropy)?;
        let payload = Payload { msg: secret, aad: of };
        // Only a message of many gigabytes is refused.
        let sealed = self.current.1.encrypt(&XNonce::from(nonce), payload).map_err(|_| NoEntropy)?;
        Ok(Sealed { key: self.current.0.clone(), bytes: [nonce.as_slice(), &sealed].concat() })
    }

    /// Opens what was sealed; `None` when it was altered, is another's, or its key is not here.
    pub fn open(&self, of: &[u8], sealed: &Sealed) -> Option<Vec<u8>> {
        let mut keys = std::iter::once(&self.current).chain(&self.former);
        let (_, cipher) = keys.find(|(name, _)| *name == sealed.key)?;
        let (nonce, text) = sealed.bytes.split_first_chunk::<NONCE>()?;
        cipher.decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: of }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_owner_and_its_key_only() {
        let key = || SigningKey::generate("plane").unwrap().0;
        let (old, new) = (key(), key());
        let vault = Vault::new(&old, &[]);
        let sealed = vault.seal(b"ada", b"a secret").unwrap();
        assert!(!sealed.bytes.windows(8).any(|window| window == b"a secret"));
        assert_ne!(sealed, vault.seal(b"ada", b"a secret").unwrap());
        assert_eq!(vault.open(b"ada", &sealed).as_deref(), Some(b"a secret".as_slice()));
        assert_eq!(vault.open(b"eve", &sealed), None);
        for at in 0..sealed.bytes.len() {
            let mut altered = sealed.clone();
            altered.bytes[at] ^= 1;
            assert_eq!(vault.open(b"ada", &altered), None);
        }
        assert_eq!(vault.open(b"ada", &Sealed { key: sealed.key.clone(), bytes: vec![0; 23] }), None);
        // The signing key is exchanged: the former one opens, the new one seals.
        let changed = Vault::new(&new, &[old]);
        assert_eq!(changed.open(b"ada", &sealed).as_deref(), Some(b"a secret".as_slice()));
        assert_eq!((changed.former(), vault.former()), (vec![sealed.key.clone()], Vec::new()));
        assert_eq!(vault.open(b"ada", &changed.seal(b"ada", b"a secret").unwrap()), None);
        assert_eq!(Vault::new(&new, &[]).open(b"ada", &sealed), None);
        assert!(!format!("{vault:?}").contains("XChaCha"));
    }
}
