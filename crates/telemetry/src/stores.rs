//! What each store asks of this process, in a number of time series that has a bound.

use metrics::{Counter, Histogram, SharedString};
use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

/// So many stores are named unless whoever runs us says otherwise; each is nine time series.
pub(crate) const NAMED: usize = 100;
/// The kinds of answers that are told apart.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

static STORES: OnceLock<Stores> = OnceLock::new();

/// Names at most so many stores. Takes effect once, before the first request.
pub(crate) fn name_at_most(limit: usize) {
    let _ = STORES.set(Stores::new(limit));
}

/// Which store a request turned out to be about, if that was found out. Clones speak of the same request.
#[derive(Clone, Default)]
pub(crate) struct StoreOf(Rc<OnceCell<Arc<Series>>>);

impl StoreOf {
    pub(crate) fn is_known(&self) -> bool {
        self.0.get().is_some()
    }

    pub(crate) fn is(&self, store: &str) {
        self.0.get_or_init(|| STORES.get_or_init(|| Stores::new(NAMED)).of(store));
    }

    /// Counts and times the request, which was answered.
    pub(crate) fn count(&self, status: u16, elapsed: Duration) {
        if let Some(series) = self.0.get() {
            series.answers[usize::from(status / 100).clamp(2, 5) - 2].increment(1);
            series.seconds.record(elapsed.as_secs_f64());
        }
    }
}

/// A store's counters, looked up once for each store instead of once for each request.
struct Series {
    answers: [Counter; CLASSES.len()],
    seconds: Histogram,
}

impl Series {
    fn of(store: &str) -> Arc<Self> {
        let store = SharedString::from(store.to_owned());
        let answers = CLASSES.map(|class| {
            metrics::counter!("souk_store_requests_total", "store" => store.clone(), "status" => class)
        });
        Arc::new(Self {
            answers,
            seconds: metrics::histogram!("souk_store_request_seconds", "store" => store),
        })
    }
}

/// The first stores that ask keep their names, all later ones share `other`: a time series for each customer would eat the memory of
/// the process, and of whoever watches it.
struct Stores {
    limit: usize,
    named: RwLock<HashMap<String, Arc<Series>>>,
    others: OnceLock<Arc<Series>>,
}

impl Stores {
    fn new(limit: usize) -> Self {
        Self { limit, named: RwLock::default(), others: OnceLock::new() }
    }

    fn of(&self, store: &str) -> Arc<Series> {
        let named = self.named.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = named.get(store) {
            return Arc::clone(series);
        }
        let is_full = named.len() >= self.limit;
        drop(named);
        if !is_full {
            let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
            // Others may have come in between.
            if named.len() < self.limit || named.contains_key(store) {
                return Arc::clone(named.entry(store.to_owned()).or_insert_with(|| Series::of(store)));
            }
        }
        Arc::clone(self.others.get_or_init(|| Series::of("other")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stores_have_names_and_the_others_share_one() {
        let stores = Stores::new(2);
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|store| stores.of(store));
        assert!(Arc::ptr_eq(&a, &stores.of("a")) && Arc::ptr_eq(&b, &stores.of("b")));
        assert!(Arc::ptr_eq(&c, &d) && !Arc::ptr_eq(&a, &b) && !Arc::ptr_eq(&a, &c) && !Arc::ptr_eq(&b, &c));
        let nobody = Stores::new(0);
        assert!(Arc::ptr_eq(&nobody.of("a"), &nobody.of("b")));
    }
}
