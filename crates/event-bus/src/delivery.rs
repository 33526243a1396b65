//! One event to one consumer, and how long one keeps trying.

use std::any::Any;
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use souk_kernel::id::EventId;
use souk_telemetry::{FailPoint, fail_point};
use souk_tenancy::StoreScope;
use tokio::time::error::Elapsed;
use tracing::Instrument;
use uuid::Uuid;

use crate::consumer::{Consumer, ConsumerError};
use crate::event::Event;
use crate::queries;
use crate::relay::Scopes;

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

/// Why an attempt came to nothing.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: String,
    /// Nobody could have done better now: the attempt does not count.
    pub(crate) is_outage: bool,
    /// Trying again cannot help.
    pub(crate) is_final: bool,
}

impl Failure {
    pub(crate) fn counted(error: impl Into<String>) -> Self {
        Self { error: error.into(), is_outage: false, is_final: false }
    }
}

/// Has a consumer hear an event in a transaction of the event's store, beside the row that says it did. Never panics;
/// ends within `limit`.
pub(crate) async fn attempt(
    consumer: &dyn Consumer,
    event: &Event,
    replay: &str,
    scopes: &Scopes,
    limit: Duration,
) -> Result<(), Failure> {
    let name = consumer.name();
    let span = tracing::info_span!(
        "event",
        id = %event.id,
        kind = %event.kind,
        store = %event.store,
        consumer = name,
        traceparent = event.traceparent.as_deref().unwrap_or_default(),
    );
    let started = Instant::now();
    let outcome = async {
        // A store that is not in the directory may be about to appear there, or be gone for good: time tells.
        let Some(scope) = scopes(event.store) else {
            return Err(Failure::counted("the store is not known"));
        };
        let work = AssertUnwindSafe(hear(consumer, event, replay, &scope)).catch_unwind();
        judged(tokio::time::timeout(limit, work).await)
    }
    .instrument(span)
    .await;
    metrics::histogram!("souk_consumer_seconds", "consumer" => name).record(started.elapsed());
    let result = if outcome.is_ok() { "ok" } else { "error" };
    metrics::counter!("souk_consumer_events_total", "consumer" => name, "result" => result).increment(1);
    outcome
}

/// Heard, a panic, or too late.
type Ending = Result<Result<Result<(), ConsumerError>, Box<dyn Any + Send>>, Elapsed>;

fn judged(ending: Ending) -> Result<(), Failure> {
    match ending {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(error))) => {
            let (is_outage, is_final) = (error.is_outage(), error.is_final());
            Err(Failure { error: error.to_string(), is_outage, is_final })
        }
        Ok(Err(_)) => Err(Failure::counted("the consumer panicked")),
        Err(_) => Err(Failure::counted("the consumer took too long")),
    }
}

/// Has a consumer hear those of these events that it wants, all of one store, in one transaction of that store beside the rows that say it did:
/// all or none. Never panics; ends within `limit`. A failure is nobody's: which event is to blame shows when each is heard alone.
pub(crate) async fn attempt_together(
    consumer: &dyn Consumer,
    events: &[Event],
    scopes: &Scopes,
    limit: Duration,
) -> Result<(), Failure> {
    let Some(first) = events.first() else { return Ok(()) };
    let name = consumer.name();
    let many = events.iter().filter(|event| consumer.wants(&event.kind)).count();
    let span = tracing::info_span!("events", store = %first.store, consumer = name, many);
    let started = Instant::now();
    let outcome = async {
        let Some(scope) = scopes(first.store) else {
            return Err(Failure::counted("the store is not known"));
        };
        let work = AssertUnwindSafe(hear_together(consumer, events, &scope)).catch_unwind();
        judged(tokio::time::timeout(limit, work).await)
    }
    .instrument(span)
    .await;
    if outcome.is_ok() {
        let each = started.elapsed() / u32::try_from(many).unwrap_or(u32::MAX).max(1);
        let seconds = metrics::histogram!("souk_consumer_seconds", "consumer" => name);
        for _ in 0..many {
            seconds.record(each);
        }
        metrics::counter!("souk_consumer_events_total", "consumer" => name, "result" => "ok")
            .increment(many as u64);
    }
    outcome
}

async fn hear_together(
    consumer: &dyn Consumer,
    events: &[Event],
    scope: &StoreScope,
) -> Result<(), ConsumerError> {
    let name = consumer.name().to_owned();
    let wanted = events.iter().filter(|event| consumer.wants(&event.kind));
    let ids: Vec<EventId> = wanted.map(|event| event.id).collect();
    let heard = scope.write("hear", async |tx| {
        let fresh = queries::hear_first_of(tx, name, &ids).await?;
        let mut fresh: HashSet<EventId> = fresh.into_iter().collect();
        let first = !fresh.is_empty();
        if first {
            fail_point(FailPoint::ConsumerBegun);
        }
        for event in events {
            // One that came twice is heard the first time.
            if fresh.remove(&event.id) {
                consumer.hear(tx, event).await?;
                fail_point(FailPoint::ConsumerHeard);
            }
        }
        Ok::<_, ConsumerError>(first)
    });
    if heard.await? {
        fail_point(FailPoint::ConsumerCommitted);
    }
    Ok(())
}

async fn hear(
    consumer: &dyn Consumer,
    event: &Event,
    replay: &str,
    scope: &StoreScope,
) -> Result<(), ConsumerError> {
    let name = consumer.name();
    let key = if replay.is_empty() { name.to_owned() } else { format!("{name}/{replay}") };
    let heard = scope.write("hear", async |tx| {
        let first = queries::hear_first(tx, key, event.id).await?;
        if first {
            fail_point(FailPoint::ConsumerBegun);
            consumer.hear(tx, event).await?;
            fail_point(FailPoint::ConsumerHeard);
        }
        Ok::<_, ConsumerError>(first)
    });
    if heard.await? {
        fail_point(FailPoint::ConsumerCommitted);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_come_apart() {
        let patience = Patience {
            attempts: 10,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(600),
        };
        let wholes = [(i32::MIN, 1), (0, 1), (1, 2), (2, 4), (9, 512), (10, 600), (31, 600), (i32::MAX, 600)];
        for (attempts, seconds) in wholes {
            let whole = Duration::from_secs(seconds);
            let pauses: Vec<_> = (0..200).map(|_| patience.pause(attempts)).collect();
            let (least, most) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
            assert!(*least >= whole / 2 && *most <= whole, "after {attempts}: {least:?} to {most:?}");
            assert!(*most - *least > whole / 8, "after {attempts} all return at once: {least:?} to {most:?}");
        }
    }
}
