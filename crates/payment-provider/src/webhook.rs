//! Telling the caller: an event of a payment, and its signature (Standard Webhooks).

use crate::behaviour::Behaviour;
use crate::payment::Payment;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Sha256;

/// How far the delivery of a webhook is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// To be sent, or sent again.
    Pending,
    /// Answered with 2xx.
    Delivered,
    /// Every attempt failed.
    GivenUp,
    /// Never to be sent: the payment behaves so.
    Lost,
}

/// One try to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    pub at: DateTime<Utc>,
    /// The HTTP status, or what went wrong.
    pub outcome: String,
}

/// An event of a payment with all that is needed to send it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    /// `pev_…`; the `webhook-id` header.
    pub id: String,
    /// Whose event.
    pub payment: String,
    /// `payment.captured` …
    pub kind: String,
    /// 1, 2, … within the payment.
    pub sequence: u32,
    /// Where to.
    pub url: String,
    /// The exact bytes that are signed and sent.
    pub body: String,
    /// How far it is.
    pub delivery: Delivery,
    /// Every try.
    pub attempts: Vec<Attempt>,
}

impl Webhook {
    /// The event `kind` of the payment as it is now; counts it in the payment. `None` when nobody wants to hear.
    pub fn about(payment: &mut Payment, kind: &str, id: String, at: DateTime<Utc>) -> Option<Self> {
        let url = payment.webhook_url.clone()?;
        payment.events += 1;
        let mut shown = payment.shown();
        if payment.behaviour == Behaviour::WrongAmount && payment.captured_minor > 0 {
            shown["captured_minor"] = json!(payment.captured_minor - 1);
        }
        let body = json!({
            "id": id, "type": kind, "sequence": payment.events, "created_at": at, "data": { "payment": shown },
        });
        let lost = payment.behaviour == Behaviour::LostWebhook;
        Some(Self {
            id,
            payment: payment.id.clone(),
            kind: kind.to_owned(),
            sequence: payment.events,
            url,
            body: body.to_string(),
            delivery: if lost { Delivery::Lost } else { Delivery::Pending },
            attempts: Vec::new(),
        })
    }
}

/// The secret that signs webhooks.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

/// The text is not `whsec_` and base64 of 24 to 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedSecret;

impl std::fmt::Display for MalformedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("must be whsec_ followed by the base64 form of 24 to 64 bytes")
    }
}

impl std::error::Error for MalformedSecret {}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

impl std::str::FromStr for WebhookSecret {
    type Err = MalformedSecret;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let encoded = text.strip_prefix("whsec_").ok_or(MalformedSecret)?;
        let bytes = BASE64.decode(encoded).map_err(|_| MalformedSecret)?;
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(MalformedSecret) }
    }
}

impl WebhookSecret {
    /// The `webhook-signature` header: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; `timestamp` in
    /// seconds since 1970.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        // HMAC takes keys of any length, so this arm is never reached; an empty signature would be refused.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_of_the_scheme_is_met() {
        let secret: WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_of_another_form_are_refused() {
        for text in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_short", "whsec_!!!"] {
            assert!(text.parse::<WebhookSecret>().is_err(), "{text}");
        }
    }
}
