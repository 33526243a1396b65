//! Carries deliveries to endpoints, beside everything else: a few at a time to each endpoint, some more to all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use souk_access::WorkerPermit;
use souk_kernel::WebhookEndpointId;
use souk_telemetry::{FailPoint, fail_point};
use souk_tenancy::WriteTx;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use super::super::error::WebhookError;
use super::super::events::WebhookDisabled;
use super::super::model::{AttemptView, PATIENCE, Parcel, retry_after, signatures, with_jitter};
use super::super::queries::{self, deliveries};
use crate::settings;

/// From the first byte sent to the last one read: whoever drips bytes gets no longer.
const WHOLE: Duration = Duration::from_secs(15);
/// Under way at once: to one endpoint, to all of this process, and to all that failed last time. Those hold a seat for as long as they let us
/// wait, so they get one each and share few: however many fail, the others have room.
const PER_ENDPOINT: usize = 4;
const AT_ONCE: usize = 128;
const TO_FAILING: usize = 32;
/// What is kept of an answer, and what is read of it at most.
const KEEP: usize = 4 * 1024;
const READ: usize = 64 * 1024;

/// A place at an endpoint, one in the process, and one among those that fail.
pub struct Seat(
    #[expect(dead_code, reason = "held until the parcel is there")]
    (OwnedSemaphorePermit, OwnedSemaphorePermit, Option<OwnedSemaphorePermit>),
);

/// Sends webhooks. Cheap to clone.
#[derive(Clone)]
pub struct Courier {
    client: reqwest::Client,
    private: bool,
    all: Arc<Semaphore>,
    failing: Arc<Semaphore>,
    endpoints: Arc<Mutex<HashMap<WebhookEndpointId, Weak<Semaphore>>>>,
    under_way: TaskTracker,
}

/// What came of an attempt.
struct Answer {
    status: Option<u16>,
    body: Option<String>,
    error: Option<String>,
}

impl Courier {
    /// A courier; `private` allows addresses of this machine and plain HTTP: for development.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn new(private: bool) -> Result<Self, reqwest::Error> {
        Self::patient(private, WHOLE)
    }

    /// A courier that waits so long for a whole answer.
    ///
    /// # Errors
    /// As [`Courier::new`].
    pub fn patient(private: bool, whole: Duration) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: souk_outbound::client(private, whole)?,
            private,
            all: Arc::new(Semaphore::new(AT_ONCE)),
            failing: Arc::new(Semaphore::new(TO_FAILING)),
            endpoints: Arc::default(),
            under_way: TaskTracker::new(),
        })
    }

    /// The seats that are free for an endpoint right now, taken; at most one for an endpoint that failed last time.
    pub fn seats(&self, endpoint: WebhookEndpointId, failed: bool) -> Vec<Seat> {
        let own = {
            let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
            endpoints.retain(|_, seats| seats.strong_count() > 0);
            let found = endpoints.get(&endpoint).and_then(Weak::upgrade);
            found.unwrap_or_else(|| {
                let seats = Arc::new(Semaphore::new(PER_ENDPOINT));
                endpoints.insert(endpoint, Arc::downgrade(&seats));
                seats
            })
        };
        let seat = || {
            let failing = match failed {
                true if own.available_permits() < PER_ENDPOINT => return None,
                true => Some(Arc::clone(&self.failing).try_acquire_owned().ok()?),
                false => None,
            };
            let own = Arc::clone(&own).try_acquire_owned().ok()?;
            let all = Arc::clone(&self.all).try_acquire_owned().ok()?;
            Some(Seat((own, all, failing)))
        };
        std::iter::from_fn(seat).collect()
    }

    /// Sends a parcel and writes down what came of it, beside the caller. A process that dies meanwhile sends it again when the lease ends.
    pub fn send(&self, worker: WorkerPermit, parcel: Parcel, seat: Seat) {
        let courier = self.clone();
        self.under_way.spawn(async move {
            let id = parcel.id;
            if let Err(error) = courier.carry(&worker, parcel).await {
                tracing::warn!(%error, delivery = %id, "what came of a webhook could not be written down; it is sent again");
            }
            drop(seat);
        });
    }

    /// Waits for what is under way.
    pub async fn finish(&self) {
        self.under_way.close();
        self.under_way.wait().await;
    }

    /// Waits until nothing is under way, and goes on.
    #[cfg(test)]
    pub async fn idle(&self) {
        while !self.under_way.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn carry(&self, worker: &WorkerPermit, parcel: Parcel) -> Result<(), WebhookError> {
        let (at, began) = (worker.clock().now(), Instant::now());
        let id = parcel.event_id.to_string();
        let secrets = [Some(parcel.secret.as_slice()), parcel.old_secret.as_deref()];
        let signature = signatures(secrets.into_iter().flatten(), &id, at.timestamp(), &parcel.body);
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id),
            ("webhook-timestamp", at.timestamp().to_string()),
            ("webhook-signature", signature),
        ];
        let answer = self.post(&parcel, &headers).await;
        fail_point(FailPoint::WebhookAnswered);
        let took_ms = i32::try_from(began.elapsed().as_millis()).unwrap_or(i32::MAX);
        let well = answer.status.is_some_and(|status| (200..300).contains(&status));
        let word = if well { "delivered" } else { "failed" };
        metrics::counter!("souk_webhook_attempts_total", "result" => word).increment(1);
        metrics::histogram!("souk_webhook_seconds").record(began.elapsed());
        let attempt = AttemptView {
            number: parcel.attempts,
            at,
            took_ms,
            request_headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone().into()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            status: answer.status.map(i32::from),
            response_body: answer.body,
            error: answer.error,
        };
        let write = async move |tx: &mut WriteTx<'_>| settle(tx, &parcel, attempt, well, at).await;
        worker.write("webhooks.settle", write).await?;
        fail_point(FailPoint::WebhookSettled);
        Ok(())
    }

    async fn post(&self, parcel: &Parcel, headers: &[(&'static str, String)]) -> Answer {
        let failed = |error: String| Answer { status: None, body: None, error: Some(error) };
        let url = match souk_outbound::readable(&parcel.url, self.private) {
            Ok(url) => url,
            Err(message) => return failed(format!("the address {message}")),
        };
        let mut request = self.client.post(url).body(parcel.body.clone());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return failed(said(&error)),
        };
        let status = response.status().as_u16();
        let mut body = Vec::new();
        let mut read = 0;
        let error = loop {
            match response.chunk().await {
                Ok(Some(bytes)) => {
                    read += bytes.len();
                    let room = KEEP - body.len();
                    body.extend_from_slice(&bytes[..bytes.len().min(room)]);
                    // The status has been said; nobody needs the rest.
                    if read > READ {
                        break None;
                    }
                }
                Ok(None) => break None,
                Err(error) => break Some(said(&error)),
            }
        };
        let error = error.or_else(|| match status {
            200..300 => None,
            300..400 => Some(format!("answered {status}: redirects are not followed")),
            _ => Some(format!("answered {status}")),
        });
        // What PostgreSQL cannot keep in a text.
        let body = String::from_utf8_lossy(&body).replace('\0', "\u{fffd}");
        Answer { status: Some(status), body: Some(body), error }
    }
}

/// The innermost cause says most, and no address of ours.
fn said(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no whole answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

async fn settle(
    tx: &mut WriteTx<'_>,
    parcel: &Parcel,
    attempt: AttemptView,
    well: bool,
    at: DateTime<Utc>,
) -> Result<(), WebhookError> {
    let (id, endpoint, status, error) =
        (parcel.id, parcel.endpoint_id, attempt.status, attempt.error.clone());
    deliveries::log(tx, id, attempt).await?;
    if well {
        deliveries::finish(tx, id, "delivered", None, status, None).await?;
        deliveries::wake_followers(tx, id).await?;
        queries::works(tx, endpoint).await?;
        return Ok(());
    }
    let gone = status == Some(410);
    let chance = id.uuid().as_bytes()[15];
    let next = retry_after(parcel.attempts).filter(|_| !gone).map(|pause| at + with_jitter(pause, chance));
    let state = if next.is_some() { "pending" } else { "failed" };
    deliveries::finish(tx, id, state, next, status, error.clone()).await?;
    if next.is_none() {
        deliveries::wake_followers(tx, id).await?;
    }
    let exhausted = queries::fails(tx, endpoint, at - PATIENCE).await?;
    if gone || exhausted {
        let reason = if gone {
            "it answered 410 Gone".to_owned()
        } else {
            format!("nothing was taken for {} days: {}", PATIENCE.num_days(), error.unwrap_or_default())
        };
        if queries::disable(tx, endpoint, &reason).await? {
            let store = settings::current(tx)
                .await
                .map_err(|error| WebhookError::Field("settings", error.to_string()))?;
            let fact = WebhookDisabled {
                endpoint_id: endpoint,
                url: parcel.url.clone(),
                reason,
                email: store.contact_email,
            };
            souk_event_bus::emit(tx, &fact).await?;
        }
    }
    Ok(())
}
