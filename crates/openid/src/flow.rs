//! What one sign-in has of its own.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The three values of one sign-in, each 43 characters of base64url or more. `state` goes through the browser, so `nonce` and `verifier` must
/// not follow from it for anybody but us. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Flow {
    /// Finds this sign-in again when the browser comes back.
    pub state: String,
    /// Comes back inside the ID token: it was made for this sign-in.
    pub nonce: String,
    /// Proof Key for Code Exchange: the code is worth nothing to whoever does not know this.
    pub verifier: String,
}

impl Flow {
    /// The flow of a state: nonce and verifier follow from it for whoever can compute `secret`, so neither need be stored.
    pub fn of(state: &str, secret: impl Fn(&'static str) -> [u8; 32]) -> Self {
        let derive = |purpose| URL_SAFE_NO_PAD.encode(secret(purpose));
        Self { state: state.to_owned(), nonce: derive("openid nonce"), verifier: derive("openid verifier") }
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flow(…)")
    }
}
