//! Couriers carry webhooks: at most one per payment, in order, again when nobody opens.

use crate::behaviour::Behaviour;
use crate::book::{Book, Change};
use crate::loopback::Loopback;
use crate::webhook::{Attempt, Delivery, Webhook, WebhookSecret};
use chrono::{DateTime, Utc};
use souk_kernel::Clock;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Pauses before the second and later attempts.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(25),
    Duration::from_secs(120),
];

/// The pool of couriers; clones share it.
#[derive(Clone)]
pub struct Couriers {
    client: reqwest::Client,
    secret: WebhookSecret,
    /// Payments that have a courier on the way.
    under_way: Arc<Mutex<HashSet<String>>>,
}

impl Couriers {
    /// Couriers that sign with `secret`. Needs a process-wide rustls provider.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(secret: WebhookSecret) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(Loopback))
            .build()?;
        Ok(Self { client, secret, under_way: Arc::default() })
    }

    /// What carries webhooks, for those of another form.
    pub(crate) fn client(&self) -> reqwest::Client {
        self.client.clone()
    }

    /// Sends what is pending for the payment, in the background; joins the courier who is already on the way.
    pub fn send(&self, book: Arc<Mutex<Book>>, clock: Clock, payment: String, behaviour: Behaviour) {
        if !self.under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(payment.clone()) {
            return;
        }
        let couriers = self.clone();
        tokio::spawn(async move { couriers.carry(&book, &clock, &payment, behaviour).await });
    }

    async fn carry(&self, book: &Mutex<Book>, clock: &Clock, payment: &str, behaviour: Behaviour) {
        // The answer to the call should be on its way first, as with a real provider.
        let head_start = match behaviour {
            Behaviour::TimeoutAfterCapture => Duration::from_secs(2),
            Behaviour::ReorderedWebhooks => Duration::from_millis(500),
            _ => Duration::from_millis(50),
        };
        loop {
            tokio::time::sleep(head_start).await;
            let mut pending = locked(book).pending(payment);
            if behaviour == Behaviour::ReorderedWebhooks {
                pending.reverse();
            }
            for webhook in pending {
                self.deliver(book, clock, &webhook, behaviour).await;
            }
            // Looking and leaving are one step, or an event that arises in between would wait for ever.
            let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            if locked(book).pending(payment).is_empty() {
                under_way.remove(payment);
                return;
            }
        }
    }

    async fn deliver(&self, book: &Mutex<Book>, clock: &Clock, webhook: &Webhook, behaviour: Behaviour) {
        for pause in PAUSES.into_iter().map(Some).chain([None]) {
            let at = clock.now();
            let outcome = self.attempt(webhook, at).await;
            let delivered = outcome.is_ok();
            let delivery = match (delivered, pause) {
                (true, _) => Delivery::Delivered,
                (false, Some(_)) => Delivery::Pending,
                (false, None) => Delivery::GivenUp,
            };
            let attempt = Attempt { at, outcome: outcome.unwrap_or_else(|failure| failure) };
            let change = Change::Delivery { webhook: webhook.id.clone(), delivery, attempt };
            if let Err(error) = locked(book).apply(change) {
                tracing::error!(%error, "the journal could not be written");
            }
            if delivered {
                if behaviour == Behaviour::DuplicateWebhooks {
                    let _ = tokio::join!(self.attempt(webhook, at), self.attempt(webhook, at));
                }
                return;
            }
            tokio::time::sleep(pause.unwrap_or_default()).await;
        }
    }

    /// One try: the status of a 2xx, or what went wrong.
    async fn attempt(&self, webhook: &Webhook, at: DateTime<Utc>) -> Result<String, String> {
        let timestamp = at.timestamp();
        let answer = self
            .client
            .post(&webhook.url)
            .header("content-type", "application/json")
            .header("webhook-id", &webhook.id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", self.secret.sign(&webhook.id, timestamp, &webhook.body))
            .body(webhook.body.clone())
            .send()
            .await;
        match answer {
            Ok(answer) if answer.status().is_success() => Ok(answer.status().as_u16().to_string()),
            Ok(answer) => Err(answer.status().as_u16().to_string()),
            Err(error) => Err(error.without_url().to_string()),
        }
    }
}

fn locked(book: &Mutex<Book>) -> std::sync::MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
