//! Whether this process should be sent work: named conditions, and a last word when it drains.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The shared answer to "are you ready?". Clones speak of the same process.
#[derive(Clone, Debug)]
pub struct Readiness {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// `None` = fulfilled; otherwise the reason why not.
    conditions: BTreeMap<&'static str, Option<String>>,
    started: bool,
    draining: bool,
}

impl Readiness {
    /// Not ready until every named condition was reported [`up`](Self::up). With no names: ready at once.
    #[must_use]
    pub fn awaiting<const N: usize>(names: [&'static str; N]) -> Self {
        let conditions: BTreeMap<_, _> =
            names.into_iter().map(|name| (name, Some("not yet".to_owned()))).collect();
        let started = conditions.is_empty();
        Self { state: Arc::new(Mutex::new(State { conditions, started, draining: false })) }
    }

    /// The condition holds from now on.
    pub fn up(&self, name: &'static str) {
        let mut state = self.lock();
        state.conditions.insert(name, None);
        state.started |= state.conditions.values().all(Option::is_none);
    }

    /// The condition no longer holds; `reason` is shown to whoever asks `/readyz`.
    pub fn down(&self, name: &'static str, reason: impl Into<String>) {
        self.lock().conditions.insert(name, Some(reason.into()));
    }

    /// Not ready any more, for good: the process is leaving and finishes what it has.
    pub fn drain(&self) {
        self.lock().draining = true;
    }

    /// Whether every condition holds and the process is not leaving.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let state = self.lock();
        !state.draining && state.conditions.values().all(Option::is_none)
    }

    /// Whether it was ready at least once: what a startup probe wants to know.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.lock().started
    }

    /// Every condition with `ok` or its reason, and `draining` when the process is leaving.
    #[must_use]
    pub fn report(&self) -> BTreeMap<&'static str, String> {
        let state = self.lock();
        let mut report: BTreeMap<_, _> = state
            .conditions
            .iter()
            .map(|(name, reason)| (*name, reason.clone().unwrap_or_else(|| "ok".to_owned())))
            .collect();
        if state.draining {
            report.insert("draining", "this process is leaving".to_owned());
        }
        report
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No writer can panic half-way, so a poisoned lock still holds a whole state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_means_all_conditions_and_not_leaving() {
        let readiness = Readiness::awaiting(["database", "directory"]);
        readiness.up("database");
        assert!(!readiness.is_ready() && !readiness.has_started());
        readiness.up("directory");
        assert!(readiness.is_ready() && readiness.has_started());
        readiness.down("database", "connection refused");
        assert!(!readiness.is_ready() && readiness.has_started());
        assert_eq!(readiness.report()["database"], "connection refused");
        readiness.up("database");
        readiness.drain();
        assert!(!readiness.is_ready());
    }
}
