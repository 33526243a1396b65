//! Errors as RFC 9457 problem documents: one type for every refusal that leaves the platform.

mod catalogue;
mod document;
mod pointer;

use std::{borrow::Cow, error::Error, fmt, sync::Arc};

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use catalogue::*;
pub(crate) use document::{PendingProblem, render};
pub(crate) use pointer::field_error;

/// Where `type` URIs live; the code is appended.
pub const TYPE_BASE: &str = "https://souk.dev/problems/";

/// One entry of a problem catalogue: what a client may match on. Declare with [`problem!`](crate::problem!)
/// or [`problems!`](crate::problems!); codes are public API and never change meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemKind {
    /// Stable snake_case slug; the last part of `type`.
    pub code: &'static str,
    /// HTTP status, 400 to 599.
    pub status: u16,
    /// Short sentence, the same for every occurrence.
    pub title: &'static str,
    /// What the caller should do about it: the `hint` of every occurrence that has none of its own, and a line of the generated
    /// documentation. May be empty.
    pub help: &'static str,
}

impl ProblemKind {
    /// The status as the HTTP library spells it; 500 should an entry hold a number that is no status.
    #[must_use]
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The absolute `type` URI.
    #[must_use]
    pub fn type_uri(&self) -> String {
        format!("{TYPE_BASE}{}", self.code)
    }
}

/// One complaint about one part of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body, `?name` for a query parameter, or a header's name.
    #[schema(example = "/lines/0/quantity")]
    pub pointer: Cow<'static, str>,
    /// Stable slug, e.g. `required`, `too_long`, `out_of_range`, `invalid_type`, `unknown_field`.
    #[schema(example = "out_of_range")]
    pub code: Cow<'static, str>,
    /// What to do, for a person.
    #[schema(example = "must be 1 to 999999")]
    pub message: Cow<'static, str>,
    /// The values that would have been accepted, when they are few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
}

impl FieldError {
    /// A complaint without a list of accepted values.
    pub fn new(
        pointer: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { pointer: pointer.into(), code: code.into(), message: message.into(), allowed: Vec::new() }
    }

    /// The same complaint about a part of something larger: `place` is where that part is.
    #[must_use]
    pub fn below(mut self, place: &str) -> Self {
        self.pointer = format!("{place}{}", self.pointer).into();
        self
    }

    /// Adds the values that would have been accepted.
    #[must_use]
    pub fn allowed<S: Into<String>>(mut self, values: impl IntoIterator<Item = S>) -> Self {
        self.allowed = values.into_iter().map(Into::into).collect();
        self
    }
}

/// A refusal with two audiences: `detail`, `hint` and `errors` are for the caller, `source` is for the log and is
/// never sent. A 5xx carries only its code, title, `retry_after` and request id, whatever was put into it.
///
/// One machine word wide, so `Result<T, Problem>` stays small.
#[derive(Clone)]
pub struct Problem(Box<Inner>);

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) kind: ProblemKind,
    pub(crate) detail: Option<Cow<'static, str>>,
    pub(crate) hint: Option<Cow<'static, str>>,
    pub(crate) errors: Vec<FieldError>,
    pub(crate) retry_after: Option<u32>,
    pub(crate) challenge: Option<&'static str>,
    pub(crate) extensions: Map<String, Value>,
    pub(crate) source: Option<Arc<dyn Error + Send + Sync>>,
    pub(crate) request_id: Option<String>,
    pub(crate) instance: Option<String>,
}

impl Problem {
    /// A problem of this kind with nothing else said.
    #[must_use]
    pub fn new(kind: &ProblemKind) -> Self {
        Self(Box::new(Inner {
            kind: *kind,
            detail: None,
            hint: None,
            errors: Vec::new(),
            retry_after: None,
            challenge: None,
            extensions: Map::new(),
            source: None,
            request_id: None,
            instance: None,
        }))
    }

    /// What went wrong this time, for the caller.
    #[must_use]
    pub fn detail(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(text.into());
        self
    }

    /// What the caller could do next.
    #[must_use]
    pub fn hint(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(text.into());
        self
    }

    /// Adds one entry to `errors`.
    #[must_use]
    pub fn field(
        self,
        pointer: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.error(FieldError::new(pointer, code, message))
    }

    /// Adds one entry to `errors`.
    #[must_use]
    pub fn error(mut self, error: FieldError) -> Self {
        self.0.errors.push(error);
        self
    }

    /// When to try again, in seconds; also sent as `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// What a 401 adds to its `WWW-Authenticate: Bearer` header.
    #[must_use]
    pub fn challenge(mut self, parameters: &'static str) -> Self {
        self.0.challenge = Some(parameters);
        self
    }

    /// Adds a member of the caller's own (RFC 9457 §3.2). A standard member's name is ignored, not overwritten.
    #[must_use]
    pub fn extension(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        if !document::RESERVED.contains(&name) {
            self.0.extensions.insert(name.to_owned(), value.into());
        }
        self
    }

    /// The cause, for the log only.
    #[must_use]
    pub fn source(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(cause.into()));
        self
    }

    /// The catalogue entry.
    #[must_use]
    pub fn kind(&self) -> ProblemKind {
        self.0.kind
    }

    /// The stable slug.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.kind.code
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.kind.status_code()
    }

    /// The complaints about parts of the request.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// The detail for the caller, if any (also kept for 5xx, where it is not sent).
    #[must_use]
    pub fn detail_text(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// The hint for the caller, if any.
    #[must_use]
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The body as it would be sent, for GraphQL `extensions` and batch items.
    #[must_use]
    pub fn document(&self) -> Value {
        serde_json::from_slice(&render(self)).unwrap_or(Value::Null)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Names the request this problem answered. Called by the request-id middleware.
    pub(crate) fn within(mut self, request_id: &str, instance: &str) -> Self {
        self.0.request_id = Some(request_id.to_owned());
        if !instance.is_empty() {
            self.0.instance = Some(instance.to_owned());
        }
        self
    }

    /// Writes the one log line of this problem: `error` for 5xx, `debug` otherwise.
    pub(crate) fn log(&self) {
        let cause = self.0.source.as_ref().map(|source| chain(source.as_ref())).unwrap_or_default();
        let detail = self.detail_text().unwrap_or_default();
        let request_id = self.0.request_id.as_deref().unwrap_or_default();
        if self.status().is_server_error() {
            tracing::error!(code = self.code(), request_id, detail, cause, "request failed");
        } else {
            tracing::debug!(code = self.code(), request_id, detail, cause, "request refused");
        }
    }
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind.code, self.0.kind.title)?;
        if let Some(detail) = &self.0.detail {
            write!(f, " ({detail})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem")
            .field("code", &self.0.kind.code)
            .field("status", &self.0.kind.status)
            .field("detail", &self.0.detail)
            .field("errors", &self.0.errors)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut reply = HttpResponse::build(self.status());
        reply.content_type(document::MEDIA_TYPE).insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.0.retry_after {
            reply.insert_header((header::RETRY_AFTER, seconds));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            let more = self.0.challenge.map(|more| format!(", {more}")).unwrap_or_default();
            reply.insert_header((header::WWW_AUTHENTICATE, format!("Bearer realm=\"souk\"{more}")));
        }
        if let Some(id) = &self.0.request_id {
            reply.insert_header((crate::request_id::HEADER, id.as_str()));
        }
        let mut response = reply.body(render(self));
        // A problem raised outside the header middleware must be as safe as one raised inside.
        crate::security_headers::apply(response.headers_mut());
        response.extensions_mut().insert(PendingProblem(self.clone()));
        response
    }
}

#[cfg(test)]
mod tests;
