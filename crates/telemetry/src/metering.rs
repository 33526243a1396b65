//! The one metrics recorder of a process, and labels that cannot grow without bound.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::collections::HashSet;
use std::sync::{Mutex, OnceLock, PoisonError};

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Upper bounds, in seconds, of every histogram whose name ends in `_seconds`: one query takes a fraction of a
/// millisecond, a payment provider may take half a minute.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Installs the process's recorder. Idempotent: `true` when one of ours is at work afterwards, `false` when
/// another library installed its own first.
pub fn install_metrics() -> bool {
    if RECORDER.get().is_some() {
        return true;
    }
    let Ok(builder) =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
    else {
        return false;
    };
    match builder.install_recorder() {
        Ok(handle) => RECORDER.set(handle).is_ok(),
        Err(_) => RECORDER.get().is_some(),
    }
}

/// The metrics of this process in Prometheus' text format; empty before [`install_metrics`].
#[must_use]
pub fn rendered_metrics() -> String {
    crate::process::observe();
    RECORDER.get().map(PrometheusHandle::render).unwrap_or_default()
}

/// Moves recorded samples into histograms, so that memory stays flat between scrapes; run every few seconds.
pub(crate) fn tidy() {
    if let Some(handle) = RECORDER.get() {
        handle.run_upkeep();
    }
}

/// A label whose values come from outside (a store, a consumer): the first `limit` distinct values keep their
/// names, all later ones share `other`, so a time series per customer can never eat the memory of a plane.
#[derive(Debug)]
pub struct BoundedLabel {
    limit: usize,
    seen: Mutex<HashSet<String>>,
}

impl BoundedLabel {
    /// A label that keeps at most `limit` distinct values.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, seen: Mutex::new(HashSet::new()) }
    }

    /// `value` itself while there is room (or it was seen before), else `other`.
    #[must_use]
    pub fn of(&self, value: &str) -> String {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(value) || (seen.len() < self.limit && seen.insert(value.to_owned())) {
            value.to_owned()
        } else {
            "other".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_bounded() {
        let label = BoundedLabel::new(2);
        assert_eq!([label.of("a"), label.of("b"), label.of("c"), label.of("a")], ["a", "b", "other", "a"]);
    }
}
