//! Makes the objects as they were built: what differs is applied, what is no longer built is deleted, the rest is left alone.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::Value;
use souk_store_resource::{ConditionType, Isolation};

use crate::controller::Operator;
use crate::outcome::Failure;
use crate::store::MANAGER;
use crate::store::build::{self, Child, DESIRED};
use crate::store::dereference::Seen;
use crate::store::validate::Wish;

/// What differs from what was seen is applied, and what is left over goes.
pub async fn children(
    wish: &Wish,
    children: Vec<Child>,
    seen: &Seen,
    operator: &Operator,
) -> Result<(), Failure> {
    let (secrets, children): (Vec<_>, Vec<_>) =
        children.into_iter().partition(|child| child.resource.kind == "Secret");
    for child in secrets {
        let live = seen.secrets.get(child.name()).and_then(|secret| secret.annotations().get(DESIRED));
        if live.map(String::as_str) != Some(child.hash()) {
            secret(wish, child, operator).await?;
        }
    }
    for child in &children {
        let found = seen.object(&child.resource.kind, child.name());
        if found.is_none_or(|object| !child.is_in_force(object)) {
            let api: Api<DynamicObject> =
                Api::namespaced_with(operator.client.clone(), &wish.namespace, &child.resource);
            if found.is_none() {
                refuse_what_is_not_ours(&api, wish, child).await?;
            }
            patch(&api, child).await?;
        }
    }
    // What served the store stays until routers have followed its route.
    if wish.stage.leaving {
        return Ok(());
    }
    // Only now: a route must have moved before what it led to goes.
    for resource in build::kinds(&seen.abilities) {
        let api: Api<DynamicObject> =
            Api::namespaced_with(operator.client.clone(), &wish.namespace, &resource);
        for object in seen.live.get(&resource.kind).into_iter().flatten() {
            let wanted = children
                .iter()
                .any(|child| child.resource.kind == resource.kind && child.name() == object.name_any());
            let owned = object.owner_references().iter().any(|reference| reference.uid == wish.uid);
            if !wanted && owned && object.metadata.deletion_timestamp.is_none() {
                gone(
                    api.delete(&object.name_any(), &DeleteParams::background()).await.map(|_| ()),
                    &resource,
                )?;
            }
        }
    }
    Ok(())
}

/// Writes a Secret as a whole.
pub async fn secret(wish: &Wish, child: Child, operator: &Operator) -> Result<(), Failure> {
    let api: Api<DynamicObject> =
        Api::namespaced_with(operator.client.clone(), &wish.namespace, &child.resource);
    refuse_what_is_not_ours(&api, wish, &child).await?;
    patch(&api, &child).await
}

/// A Pooled store has no login and no pods to hand one to.
pub async fn prune_secrets(wish: &Wish, seen: &Seen, operator: &Operator) -> Result<(), Failure> {
    if wish.isolation == Isolation::Dedicated || wish.stage.leaving {
        return Ok(());
    }
    let api: Api<Secret> = Api::namespaced(operator.client.clone(), &wish.namespace);
    let resource = ApiResource::erase::<Secret>(&());
    for (name, secret) in &seen.secrets {
        if secret.owner_references().iter().any(|reference| reference.uid == wish.uid) {
            gone(api.delete(name, &DeleteParams::default()).await.map(|_| ()), &resource)?;
        }
    }
    Ok(())
}

/// An object of that name which somebody else made is never taken over.
async fn refuse_what_is_not_ours(
    api: &Api<DynamicObject>,
    wish: &Wish,
    child: &Child,
) -> Result<(), Failure> {
    let there = api.get_metadata_opt(child.name()).await.map_err(|error| failed(&child.resource, &error))?;
    if there.is_none_or(|object| object.owner_references().iter().any(|reference| reference.uid == wish.uid))
    {
        return Ok(());
    }
    let (kind, name) = (&child.resource.kind, child.name());
    let mut failure =
        Failure::foreign(format!("the {kind} {name} exists and is not this store's: remove or rename it"));
    failure.condition = condition_of(&child.resource);
    Err(failure)
}

async fn patch(api: &Api<DynamicObject>, child: &Child) -> Result<(), Failure> {
    // Forced: these objects are ours, whoever touched them. Strict: a field that the cluster does not know is an error here.
    let how = PatchParams { force: true, ..PatchParams::apply(MANAGER) }.validation_strict();
    api.patch(child.name(), &how, &Patch::Apply(&child.object))
        .await
        .map_err(|error| failed(&child.resource, &error))?;
    Ok(())
}

fn gone(outcome: Result<(), kube::Error>, resource: &ApiResource) -> Result<(), Failure> {
    match outcome {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(failed(resource, &error)),
        Ok(()) => Ok(()),
    }
}

pub(super) fn failed(resource: &ApiResource, error: &kube::Error) -> Failure {
    Failure::of_kubernetes(condition_of(resource), &format!("the {}", resource.kind), error)
}

fn condition_of(resource: &ApiResource) -> ConditionType {
    match resource.kind.as_str() {
        "Secret" => ConditionType::CredentialsReady,
        "Ingress" | "HTTPRoute" => ConditionType::Routed,
        _ => ConditionType::RuntimeReady,
    }
}

/// Whether `live` holds everything that `wanted` says; what others added does not matter.
pub fn holds(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().all(|(key, wanted)| {
            live.get(key).map_or_else(|| is_nothing(wanted), |live| holds(live, wanted))
        }),
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(live, wanted)| holds(live, wanted))
        }
        (live, wanted) => live == wanted,
    }
}

/// The API server keeps no empty maps and lists.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_others_add_is_theirs_and_what_they_change_is_ours() {
        let wanted = json!({ "spec": { "replicas": 2, "containers": [{ "name": "a" }] } });
        let added = json!({ "spec": { "replicas": 2, "containers": [{ "name": "a", "x": 1 }], "y": 1 }, "status": {} });
        assert!(holds(&added, &wanted));
        assert!(!holds(&json!({ "spec": { "replicas": 3, "containers": [{ "name": "a" }] } }), &wanted));
        assert!(!holds(
            &json!({ "spec": { "replicas": 2, "containers": [{ "name": "a" }, { "name": "b" }] } }),
            &wanted
        ));
        assert!(!holds(&json!({ "spec": { "replicas": 2 } }), &wanted));
        assert!(holds(&json!({}), &json!({ "ingress": [] })));
    }
}
