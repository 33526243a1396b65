//! What a person asks for.

use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::status::StoreStatus;

/// How far a store is apart from the others.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default, JsonSchema)]
pub enum Isolation {
    /// Served by the shared runtime; has a schema, a role and a route of its own.
    Pooled,
    /// Own Deployment, Service, ServiceAccount, NetworkPolicy and database login besides.
    #[default]
    Dedicated,
}

/// What happens to the data when the Store is deleted.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default, JsonSchema)]
pub enum DeletionPolicy {
    /// The schema stays for the platform's retention time (30 days) and can be taken up by another Store.
    #[default]
    Retain,
    /// The schema is dropped at once.
    Delete,
}

/// Whether the store serves.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default, JsonSchema)]
pub enum DesiredState {
    /// It sells.
    #[default]
    Active,
    /// It answers 503 to everybody and runs no pods; the data stays.
    Suspended,
}

/// A Store as it should be. Two fields are enough.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "souk.dev",
    version = "v1alpha1",
    kind = "Store",
    plural = "stores",
    namespaced,
    shortname = "sto",
    category = "souk",
    status = "StoreStatus",
    derive = "PartialEq",
    cel,
    doc = "Store is one business on the platform: a PostgreSQL schema, its roles, and the runtime that serves it.",
    scale(
        spec_replicas_path = ".spec.runtime.replicas",
        status_replicas_path = ".status.runtime.replicas",
        label_selector_path = ".status.runtime.selector"
    ),
    selectable = ".spec.plan",
    selectable = ".spec.isolation",
    selectable = ".spec.state",
    selectable = ".status.phase",
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Plan", type_ = "string", json_path = ".spec.plan"),
    printcolumn(name = "Isolation", type_ = "string", json_path = ".spec.isolation"),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.url"),
    printcolumn(name = "Store-ID", type_ = "string", json_path = ".status.storeId", priority = 1),
    printcolumn(name = "Schema", type_ = "string", json_path = ".status.database.schema", priority = 1),
    printcolumn(name = "Release", type_ = "string", json_path = ".status.runtime.release", priority = 1),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("size(self.metadata.name) <= 40")
        .message("metadata.name must be at most 40 characters: it is the first label of the store's host name")
        .reason(Reason::FieldValueInvalid),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')")
        .message("metadata.name must begin with a letter and hold only a-z, 0-9 and hyphens: it is the first label of the store's host name")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    cel,
    validation = Rule::new("!has(self.runtime) || !has(self.runtime.autoscaling) || !has(self.runtime.replicas)")
        .message("runtime.replicas and runtime.autoscaling exclude each other: remove one")
        .reason(Reason::FieldValueForbidden),
    validation = Rule::new("self.isolation == 'Dedicated' || !has(self.runtime)")
        .message("runtime is only for isolation: Dedicated; a Pooled store runs in the shared runtime"),
    validation = Rule::new("self.isolation == 'Dedicated' || !has(self.hibernation)")
        .message("hibernation is only for isolation: Dedicated; a Pooled store has no pods that could sleep"),
    validation = Rule::new("has(oldSelf.storeId) == has(self.storeId)")
        .message("storeId cannot be added or removed after creation; create another Store to take up retained data"),
    validation = Rule::new("!has(self.domains) || self.domains.filter(d, d.primary).size() <= 1")
        .message("at most one of domains can be primary"),
    validation = Rule::new("has(oldSelf.firstKeys) == has(self.firstKeys)")
        .message("firstKeys are only for the store's birth; make further keys in the store"),
    validation = Rule::new("!self.database.adopt || has(self.storeId)")
        .message("database.adopt needs storeId: the id of the store whose retained data is taken up")
)]
pub struct StoreSpec {
    /// Name that shoppers and staff see.
    #[schemars(length(min = 1, max = 120))]
    pub display_name: String,

    /// E-mail address of the first owner, who gets every right in the store. Later owners are appointed in the store itself.
    #[schemars(length(min = 3, max = 254))]
    #[x_kube(
        validation = Rule::new("self.matches('^[^@ ]+@[^@ ]+[.][^@ .]+$')").message("ownerEmail must be an e-mail address such as owner@acme.example"),
        validation = Rule::new("self == oldSelf").message("ownerEmail is only for the store's birth; appoint other owners in the store")
    )]
    pub owner_email: String,

    /// First label of the platform host the store answers at; metadata.name when left out. Another handle is another host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 40), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub handle: Option<String>,

    /// Digests of the API keys the store is born with, for whoever makes the keys elsewhere: no key enters the cluster then. Left
    /// out, the operator makes two and keeps them in the Secret <name>-keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("firstKeys are only for the store's birth; make further keys in the store"))]
    pub first_keys: Vec<KeyDigest>,

    /// Id of retained data to take up, together with database.adopt. Left out, the operator mints an id of its own: a name used
    /// again never gets the old data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 30), regex(pattern = r"^sto_[0-7][0-9a-hjkmnp-tv-z]{25}$"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("storeId is immutable"))]
    pub store_id: Option<String>,

    /// Name of the plan; it decides the limits the runtime keeps.
    #[serde(default = "default_plan")]
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z][a-z0-9-]*$"))]
    pub plan: String,

    /// Dedicated: pods and a database login of its own. Pooled: served by the shared runtime. May change at any time; no data moves.
    #[serde(default)]
    pub isolation: Isolation,

    /// Active sells; Suspended keeps the data and serves nobody.
    #[serde(default)]
    pub state: DesiredState,

    /// What happens to the data when this object is deleted.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,

    /// Where the business is at home; decides currency, taxes and language at birth.
    #[serde(default)]
    #[x_kube(validation = Rule::new("self == oldSelf").message("locale is only for the store's birth; change it in the store's settings"))]
    pub locale: Locale,

    /// Further host names. `<name>.<platform domain>` is always served.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["host".into()]))]
    pub domains: Vec<Domain>,

    /// The store's place in PostgreSQL.
    #[serde(default)]
    pub database: Database,

    /// The pods of a Dedicated store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,

    /// Lets the pods of a Dedicated store go while nobody asks it for anything. Left out, they never sleep. Only where a Gateway or an
    /// Ingress leads to it: the shared runtime answers meanwhile, and its first request wakes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hibernation: Option<Hibernation>,
}

/// When the pods of a Dedicated store sleep.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Hibernation {
    /// Minutes without a request after which the pods go; the next request has them started again.
    #[schemars(range(min = 5, max = 43200))]
    pub after_minutes: i32,
}

/// Where the business is at home.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Locale {
    /// Country, ISO 3166 alpha-2.
    #[serde(default = "default_country")]
    #[schemars(length(max = 2), regex(pattern = "^[A-Z]{2}$"))]
    pub country: String,
    /// Currency, ISO 4217. The country's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3), regex(pattern = "^[A-Z]{3}$"))]
    pub currency: Option<String>,
    /// Language of messages and pages, BCP 47.
    #[serde(default = "default_language")]
    #[schemars(length(max = 35), regex(pattern = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"))]
    pub language: String,
    /// Time zone of reports, IANA name.
    #[serde(default = "default_timezone")]
    #[schemars(length(max = 64), regex(pattern = "^[A-Za-z]+(/[A-Za-z0-9_+-]+)*$"))]
    pub timezone: String,
}

/// What the store keeps of an API key: enough to know it again, not enough to use it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct KeyDigest {
    /// Its first 12 characters, by which people tell keys apart: pk_test_Ab1c, sk_live_Xy2z.
    #[schemars(length(max = 12), regex(pattern = "^[ps]k_(test|live)_[A-Za-z0-9_-]{4}$"))]
    pub prefix: String,
    /// SHA-256 of the whole key, in hexadecimal.
    #[schemars(length(max = 64), regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: String,
}

/// A host name of the store's own.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Domain {
    /// Fully qualified host name in lower case, no wildcard. A host belongs to one store of the platform: whoever had it first.
    #[schemars(length(max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?[.])+[a-z]{2,63}$')").message("domains[].host must be a fully qualified host name in lower case, such as shop.acme.example"))]
    pub host: String,
    /// Shown as the store's address instead of the platform host.
    #[serde(default)]
    pub primary: bool,
    /// Secret of type kubernetes.io/tls in the store's namespace; left out, the router's own certificate serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253), regex(pattern = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub tls_secret_name: Option<String>,
}

/// The store's place in PostgreSQL.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Take up the retained data of storeId. Only a Store of the same namespace may.
    #[serde(default)]
    pub adopt: bool,
    /// Connections a Dedicated store's login may hold at once.
    #[serde(default = "default_max_connections")]
    #[schemars(range(min = 2, max = 500))]
    pub max_connections: i32,
    /// Days after which a Dedicated store's password is replaced, without a failed login; 0 never.
    #[serde(default = "default_rotation")]
    #[schemars(range(min = 0, max = 365))]
    pub rotate_every_days: i32,
}

/// The pods of a Dedicated store.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct Runtime {
    /// Image by digest; left out, the one that the store's StoreRelease gave it, or else the operator's own setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^[^ ]+@sha256:[a-f0-9]{64}$')").message("runtime.image must be pinned by digest: name@sha256:<64 hex digits>"))]
    pub image: Option<String>,
    /// How many pods; 1 when neither this nor autoscaling is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 50))]
    pub replicas: Option<i32>,
    /// As many pods as the load needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// Processor and memory of each pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
}

/// As many pods as the load needs.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(cel, validation = Rule::new("self.minReplicas <= self.maxReplicas").message("runtime.autoscaling.minReplicas must not exceed maxReplicas"))]
pub struct Autoscaling {
    /// Never fewer pods than this.
    #[schemars(range(min = 1, max = 50))]
    pub min_replicas: i32,
    /// Never more pods than this.
    #[schemars(range(min = 1, max = 50))]
    pub max_replicas: i32,
    /// The share of the requested processor time to aim at.
    #[serde(default = "default_cpu")]
    #[schemars(range(min = 10, max = 95))]
    pub target_cpu_percent: i32,
}

fn default_plan() -> String {
    "free".into()
}
fn default_country() -> String {
    "DE".into()
}
fn default_language() -> String {
    "en".into()
}
fn default_timezone() -> String {
    "UTC".into()
}
fn default_max_connections() -> i32 {
    20
}
fn default_rotation() -> i32 {
    30
}
fn default_cpu() -> i32 {
    70
}

// What Rust calls the default of a nested struct becomes the CRD's default for the whole struct: it must be what the
// fields' own defaults make of `{}`, or whoever leaves the struct out gets other values than whoever writes `{}`.
impl Default for Locale {
    fn default() -> Self {
        Self {
            country: default_country(),
            currency: None,
            language: default_language(),
            timezone: default_timezone(),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self {
            adopt: false,
            max_connections: default_max_connections(),
            rotate_every_days: default_rotation(),
        }
    }
}

impl StoreSpec {
    /// The smallest spec: everything else at its default.
    #[must_use]
    pub fn new(display_name: impl Into<String>, owner_email: impl Into<String>) -> Self {
        Self {
            display_name: display_name.into(),
            owner_email: owner_email.into(),
            handle: None,
            first_keys: Vec::new(),
            store_id: None,
            plan: default_plan(),
            isolation: Isolation::default(),
            state: DesiredState::default(),
            deletion_policy: DeletionPolicy::default(),
            locale: Locale::default(),
            domains: Vec::new(),
            database: Database::default(),
            runtime: None,
            hibernation: None,
        }
    }
}
