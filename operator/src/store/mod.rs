//! One pass over a store.

mod activity;
mod apply;
mod build;
mod credentials;
mod database;
mod dereference;
mod finalize;
mod hibernation;
mod status;
mod validate;

use std::sync::Arc;
use std::time::Duration;

use kube::runtime::controller::Action;
use kube::runtime::finalizer::{Event, finalizer};
use kube::{Api, ResourceExt as _};
use souk_store_resource::{ConditionType, FINALIZER, Isolation, PAUSED, Reason, Store};

use crate::controller::Operator;
use crate::outcome::{Failure, Retry};
use crate::release;
use hibernation::Sleep;
use status::Findings;
use validate::Wish;

pub(crate) use activity::woken;
pub(crate) use database::owner;
#[cfg(test)]
pub(crate) use validate::testing;

/// Field manager, lease and label of this operator.
pub const MANAGER: &str = "souk-operator";

/// Makes the store as its spec asks and says what was seen. Assumes nothing about why it was called; every step looks
/// before it acts and may be repeated. Writes `status` and its finalizer on the Store, never its spec.
///
/// # Errors
/// A [`Failure`] that time may cure, after it was written into the store's conditions.
pub async fn reconcile(store: &Arc<Store>, operator: &Operator) -> Result<Action, Failure> {
    let api: Api<Store> = Api::namespaced(operator.client.clone(), &store.namespace().unwrap_or_default());
    if store.metadata.deletion_timestamp.is_none() && is_paused(store) {
        status::write(&api, store, Findings::paused(store), operator).await?;
        return Ok(Action::await_change());
    }
    let outcome = finalizer(&api, FINALIZER, Arc::clone(store), |event| async {
        match event {
            Event::Apply(store) => make(&api, &store, operator).await,
            Event::Cleanup(store) => finalize::clean_up(&api, &store, operator).await,
        }
    })
    .await;
    use kube::runtime::finalizer::Error as E;
    match outcome {
        Ok(action) => Ok(action),
        Err(E::ApplyFailed(failure) | E::CleanupFailed(failure)) if failure.retry == Retry::OnChange => {
            Ok(Action::await_change())
        }
        Err(E::ApplyFailed(failure) | E::CleanupFailed(failure)) => Err(failure),
        // The object went away, or somebody changed it between our looking and our writing: look again.
        Err(E::AddFinalizer(error) | E::RemoveFinalizer(error)) => {
            Err(Failure::of_kubernetes(ConditionType::Progressing, "the finalizer", &error))
        }
        Err(E::UnnamedObject | E::InvalidFinalizer) => Ok(Action::await_change()),
    }
}

fn is_paused(store: &Store) -> bool {
    store.annotations().get(PAUSED).is_some_and(|value| value == "true")
}

async fn make(api: &Api<Store>, store: &Store, operator: &Operator) -> Result<Action, Failure> {
    let mut findings = Findings::new(store);
    let outcome = steps(store, operator, &mut findings).await;
    if let Err(failure) = &outcome {
        findings.failed(failure);
    }
    let next = findings.next_look();
    // What was found out is written down whatever became of the rest.
    status::write(api, store, findings, operator).await?;
    outcome?;
    let resync = operator.resync(&store.uid().unwrap_or_default());
    Ok(Action::requeue(next.map_or(resync, |next| next.min(resync)).max(Duration::from_secs(1))))
}

/// The story. The first step that fails ends it.
async fn steps(store: &Store, operator: &Operator, findings: &mut Findings) -> Result<(), Failure> {
    let mut wish = Wish::of(store, &operator.config.runtime)?;
    let record = database::provision(store, &wish, operator, findings).await?;
    let seen = dereference::look(&wish, &record, operator).await?;
    let record = credentials::ensure(&wish, record, &seen, operator, findings).await?;
    // A store that never had pods begins with the release in force; whoever has some waits for a wave.
    let had_pods = store.status.as_ref().is_some_and(|status| status.runtime.is_some());
    if wish.awaits_release()
        && !had_pods
        && let Some((name, image)) = release::give_at_birth(store, operator).await?
    {
        (wish.release, wish.image) = (Some(name), image);
    }
    wish.stage = hibernation::decide(&wish, &record, &seen, operator, findings).await?;
    let children = build::children(&wish, &record, &operator.config.runtime, &seen.abilities);
    apply::children(&wish, children, &seen, operator).await?;
    apply::prune_secrets(&wish, &seen, operator).await?;
    let (deployment, pods) = dereference::workload(&wish, &record, operator).await?;
    findings.runtime(&wish, &record, deployment.as_ref(), &pods);
    let (why, told) = hibernation::told(&wish);
    findings.set(ConditionType::Hibernated, wish.stage.sleep == Sleep::Asleep, why, told);
    findings.route(
        &wish,
        &operator.config.runtime,
        dereference::route(&wish, &seen.abilities, operator).await?.as_ref(),
        &seen.abilities,
    );
    // Ready says less: a store that wakes is served before its new pods are there.
    if wish.isolation == Isolation::Dedicated && deployment.as_ref().is_some_and(status::is_complete) {
        credentials::retire(&record, operator, findings).await?;
    }
    if wish.isolation == Isolation::Pooled && record.login.is_some() && !wish.stage.leaving {
        operator.provisioner.revoke_logins(record.store_id).await?;
    }
    findings.set(ConditionType::Degraded, false, Reason::AsExpected, "nothing is wrong");
    Ok(())
}
