//! The CustomResourceDefinitions as the chart installs them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;

use crate::release::StoreRelease;
use crate::spec::Store;

/// `stores.souk.dev`, annotated so that Helm keeps it (and with it every Store) when the chart is uninstalled.
#[must_use]
pub fn crd() -> CustomResourceDefinition {
    kept(Store::crd())
}

/// `storereleases.souk.dev`, kept likewise.
#[must_use]
pub fn release_crd() -> CustomResourceDefinition {
    kept(StoreRelease::crd())
}

fn kept(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    // Here and not in the derive: what stands there is also put on every object that `Store::new` makes.
    crd.metadata
        .annotations
        .get_or_insert_default()
        .insert("helm.sh/resource-policy".to_owned(), "keep".to_owned());
    crd
}
