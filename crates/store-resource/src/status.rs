//! What the operator saw. Nothing reads it back to decide: the ledger in the tenants database is the truth.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::condition::ConditionType;

/// What the operator saw of the store.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct StoreStatus {
    /// The generation of the spec that all of this describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// One word for people; machines read the conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// One condition of each type, with a reason of the closed list and a sentence that says what to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The store's id, for ever: `sto_` and 26 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<String>,
    /// Where the store answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where the store's data is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseStatus>,
    /// What runs for a Dedicated store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<RuntimeStatus>,
    /// The last value of the annotation souk.dev/reconcile-at that was acted upon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}

impl StoreStatus {
    /// The condition of this type, once it was judged.
    #[must_use]
    pub fn condition(&self, kind: ConditionType) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.type_ == kind.as_str())
    }
}

/// One word for people.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub enum Phase {
    /// It is being made.
    Provisioning,
    /// It serves, and everything is as asked for.
    Ready,
    /// It serves while something is being changed.
    Updating,
    /// Something is wrong; the conditions say what.
    Degraded,
    /// Nobody asked it for anything: its pods sleep, the shared runtime answers.
    Hibernated,
    /// It serves nobody, as asked for.
    Suspended,
    /// Nothing is done to it, as asked for.
    Paused,
    /// It is going.
    Deleting,
}

/// Where the store's data is.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseStatus {
    /// The schema that is the store.
    pub schema: String,
    /// The lane of the shared runtime that serves it.
    pub lane: i32,
    /// The newest migration in it.
    pub schema_version: i32,
    /// The login of a Dedicated store's pods that is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
}

/// What runs for a Dedicated store.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeStatus {
    /// Pods there are.
    pub replicas: i32,
    /// Pods that serve.
    pub ready_replicas: i32,
    /// The pods' label selector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// The image they run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The StoreRelease it is from, unless it is the store's own or the operator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
}
