//! JSON in and out: a bounded, strict body extractor that keeps the digest of what was sent.

mod structure;

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::time::Duration;

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, Responder, body::BoxBody, dev::Payload,
    error::PayloadError, http::header, web,
};
use bytes::BytesMut;
use futures_util::StreamExt;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};

use crate::problem::{
    BAD_REQUEST, BODY_TOO_SLOW, INTERNAL, MALFORMED_JSON, PAYLOAD_TOO_LARGE, Problem, UNSUPPORTED_MEDIA_TYPE,
    VALIDATION, field_error,
};
use crate::threshold::decided;

/// For a field whose parts may all be left out: `deserialize_with = "souk_api::json::object"` takes an object only. Serde takes a
/// sequence for a struct as well, and an empty one would be such a field with nothing in it.
///
/// # Errors
/// When it is no object, or not one of this type.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    struct Object<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = T;
        fn expecting(&self, words: &mut fmt::Formatter<'_>) -> fmt::Result {
            words.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }
    from.deserialize_map(Object(PhantomData))
}

/// SHA-256 of a body as it arrived, byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of no body at all, for operations without one.
    #[must_use]
    pub fn empty() -> Self {
        Self::of(&[])
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The largest body [`Json`] reads, in bytes; put one into `app_data` of an app, scope or resource to change it.
#[derive(Debug, Clone, Copy)]
pub struct JsonLimit(pub usize);

impl Default for JsonLimit {
    fn default() -> Self {
        Self(256 * 1024)
    }
}

/// A JSON body. As an extractor: `Json(order, digest): Json<NewOrder>` or `body.0` and [`Json::digest`]. As a reply:
/// [`Json::new`], status 200.
///
/// Refuses another media type or a compressed body (415), more than [`JsonLimit`] bytes, also when chunked (413),
/// anything that is not one JSON document in UTF-8 of at most 32 levels without duplicate keys and without NUL
/// (400), and what `T` refuses (422, with a JSON pointer). The whole body is read before `T` is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json<T>(pub T, pub Digest);

impl<T> Json<T> {
    /// A reply.
    pub fn new(value: T) -> Self {
        Self(value, Digest([0; 32]))
    }

    /// SHA-256 of the bytes received; for idempotency and signatures.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.1
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = payload.take();
        let req = req.clone();
        Box::pin(async move {
            decided(&req).await;
            accepts(&req)?;
            let limit = limit_of(&req);
            if declared_length(&req).is_some_and(|length| length > limit as u64) {
                return Err(too_large(limit));
            }
            let body = in_time(BODY_PATIENCE, collect(payload, limit)).await?;
            let digest = Digest::of(&body);
            req.extensions_mut().insert(digest);
            // serde takes a list for a struct, field by field; every body of ours is an object.
            if body.trim_ascii_start().first() == Some(&b'[') {
                return Err(Problem::new(&VALIDATION).field("", "invalid_type", "must be an object"));
            }
            Ok(Self(parse(&body)?, digest))
        })
    }
}

impl<T: Serialize> Responder for Json<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        match serde_json::to_vec(&self.0) {
            Ok(body) => HttpResponse::Ok().content_type("application/json").body(body),
            Err(error) => HttpResponse::from_error(Problem::new(&INTERNAL).source(error)),
        }
    }
}

/// Reads one strict JSON document as `T`, with the refusals of [`Json`]. For bodies that arrive by other ways.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(body)
        .map_err(|error| malformed(format!("the body is not UTF-8 after byte {}", error.valid_up_to())))?;
    structure::check(text).map_err(|error| malformed(error.to_string()))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        if error.inner().is_data() {
            field_error(error.path(), &error.inner().to_string(), |pointer| pointer)
        } else {
            malformed(error.inner().to_string())
        }
    })
}

fn malformed(detail: String) -> Problem {
    Problem::new(&MALFORMED_JSON).detail(detail)
}

fn too_large(limit: usize) -> Problem {
    Problem::new(&PAYLOAD_TOO_LARGE).detail(format!("the limit is {limit} bytes"))
}

fn limit_of(req: &HttpRequest) -> usize {
    let direct = req.app_data::<JsonLimit>().copied();
    direct.or_else(|| req.app_data::<web::Data<JsonLimit>>().map(|limit| ***limit)).unwrap_or_default().0
}

fn declared_length(req: &HttpRequest) -> Option<u64> {
    req.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// `application/json` or `application/*+json`, UTF-8, not compressed.
fn accepts(req: &HttpRequest) -> Result<(), Problem> {
    let refuse = |detail: &'static str| Err(Problem::new(&UNSUPPORTED_MEDIA_TYPE).detail(detail));
    let encoding = req.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return refuse("a Content-Encoding is not accepted");
    }
    let Some(text) = req.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return refuse("Content-Type is missing");
    };
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let essence = parts.next().unwrap_or_default();
    let json = essence == "application/json"
        || essence
            .strip_prefix("application/")
            .is_some_and(|subtype| subtype.len() > 5 && subtype.ends_with("+json"));
    if !json {
        return refuse("Content-Type must be application/json");
    }
    for part in parts {
        if let Some(charset) = part.strip_prefix("charset=")
            && !matches!(charset.trim_matches('"'), "utf-8" | "utf8")
        {
            return refuse("the charset must be utf-8");
        }
    }
    Ok(())
}

/// How long a whole body may take to arrive: what drips in holds a task and its memory, and nothing else yet.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// Reads a body, but not for longer than this.
///
/// # Errors
/// 408 then; else what reading says.
pub async fn in_time<T>(
    patience: Duration,
    reading: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    tokio::time::timeout(patience, reading).await.unwrap_or_else(|_| Err(Problem::new(&BODY_TOO_SLOW)))
}

/// A whole body that is not ours to parse, bounded in size and in time.
///
/// # Errors
/// 413, 408; 400 when it breaks off.
pub async fn whole_body(payload: web::Payload, limit: usize) -> Result<BytesMut, Problem> {
    in_time(BODY_PATIENCE, collect(payload.into_inner(), limit)).await
}

/// Reads at most `limit` bytes, whatever length was declared.
async fn collect(mut payload: Payload, limit: usize) -> Result<BytesMut, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| match error {
            PayloadError::Overflow => too_large(limit),
            error => {
                Problem::new(&BAD_REQUEST).detail("the body ended early or was framed wrongly").source(error)
            }
        })?;
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests;
