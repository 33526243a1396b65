//! One pass over a release.

mod apply;
mod build;
mod dereference;
mod status;
mod validate;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::jiff::Timestamp;
use kube::runtime::controller::Action;
use kube::runtime::reflector::{ObjectRef, Store as Cache};
use kube::runtime::{Controller, watcher};
use kube::{Api, ResourceExt as _};
use souk_provisioner::ProvisionError;
use souk_store_resource::{Isolation, SUPERSEDED_BY, Store, StoreRelease};

use crate::controller::{Operator, scoped};
use apply::Given;
use status::Verdict;
use validate::Order;

pub use apply::give_at_birth;

/// How long a pass waits for more news of the stores: hundreds of them may be changing at once, and one look sees them all.
const GATHER: Duration = Duration::from_millis(250);

/// Why a pass could not be finished; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Setback {
    #[error("the API server: {0}")]
    Kubernetes(#[from] kube::Error),
    #[error("the database: {0}")]
    Database(#[from] ProvisionError),
}

/// What every pass shares.
struct Watch {
    operator: Arc<Operator>,
    /// The second it began.
    since: i64,
}

/// Carries releases out until `stopped` comes, then finishes what is under way.
pub fn run(
    operator: Arc<Operator>,
    stopped: impl Future<Output = ()> + Send + Sync + 'static,
) -> impl Future<Output = ()> {
    let stores = scoped::<Store>(&operator);
    let releases: Api<StoreRelease> = Api::all(operator.client.clone());
    let controller = Controller::new(releases, watcher::Config::default());
    let known = controller.store();
    // It is there from the beginning: a count that appears with its first one looks like no increase.
    metrics::counter!("souk_operator_releases_halted_total").increment(0);
    let watch = Arc::new(Watch { operator, since: Timestamp::now().as_second() });
    controller
        .watches(stores, watcher::Config::default(), move |store| wakes(&known, &store))
        .graceful_shutdown_on(stopped)
        .run(pass, after_failure, watch)
        .for_each(|outcome| async move {
            if let Err(error) = outcome {
                tracing::debug!(%error, "a pass over a release ended early");
            }
        })
}

/// Whose count a change of this store may change.
fn wakes(known: &Cache<StoreRelease>, store: &Store) -> Vec<ObjectRef<StoreRelease>> {
    if store.spec.isolation == Isolation::Pooled {
        return Vec::new();
    }
    let namespace = store.namespace().unwrap_or_default();
    let means_it = |release: &StoreRelease| {
        release.spec.covers(&namespace) && !release.annotations().contains_key(SUPERSEDED_BY)
    };
    known
        .state()
        .iter()
        .filter(|release| means_it(release))
        .map(|release| ObjectRef::from_obj(&**release))
        .collect()
}

async fn pass(release: Arc<StoreRelease>, watch: Arc<Watch>) -> Result<Action, Setback> {
    tokio::time::sleep(GATHER).await;
    let operator = &watch.operator;
    let outcome = reconcile(&release, operator, watch.since).await;
    match &outcome {
        Ok(_) => operator.forgive(&release.uid().unwrap_or_default()),
        Err(error) => {
            metrics::counter!("souk_operator_failures_total", "reason" => "StoreRelease").increment(1);
            tracing::warn!(release.name = release.name_any(), %error, "a release could not be looked after");
        }
    }
    outcome
}

fn after_failure(release: Arc<StoreRelease>, _: &Setback, watch: Arc<Watch>) -> Action {
    Action::requeue(watch.operator.back_off(&release.uid().unwrap_or_default()))
}

/// Brings the release a step further: counts who has its image, who is down for it and who failed, gives it to whoever's turn
/// it is, and says what was seen. Assumes nothing about why it was called, and remembers nothing: what is in flight is in the
/// Stores' annotations and conditions. `watched_since` is the second from which stores can be late.
async fn reconcile(
    release: &StoreRelease,
    operator: &Operator,
    watched_since: i64,
) -> Result<Action, Setback> {
    if !dereference::is_for(release, operator.config.watch_namespace.as_deref()) {
        return Ok(Action::await_change());
    }
    let Some(seen) = dereference::look(release, operator).await? else { return Ok(Action::await_change()) };
    let release = &seen.release;
    if let Some(newer) = seen.superseded_by() {
        if !release.annotations().contains_key(SUPERSEDED_BY) {
            apply::supersede(&release.name_any(), &newer, operator).await?;
        }
        status::write(release, Verdict::Superseded(&newer), operator).await?;
        return Ok(Action::await_change());
    }
    for older in seen.supersedes() {
        apply::supersede(&older, &release.name_any(), operator).await?;
    }
    let order = match Order::of(release, watched_since) {
        Ok(order) => order,
        Err(why) => {
            status::write(release, Verdict::Invalid(&why), operator).await?;
            return Ok(Action::await_change());
        }
    };
    let newest = operator.provisioner.newest_migration();
    if let Some(needed) = order.schema_version.filter(|needed| *needed > newest) {
        status::write(release, Verdict::OperatorTooOld { needed, newest }, operator).await?;
        return Ok(Action::await_change());
    }
    let now = Timestamp::now();
    let candidates = seen.candidates(&order, now);
    let plan = build::plan(&order, &candidates, now.as_second());
    let mut halted = order.halted.clone();
    if halted.is_none()
        && let Some(why) = &plan.trouble
    {
        apply::halt(&order, why, operator).await?;
        halted = Some(why.clone());
    }
    let mut again = None;
    if halted.is_none() && !order.paused {
        match apply::give(&order, &plan.take, operator).await? {
            Given::ToAll if plan.take.is_empty() => {}
            Given::ToAll | Given::NotToAll => again = Some(Duration::from_secs(1)),
            Given::Refused(why) => {
                let why = format!("a migration failed, its schema is as before it: {why}");
                apply::halt(&order, &why, operator).await?;
                halted = Some(why);
            }
        }
    }
    status::write(
        release,
        Verdict::Planned { plan: &plan, halted: halted.as_deref(), paused: order.paused },
        operator,
    )
    .await?;
    // A second more: times are whole seconds.
    let due = plan.next_look.map(|second| Duration::from_secs(second.abs_diff(now.as_second()) + 1));
    let resync = operator.resync(&release.uid().unwrap_or_default());
    Ok(Action::requeue([again, due].into_iter().flatten().fold(resync, Duration::min)))
}
