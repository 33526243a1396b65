//! Calls the public API, and makes its problems readable.

use crate::loopback;
use anyhow::{Context, bail};
use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// One API at one address, called as one principal.
pub struct Api {
    client: Client,
    base: Url,
    headers: Vec<(&'static str, String)>,
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
        Ok(Self { client, base, headers: Vec::new() })
    }

    /// From now on with this token or key.
    #[must_use]
    pub fn with(self, bearer: &str) -> Self {
        self.saying("authorization", &format!("Bearer {bearer}"))
    }

    /// From now on with this header too. `host` names a store that is reached at another address than its own.
    #[must_use]
    pub fn saying(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
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

    /// `DELETE` under a key.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn delete(&self, path: &str, key: &str) -> anyhow::Result<Answer> {
        answered(self.request(Method::DELETE, path)?.header("idempotency-key", key)).await
    }

    fn request(&self, method: Method, path: &str) -> anyhow::Result<RequestBuilder> {
        let request = self.client.request(method, self.base.join(path)?);
        Ok(self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value)))
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

/// The control plane at `base` as this person, who signs up unless they did before, and in.
///
/// # Errors
/// When it refuses: the address belongs to somebody with another password, for one.
pub async fn signed_in(base: &str, name: &str, email: &str, password: &str) -> anyhow::Result<Api> {
    let api = Api::at(base)?;
    let credentials = json!({ "email": email, "password": password });
    let mut person = credentials.clone();
    person["name"] = json!(name);
    api.post("/v1/accounts", None, &person).await?.fine("signing up")?;
    let tokens = api.post("/v1/sessions", None, &credentials).await?.fine("signing in")?;
    let token = text(&tokens, "/access_token")?;
    Ok(api.with(&token))
}

/// The control plane's operation, once it has succeeded.
///
/// # Errors
/// When it failed, or is not done in time: what it says of itself.
pub async fn finished(api: &Api, operation: &str, patience: Duration) -> anyhow::Result<Value> {
    let began = Instant::now();
    loop {
        let answer = api.get(&format!("/v1/operations/{operation}")).await?;
        let view = answer.fine("the operation is not there")?;
        match view["state"].as_str() {
            Some("succeeded") => return Ok(view),
            Some("failed") => bail!("{operation} failed: {}", view["error"]),
            _ if began.elapsed() > patience => bail!("{operation} is not done in time: {view}"),
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn answered(request: RequestBuilder) -> anyhow::Result<Answer> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let bytes = response.bytes().await?;
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Ok(Answer { status, body })
}
