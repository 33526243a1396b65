//! The one metrics recorder of a process.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Upper bounds, in seconds, of every histogram whose name ends in `_seconds`: one query takes a fraction of a
/// millisecond, a payment provider may take half a minute.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// The same of each store, which are many: how much was slow.
const STORE_SECONDS: [f64; 2] = [0.1, 1.0];

/// Installs the process's recorder. Idempotent: `true` when one of ours is at work afterwards, `false` when
/// another library installed its own first.
pub fn install_metrics() -> bool {
    if RECORDER.get().is_some() {
        return true;
    }
    let of_a_store = Matcher::Full("souk_store_request_seconds".to_owned());
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(of_a_store, &STORE_SECONDS));
    let Ok(builder) = builder else { return false };
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
