//! The provider of our own (`souk-payment-provider`), over HTTP: see its README for the protocol.
//!
//! An answer that does not say what happened (timeout, 5xx, half a document) is asked for once more with the same key; if that does
//! not help either, the outcome is [`ProviderError::Unknown`] and the poller's business.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use souk_kernel::{Clock, Currency, Money, PaymentSessionId, StoreId};

use super::super::model::{
    About, Account, DueRefund, PaymentSession, ProviderEvent, ProviderFact, ProviderStatus,
};
use super::provider::{
    Provider, ProviderError, ProvidersConfig, StartPayment, WebhookError, WebhookHeaders, http_client,
    read_whole,
};

/// A webhook older or newer than this is not believed: it may be a recording.
const TOLERANCE_SECONDS: i64 = 300;

/// See the file's first line.
pub struct Test {
    client: Client,
    url: String,
    secret: Option<Vec<u8>>,
    clock: Clock,
}

/// A payment on the provider's wire, as far as we look.
#[derive(Deserialize)]
struct Wire {
    id: String,
    reference: String,
    status: WireStatus,
    amount_minor: i64,
    currency: Currency,
    authorized_minor: i64,
    captured_minor: i64,
    refunded_minor: i64,
    next_action: Option<WireAction>,
    failure: Option<WireFailure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireStatus {
    RequiresAction,
    Authorized,
    Captured,
    Voided,
    Failed,
}

#[derive(Deserialize)]
struct WireAction {
    url: String,
}

#[derive(Deserialize)]
struct WireFailure {
    code: String,
    message: String,
}

#[derive(Deserialize)]
struct WireList {
    data: Vec<Wire>,
}

#[derive(Deserialize)]
struct WireEvent {
    id: String,
    r#type: String,
    data: WireEventData,
}

#[derive(Deserialize)]
struct WireEventData {
    payment: Wire,
}

impl Wire {
    fn fact(self) -> ProviderFact {
        let money = |minor| Money::new(minor, self.currency);
        ProviderFact {
            reference: self.id,
            status: match self.status {
                WireStatus::RequiresAction => ProviderStatus::RequiresAction,
                WireStatus::Authorized => ProviderStatus::Authorized,
                WireStatus::Captured => ProviderStatus::Captured,
                WireStatus::Voided => ProviderStatus::Voided,
                WireStatus::Failed => ProviderStatus::Failed,
            },
            amount: money(self.amount_minor),
            authorized: money(self.authorized_minor),
            captured: money(self.captured_minor),
            refunded: money(self.refunded_minor),
            redirect_url: self.next_action.map(|action| action.url),
            failure: self.failure.map(|failure| (failure.code, failure.message)),
        }
    }
}

impl Test {
    /// The client, if the provider is configured.
    pub fn new(config: &ProvidersConfig) -> Result<Option<Self>, reqwest::Error> {
        let Some(url) = &config.test_url else { return Ok(None) };
        let client = http_client(config.timeout)?;
        let secret = config.test_webhook_secret.as_deref();
        let secret = secret.and_then(|secret| STANDARD.decode(secret.strip_prefix("whsec_")?).ok());
        let url = url.trim_end_matches('/').to_owned();
        Ok(Some(Self { client, url, secret, clock: config.clock.clone() }))
    }

    fn get(&self, store: StoreId, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url)).bearer_auth(store)
    }

    fn post(&self, store: StoreId, path: &str, key: &str, body: &Value) -> RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(store);
        request.header("idempotency-key", key).json(body)
    }

    /// Posts, and once more with the same key when the answer does not say what happened.
    async fn post_surely(
        &self,
        store: StoreId,
        path: &str,
        key: &str,
        body: &Value,
    ) -> Result<ProviderFact, ProviderError> {
        match answer::<Wire>(self.post(store, path, key, body)).await {
            Err(ProviderError::Unknown(first)) => {
                tracing::debug!(first, "asking the provider again with the same key");
                match answer::<Wire>(self.post(store, path, key, body)).await {
                    // The first call may have arrived, whatever kept the second from it.
                    Err(ProviderError::Unreachable(second)) => Err(ProviderError::Unknown(second)),
                    second => second,
                }
            }
            first => first,
        }
        .map(Wire::fact)
    }
}

/// Sends and reads, sorting failures by what they say about the money.
async fn answer<T: for<'de> Deserialize<'de>>(request: RequestBuilder) -> Result<T, ProviderError> {
    let (status, body) = read_whole(request).await?;
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| ProviderError::Unknown(error.to_string()));
    }
    if status.is_client_error()
        && status != StatusCode::REQUEST_TIMEOUT
        && status != StatusCode::TOO_MANY_REQUESTS
    {
        let error = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        let text = |name: &str| error.pointer(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (code, message) = (text("/error/code"), text("/error/message"));
        let code = if code.is_empty() { status.as_str().to_owned() } else { code };
        return Err(ProviderError::Refused { code, message });
    }
    Err(ProviderError::Unknown(format!("the provider answered {status}")))
}

impl Provider for Test {
    fn start<'a>(&'a self, wish: &'a StartPayment) -> BoxFuture<'a, Result<ProviderFact, ProviderError>> {
        async move {
            let session = wish.session.to_string();
            let mut body = json!({
                "amount_minor": wish.amount.minor(),
                "currency": wish.amount.currency(),
                "reference": session,
                "capture": !wish.capture_later,
                "return_url": wish.return_url,
                "webhook_url": wish.webhook_url,
                "metadata": { "store": wish.store },
            });
            if let Some(token) = &wish.token {
                body["token"] = json!(token);
            }
            self.post_surely(wish.store, "/v1/payments", &session, &body).await
        }
        .boxed()
    }

    fn fetch<'a>(
        &'a self,
        store: StoreId,
        session: &'a PaymentSession,
    ) -> BoxFuture<'a, Result<Option<ProviderFact>, ProviderError>> {
        async move {
            let asked = session.id.to_string();
            let found = match &session.reference {
                Some(reference) => {
                    match answer::<Wire>(self.get(store, &format!("/v1/payments/{reference}"))).await {
                        Err(ProviderError::Refused { .. }) => None,
                        answer => Some(answer?),
                    }
                }
                None => {
                    let list =
                        answer::<WireList>(self.get(store, &format!("/v1/payments?reference={asked}")))
                            .await?;
                    list.data.into_iter().next()
                }
            };
            Ok(found.filter(|wire| wire.reference == asked).map(Wire::fact))
        }
        .boxed()
    }

    fn capture<'a>(
        &'a self,
        store: StoreId,
        session: &'a PaymentSession,
    ) -> BoxFuture<'a, Result<ProviderFact, ProviderError>> {
        async move {
            let Some(part) = session.part else {
                return self.change(store, session, "capture", &json!({})).await;
            };
            let taken =
                self.change(store, session, "capture", &json!({ "amount_minor": part.minor() })).await?;
            // Here the rest stays held until it is let go.
            match self.change(store, session, "void", &json!({})).await {
                Ok(let_go) => Ok(let_go),
                // What was taken is taken; a hold that nobody lets go runs out by itself.
                Err(error) => {
                    tracing::debug!(%error, "the rest of a hold could not be let go");
                    Ok(taken)
                }
            }
        }
        .boxed()
    }

    fn void<'a>(
        &'a self,
        store: StoreId,
        session: &'a PaymentSession,
    ) -> BoxFuture<'a, Result<ProviderFact, ProviderError>> {
        async move { self.change(store, session, "void", &json!({})).await }.boxed()
    }

    fn refund<'a>(
        &'a self,
        store: StoreId,
        refund: &'a DueRefund,
    ) -> BoxFuture<'a, Result<Option<ProviderFact>, ProviderError>> {
        async move {
            let Some(reference) = &refund.reference else { return Err(ProviderError::Unsupported) };
            let body = json!({ "amount_minor": refund.amount.minor(), "reason": refund.reason });
            let path = format!("/v1/payments/{reference}/refund");
            self.post_surely(store, &path, &refund.idempotency_key, &body).await.map(Some)
        }
        .boxed()
    }

    fn read_webhook<'a>(
        &'a self,
        _: StoreId,
        _: Option<&'a Account>,
        headers: &'a WebhookHeaders,
        body: &'a [u8],
    ) -> BoxFuture<'a, Result<ProviderEvent, WebhookError>> {
        ready(self.read(headers, body)).boxed()
    }
}

impl Test {
    async fn change(
        &self,
        store: StoreId,
        session: &PaymentSession,
        what: &'static str,
        body: &Value,
    ) -> Result<ProviderFact, ProviderError> {
        let Some(reference) = &session.reference else { return Err(ProviderError::Unsupported) };
        // One capture and one void per session, whatever the amount: the key says so.
        let key = format!("{what}:{}", session.id);
        self.post_surely(store, &format!("/v1/payments/{reference}/{what}"), &key, body).await
    }

    fn read(&self, headers: &WebhookHeaders, body: &[u8]) -> Result<ProviderEvent, WebhookError> {
        self.verify(headers, body)?;
        let payload: Value = serde_json::from_slice(body).map_err(|_| WebhookError::Body)?;
        let event: WireEvent = Deserialize::deserialize(&payload).map_err(|_| WebhookError::Body)?;
        let session = PaymentSessionId::parse(&event.data.payment.reference).ok();
        let about = About::Payment(session, event.data.payment.fact());
        Ok(ProviderEvent { id: event.id, kind: event.r#type, about, payload })
    }

    /// Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, one of the listed signatures has to be right.
    fn verify(&self, headers: &WebhookHeaders, body: &[u8]) -> Result<(), WebhookError> {
        let (Some(id), Some(timestamp), Some(signatures)) =
            (&headers.id, &headers.timestamp, &headers.signature)
        else {
            return Err(WebhookError::Headers);
        };
        let seconds: i64 = timestamp.parse().map_err(|_| WebhookError::Headers)?;
        let sent = DateTime::from_timestamp(seconds, 0).ok_or(WebhookError::Headers)?;
        let secret = self.secret.as_deref().ok_or(WebhookError::Signature)?;
        let mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| WebhookError::Signature)?;
        let mac = mac
            .chain_update(id)
            .chain_update(".")
            .chain_update(timestamp)
            .chain_update(".")
            .chain_update(body);
        let right =
            signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,")).any(|signature| {
                STANDARD.decode(signature).is_ok_and(|tag| mac.clone().verify_slice(&tag).is_ok())
            });
        if !right {
            return Err(WebhookError::Signature);
        }
        if (self.clock.now() - sent).num_seconds().abs() > TOLERANCE_SECONDS {
            return Err(WebhookError::Time);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn provider(now: i64) -> Test {
        let config = ProvidersConfig {
            test_url: Some("http://127.0.0.1:9".to_owned()),
            test_webhook_secret: Some(SECRET.to_owned()),
            stripe_url: String::new(),
            secret: Vec::new(),
            timeout: std::time::Duration::from_secs(1),
            clock: Clock::manual(DateTime::from_timestamp(now, 0).unwrap()),
        };
        Test::new(&config).unwrap().unwrap()
    }

    /// The example of the Standard Webhooks specification.
    fn example() -> (WebhookHeaders, &'static [u8]) {
        let headers = WebhookHeaders {
            id: Some("msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()),
            timestamp: Some("1614265330".to_owned()),
            signature: Some("v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned()),
            stripe: None,
        };
        (headers, br#"{"test": 2432232314}"#)
    }

    #[test]
    fn a_signature_of_the_specification_is_believed() {
        let (headers, body) = example();
        assert_eq!(provider(1_614_265_330).verify(&headers, body), Ok(()));
        assert_eq!(provider(1_614_265_330 + 301).verify(&headers, body), Err(WebhookError::Time));
        assert_eq!(provider(1_614_265_330 - 301).verify(&headers, body), Err(WebhookError::Time));
        assert_eq!(provider(1_614_265_330).verify(&headers, b"{}"), Err(WebhookError::Signature));
    }

    #[test]
    fn what_is_not_signed_is_not_believed() {
        let (headers, body) = example();
        let provider = provider(1_614_265_330);
        let refused = |headers: WebhookHeaders| provider.verify(&headers, body).unwrap_err();
        assert_eq!(refused(WebhookHeaders { id: None, ..headers.clone() }), WebhookError::Headers);
        assert_eq!(
            refused(WebhookHeaders { id: Some("msg_x".into()), ..headers.clone() }),
            WebhookError::Signature
        );
        assert_eq!(
            refused(WebhookHeaders { signature: Some(String::new()), ..headers.clone() }),
            WebhookError::Signature
        );
        assert_eq!(
            refused(WebhookHeaders { timestamp: Some("x".into()), ..headers.clone() }),
            WebhookError::Headers
        );
        assert_eq!(
            refused(WebhookHeaders { timestamp: Some(i64::MAX.to_string()), ..headers }),
            WebhookError::Headers
        );
    }
}
