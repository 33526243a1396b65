//! Calls the public API, and makes its problems readable.

use crate::loopback;
use anyhow::{Context, bail};
use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::Value;
use std::time::Duration;

/// One API at one address, called as one principal.
pub struct Api {
    client: Client,
    base: Url,
    bearer: Option<String>,
}

/// An answer with a status of success, or a problem to be looked at.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body; null when there was none.
    pub body: Value,
}

impl Api {
    /// The API at `base`.
    ///
    /// # Errors
    /// When the address is not understood.
    pub fn at(base: &str) -> anyhow::Result<Self> {
        let base: Url = base.parse().with_context(|| format!("{base} is no address"))?;
        let client = loopback::client().timeout(Duration::from_secs(30)).build()?;
        Ok(Self { client, base, bearer: None })
    }

    /// From now on with this token or key.
    #[must_use]
    pub fn with(mut self, bearer: &str) -> Self {
        self.bearer = Some(bearer.to_owned());
        self
    }

    /// `POST` with JSON, under a key where the API asks for one.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> anyhow::Result<Answer> {
        let mut request = self.request(Method::POST, path)?.json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        answered(request).await
    }

    /// `POST` of a picture.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post_png(&self, path: &str, key: &str, bytes: Vec<u8>) -> anyhow::Result<Answer> {
        let request = self.request(Method::POST, path)?;
        answered(request.header("content-type", "image/png").header("idempotency-key", key).body(bytes)).await
    }

    /// `PUT` without a body.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn put(&self, path: &str) -> anyhow::Result<Answer> {
        answered(self.request(Method::PUT, path)?).await
    }

    /// `GET`.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        answered(self.request(Method::GET, path)?).await
    }

    fn request(&self, method: Method, path: &str) -> anyhow::Result<RequestBuilder> {
        let request = self.client.request(method, self.base.join(path)?);
        Ok(match &self.bearer {
            Some(bearer) => request.bearer_auth(bearer),
            None => request,
        })
    }
}

impl Answer {
    /// The body of a success.
    ///
    /// # Errors
    /// What the problem says, with `what` in front.
    pub fn fine(self, what: &str) -> anyhow::Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        bail!("{what}: {} {}", self.status, self.body);
    }
}

/// A text field of an answer.
///
/// # Errors
/// When it is not there.
pub fn text(body: &Value, field: &str) -> anyhow::Result<String> {
    let value = body.pointer(field).and_then(Value::as_str);
    Ok(value.with_context(|| format!("the answer has no {field}: {body}"))?.to_owned())
}

async fn answered(request: RequestBuilder) -> anyhow::Result<Answer> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let bytes = response.bytes().await?;
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Ok(Answer { status, body })
}
