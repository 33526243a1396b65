//! The JSON form of a problem and its OpenAPI schema.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{FieldError, Problem};

pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// Names an extension may not take.
pub(super) const RESERVED: &[&str] =
    &["type", "title", "status", "detail", "instance", "code", "request_id", "errors", "hint", "retry_after"];

/// Left in a response's extensions so that the middleware can name the request without parsing the body.
pub(crate) struct PendingProblem(pub(crate) Problem);

/// A refusal, RFC 9457.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
struct ProblemDocument<'a> {
    /// Opens in the documentation; stable.
    #[serde(rename = "type")]
    #[schema(format = "uri", example = "https://souk.dev/problems/validation_failed")]
    type_uri: String,
    #[schema(example = "The request breaks a rule")]
    title: &'a str,
    #[schema(example = 422)]
    status: u16,
    /// Match on this.
    #[schema(example = "validation_failed")]
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// What could be done next.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    /// The path of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/admin/v1/products")]
    instance: Option<&'a str>,
    /// Quote this to support.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "req_01h455vb4pex5vsknk084sn02q")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    #[schema(value_type = Vec<FieldError>, required = false)]
    errors: Cow<'a, [FieldError]>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    #[serde(flatten)]
    #[schema(ignore)]
    extensions: &'a Map<String, Value>,
}

/// The body. A 5xx says nothing but its code, title, delay and request.
pub(crate) fn render(problem: &Problem) -> Vec<u8> {
    let inner = problem.inner();
    let silent = problem.status().is_server_error();
    let none = Map::new();
    // What always helps, unless this occurrence knows better.
    let help = Some(inner.kind.help).filter(|help| !help.is_empty());
    let document = ProblemDocument {
        type_uri: inner.kind.type_uri(),
        title: inner.kind.title,
        status: inner.kind.status,
        code: inner.kind.code,
        detail: inner.detail.as_deref().filter(|_| !silent),
        hint: inner.hint.as_deref().or(help).filter(|_| !silent),
        instance: inner.instance.as_deref(),
        request_id: inner.request_id.as_deref(),
        errors: if silent { Cow::Borrowed(&[]) } else { Cow::Borrowed(inner.errors.as_slice()) },
        retry_after: inner.retry_after,
        extensions: if silent { &none } else { &inner.extensions },
    };
    // Strings, numbers and JSON values only: this cannot fail, and if it did the status still speaks.
    serde_json::to_vec(&document).unwrap_or_default()
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        ProblemDocument::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Problem")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        ProblemDocument::schemas(schemas);
    }
}
