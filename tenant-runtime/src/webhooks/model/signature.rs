//! Standard Webhooks 1.0: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`, one for each secret that signs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// 32 bytes, shown as `whsec_` and base64.
#[derive(Clone)]
pub struct Secret(pub Vec<u8>);

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// When the machine has no random bytes.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = vec![0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// As people keep it.
    pub fn expose(&self) -> String {
        format!("whsec_{}", STANDARD.encode(&self.0))
    }
}

/// The header `webhook-signature`: a signature for each secret, separated by spaces.
pub fn signatures<'s>(
    secrets: impl Iterator<Item = &'s [u8]>,
    id: &str,
    timestamp: i64,
    body: &str,
) -> String {
    let signed = secrets.filter_map(|secret| {
        // HMAC takes keys of every length.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body.as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    signed.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = r#"{"test": 2432232314}"#;
        let header =
            signatures([secret.as_slice()].into_iter(), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(header, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
