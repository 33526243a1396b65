//! Calls of Stripe's v1 API: forms out, JSON in, and what each kind of answer says about the money.

use std::fmt::Display;
use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::super::super::model::Keys;
use super::super::provider::{ProviderError, read_whole};

/// The version of the API whose answers `wire.rs` reads, whatever the account's own is.
pub const VERSION: &str = "2024-06-20";
/// The code of a refusal when there is no such thing.
pub const MISSING: &str = "resource_missing";

/// Calls Stripe.
pub struct Client {
    http: reqwest::Client,
    url: String,
}

/// What a call says, as a form.
#[derive(Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Says nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says one thing more.
    pub fn put(&mut self, name: impl Into<String>, value: impl Display) {
        self.0.push((name.into(), value.to_string()));
    }

    fn encoded(&self) -> String {
        Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

impl Client {
    /// A client of the API at `url`; calls take at most `timeout`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(url: &str, timeout: Duration) -> Result<Self, reqwest::Error> {
        let http = super::super::provider::http_client(timeout)?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned() })
    }

    fn signed(&self, request: RequestBuilder, keys: &Keys) -> RequestBuilder {
        request.bearer_auth(&keys.secret_key).header("stripe-version", VERSION)
    }

    /// Reads something.
    ///
    /// # Errors
    /// See [`ProviderError`]; a refusal with the code [`MISSING`] when it is not there.
    pub async fn get<T: DeserializeOwned>(
        &self,
        keys: &Keys,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ProviderError> {
        let query = Serializer::new(String::new()).extend_pairs(query).finish();
        answer(self.signed(self.http.get(format!("{}{path}?{query}", self.url)), keys)).await
    }

    /// Changes something, and asks once more with the same key when the answer does not say what happened.
    ///
    /// # Errors
    /// See [`ProviderError`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        keys: &Keys,
        path: &str,
        key: &str,
        form: &Form,
    ) -> Result<T, ProviderError> {
        let body = form.encoded();
        let request = || {
            let request = self.signed(self.http.post(format!("{}{path}", self.url)), keys);
            let request = request.header("idempotency-key", key);
            request.header("content-type", "application/x-www-form-urlencoded").body(body.clone())
        };
        match answer(request()).await {
            Err(ProviderError::Unknown(first)) => {
                tracing::debug!(first, "asking Stripe again with the same key");
                match answer(request()).await {
                    // The first call may have arrived, whatever kept the second from it.
                    Err(ProviderError::Unreachable(second) | ProviderError::NotSetUp(second)) => {
                        Err(ProviderError::Unknown(second))
                    }
                    second => second,
                }
            }
            first => first,
        }
    }
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, ProviderError> {
    let (status, body) = read_whole(request).await?;
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| ProviderError::Unknown(error.to_string()));
    }
    Err(refusal(status, &body))
}

/// What an error of Stripe's says about the money.
fn refusal(status: StatusCode, body: &[u8]) -> ProviderError {
    let error = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let text = |name: &str| error.pointer(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, message) = (text("/error/type"), text("/error/message"));
    let code = [text("/error/decline_code"), text("/error/code"), kind.clone(), status.as_str().to_owned()];
    let code = code.into_iter().find(|code| !code.is_empty()).unwrap_or_default();
    match status {
        // The key is wrong, revoked, or may not do that: the store's business, not the shopper's, and nothing has happened.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            ProviderError::NotSetUp(format!("{code}: {message}"))
        }
        // The same key is at work, or was used for something else: what became of that has to be looked up.
        StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            ProviderError::Unknown(format!("Stripe answered {status}: {code}"))
        }
        _ if kind == "idempotency_error" => ProviderError::Unknown(format!("{code}: {message}")),
        _ if status.is_client_error() => ProviderError::Refused { message: words(&kind, message), code },
        _ => ProviderError::Unknown(format!("Stripe answered {status}")),
    }
}

/// What the shopper may read: Stripe writes its words about cards for them, the others for developers.
fn words(kind: &str, message: String) -> String {
    if kind == "card_error" {
        return message;
    }
    tracing::warn!(kind, cause = message, "Stripe refuses a request");
    "The payment could not be made this way.".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> ProviderError {
        refusal(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[test]
    fn each_error_says_what_happened() {
        let declined = r#"{"error": {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds", "message": "Your card has insufficient funds."}}"#;
        match said(402, declined) {
            ProviderError::Refused { code, message } => {
                assert_eq!(
                    (code.as_str(), message.as_str()),
                    ("insufficient_funds", "Your card has insufficient funds.")
                );
            }
            other => panic!("{other:?}"),
        }
        let wrong = r#"{"error": {"type": "invalid_request_error", "code": "parameter_invalid_integer", "message": "Invalid integer: x"}}"#;
        match said(400, wrong) {
            ProviderError::Refused { code, message } => {
                assert_eq!(
                    (code.as_str(), message.contains("integer")),
                    ("parameter_invalid_integer", false)
                );
            }
            other => panic!("{other:?}"),
        }
        for (status, body) in [(401, "{}"), (403, "{}")] {
            assert!(matches!(said(status, body), ProviderError::NotSetUp(_)), "{status}");
        }
        let reused = r#"{"error": {"type": "idempotency_error", "message": "Keys for idempotent requests can only be used with the same parameters"}}"#;
        for (status, body) in [(400, reused), (409, "{}"), (429, "{}"), (500, "{}"), (503, "half"), (302, "")]
        {
            assert!(matches!(said(status, body), ProviderError::Unknown(_)), "{status}");
        }
    }

    #[test]
    fn forms_are_encoded() {
        let mut form = Form::new();
        form.put("metadata[a]", "b&c=ä");
        form.put("amount", 1490);
        assert_eq!(form.encoded(), "metadata%5Ba%5D=b%26c%3D%C3%A4&amount=1490");
    }
}
