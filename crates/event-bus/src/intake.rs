//! Where an event reaches a consumer, whichever way it came: heard, or kept for later so that others go on.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use souk_telemetry::{FailPoint, fail_point};
use tokio::sync::watch;
use uuid::Uuid;

use crate::clerk::{BusError, Clerk, Desk};
use crate::consumer::Consumer;
use crate::delivery::{Failure, Patience, attempt, attempt_together};
use crate::event::Event;
use crate::queries::undelivered::{self, Due, Parking};
use crate::relay::Scopes;

/// What became of an event at one consumer.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Heard, or kept for later: whoever brought it need not bring it again.
    Yes,
    /// The database is away: bring it again.
    NotNow(String),
}

/// The consumers of a process and the list of what they have not heard.
pub(crate) struct Intake {
    pub(crate) consumers: Vec<Arc<dyn Consumer>>,
    pub(crate) scopes: Scopes,
    pub(crate) clerk: Clerk,
    pub(crate) patience: Patience,
    /// Bounds one attempt.
    pub(crate) limit: Duration,
}

impl Intake {
    /// Brings an event to one consumer. An event behind one of the same aggregate that this consumer has still to hear
    /// waits behind it; one that fails is kept and tried again by [`Intake::retry`].
    pub(crate) async fn take(&self, consumer: &dyn Consumer, event: &Event) -> Taken {
        if !consumer.wants(&event.kind) {
            return Taken::Yes;
        }
        let taken = async {
            let desk = self.clerk.desk().await?;
            let name = consumer.name();
            if undelivered::is_behind(&desk.client, &desk.is_behind, name, event).await? {
                let behind = Parking { attempts: 0, error: None, pause: Duration::ZERO, dead: false };
                undelivered::park(&desk.client, name, event, &behind).await?;
                return Ok(Taken::Yes);
            }
            match attempt(consumer, event, "", &self.scopes, self.limit).await {
                Ok(()) => Ok(Taken::Yes),
                Err(failure) if failure.is_outage => Ok(Taken::NotNow(failure.error)),
                Err(failure) => {
                    let parking = self.judge(name, event, 0, &failure);
                    undelivered::park(&desk.client, name, event, &parking).await?;
                    fail_point(FailPoint::ConsumerParked);
                    Ok(Taken::Yes)
                }
            }
        };
        taken.await.unwrap_or_else(|error: BusError| Taken::NotNow(error.to_string()))
    }

    /// Brings events of one store, in their order, to a consumer that hears several in one transaction; `false`: nothing was done, and each is to be
    /// brought alone, because something of the same aggregates waits, or one of them failed.
    ///
    /// # Errors
    /// The database is away: bring them again.
    pub(crate) async fn take_together(
        &self,
        consumer: &dyn Consumer,
        events: &[Event],
    ) -> Result<bool, String> {
        let wanted: Vec<&Event> = events.iter().filter(|event| consumer.wants(&event.kind)).collect();
        let Some(first) = wanted.first() else { return Ok(true) };
        let aggregates: Vec<Uuid> = wanted.iter().map(|event| event.aggregate_id).collect();
        let (name, store) = (consumer.name(), first.store);
        let look = async {
            let desk = self.clerk.desk().await?;
            let waits = undelivered::any_waits(&desk.client, &desk.any_waits, name, store, &aggregates);
            Ok::<_, BusError>(waits.await?)
        };
        if look.await.map_err(|error| error.to_string())? {
            return Ok(false);
        }
        match attempt_together(consumer, events, &self.scopes, self.limit).await {
            Ok(()) => Ok(true),
            Err(failure) if failure.is_outage => Err(failure.error),
            Err(failure) => {
                let (error, many) = (failure.error, wanted.len());
                tracing::debug!(consumer = name, %store, many, error, "heard one by one instead of together");
                Ok(false)
            }
        }
    }

    /// Brings an event to every consumer here.
    pub(crate) async fn take_all(&self, event: &Event) -> Taken {
        let mut not_now = None;
        for consumer in &self.consumers {
            if let Taken::NotNow(error) = self.take(consumer.as_ref(), event).await {
                not_now = Some(format!("{}: {error}", consumer.name()));
            }
        }
        not_now.map_or(Taken::Yes, Taken::NotNow)
    }

    fn judge<'f>(&self, consumer: &str, event: &Event, attempts: i32, failure: &'f Failure) -> Parking<'f> {
        let attempts = attempts + i32::from(!failure.is_outage);
        let dead = failure.is_final || (!failure.is_outage && attempts >= self.patience.attempts);
        let error = &failure.error;
        let (id, kind) = (event.id, &event.kind);
        if dead {
            tracing::error!(consumer, %id, kind, attempts, error, "an event is a dead letter");
            metrics::counter!("souk_consumer_dead_letters_total", "consumer" => consumer.to_owned())
                .increment(1);
        } else {
            tracing::warn!(consumer, %id, kind, attempts, error, "an event will be tried again");
        }
        let pause = self.patience.pause(attempts.saturating_sub(1));
        Parking { attempts, error: Some(error), pause, dead }
    }

    /// Tries again what is due, `parallel` at a time, until told to stop; then finishes what has begun.
    pub(crate) async fn retry(
        &self,
        parallel: usize,
        lease: Duration,
        poll: Duration,
        stopping: watch::Receiver<bool>,
    ) {
        let mut stop = stopping.clone();
        while !*stopping.borrow() {
            let found = match self.retry_due(parallel, lease, &stopping).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(%error, "what was not delivered cannot be looked at");
                    0
                }
            };
            if found == 0 {
                tokio::select! {
                    () = tokio::time::sleep(poll) => {}
                    _ = stop.wait_for(|stop| *stop) => {}
                }
            }
        }
    }

    /// Works until nothing is due; how many were tried.
    async fn retry_due(
        &self,
        parallel: usize,
        lease: Duration,
        stopping: &watch::Receiver<bool>,
    ) -> Result<usize, BusError> {
        let desk = self.clerk.desk().await?;
        let names: Vec<_> = self.consumers.iter().map(|consumer| consumer.name()).collect();
        let mut tried = 0;
        let mut under_way = FuturesUnordered::new();
        loop {
            let free = parallel.saturating_sub(under_way.len());
            let due = if free == 0 || *stopping.borrow() {
                Vec::new()
            } else {
                let statement = &desk.claim_undelivered;
                undelivered::claim(&desk.client, statement, free, lease, &names).await?
            };
            if !due.is_empty() {
                fail_point(FailPoint::RetryClaimed);
            }
            tried += due.len();
            under_way.extend(due.into_iter().map(|due| self.retry_one(&desk, due)));
            match under_way.next().await {
                Some(done) => done?,
                None => return Ok(tried),
            }
        }
    }

    async fn retry_one(&self, desk: &Desk, due: Due) -> Result<(), BusError> {
        let Some(consumer) = self.consumers.iter().find(|consumer| consumer.name() == due.consumer) else {
            return Ok(());
        };
        match attempt(consumer.as_ref(), &due.event, &due.replay, &self.scopes, self.limit).await {
            Ok(()) => {
                fail_point(FailPoint::RetryHeard);
                undelivered::settle(&desk.client, due.id).await?;
                fail_point(FailPoint::RetrySettled);
            }
            Err(failure) => {
                let parking = self.judge(consumer.name(), &due.event, due.attempts, &failure);
                undelivered::again(&desk.client, due.id, &parking).await?;
            }
        }
        Ok(())
    }
}
