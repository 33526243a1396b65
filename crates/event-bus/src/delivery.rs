//! One event to every consumer that wants it, and what becomes of it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use souk_tenancy::StoreScope;
use tracing::Instrument;
use uuid::Uuid;

use crate::consumer::{Consumer, ConsumerError};
use crate::event::Event;
use crate::queries;
use crate::relay::Scopes;

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Published,
    Failed { error: String, pause: Duration, counts: bool },
    Dead { error: String },
}

/// When to try again and when to give up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) attempts: i32,
    pub(crate) first_pause: Duration,
    pub(crate) longest_pause: Duration,
}

impl Patience {
    /// Doubles from the first pause to the longest, then between half of that and all of it, at random: what failed
    /// together must not return together.
    pub(crate) fn pause(&self, attempts: i32) -> Duration {
        let doublings = u32::try_from(attempts).unwrap_or(0).min(30);
        let whole = self.first_pause.saturating_mul(1 << doublings).min(self.longest_pause);
        let share = f64::from(Uuid::now_v7().as_bytes()[15]) / 255.0;
        whole.mul_f64(0.5 + share / 2.0)
    }
}

/// Delivers `event` to its consumers one after the other, each in a transaction of its own, so that one that fails
/// does not undo what another heard. Never panics; ends within `limit`.
pub(crate) async fn deliver(
    event: &Event,
    attempts: i32,
    consumers: &[Arc<dyn Consumer>],
    scopes: &Scopes,
    patience: Patience,
    limit: Duration,
) -> Outcome {
    let span = tracing::info_span!(
        "event",
        id = %event.id,
        kind = %event.kind,
        store = %event.store,
        traceparent = event.traceparent.as_deref().unwrap_or_default(),
    );
    async {
        let work = AssertUnwindSafe(to_all(event, consumers, scopes)).catch_unwind();
        let (error, counts, last) = match tokio::time::timeout(limit, work).await {
            Ok(Ok(Ok(()))) => return Outcome::Published,
            Ok(Ok(Err((consumer, error)))) => (
                format!("{consumer}: {error}"),
                !error.is_outage(),
                error.is_final() || (!error.is_outage() && attempts + 1 >= patience.attempts),
            ),
            Ok(Err(_)) => ("a consumer panicked".to_owned(), true, attempts + 1 >= patience.attempts),
            Err(_) => ("the consumers took too long".to_owned(), true, attempts + 1 >= patience.attempts),
        };
        if last {
            tracing::error!(error, "event is dead");
            Outcome::Dead { error }
        } else {
            let pause = patience.pause(attempts);
            tracing::warn!(error, attempts, pause_ms = pause.as_millis(), "event will be tried again");
            Outcome::Failed { error, pause, counts }
        }
    }
    .instrument(span)
    .await
}

async fn to_all(
    event: &Event,
    consumers: &[Arc<dyn Consumer>],
    scopes: &Scopes,
) -> Result<(), (&'static str, ConsumerError)> {
    let mut scope = None;
    for consumer in consumers.iter().filter(|consumer| consumer.wants(&event.kind)) {
        let name = consumer.name();
        if scope.is_none() {
            scope = scopes(event.store);
        }
        // A store that is not in the directory may be about to appear there, or be gone for good: time tells.
        let Some(scope) = &scope else {
            return Err((name, ConsumerError::Failed("the store is not known".to_owned())));
        };
        let started = Instant::now();
        let heard = to_one(event, consumer.as_ref(), scope).await;
        metrics::histogram!("souk_consumer_seconds", "consumer" => name).record(started.elapsed());
        let result = if heard.is_ok() { "ok" } else { "error" };
        metrics::counter!("souk_consumer_events_total", "consumer" => name, "result" => result).increment(1);
        heard.map_err(|error| (name, error))?;
    }
    Ok(())
}

async fn to_one(event: &Event, consumer: &dyn Consumer, scope: &StoreScope) -> Result<(), ConsumerError> {
    let heard = scope.write("hear", async |tx| {
        if queries::hear_first(tx, consumer.name(), event.id).await? {
            consumer.hear(tx, event).await?;
        }
        Ok::<_, ConsumerError>(())
    });
    heard.await
}
