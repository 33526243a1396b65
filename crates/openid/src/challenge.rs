//! What binds a sign-in to the client that began it: RFC 7636's S256, between that client and us.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The digest in a challenge; `None` when it is none.
pub fn digest_of(challenge: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(challenge).ok()?.try_into().ok()
}

/// Whether a verifier is what the challenge was made of. The challenge is no secret; the verifier is long and random.
pub fn fits(verifier: &str, challenge: &[u8]) -> bool {
    (43..=128).contains(&verifier.len()) && Sha256::digest(verifier.as_bytes()).as_slice() == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_fits_its_challenge() {
        // RFC 7636, appendix B.
        let digest = digest_of("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert!(fits("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", &digest));
        assert!(!fits("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", &digest));
        let short: [u8; 32] = Sha256::digest(b"short").into();
        assert!(!fits("short", &short));
        for bad in [
            "",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c",
            "!",
            "dBjftJeZ4CVP=mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ] {
            assert!(digest_of(bad).is_none(), "{bad}");
        }
    }
}
