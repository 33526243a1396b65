//! The Store resource: what the control plane, the operator and a person with `kubectl` say to each other about one store.
//!
//! Only the names every side must agree on live here so far; the resource definition itself arrives with the operator.

/// API group of all Souk resources.
pub const GROUP: &str = "souk.dev";
/// Version of the Store resource.
pub const VERSION: &str = "v1alpha1";
/// Kind of the Store resource.
pub const KIND: &str = "Store";
