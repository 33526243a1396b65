//! Gives stores the image, and a release what must outlast its status.

use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use souk_provisioner::{ProvisionError, SweepOptions};
use souk_store_resource::{
    ConditionType, HALTED, RELEASE, RELEASE_IMAGE, RELEASED_AT, SUPERSEDED_BY, Store, StoreRelease,
};

use super::Setback;
use super::build::Candidate;
use super::dereference;
use super::validate::Order;
use crate::controller::Operator;
use crate::outcome::Failure;
use crate::store::{MANAGER, owner};

/// What became of the stores whose turn it was.
pub enum Given {
    ToAll,
    /// Somebody changed one of them since it was counted: count again.
    NotToAll,
    /// A schema could not be brought to where the image needs it.
    Refused(String),
}

/// First the schema, which old pods can live with; then the image, noted on the Store, whose own pass replaces its pods. A note
/// holds only of the Store that was counted: two operators that count the same choose the same stores, and one of them loses.
pub async fn give(order: &Order, stores: &[&Candidate], operator: &Operator) -> Result<Given, Setback> {
    for store in stores {
        match migrate(store, operator).await {
            Ok(()) => {}
            Err(error @ ProvisionError::Migration { .. }) if !error.is_transient() => {
                return Ok(Given::Refused(format!("{}/{}: {error}", store.namespace, store.name)));
            }
            Err(error) => return Err(error.into()),
        }
        let mut note = note(&order.name, &order.image);
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
        note["metadata"]["annotations"][RELEASED_AT] = json!(now.to_string());
        note["metadata"]["resourceVersion"] = json!(store.resource_version);
        let api: Api<Store> = Api::namespaced(operator.client.clone(), &store.namespace);
        match api.patch(&store.name, &how(), &Patch::Merge(&note)).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => {
                return Ok(Given::NotToAll);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Given::ToAll)
}

async fn migrate(store: &Candidate, operator: &Operator) -> Result<(), ProvisionError> {
    let Some(record) = operator.provisioner.store_of(&owner(&store.uid)).await? else { return Ok(()) };
    operator.provisioner.migrate(&record, &SweepOptions::default()).await
}

/// Gives a store without any the release in force, before it has pods to replace: its name and image. None in force: nothing.
pub async fn give_at_birth(store: &Store, operator: &Operator) -> Result<Option<(String, String)>, Failure> {
    let failed = |error| Failure::of_kubernetes(ConditionType::RuntimeReady, "its StoreRelease", &error);
    let metadata = &store.metadata;
    let (namespace, name) =
        (metadata.namespace.as_deref().unwrap_or_default(), metadata.name.as_deref().unwrap_or_default());
    let Some(release) = dereference::in_force(namespace, operator).await.map_err(failed)? else {
        return Ok(None);
    };
    let given = (release.metadata.name.unwrap_or_default(), release.spec.image);
    let api: Api<Store> = Api::namespaced(operator.client.clone(), namespace);
    api.patch(name, &how(), &Patch::Merge(&note(&given.0, &given.1))).await.map_err(failed)?;
    Ok(Some(given))
}

/// Nobody else gets the image until a person removes this.
pub async fn halt(order: &Order, why: &str, operator: &Operator) -> Result<(), Setback> {
    annotate(&order.name, HALTED, why, operator).await?;
    metrics::counter!("souk_operator_releases_halted_total").increment(1);
    Ok(())
}

/// For good, also when the newer one is deleted.
pub async fn supersede(release: &str, by: &str, operator: &Operator) -> Result<(), Setback> {
    annotate(release, SUPERSEDED_BY, by, operator).await
}

async fn annotate(release: &str, key: &str, value: &str, operator: &Operator) -> Result<(), Setback> {
    let api: Api<StoreRelease> = Api::all(operator.client.clone());
    let note = json!({ "metadata": { "annotations": { key: value } } });
    match api.patch(release, &how(), &Patch::Merge(&note)).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        outcome => outcome.map(|_| ()).map_err(Setback::from),
    }
}

fn note(release: &str, image: &str) -> Value {
    json!({ "metadata": { "annotations": { RELEASE: release, RELEASE_IMAGE: image } } })
}

fn how() -> PatchParams {
    PatchParams { field_manager: Some(format!("{MANAGER}-release")), ..PatchParams::default() }
}
