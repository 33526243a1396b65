//! What this plane does without being asked by a request: carries out operations, keeps spare stores, sends mails, and
//! looks at the clock. Any number of processes may run it at once.

use std::time::Duration;

use souk_access::{ControlWorker, Vault};
use souk_kernel::{OperationId, RequestId};
use souk_provisioner::Provisioner;
use souk_telemetry::Shutdown;
use souk_tenancy::{TenancyError, WriteTx};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::messages::{self, Sender};
use crate::operations;
use crate::plane::Plane;
use crate::sessions;
use crate::stores::{self, Hands};
use crate::{factors, identities};

/// How long to wait before looking again when nobody woke us: other processes write work too.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How long to wait after an error: the database may be away.
const CALM_DOWN: Duration = Duration::from_secs(1);
/// How often a lease is renewed: several times before it would end.
const SIGN_OF_LIFE: Duration = Duration::from_secs(4);
/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(20);
/// Operations carried out at once in this process.
const PARALLEL: usize = 3;

/// Runs every loop until shutdown; what is under way then is finished first.
pub async fn run(plane: Plane, provisioner: Provisioner, sender: Sender, shutdown: Shutdown) {
    let mut loops = JoinSet::new();
    for _ in 0..PARALLEL {
        loops.spawn(carry_out(plane.clone(), provisioner.clone(), shutdown.clone()));
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

async fn carry_out(plane: Plane, provisioner: Provisioner, shutdown: Shutdown) {
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
                let hands = Hands { worker: &worker, plane: &plane, provisioner: &provisioner, holder };
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

async fn keep_spares(plane: Plane, provisioner: Provisioner, shutdown: Shutdown) {
    let wanted = plane.settings().spare_stores;
    let mut work = plane.work();
    loop {
        match provisioner.keep_spares(wanted).await {
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
