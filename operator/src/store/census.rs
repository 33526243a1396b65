//! How many stores are how far, and how fast those wake that sleep, for whoever watches the operator.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::reflector::Store as Cache;
use souk_store_resource::{Phase, Reason, Store};

const EVERY: Duration = Duration::from_secs(5);

/// Counts the stores that the operator knows, again and again. A phase that none is in is told as 0.
pub async fn count(known: Cache<Store>) {
    // It is there from the beginning: a count that appears with its first one looks like no increase.
    metrics::counter!("souk_operator_wakes_total").increment(0);
    loop {
        for (phase, stores) in by_phase(&known.state()) {
            metrics::gauge!("souk_operator_stores", "phase" => phase.as_str()).set(f64::from(stores));
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// One that was not looked at yet is being made.
fn by_phase(stores: &[Arc<Store>]) -> [(Phase, u32); 8] {
    let phase = |store: &Store| store.status.as_ref().and_then(|it| it.phase).unwrap_or(Phase::Provisioning);
    Phase::ALL.map(|wanted| {
        let found = stores.iter().filter(|store| phase(store) == wanted).count();
        (wanted, u32::try_from(found).unwrap_or(u32::MAX))
    })
}

/// The stores that somebody asked for in their sleep and whose pods do not answer yet, by uid, and since when. Those that were on
/// their way when the operator started are in no histogram.
#[derive(Default)]
pub struct Wakes(Mutex<HashMap<String, Instant>>);

impl Wakes {
    /// What a store's condition `Hibernated` was, and what it is now.
    pub fn note(&self, uid: &str, before: Option<&Condition>, now: &Condition) {
        if let Some(took) = self.took(uid, before, now) {
            metrics::histogram!("souk_operator_wake_seconds").record(took.as_secs_f64());
        }
    }

    /// The time from the end of its sleep, once its own pods answer.
    fn took(&self, uid: &str, before: Option<&Condition>, now: &Condition) -> Option<Duration> {
        let is = |reason: Reason| now.reason == reason.as_str();
        let asleep = before.is_some_and(|before| before.status == "True");
        let mut waking = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if asleep && (is(Reason::Waking) || is(Reason::Awake)) {
            metrics::counter!("souk_operator_wakes_total").increment(1);
            waking.insert(uid.to_owned(), Instant::now());
        }
        if is(Reason::Waking) {
            return None;
        }
        // Asleep again or closed on the way, it never woke.
        let began = waking.remove(uid)?;
        is(Reason::Awake).then(|| began.elapsed())
    }

    /// The store is going.
    pub fn forget(&self, uid: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use k8s_openapi::jiff::Timestamp;
    use souk_store_resource::StoreStatus;

    use super::*;
    use crate::store::testing;

    fn hibernated(status: &str, reason: Reason) -> Condition {
        Condition {
            type_: "Hibernated".into(),
            status: status.into(),
            reason: reason.to_string(),
            message: String::new(),
            observed_generation: Some(1),
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
        }
    }

    #[test]
    fn every_store_is_counted_once() {
        let of = |phase: Option<Phase>| {
            let mut store = testing::store(|_| {});
            store.status = Some(StoreStatus { phase, ..StoreStatus::default() });
            Arc::new(store)
        };
        let new = Arc::new(testing::store(|_| {}));
        let stores =
            [of(Some(Phase::Ready)), of(Some(Phase::Hibernated)), of(Some(Phase::Ready)), of(None), new];
        let told = by_phase(&stores);
        let count = |phase: Phase| told.iter().find(|(it, _)| *it == phase).map(|(_, count)| *count);
        assert_eq!(count(Phase::Ready), Some(2));
        assert_eq!(count(Phase::Hibernated), Some(1));
        assert_eq!(count(Phase::Provisioning), Some(2));
        assert_eq!(told.iter().map(|(_, count)| count).sum::<u32>(), 5);
    }

    #[test]
    fn only_what_slept_and_answers_again_has_woken() {
        let wakes = Wakes::default();
        let asleep = hibernated("True", Reason::Hibernated);
        let waking = hibernated("False", Reason::Waking);
        let awake = hibernated("False", Reason::Awake);
        // A store that is new wakes in its own way, and one that is only asked while it falls asleep never slept.
        assert_eq!(wakes.took("one", None, &waking), None);
        assert_eq!(wakes.took("one", Some(&waking), &awake), None);
        let falling = hibernated("False", Reason::FallingAsleep);
        assert_eq!(wakes.took("one", Some(&awake), &falling), None);
        assert_eq!(wakes.took("one", Some(&falling), &awake), None);

        assert_eq!(wakes.took("one", Some(&asleep), &waking), None);
        assert_eq!(wakes.took("two", Some(&asleep), &waking), None);
        assert!(wakes.took("one", Some(&waking), &awake).is_some());
        assert_eq!(wakes.took("one", Some(&awake), &awake), None);
        // Closed before its pods answered.
        assert_eq!(wakes.took("two", Some(&waking), &hibernated("False", Reason::NotNeeded)), None);
        assert_eq!(wakes.took("two", Some(&waking), &awake), None);
        assert_eq!(wakes.took("three", Some(&asleep), &waking), None);
        wakes.forget("three");
        assert_eq!(wakes.took("three", Some(&waking), &awake), None);
    }
}
