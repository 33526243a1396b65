//! Query parameters, strictly: unknown and repeated ones are refused, with `?name` as the pointer.

mod pairs;

use std::ops::Deref;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;

use crate::problem::{BAD_REQUEST, Problem, field_error};
use crate::threshold::Behind;

/// More pairs than any list of ours has parameters.
const MAX_PAIRS: usize = 64;

/// The query string as `T`. Lists are comma separated (`?sort=-created_at,total`). `limit` and `after` are left to
/// [`Paging`](crate::Paging) unless `T` has them, so both extractors may stand in one handler.
///
/// 400 when the string cannot be decoded or holds NUL; 422 when `T` refuses. Give `T`
/// `#[serde(deny_unknown_fields)]`, and do not flatten: flattened fields arrive as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl<T> Query<T> {
    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Query<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Behind<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        Behind::new(req, parse(req.query_string()).map(Self))
    }
}

/// Reads a query string (without `?`) as `T`, with the refusals of [`Query`].
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let pairs = decode(text)?;
    serde_path_to_error::deserialize(pairs::Pairs(pairs)).map_err(|error| {
        field_error(error.path(), &error.inner().to_string(), |pointer| {
            let name = pointer.trim_start_matches('/').replace("~1", "/").replace("~0", "~");
            format!("?{name}")
        })
    })
}

/// Percent-decodes the pairs; refuses what is not UTF-8, holds NUL, or is absurdly long.
pub(crate) fn decode(text: &str) -> Result<Vec<(String, String)>, Problem> {
    let refuse = |detail: &'static str| Err(Problem::new(&BAD_REQUEST).detail(detail));
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(text.as_bytes()).into_owned().take(MAX_PAIRS + 1).collect();
    if pairs.len() > MAX_PAIRS {
        return refuse("the query has too many parameters");
    }
    for (name, value) in &pairs {
        if name.contains('\0') || value.contains('\0') {
            return refuse("the query holds a NUL character");
        }
        // The decoder replaces what is not UTF-8; nobody writes this character on purpose.
        if name.contains('\u{FFFD}') || value.contains('\u{FFFD}') {
            return refuse("the query is not UTF-8");
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests;
