//! A reply as a value: status, headers and bytes, so that it can be kept with an idempotency key and sent again byte for byte.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use serde::Serialize;
use souk_api::ETag;

/// What a piece of work answers. Built inside the transaction, sent after the commit.
#[derive(Debug)]
pub struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Result<Vec<u8>, serde_json::Error>,
}

impl Reply {
    /// 200 with a JSON body.
    pub fn ok(body: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with a JSON body.
    pub fn created(body: &impl Serialize) -> Self {
        Self::json(StatusCode::CREATED, body)
    }

    /// 202 with a JSON body.
    pub fn accepted(body: &impl Serialize) -> Self {
        Self::json(StatusCode::ACCEPTED, body)
    }

    /// 204.
    pub fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), body: Ok(Vec::new()) }
    }

    /// Any status with a JSON body. A body that does not serialise becomes a 500 (and a rollback) when the work ends.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { status: status.as_u16(), headers, body: serde_json::to_vec(body) }
    }

    /// Adds the strong ETag of what is shown.
    #[must_use]
    pub fn etag(self, etag: &ETag) -> Self {
        self.header("etag", &etag.to_string())
    }

    /// Adds where the new thing lives, a path.
    #[must_use]
    pub fn location(self, path: &str) -> Self {
        self.header("location", path)
    }

    /// Adds any header; one that HTTP would refuse is left out when sent. It is kept and replayed with the reply.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Whether the reply says that the work was done (2xx or 3xx).
    pub fn is_success(&self) -> bool {
        (200..400).contains(&self.status)
    }

    pub(crate) fn send(self, replayed: bool) -> Result<HttpResponse, serde_json::Error> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = HttpResponse::build(status);
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value))
            {
                response.insert_header((name, value));
            }
        }
        if replayed {
            response.insert_header((souk_api::idempotency::REPLAYED_HEADER, "true"));
        }
        let body = self.body?;
        Ok(if body.is_empty() { response.finish() } else { response.body(body) })
    }
}
