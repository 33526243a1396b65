//! Opaque page cursors that cannot be edited or carried to another list.

use actix_web::{HttpRequest, web};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::Sha256;
use utoipa::ToSchema;

use crate::problem::{INTERNAL, INVALID_CURSOR, Problem};

/// Bytes of the tag kept: 128 bits, against which guessing online is hopeless.
const TAG: usize = 16;
/// Longer than any cursor we mint.
const MAX_TEXT: usize = 1024;

/// The secret under which a plane signs its cursors. Put one into `app_data`; changing it makes running listings
/// start over, nothing worse.
#[derive(Clone)]
pub struct CursorKey(Hmac<Sha256>);

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(…)")
    }
}

impl CursorKey {
    /// A key from a secret of any length; 32 random bytes are right.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        // Hashing first makes every length acceptable to the next step, which therefore cannot fail.
        let mut key = hmac::digest::Key::<Hmac<Sha256>>::default();
        let digest = crate::json::Digest::of(secret);
        key[..32].copy_from_slice(digest.as_bytes());
        Self(Hmac::new(&key))
    }

    /// The app's key. 500 when the app was built without one.
    pub fn of(req: &HttpRequest) -> Result<&Self, Problem> {
        let direct = req.app_data::<Self>();
        direct
            .or_else(|| req.app_data::<web::Data<Self>>().map(|key| key.get_ref()))
            .ok_or_else(|| Problem::new(&INTERNAL).source("the app has no CursorKey in app_data"))
    }

    fn mac(&self, scope: &str, payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        // The length keeps ("ab", "c") apart from ("a", "bc").
        mac.update(&(scope.len() as u64).to_be_bytes());
        mac.update(scope.as_bytes());
        mac.update(payload);
        mac
    }
}

/// A place in a list, as the client holds it. Means nothing until [`Cursor::open`] has checked it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, example = "WzE3MzM…")]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor from a client's text, unchecked.
    pub fn from_client(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Signs a position for one scope: a text that names route, store and filter, so that the cursor is refused
    /// anywhere else. The position is readable by the client; put no secret into it.
    pub fn sign<T: Serialize>(key: &CursorKey, scope: &str, position: &T) -> Result<Self, Problem> {
        let mut bytes =
            serde_json::to_vec(position).map_err(|error| Problem::new(&INTERNAL).source(error))?;
        let tag = key.mac(scope, &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&tag[..TAG]);
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The position, if this very cursor was signed with this key for this scope; else 400 `invalid_cursor`.
    /// Compares in constant time.
    pub fn open<T: DeserializeOwned>(&self, key: &CursorKey, scope: &str) -> Result<T, Problem> {
        let invalid =
            || Problem::new(&INVALID_CURSOR).field("?after", "invalid_cursor", "start again without it");
        if self.0.len() > MAX_TEXT {
            return Err(invalid());
        }
        let bytes = URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| invalid())?;
        let (payload, tag) = bytes.split_last_chunk::<TAG>().ok_or_else(invalid)?;
        key.mac(scope, payload).verify_truncated_left(tag).map_err(|_| invalid())?;
        serde_json::from_slice(payload).map_err(|_| invalid())
    }

    /// The text to hand out.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text to hand out.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests;
