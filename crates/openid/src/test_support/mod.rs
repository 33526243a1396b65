//! Providers for the tests of the planes: one that lies as it is told to, and a certified one with a browser that goes through its forms.

mod browser;
mod certified;
mod liar;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use browser::Browser;
pub use certified::Certified;
pub use liar::{Liar, Script, header, jwk, key, signed};

/// What every client of these providers is called there, and its secret.
pub const CLIENT: &str = "souk";
pub const CLIENT_SECRET: &str = "a secret of ours";

/// Base64url without padding.
pub fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A query string, or a form.
pub fn query(parts: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parts).finish()
}

/// One parameter of an address.
///
/// # Panics
/// When it is not there.
pub fn parameter(url: &str, name: &str) -> String {
    let url: url::Url = url.parse().expect("an address");
    url.query_pairs().find(|(key, _)| key == name).expect("a parameter").1.into_owned()
}
