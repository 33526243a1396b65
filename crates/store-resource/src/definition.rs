//! The CustomResourceDefinition as the chart installs it.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;

use crate::spec::Store;

/// `stores.souk.dev`, annotated so that Helm keeps it (and with it every Store) when the chart is uninstalled.
#[must_use]
pub fn crd() -> CustomResourceDefinition {
    let mut crd = Store::crd();
    // Here and not in the derive: what stands there is also put on every object that `Store::new` makes.
    crd.metadata
        .annotations
        .get_or_insert_default()
        .insert("helm.sh/resource-policy".to_owned(), "keep".to_owned());
    crd
}
