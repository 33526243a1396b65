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

/// How long an event is held back where an endpoint wants that.
const LATE: Duration = Duration::from_secs(1);
/// How long every other event is held back where those behind it are to overtake it.
const OVERTAKEN: Duration = Duration::from_millis(600);

/// How an endpoint is sent its events, for trying out what a network may do to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manners {
    /// Three times each.
    pub duplicate: bool,
    /// Late.
    pub delay: bool,
    /// The first after the second, the third after the fourth.
    pub reorder: bool,
}

impl Manners {
    /// Reads `duplicate,delay,reorder`; `None` for other words.
    #[must_use]
    pub fn of(words: &str) -> Option<Self> {
        let mut manners = Self::default();
        for word in words.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "duplicate" => manners.duplicate = true,
                "delay" => manners.delay = true,
                "reorder" => manners.reorder = true,
                _ => return None,
            }
        }
        Some(manners)
    }

    const fn copies(self) -> u8 {
        if self.duplicate { 3 } else { 1 }
    }

    /// What the `nth` event of an account waits before it leaves.
    fn waits(self, nth: usize) -> Duration {
        let late = if self.delay { LATE } else { Duration::ZERO };
        let overtaken = if self.reorder && nth % 2 == 1 { OVERTAKEN } else { Duration::ZERO };
        late + overtaken
    }
}

/// An event for an endpoint.
#[derive(Clone)]
pub struct Parcel {
    /// Where to.
    pub url: String,
    /// Signs it; several while a secret is being exchanged.
    pub secrets: Vec<String>,
    /// The event.
    pub event: Value,
    /// The how many-th of its account, from 1.
    pub nth: usize,
    /// How the endpoint wants it.
    pub manners: Manners,
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
        let copies = |parcel: Parcel| {
            let copies = usize::from(parcel.manners.copies());
            std::iter::repeat_n(parcel, copies)
        };
        for parcel in parcels.into_iter().flat_map(copies) {
            let (client, clock) = (self.client.clone(), clock.clone());
            tokio::spawn(async move {
                tokio::time::sleep(parcel.manners.waits(parcel.nth)).await;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manners_are_read_and_keep_their_times() {
        assert_eq!(Manners::of(""), Some(Manners::default()));
        assert_eq!(Manners::of("late"), None);
        let all = Manners { duplicate: true, delay: true, reorder: true };
        assert_eq!(Manners::of("duplicate, delay,reorder"), Some(all));
        assert_eq!((all.copies(), all.waits(1), all.waits(2)), (3, LATE + OVERTAKEN, LATE));
        let plain = Manners::default();
        assert_eq!((plain.copies(), plain.waits(1)), (1, Duration::ZERO));
    }
}
