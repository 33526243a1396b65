//! Nodes may be emptied, but one pod at a time.

use serde_json::json;
use souk_provisioner::StoreRecord;

use super::{Child, resource, selector};
use crate::store::validate::Wish;

/// None for a single pod: a budget would keep its node from ever being emptied.
pub fn build(wish: &Wish, record: &StoreRecord) -> Option<Child> {
    let runtime = wish.spec.runtime.as_ref();
    let least = runtime.and_then(|runtime| runtime.autoscaling.as_ref()).map(|scaling| scaling.min_replicas);
    if !wish.stage.pods || least.or(wish.replicas()).unwrap_or(1) < 2 {
        return None;
    }
    let object = json!({ "spec": { "maxUnavailable": 1, "selector": { "matchLabels": selector(record) } } });
    let kind = resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets");
    Some(Child::new(kind, &wish.name, wish, record, object))
}
