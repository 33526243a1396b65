//! The middleware that names each request, catches panics, and completes every problem that leaves.

use std::fmt;
use std::future::{Ready, ready};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
};
use futures_util::FutureExt;
use souk_telemetry::RequestName;

use crate::problem::{self, PendingProblem, Problem, render};

/// The header's name, in and out.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longest incoming id that is kept.
const MAX: usize = 128;

/// The id of this request: the caller's if it was usable, else minted (`req_…`). An extractor that never fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// A new id.
    #[must_use]
    pub fn mint() -> Self {
        Self(souk_kernel::id::RequestId::new().to_string().into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id given to this request by the middleware; a new one where it is not installed.
    #[must_use]
    pub fn of(req: &HttpRequest) -> Self {
        let known = req.extensions().get::<Self>().cloned();
        known.unwrap_or_else(Self::mint)
    }

    /// The id of a request that has just come: whoever asks first, its span or the middleware, decides it for both.
    fn given(req: &ServiceRequest) -> Self {
        let known = req.extensions().get::<Self>().cloned();
        known.unwrap_or_else(|| {
            let id = Self::accept(req.headers()).unwrap_or_else(Self::mint);
            req.extensions_mut().insert(id.clone());
            id
        })
    }

    fn accept(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(HEADER)?.to_str().ok()?;
        let usable = (1..=MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        usable.then(|| Self(text.into()))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RequestName for RequestId {
    fn name_of(request: &ServiceRequest) -> Option<Arc<str>> {
        Some(Self::given(request).0)
    }
}

impl FromRequest for RequestId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(req)))
    }
}

/// `from_fn(request_id)`, outside of all but what measures and observes: wrapped last but for
/// `from_fn(souk_telemetry::measure)` and `souk_telemetry::request_spans::<RequestId>()`. Takes or mints the id, keeps it in the
/// request's extensions, turns a panic into 500 and bare 4xx/5xx replies of the framework into problems, writes `request_id` and
/// `instance` into every problem, logs it once, and sets `X-Request-Id`. Only the caller is told the path: it may hold a secret.
pub async fn request_id<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = RequestId::given(&req);
    let instance = req.path().to_owned();
    let call = AssertUnwindSafe(next.call(req)).catch_unwind();
    // The request is lost with a panic or an error of a middleware; the framework answers from the error alone.
    let response = match call.await {
        Ok(Ok(response)) => response.map_into_boxed_body(),
        Ok(Err(error)) => return Err(lost(problem_of(&error), &id, &instance)),
        Err(panic) => return Err(lost(panicked(panic.as_ref()), &id, &instance)),
    };
    Ok(complete(response, &id, &instance))
}

fn lost(problem: Problem, id: &RequestId, instance: &str) -> Error {
    let problem = problem.within(id.as_str(), instance);
    problem.log();
    problem.into()
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Problem {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text =
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".to_owned());
    Problem::new(&problem::INTERNAL).source(format!("panicked: {text}"))
}

fn problem_of(error: &Error) -> Problem {
    if let Some(problem) = error.as_error::<Problem>() {
        return problem.clone();
    }
    let kind = bare(error.as_response_error().status_code()).unwrap_or(problem::INTERNAL);
    Problem::new(&kind).source(error.to_string())
}

/// The general problem for a status the framework sets by itself.
fn bare(status: StatusCode) -> Option<problem::ProblemKind> {
    let same = |kind: &&problem::ProblemKind| kind.status == status.as_u16();
    const GENERAL: [problem::ProblemKind; 10] = [
        problem::BAD_REQUEST,
        problem::UNAUTHENTICATED,
        problem::FORBIDDEN,
        problem::NOT_FOUND,
        problem::METHOD_NOT_ALLOWED,
        problem::CONFLICT,
        problem::PAYLOAD_TOO_LARGE,
        problem::UNSUPPORTED_MEDIA_TYPE,
        problem::INTERNAL,
        problem::UNAVAILABLE,
    ];
    GENERAL.iter().find(same).copied()
}

/// Names the request in a problem, makes a problem of a bare refusal, and sets the header.
fn complete(
    mut response: ServiceResponse<BoxBody>,
    id: &RequestId,
    instance: &str,
) -> ServiceResponse<BoxBody> {
    let pending = response.response_mut().extensions_mut().remove::<PendingProblem>();
    let pending = pending.map(|pending| pending.0).or_else(|| from_bare(&response));
    if let Some(problem) = pending {
        let problem = problem.within(id.as_str(), instance);
        problem.log();
        let reply = problem.error_response();
        for (name, value) in reply.headers() {
            if !response.headers().contains_key(name) || *name == header::CONTENT_TYPE {
                response.headers_mut().insert(name.clone(), value.clone());
            }
        }
        response = response.map_body(|_, _| BoxBody::new(render(&problem)));
    }
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// The framework's own refusals have no body or a line of plain text, never one that a handler chose.
fn from_bare(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    if !response.status().is_client_error() && !response.status().is_server_error() {
        return None;
    }
    let empty = matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0));
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let plain = content_type.is_none_or(|value| value.as_bytes().starts_with(b"text/plain"));
    let problem = Problem::new(&bare(response.status())?);
    let cause = response.response().error().map(ToString::to_string);
    (empty || plain).then(|| match cause {
        Some(cause) => problem.source(cause),
        None => problem,
    })
}

#[cfg(test)]
mod tests;
