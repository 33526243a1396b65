//! As many pods as the load needs, where that was asked for.

use serde_json::json;
use souk_provisioner::StoreRecord;

use super::{Child, resource};
use crate::store::validate::Wish;

pub fn build(wish: &Wish, record: &StoreRecord) -> Option<Child> {
    // A store that is suspended or sleeps has no pods, whatever the load.
    let scaling = wish.spec.runtime.as_ref()?.autoscaling.as_ref().filter(|_| wish.stage.pods)?;
    let object = json!({
        "spec": {
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": wish.name },
            "minReplicas": scaling.min_replicas,
            "maxReplicas": scaling.max_replicas,
            "metrics": [{
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": { "type": "Utilization", "averageUtilization": scaling.target_cpu_percent },
                },
            }],
        },
    });
    let kind = resource("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers");
    Some(Child::new(kind, &wish.name, wish, record, object))
}
