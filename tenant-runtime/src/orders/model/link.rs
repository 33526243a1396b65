//! What opens an order to a guest.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use souk_access::LinkSecret;
use souk_kernel::OrderId;

/// Makes the secret of an order: from a key of the platform and the order's id, so that it can be written into a mail later although
/// only its digest is kept. 32 bytes, the same in every process of a platform.
#[derive(Clone)]
pub struct LinkKey(Hmac<Sha256>);

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

impl LinkKey {
    /// A key from a secret of any length.
    pub fn new(secret: &[u8]) -> Self {
        use sha2::Digest as _;
        let mut key = hmac::digest::Key::<Hmac<Sha256>>::default();
        // Shorter than the block, so the rest stays zero, as HMAC pads it.
        for (to, from) in key.iter_mut().zip(Sha256::digest(secret)) {
            *to = from;
        }
        Self(Hmac::new(&key))
    }

    /// The secret that opens this order to a guest.
    pub fn secret_of(&self, order: OrderId) -> Option<LinkSecret> {
        use base64::Engine as _;
        let tag =
            self.0.clone().chain_update("order:").chain_update(order.to_string()).finalize().into_bytes();
        LinkSecret::parse(&base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_can_be_made_again_and_not_guessed() {
        let (key, other) = (LinkKey::new(b"one"), LinkKey::new(b"two"));
        let (a, b) = (OrderId::new(), OrderId::new());
        let secret = |key: &LinkKey, order| key.secret_of(order).unwrap().expose().to_owned();
        assert_eq!(secret(&key, a), secret(&key, a));
        assert_ne!(secret(&key, a), secret(&key, b));
        assert_ne!(secret(&key, a), secret(&other, a));
        assert_eq!(secret(&key, a).len(), 43);
    }
}
