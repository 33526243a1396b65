//! The Store resource: what the control plane, the operator and a person with `kubectl` say to each other about one store.
//!
//! [`Store`] is `stores.souk.dev/v1alpha1`; [`crd`] is its definition as the chart installs it. The rules on its fields are
//! CEL expressions: the API server runs them, and so does [`Store::validate_cel`] wherever there is no API server.
//! [`StoreRelease`] ([`release_crd`]) is the image that Dedicated stores run, and how it gets to them.

mod condition;
mod definition;
mod release;
mod spec;
mod status;

pub use condition::{ConditionType, Reason, ReleaseCondition, ReleaseReason};
pub use definition::{crd, release_crd};
pub use release::{StoreRelease, StoreReleaseSpec, StoreReleaseStatus, Wave, WaveState, WaveStatus};
pub use spec::{
    Autoscaling, Database, DeletionPolicy, DesiredState, Domain, Hibernation, Isolation, KeyDigest, Locale,
    Runtime, Store, StoreSpec,
};
pub use status::{DatabaseStatus, Phase, RuntimeStatus, StoreStatus};

/// API group of all Souk resources.
pub const GROUP: &str = "souk.dev";
/// Version of the Store resource.
pub const VERSION: &str = "v1alpha1";
/// Kind of the Store resource.
pub const KIND: &str = "Store";
/// Kind of the StoreRelease resource.
pub const RELEASE_KIND: &str = "StoreRelease";

/// Annotation: `"true"` stops everything but deletion until it is taken away.
pub const PAUSED: &str = "souk.dev/paused";
/// Annotation: any new value makes the operator look at the store at once; echoed in `status.lastHandledReconcileAt`.
pub const RECONCILE_AT: &str = "souk.dev/reconcile-at";
/// Label on everything that belongs to a store, and the only one selectors use: names are used again, ids never.
pub const STORE_ID: &str = "souk.dev/store-id";
/// Annotation: the control plane's row of this store.
pub const ROW: &str = "souk.dev/row";
/// Label on a namespace, and on the Stores the control plane makes: the organization they belong to.
pub const ORGANIZATION: &str = "souk.dev/organization";
/// The operator's finalizer: what lies outside the cluster (schema, roles) is settled before the object goes.
pub const FINALIZER: &str = "souk.dev/store";

/// Annotation on a Store: the release it was given, and the image and the time of that. The operator writes them together; they
/// are what it counts, so nothing else needs to be remembered.
pub const RELEASE: &str = "souk.dev/release";
/// Annotation on a Store: the image of its release. It stays when the release is deleted.
pub const RELEASE_IMAGE: &str = "souk.dev/release-image";
/// Annotation on a Store: when it was given its release, RFC 3339.
pub const RELEASED_AT: &str = "souk.dev/released-at";
/// Annotation on a StoreRelease: why it halted. Whoever removes it lets it go on.
pub const HALTED: &str = "souk.dev/halted";
/// Annotation on a StoreRelease: the newer one that took its place, for good.
pub const SUPERSEDED_BY: &str = "souk.dev/superseded-by";
