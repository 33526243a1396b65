//! Carries deliveries to endpoints, beside everything else. Who comes back from an endpoint takes along what is due there next, so that an
//! endpoint is told as fast as it takes, whatever the others do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use souk_access::WorkerPermit;
use souk_kernel::WebhookEndpointId;
use souk_telemetry::{FailPoint, fail_point};
use souk_tenancy::WriteTx;
use tokio_util::task::TaskTracker;

use super::super::error::WebhookError;
use super::super::events::WebhookDisabled;
use super::super::model::{
    AttemptView, LEASE, PATIENCE, Parcel, rest_after, retry_after, signatures, with_jitter,
};
use super::super::queries::{self, deliveries};
use super::seats::{Found, Seat, Seats};
use crate::settings;

/// From the first byte sent to the last one read: whoever drips bytes gets no longer.
const WHOLE: Duration = Duration::from_secs(15);
/// What is kept of an answer, and what is read of it at most.
const KEEP: usize = 4 * 1024;
const READ: usize = 64 * 1024;
/// How long who comes back goes on by themselves; then a worker looks again, and sees whether the store is still to be worked for.
const ERRAND: Duration = Duration::from_secs(30);
/// When somebody looks for what had to be left.
const SOON: TimeDelta = TimeDelta::seconds(1);

/// Sends webhooks. Cheap to clone.
#[derive(Clone)]
pub struct Courier {
    client: reqwest::Client,
    private: bool,
    seats: Seats,
    stopping: Arc<AtomicBool>,
    errand: Duration,
    under_way: TaskTracker,
}

/// For whom something is sent, and until when that need not be asked again.
#[derive(Clone)]
pub struct Errand {
    worker: WorkerPermit,
    endpoint: WebhookEndpointId,
    until: Instant,
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
            seats: Seats::new(),
            stopping: Arc::default(),
            errand: ERRAND,
            under_way: TaskTracker::new(),
        })
    }

    /// The seats that are free for an endpoint right now, taken.
    pub fn seats(&self, endpoint: WebhookEndpointId, failed: bool) -> Found {
        self.seats.take(endpoint, failed)
    }

    /// An errand that begins now.
    pub fn errand(&self, worker: &WorkerPermit, endpoint: WebhookEndpointId) -> Errand {
        Errand { worker: worker.clone(), endpoint, until: Instant::now() + self.errand }
    }

    /// Sends parcels of one endpoint, one a seat, beside the caller. Seats that are left over are given up, unless somebody has come in vain
    /// meanwhile. A process that dies sends again when the lease ends.
    pub fn send(&self, errand: &Errand, parcels: Vec<Parcel>, mut seats: Vec<Seat>) {
        let left = seats.split_off(parcels.len().min(seats.len()));
        for (parcel, seat) in parcels.into_iter().zip(seats) {
            self.under_way.spawn(self.clone().carry(errand.clone(), parcel, seat));
        }
        let called = self.seats.give_up(left);
        if !called.is_empty() {
            self.under_way.spawn(self.clone().look_again(errand.clone(), called));
        }
    }

    /// One that looks after every single thing.
    #[cfg(test)]
    pub fn hurried(mut self) -> Self {
        self.errand = Duration::ZERO;
        self
    }

    /// Takes nothing more and waits for what is under way.
    pub async fn finish(&self) {
        self.stopping.store(true, Ordering::Relaxed);
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

    fn look_again(self, errand: Errand, seats: Vec<Seat>) -> BoxFuture<'static, ()> {
        async move {
            let (endpoint, most) = (errand.endpoint, seats.len());
            let take = async move |tx: &mut WriteTx<'_>| {
                Ok::<_, WebhookError>(deliveries::claim(tx, &[(endpoint, most)], LEASE).await?)
            };
            match errand.worker.write("webhooks.claim", take).await {
                Ok(parcels) => self.send(&errand, parcels, seats),
                Err(error) => {
                    tracing::warn!(%error, %endpoint, "webhooks wait until somebody looks for them")
                }
            }
        }
        .boxed()
    }

    /// Sends a parcel, writes down what came of it and goes on with what is due at the same endpoint.
    fn carry(self, errand: Errand, parcel: Parcel, seat: Seat) -> BoxFuture<'static, ()> {
        async move {
            let (at, began) = (errand.worker.clock().now(), Instant::now());
            let (id, endpoint) = (parcel.id, errand.endpoint);
            let headers = headers(&parcel, at);
            let answer = self.post(&parcel, &headers).await;
            fail_point(FailPoint::WebhookAnswered);
            let well = answer.status.is_some_and(|status| (200..300).contains(&status));
            let word = if well { "delivered" } else { "failed" };
            metrics::counter!("souk_webhook_attempts_total", "result" => word).increment(1);
            metrics::histogram!("souk_webhook_seconds").record(began.elapsed());
            let attempt = AttemptView {
                number: parcel.attempts,
                at,
                took_ms: i32::try_from(began.elapsed().as_millis()).unwrap_or(i32::MAX),
                request_headers: headers
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone().into()))
                    .collect::<serde_json::Map<_, _>>()
                    .into(),
                status: answer.status.map(i32::from),
                response_body: answer.body,
                error: answer.error,
            };
            let goes_on = Instant::now() < errand.until && !self.stopping.load(Ordering::Relaxed);
            // Whoever does not go on gets up first: who comes from now on finds a seat.
            let seats = if goes_on {
                self.seats.keep(seat, !well)
            } else {
                drop(seat);
                Vec::new()
            };
            let most = seats.len();
            let write = async move |tx: &mut WriteTx<'_>| {
                settle(tx, &parcel, attempt, well, at).await?;
                if most == 0 {
                    let until = tx.now() + SOON;
                    deliveries::put_off(tx, endpoint, until).await?;
                    return Ok::<_, WebhookError>(Vec::new());
                }
                Ok(deliveries::claim(tx, &[(endpoint, most)], LEASE).await?)
            };
            match errand.worker.write("webhooks.settle", write).await {
                Ok(next) => {
                    fail_point(FailPoint::WebhookSettled);
                    self.send(&errand, next, seats);
                }
                Err(error) => {
                    tracing::warn!(%error, delivery = %id, "what came of a webhook could not be written down; it is sent again");
                }
            }
        }
        .boxed()
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

fn headers(parcel: &Parcel, at: DateTime<Utc>) -> [(&'static str, String); 4] {
    let id = parcel.event_id.to_string();
    let secrets = [Some(parcel.secret.as_slice()), parcel.old_secret.as_deref()];
    let signature = signatures(secrets.into_iter().flatten(), &id, at.timestamp(), &parcel.body);
    [
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id),
        ("webhook-timestamp", at.timestamp().to_string()),
        ("webhook-signature", signature),
    ]
}

/// The endpoint first, then the delivery: in the order in which whoever edits an endpoint locks them.
async fn settle(
    tx: &mut WriteTx<'_>,
    parcel: &Parcel,
    attempt: AttemptView,
    well: bool,
    at: DateTime<Utc>,
) -> Result<(), WebhookError> {
    let (id, endpoint, status, error) =
        (parcel.id, parcel.endpoint_id, attempt.status, attempt.error.clone());
    if well {
        queries::works(tx, endpoint).await?;
        if deliveries::log(tx, id, attempt).await? {
            deliveries::finish(tx, id, "delivered", None, status, None).await?;
        }
        return Ok(());
    }
    let chance = id.uuid().as_bytes()[15];
    let Some(failing) = queries::fails(tx, endpoint, at - PATIENCE).await? else {
        // It was deleted, and what was to be told with it.
        return Ok(());
    };
    if let Some(pause) = rest_after(failing.failures)
        && !failing.resting
    {
        let until = tx.now() + with_jitter(pause, chance);
        queries::rest(tx, endpoint, until).await?;
    }
    let gone = status == Some(410);
    let next = retry_after(parcel.attempts).filter(|_| !gone).map(|pause| at + with_jitter(pause, chance));
    let state = if next.is_some() { "pending" } else { "failed" };
    if deliveries::log(tx, id, attempt).await? {
        deliveries::finish(tx, id, state, next, status, error.clone()).await?;
    }
    if gone || failing.exhausted {
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
