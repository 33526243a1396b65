//! Events on their way to the account's endpoints, signed as Stripe signs.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use souk_kernel::Clock;
use std::fmt::Write as _;
use std::time::Duration;

/// Pauses before the second and later attempts.
const PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(2), Duration::from_secs(20)];

/// An event for an endpoint.
pub struct Parcel {
    /// Where to.
    pub url: String,
    /// Signs it; several while a secret is being exchanged.
    pub secrets: Vec<String>,
    /// The event.
    pub event: Value,
}

/// Carries events.
#[derive(Clone)]
pub struct Sender {
    client: reqwest::Client,
}

impl Sender {
    /// One that carries with this client.
    pub fn new(client: reqwest::Client) -> Self {
        Self { client }
    }

    /// Sends in the background, again when nobody takes it. In no order, as Stripe does.
    pub fn send(&self, parcels: Vec<Parcel>, clock: &Clock) {
        for parcel in parcels {
            let (client, clock) = (self.client.clone(), clock.clone());
            tokio::spawn(async move {
                for pause in PAUSES {
                    tokio::time::sleep(pause).await;
                    let body = parcel.event.to_string();
                    let call = client.post(&parcel.url).header("content-type", "application/json");
                    let call =
                        call.header("stripe-signature", signature(&parcel.secrets, clock.now(), &body));
                    if call.body(body).send().await.is_ok_and(|answer| answer.status().is_success()) {
                        return;
                    }
                }
            });
        }
    }
}

/// `t=<seconds>,v1=<hex>` with a `v1` for each secret.
#[must_use]
pub fn signature(secrets: &[String], at: DateTime<Utc>, body: &str) -> String {
    let time = at.timestamp();
    let mut header = format!("t={time}");
    for secret in secrets {
        // HMAC takes keys of any length, so this arm is never reached.
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { continue };
        let tag = mac.chain_update(format!("{time}.{body}")).finalize().into_bytes();
        header.push_str(",v1=");
        for byte in tag {
            // Writing to a text cannot fail.
            let _ = write!(header, "{byte:02x}");
        }
    }
    header
}
