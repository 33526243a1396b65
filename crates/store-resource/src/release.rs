//! An image on its way to the Dedicated stores, wave by wave.

#![expect(clippy::duplicated_attributes, reason = "every column has a name, a type and a path")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, Time};
use kube::{CustomResource, KubeSchema, ResourceExt as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::condition::ReleaseCondition;

/// A release as it should be: an image and the waves in which stores get it.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "souk.dev",
    version = "v1alpha1",
    kind = "StoreRelease",
    plural = "storereleases",
    shortname = "srel",
    category = "souk",
    status = "StoreReleaseStatus",
    derive = "PartialEq",
    cel,
    doc = "StoreRelease rolls one image out to the Dedicated stores, wave by wave. The newest one is in force; another one takes it back.",
    printcolumn(name = "Version", type_ = "string", json_path = ".spec.version"),
    printcolumn(name = "Wave", type_ = "string", json_path = ".status.currentWave"),
    printcolumn(name = "Updated", type_ = "integer", json_path = ".status.updated"),
    printcolumn(name = "Failed", type_ = "integer", json_path = ".status.failed"),
    printcolumn(name = "Total", type_ = "integer", json_path = ".status.total"),
    printcolumn(
        name = "Progressing",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Progressing\")].reason"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Image", type_ = "string", json_path = ".spec.image", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Progressing\")].message",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    cel,
    validation = Rule::new("self.waves.exists(w, w.size == '100%' && !has(w.selector))")
        .message("one of waves must take whoever is left: size: 100% and no selector"),
    validation = Rule::new("!has(self.approvedWaves) || self.approvedWaves.all(a, self.waves.exists(w, w.name == a))")
        .message("approvedWaves must name waves of this release"),
    validation = Rule::new("has(oldSelf.schemaVersion) == has(self.schemaVersion)")
        .message("schemaVersion cannot be added or removed after creation; make another StoreRelease")
)]
pub struct StoreReleaseSpec {
    /// What people call it.
    #[schemars(length(min = 1, max = 63))]
    pub version: String,

    /// The image that the stores' pods run, by digest.
    #[schemars(length(max = 512))]
    #[x_kube(
        validation = Rule::new("self.matches('^[^ ]+@sha256:[a-f0-9]{64}$')").message("image must be pinned by digest: name@sha256:<64 hex digits>"),
        validation = Rule::new("self == oldSelf").message("image is immutable; make another StoreRelease")
    )]
    pub image: String,

    /// The newest migration that the image needs. Every store's schema is brought to the newest one that the operator knows
    /// before its pods are replaced; nothing is begun while the operator does not know this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("schemaVersion is immutable; make another StoreRelease"))]
    pub schema_version: Option<i32>,

    /// Only stores of these namespaces; left out, of all. An operator that watches one namespace carries out the releases that
    /// name this one and no other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub namespaces: Vec<String>,

    /// No further store gets the image until this is false again. Those that are being replaced are finished.
    #[serde(default)]
    pub paused: bool,

    /// Waves with requiresApproval that may begin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 40)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub approved_waves: Vec<String>,

    /// In this order; each begins when the one before it has the image, is healthy and has soaked.
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub waves: Vec<Wave>,

    /// How many stores may be down because of this release at once, as a number or a share of all: being replaced, or failed.
    #[serde(default = "default_unavailable")]
    #[schemars(length(max = 7), regex(pattern = "^((100|[1-9][0-9]?)%|[1-9][0-9]{0,5})$"))]
    pub max_unavailable: String,

    /// So many failed stores halt the release, as a number or a share of all; so does maxUnavailable if that is less.
    #[serde(default = "default_failures")]
    #[schemars(length(max = 7), regex(pattern = "^((100|[1-9][0-9]?)%|[1-9][0-9]{0,5})$"))]
    pub max_failures: String,

    /// A store that does not serve for so long with this image has failed.
    #[serde(default = "default_deadline")]
    #[schemars(range(min = 10, max = 86400))]
    pub progress_deadline_seconds: i32,
}

/// Some of the stores.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Wave {
    /// What the wave is called, once in a release.
    #[schemars(length(min = 1, max = 40), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,

    /// How many stores: a number, or a share (10%) of those that the selector matches. Never more than earlier waves left over.
    #[schemars(length(max = 7), regex(pattern = "^((100|[1-9][0-9]?)%|[1-9][0-9]{0,5})$"))]
    pub size: String,

    /// Only stores with these labels; left out, any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,

    /// Seconds that all stores of the wave must have served before the next one begins; one that stops serving starts them anew.
    #[serde(default = "default_soak")]
    #[schemars(range(min = 0, max = 604800))]
    pub soak_seconds: i32,

    /// The wave begins only when spec.approvedWaves names it.
    #[serde(default)]
    pub requires_approval: bool,
}

fn default_unavailable() -> String {
    "2%".into()
}
fn default_failures() -> String {
    "3".into()
}
fn default_deadline() -> i32 {
    900
}
fn default_soak() -> i32 {
    600
}

impl StoreReleaseSpec {
    /// An image for everybody at once, as far as `max_unavailable` allows: one wave, everything else at its default.
    #[must_use]
    pub fn new(version: impl Into<String>, image: impl Into<String>) -> Self {
        let all = Wave {
            name: "all".into(),
            size: "100%".into(),
            selector: None,
            soak_seconds: default_soak(),
            requires_approval: false,
        };
        Self {
            version: version.into(),
            image: image.into(),
            schema_version: None,
            namespaces: Vec::new(),
            paused: false,
            approved_waves: Vec::new(),
            waves: vec![all],
            max_unavailable: default_unavailable(),
            max_failures: default_failures(),
            progress_deadline_seconds: default_deadline(),
        }
    }

    /// Whether stores of this namespace are meant.
    #[must_use]
    pub fn covers(&self, namespace: &str) -> bool {
        self.namespaces.is_empty() || self.namespaces.iter().any(|named| named == namespace)
    }
}

impl StoreRelease {
    /// Whether it was made after `other`. Of two of the same second, the one whose name comes later.
    #[must_use]
    pub fn is_newer_than(&self, other: &Self) -> bool {
        let age = |release: &Self| (release.metadata.creation_timestamp.clone(), release.name_any());
        age(self) > age(other)
    }

    /// Whether every store that was meant has the image, as far as the operator has said.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let complete = self.status.as_ref().and_then(|status| status.condition(ReleaseCondition::Complete));
        complete.is_some_and(|condition| condition.status == "True")
    }
}

/// What the operator saw of the release. The stores themselves say who has it: nothing here is needed to go on.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct StoreReleaseStatus {
    /// The generation of the spec that all of this describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// One condition of each type, with a reason of the closed list and a sentence that says what to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The wave that is under way or waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_wave: Option<String>,
    /// The waves as they stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub waves: Vec<WaveStatus>,
    /// Stores that get the image.
    #[serde(default)]
    pub total: i32,
    /// Stores that have it and serve.
    #[serde(default)]
    pub updated: i32,
    /// Stores that are being replaced or have failed.
    #[serde(default)]
    pub unavailable: i32,
    /// Stores that served before and do not with this image.
    #[serde(default)]
    pub failed: i32,
    /// Stores that nobody waits for: paused, or not serving for another reason since before it was their turn.
    #[serde(default)]
    pub aside: i32,
    /// The first ten that failed, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
}

impl StoreReleaseStatus {
    /// The condition of this type, once it was judged.
    #[must_use]
    pub fn condition(&self, kind: ReleaseCondition) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.type_ == kind.as_str())
    }
}

/// A wave as it stands.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct WaveStatus {
    /// The wave's name.
    pub name: String,
    /// How far it is.
    pub state: WaveState,
    /// Stores in it.
    pub total: i32,
    /// Stores in it that have the image and serve.
    pub updated: i32,
    /// Stores in it that have failed.
    pub failed: i32,
    /// When it has soaked, if every store goes on serving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soaked_at: Option<Time>,
}

/// How far a wave is.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub enum WaveState {
    /// An earlier wave is not done.
    Pending,
    /// It is its turn, and spec.approvedWaves does not name it.
    AwaitingApproval,
    /// Its stores get the image.
    RollingOut,
    /// All of them have it and serve; it is watched for soakSeconds.
    Soaking,
    /// The next one may begin.
    Done,
}
