//! The Idempotency-Key header and the fingerprint of the request it stands for.

use std::fmt;

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::Method};
use sha2::{Digest as _, Sha256};

use crate::{
    json::Digest,
    problem::{IDEMPOTENCY_KEY_INVALID, IDEMPOTENCY_KEY_MISSING, Problem},
    threshold::Behind,
};

/// The header's name.
pub const HEADER: &str = "idempotency-key";
/// Set to `true` on a reply that was kept and is sent again.
pub const REPLAYED_HEADER: &str = "idempotent-replayed";

/// A client's name for one intended effect: 1 to 255 visible ASCII characters. As an extractor it is required: 400
/// when missing, unusable or sent twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The header of this request: `Ok(None)` when there is none.
    pub fn find(req: &HttpRequest) -> Result<Option<Self>, Problem> {
        let mut values = req.headers().get_all(HEADER);
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Problem::new(&IDEMPOTENCY_KEY_INVALID));
        }
        let text = String::from_utf8_lossy(value.as_bytes());
        Self::try_from(text.trim().to_owned()).map(Some)
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = Problem;

    fn try_from(text: String) -> Result<Self, Problem> {
        let usable = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if usable { Ok(Self(text)) } else { Err(Problem::new(&IDEMPOTENCY_KEY_INVALID)) }
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Behind<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = Self::find(req);
        Behind::new(req, found.and_then(|key| key.ok_or_else(|| Problem::new(&IDEMPOTENCY_KEY_MISSING))))
    }
}

/// The same header where it may be left out. Still 400 when it is there but unusable, which `Option` would hide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionalIdempotencyKey(pub Option<IdempotencyKey>);

impl FromRequest for OptionalIdempotencyKey {
    type Error = Problem;
    type Future = Behind<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        Behind::new(req, IdempotencyKey::find(req).map(Self))
    }
}

/// What a key stood for: SHA-256 over method, path and body digest. Another fingerprint under the same key is
/// another request, to be refused with `idempotency_key_reused`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint of a request. The path is the one sent, without its query.
    #[must_use]
    pub fn new(method: &Method, path: &str, body: Digest) -> Self {
        let mut hash = Sha256::new();
        hash.update(method.as_str());
        hash.update([0]);
        hash.update(path);
        hash.update([0]);
        hash.update(body.as_bytes());
        Self(hash.finalize().into())
    }

    /// The fingerprint of this request with this body.
    #[must_use]
    pub fn of(req: &HttpRequest, body: Digest) -> Self {
        Self::new(req.method(), req.path(), body)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests;
