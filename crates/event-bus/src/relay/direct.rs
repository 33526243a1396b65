//! Without a broker: from the outbox straight to the consumers.

use std::collections::VecDeque;
use std::mem;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use souk_telemetry::{FailPoint, fail_point};

use super::{MEASURE_EVERY, Outbox, Worker};
use crate::clerk::BusError;
use crate::intake::Taken;
use crate::queries::outbox::{self, Claimed};

/// Events this relay holds by their leases for each that is heard at a time: one claim and one mark serve many, and no consumer waits for
/// either. It is also the most of them that are in memory, however many wait.
const AHEAD: usize = 8;
/// What was held for this part of its lease is given back: an attempt may take the rest.
const STALE: f64 = 0.2;

/// What has ended.
enum Step {
    /// Since when they are held, and whether there may be more.
    Claimed(Vec<(Instant, Claimed)>, bool),
    /// At all consumers, so that the outbox is to know; or not this time.
    Delivered(Option<i64>),
    Marked,
}

impl Worker {
    /// `parallel` at a time, until told to stop. Claiming, delivering and marking go on beside each other. An aggregate's next event is not
    /// offered before the one in front of it is marked, so what is held at a time is of different aggregates.
    pub(super) async fn to_consumers(&self, desk: &Outbox) -> Result<(), BusError> {
        let (parallel, most) = (self.config.parallel, self.config.parallel * AHEAD);
        let stale = self.config.lease.mul_f64(STALE);
        let mut stopping = self.stopping.clone();
        let mut measured: Option<Instant> = None;
        let mut held: VecDeque<(Instant, Claimed)> = VecDeque::new();
        let mut heard: Vec<i64> = Vec::new();
        // `look`: there may be something that no claim has seen yet.
        let (mut under_way, mut look, mut claiming, mut marking) = (0, true, false, false);
        let mut steps: FuturesUnordered<BoxFuture<'_, Result<Step, BusError>>> = FuturesUnordered::new();
        loop {
            let stop = *stopping.borrow();
            if stop && steps.is_empty() && heard.is_empty() {
                let left: Vec<i64> = held.iter().map(|(_, claimed)| claimed.position).collect();
                return self.give_back(desk, &left).await;
            }
            if !stop && measured.is_none_or(|at| at.elapsed() > MEASURE_EVERY) {
                measured = Some(Instant::now());
                self.keep_house(&desk.client).await?;
            }
            let mut too_late = Vec::new();
            while !stop
                && under_way < parallel
                && let Some((since, claimed)) = held.pop_front()
            {
                if since.elapsed() > stale {
                    too_late.push(claimed.position);
                } else {
                    under_way += 1;
                    steps.push(self.deliver(desk, claimed).boxed());
                }
            }
            self.give_back(desk, &too_late).await?;
            if !marking && !heard.is_empty() {
                marking = true;
                steps.push(self.mark(desk, mem::take(&mut heard)).boxed());
            }
            if look && !stop && !claiming && held.len() < parallel {
                (look, claiming) = (false, true);
                let room = most.saturating_sub(held.len() + under_way);
                steps.push(self.take(desk, room).boxed());
            }
            tokio::select! {
                Some(step) = steps.next() => match step? {
                    Step::Claimed(claimed, more) => {
                        claiming = false;
                        look |= more;
                        held.extend(claimed);
                    }
                    Step::Delivered(position) => {
                        under_way -= 1;
                        heard.extend(position);
                    }
                    // Each may let the next event of its aggregate come.
                    Step::Marked => (look, marking) = (true, false),
                },
                () = tokio::time::sleep(self.config.poll) => look = true,
                _ = stopping.changed() => {}
            }
        }
    }

    async fn take(&self, desk: &Outbox, most: usize) -> Result<Step, BusError> {
        let since = Instant::now();
        let claimed = self.claim(desk, most).await?;
        let more = claimed.len() >= most;
        Ok(Step::Claimed(claimed.into_iter().map(|claimed| (since, claimed)).collect(), more))
    }

    async fn deliver(&self, desk: &Outbox, claimed: Claimed) -> Result<Step, BusError> {
        match self.intake.take_all(&claimed.event).await {
            Taken::Yes => {
                fail_point(FailPoint::RelayDelivered);
                Ok(Step::Delivered(Some(claimed.position)))
            }
            Taken::NotNow(error) => {
                let pause = self.intake.patience.pause(claimed.attempts);
                outbox::mark_failed(&desk.client, &[claimed.position], &error, pause, false).await?;
                metrics::counter!("souk_relay_events_total", "outcome" => "failed").increment(1);
                Ok(Step::Delivered(None))
            }
        }
    }

    async fn mark(&self, desk: &Outbox, heard: Vec<i64>) -> Result<Step, BusError> {
        outbox::mark_published(&desk.client, &desk.mark, &heard).await?;
        fail_point(FailPoint::RelayMarked);
        metrics::counter!("souk_relay_events_total", "outcome" => "published").increment(heard.len() as u64);
        Ok(Step::Marked)
    }

    /// Ends the leases of what was not begun with.
    async fn give_back(&self, desk: &Outbox, positions: &[i64]) -> Result<(), BusError> {
        if !positions.is_empty() {
            outbox::give_back(&desk.client, positions).await?;
        }
        Ok(())
    }
}
