//! Versions of a resource over HTTP: strong ETags, If-Match against lost updates, If-None-Match for cheap reads.

use std::fmt;

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::header::{self, HeaderName, HeaderValue, TryIntoHeaderPair},
};

use crate::{
    json::Digest,
    problem::{BAD_REQUEST, PRECONDITION_FAILED, PRECONDITION_REQUIRED, Problem},
    threshold::Behind,
};

/// A strong entity tag, written `"…"`. Insert it into a reply with `.insert_header(etag)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ETag(String);

impl ETag {
    /// The tag of a row version or another short text. Characters that a tag may not hold are dropped.
    #[must_use]
    pub fn new(version: impl fmt::Display) -> Self {
        Self(version.to_string().chars().filter(|&c| tag_char(c)).collect())
    }

    /// The tag of a representation: 128 bits of its SHA-256.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        Self(URL_SAFE_NO_PAD.encode(&Digest::of(body).as_bytes()[..16]))
    }

    /// The text between the quotes.
    #[must_use]
    pub fn opaque(&self) -> &str {
        &self.0
    }
}

fn tag_char(c: char) -> bool {
    matches!(c, '\x21' | '\x23'..='\x7e')
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

impl TryIntoHeaderPair for ETag {
    type Error = header::InvalidHeaderValue;

    fn try_into_pair(self) -> Result<(HeaderName, HeaderValue), Self::Error> {
        Ok((header::ETAG, HeaderValue::from_str(&self.to_string())?))
    }
}

impl TryIntoHeaderPair for &ETag {
    type Error = header::InvalidHeaderValue;

    fn try_into_pair(self) -> Result<(HeaderName, HeaderValue), Self::Error> {
        self.clone().try_into_pair()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Any,
    Tags(Vec<(bool, String)>),
}

/// The If-Match header, if there was one. An extractor; an unreadable header is 400.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IfMatch(Option<Wanted>);

impl IfMatch {
    /// 428 when the header is missing; for writes where a lost update would cost money.
    pub fn required(self) -> Result<Self, Problem> {
        if self.0.is_some() { Ok(self) } else { Err(Problem::new(&PRECONDITION_REQUIRED)) }
    }

    /// 412 unless the header is missing, `*`, or holds this tag. Weak tags never match. Check inside the write's
    /// transaction, on the locked row.
    pub fn check(&self, current: &ETag) -> Result<(), Problem> {
        let met = match &self.0 {
            None | Some(Wanted::Any) => true,
            Some(Wanted::Tags(tags)) => tags.iter().any(|(weak, tag)| !weak && *tag == current.0),
        };
        if met { Ok(()) } else { Err(Problem::new(&PRECONDITION_FAILED)) }
    }

    /// Whether the caller sent the header.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.0.is_some()
    }
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Behind<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let unreadable = || {
            Problem::new(&BAD_REQUEST).field(
                "If-Match",
                "invalid",
                "must be * or a list of quoted entity tags",
            )
        };
        Behind::new(req, wanted(req, &header::IF_MATCH).map(Self).ok_or_else(unreadable))
    }
}

/// 304 with the tag when If-None-Match already holds it (weakly compared, RFC 9110 §13.1.2), else `None`. An
/// unreadable header is as good as none.
#[must_use]
pub fn not_modified(req: &HttpRequest, current: &ETag) -> Option<HttpResponse> {
    let known = match wanted(req, &header::IF_NONE_MATCH)?? {
        Wanted::Any => true,
        Wanted::Tags(tags) => tags.iter().any(|(_, tag)| *tag == current.0),
    };
    known.then(|| HttpResponse::NotModified().insert_header(current).finish())
}

/// `None`: unreadable. `Some(None)`: not sent.
#[expect(clippy::option_option, reason = "three outcomes, read at two places right here")]
fn wanted(req: &HttpRequest, name: &HeaderName) -> Option<Option<Wanted>> {
    let mut tags = Vec::new();
    let mut sent = false;
    for value in req.headers().get_all(name) {
        sent = true;
        let text = value.to_str().ok()?.trim();
        if text == "*" {
            return Some(Some(Wanted::Any));
        }
        parse_tags(text, &mut tags)?;
    }
    Some(sent.then_some(Wanted::Tags(tags)))
}

/// `"a", W/"b,c"`: tags may hold commas, so quotes are followed.
fn parse_tags(text: &str, tags: &mut Vec<(bool, String)>) -> Option<()> {
    let mut rest = text;
    loop {
        let weak = rest.strip_prefix("W/");
        let (tag, tail) = weak.unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        if !tag.chars().all(tag_char) {
            return None;
        }
        tags.push((weak.is_some(), tag.to_owned()));
        let tail = tail.trim_start();
        if tail.is_empty() {
            return Some(());
        }
        rest = tail.strip_prefix(',')?.trim_start();
    }
}

#[cfg(test)]
mod tests;
