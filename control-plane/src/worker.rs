//! What this plane does without being asked by a request: carries out operations, keeps spare stores, sends mails, and
//! looks at the clock. Any number of processes may run it at once.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::Event;
use souk_access::{ControlWorker, Vault};
use souk_kernel::{OperationId, RequestId};
use souk_provisioner::Provisioner;
use souk_telemetry::{FailPoint, Shutdown, fail_point};
use souk_tenancy::{TenancyError, WriteTx};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::cluster::Cluster;
use crate::messages::{self, Sender};
use crate::operations;
use crate::plane::Plane;
use crate::sessions;
use crate::stores::{self, Hands, StoreError};
use crate::{factors, identities};

/// How long to wait before looking again when nobody woke us: other processes write work too.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How long to wait after an error: the database may be away.
const CALM_DOWN: Duration = Duration::from_secs(1);
/// How often a lease is renewed: several times before it would end.
const SIGN_OF_LIFE: Duration = Duration::from_secs(4);
/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(20);
/// How often every Store object is compared with its row, though nothing was heard of it.
const COMPARE: Duration = Duration::from_secs(300);
/// Operations carried out at once in this process.
const PARALLEL: usize = 3;

/// Runs every loop until shutdown; what is under way then is finished first.
pub async fn run(
    plane: Plane,
    provisioner: Provisioner,
    cluster: Option<Cluster>,
    sender: Sender,
    shutdown: Shutdown,
) {
    let mut loops = JoinSet::new();
    for _ in 0..PARALLEL {
        loops.spawn(carry_out(plane.clone(), provisioner.clone(), cluster.clone(), shutdown.clone()));
    }
    if let Some(cluster) = cluster {
        loops.spawn(watch_cluster(plane.clone(), provisioner.clone(), cluster, shutdown.clone()));
    }
    loops.spawn(keep_spares(plane.clone(), provisioner, shutdown.clone()));
    loops.spawn(send_mails(plane.clone(), sender, shutdown.clone()));
    loops.spawn(keep_time(plane, shutdown));
    while let Some(ended) = loops.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a worker's loop broke; the process should be restarted");
        }
    }
}

/// Waits for news or for `at_most`; `false` when it is time to leave.
async fn wait(work: &mut watch::Receiver<u64>, shutdown: &Shutdown, at_most: Duration) -> bool {
    tokio::select! {
        _ = work.changed() => !shutdown.has_begun(),
        go_on = shutdown.pause(at_most) => go_on,
    }
}

async fn carry_out(plane: Plane, provisioner: Provisioner, cluster: Option<Cluster>, shutdown: Shutdown) {
    let worker = plane.gate().worker("operations", "carries out what people asked for");
    // A name for the leases of this loop; nobody else has it.
    let holder = RequestId::new().uuid();
    let mut work = plane.work();
    while !shutdown.has_begun() {
        let next = worker
            .scope()
            .write("operations.claim", async move |tx: &mut WriteTx<'_>| {
                Ok::<_, TenancyError>(operations::claim(tx, holder).await?)
            })
            .await;
        match next {
            Ok(Some(operation)) => {
                fail_point(FailPoint::OperationClaimed);
                let hands = Hands {
                    worker: &worker,
                    plane: &plane,
                    provisioner: &provisioner,
                    cluster: cluster.as_ref(),
                    holder,
                };
                tokio::select! {
                    outcome = stores::carry_out(&hands, &operation) => if let Err(error) = outcome {
                        // The lease runs out and somebody takes it up again.
                        tracing::warn!(operation.id = %operation.id, %error, "an operation could not be noted");
                    },
                    () = keep_lease(&worker, operation.id, holder) => {
                        tracing::warn!(operation.id = %operation.id, "another worker took over");
                    }
                }
                plane.wake();
            }
            Ok(None) => {
                if !wait(&mut work, &shutdown, LOOK_AGAIN).await {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "operations cannot be claimed");
                if !shutdown.pause(CALM_DOWN).await {
                    return;
                }
            }
        }
    }
}

/// Shows signs of life while an operation is worked on; returns when another worker has taken over.
async fn keep_lease(worker: &ControlWorker, id: OperationId, holder: Uuid) {
    loop {
        tokio::time::sleep(SIGN_OF_LIFE).await;
        let renew =
            async move |tx: &mut WriteTx<'_>| Ok::<_, TenancyError>(operations::renew(tx, id, holder).await?);
        match worker.scope().write("operations.renew", renew).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, operation.id = %id, "a lease could not be renewed"),
        }
    }
}

/// Follows every Store object. Whatever is missed is made up for: each listing is compared with the rows.
async fn watch_cluster(plane: Plane, provisioner: Provisioner, cluster: Cluster, shutdown: Shutdown) {
    let worker = plane.gate().worker("cluster", "follows the Store objects of the cluster");
    let hands = Hands {
        worker: &worker,
        plane: &plane,
        provisioner: &provisioner,
        cluster: Some(&cluster),
        holder: RequestId::new().uuid(),
    };
    let mut events = std::pin::pin!(cluster.watch().default_backoff());
    let mut compare = tokio::time::interval(COMPARE);
    compare.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut listed = HashSet::new();
    loop {
        let outcome = tokio::select! {
            () = shutdown.begun() => return,
            _ = compare.tick() => look_at_all(&hands, &cluster).await,
            event = events.next() => match event {
                None => return,
                Some(Err(error)) => {
                    tracing::warn!(%error, "the cluster cannot be watched");
                    Ok(())
                }
                Some(Ok(Event::Init)) => {
                    listed.clear();
                    Ok(())
                }
                Some(Ok(Event::InitApply(object))) => {
                    listed.extend(object.metadata.uid.clone());
                    stores::observed(&hands, &object).await
                }
                Some(Ok(Event::InitDone)) => stores::compare(&hands, &listed).await,
                Some(Ok(Event::Apply(object))) => stores::observed(&hands, &object).await,
                Some(Ok(Event::Delete(object))) => stores::removed(&hands, &object).await,
            },
        };
        if let Err(error) = outcome {
            // It is looked at again with everything else.
            tracing::warn!(%error, "what was heard of a Store object could not be acted upon");
        }
    }
}

/// Every object and every row, whatever was heard of them.
async fn look_at_all(hands: &Hands<'_>, cluster: &Cluster) -> Result<(), StoreError> {
    let all = cluster.all().await?;
    let present = all.iter().filter_map(|object| object.metadata.uid.clone()).collect();
    for object in &all {
        stores::observed(hands, object).await?;
    }
    stores::compare(hands, &present).await
}

async fn keep_spares(plane: Plane, provisioner: Provisioner, shutdown: Shutdown) {
    let wanted = plane.settings().spare_stores;
    let mut work = plane.work();
    loop {
        match provisioner.keep_spares_watched(wanted, &stores::pass).await {
            Ok(0) => {}
            Ok(made) => tracing::debug!(made, "spare stores made"),
            Err(error) => tracing::warn!(%error, "spare stores cannot be kept"),
        }
        // Whoever took a spare woke us; the pause lets the rest of a rush pass first.
        if !wait(&mut work, &shutdown, Duration::from_secs(5)).await || !shutdown.pause(LOOK_AGAIN).await {
            return;
        }
    }
}

async fn send_mails(plane: Plane, sender: Sender, shutdown: Shutdown) {
    let worker = plane.gate().worker("messages", "sends queued mails");
    let mut work = plane.work();
    loop {
        match messages::send_due(&worker, &sender).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::warn!(%error, "mails cannot be sent"),
        }
        if !wait(&mut work, &shutdown, CALM_DOWN).await {
            return;
        }
    }
}

async fn keep_time(plane: Plane, shutdown: Shutdown) {
    let worker = plane.gate().worker("clock", "purges and forgets what is over");
    loop {
        if let Err(error) = tick(&worker, plane.vault()).await {
            tracing::warn!(%error, "what is over could not be cleared away");
        }
        plane.wake();
        if !shutdown.pause(TICK).await {
            return;
        }
    }
}

/// One look at the clock.
pub async fn tick(worker: &ControlWorker, vault: &Vault) -> Result<(), anyhow::Error> {
    while factors::reseal(worker, vault).await? > 0 {}
    stores::request_due_purges(worker).await?;
    messages::forget_old(worker).await?;
    let forget = async |tx: &mut WriteTx<'_>| {
        operations::forget_secrets(tx).await?;
        operations::forget_keys(tx).await?;
        sessions::forget(tx).await?;
        identities::forget(tx).await?;
        Ok::<_, TenancyError>(())
    };
    Ok(worker.scope().write("clock.forget", forget).await?)
}
