//! The loop: who is leader, which objects wake it, how often what fails is tried again.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Service, ServiceAccount};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::runtime::controller::{Action, Config as Pace};
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::{Controller, watcher};
use kube::{Api, Client, ResourceExt as _};
use kube_lease_manager::LeaseManagerBuilder;
use souk_provisioner::{Provisioner, ProvisionerConfig};
use souk_store_resource::Store;
use souk_telemetry::{InternalServer, Readiness, Shutdown, TelemetryConfig};

use crate::config::Config;
use crate::outcome::Failure;
use crate::{release, store};

/// What every pass shares.
pub struct Operator {
    pub client: Client,
    pub provisioner: Provisioner,
    pub config: Config,
    pub recorder: Recorder,
    failures: Mutex<HashMap<String, u32>>,
}

impl Operator {
    /// Connects to the tenants database.
    ///
    /// # Errors
    /// When the database does not answer or refuses the login.
    pub async fn connect(client: Client, config: Config) -> anyhow::Result<Self> {
        let mut database = ProvisionerConfig::new(&config.database_url, &config.provisioner_password)?;
        database.lanes = config.lanes;
        database.stores_per_lane = config.stores_per_lane;
        database.connections = config.connections;
        let provisioner = Provisioner::connect(database).await.context("SOUK_DATABASE_URL")?;
        let reporter =
            Reporter { controller: store::MANAGER.to_owned(), instance: config.lease_identity.clone() };
        let recorder = Recorder::new(client.clone(), reporter);
        Ok(Self { client, provisioner, config, recorder, failures: Mutex::default() })
    }

    /// When a settled store is looked at again though nothing was heard of it: not all at once.
    pub fn resync(&self, uid: &str) -> Duration {
        self.config.resync.mul_f64(0.8 + 0.4 * share(&uid))
    }

    /// 1 s, doubling to 5 min, give or take a quarter, for each store by itself.
    pub(crate) fn back_off(&self, uid: &str) -> Duration {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(uid.to_owned()).or_insert(0);
        let whole = Duration::from_secs(1).saturating_mul(1 << (*count).min(9)).min(Duration::from_secs(300));
        *count = count.saturating_add(1);
        whole.mul_f64(0.75 + 0.5 * share(&(uid, *count)))
    }

    pub(crate) fn forgive(&self, uid: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }
}

/// The same number from 0 to 1 for the same thing.
fn share(of: &impl Hash) -> f64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    f64::from(u32::try_from(hasher.finish() >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

/// Runs until SIGTERM or SIGINT, or until another operator is leader.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let telemetry = souk_telemetry::init("operator", &TelemetryConfig::from_env()?)?;
    let shutdown = Shutdown::on_signals()?;
    let readiness = Readiness::awaiting(["kubernetes", "database"]);
    let internal = InternalServer::start(&config.internal_listen, readiness.clone())
        .with_context(|| format!("listening on {}", config.internal_listen))?;
    let client =
        Client::try_default().await.context("no Kubernetes: KUBECONFIG, or a pod's service account")?;
    readiness.up("kubernetes");
    let operator = loop {
        match Operator::connect(client.clone(), config.clone()).await {
            Ok(operator) => break Arc::new(operator),
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "waiting for the database");
                readiness.down("database", format!("{error:#}"));
                if !shutdown.pause(Duration::from_secs(2)).await {
                    return Ok(());
                }
            }
        }
    };
    readiness.up("database");
    // A standby is as ready as the leader: it takes over by itself.
    let led = lead(operator, &shutdown).await;
    internal.stop().await;
    telemetry.flush();
    led
}

/// Waits for the lease and works while it is held. Losing it ends the process: whoever starts it starts it anew. The lease
/// only keeps two operators from doing the same work; what keeps them from doing harm is the ledger's fence.
pub async fn lead(operator: Arc<Operator>, shutdown: &Shutdown) -> anyhow::Result<()> {
    let mut lease = LeaseManagerBuilder::new(operator.client.clone(), store::MANAGER)
        .with_namespace(&operator.config.lease_namespace)
        .with_duration(operator.config.lease_seconds)
        .with_grace((operator.config.lease_seconds / 4).max(1));
    if let Some(name) = &operator.config.lease_identity {
        lease = lease.with_identity(name);
    }
    let (mut held, holding) = lease.build().await.context("the Lease")?.watch().await;
    metrics::gauge!("souk_operator_leader").set(0.0);
    let began = tokio::select! {
        began = held.wait_for(|held| *held) => began.is_ok(),
        () = shutdown.begun() => false,
    };
    let mut lost = false;
    if began {
        tracing::info!("leader: reconciling stores");
        metrics::gauge!("souk_operator_leader").set(1.0);
        let until = async {
            tokio::select! {
                _ = held.wait_for(|held| !*held) => true,
                () = shutdown.begun() => false,
            }
        };
        lost = work(operator, until).await;
    }
    metrics::gauge!("souk_operator_leader").set(0.0);
    // Letting go of the channel gives the lease back, so that a standby need not wait for its end.
    drop(held);
    let _ = tokio::time::timeout(Duration::from_secs(5), holding).await;
    anyhow::ensure!(!lost, "another operator is leader now");
    Ok(())
}

/// Reconciles until `until` comes, then finishes what is under way. Returns what `until` said.
pub async fn work(operator: Arc<Operator>, until: impl Future<Output = bool>) -> bool {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (stop_releases, releases_stopped) = tokio::sync::oneshot::channel::<()>();
    let tidying = tokio::spawn(purge(Arc::clone(&operator)));
    let releases = release::run(Arc::clone(&operator), async move {
        let _ = releases_stopped.await;
    });
    let stores = scoped::<Store>(&operator);
    let children =
        watcher::Config::default().labels(&format!("app.kubernetes.io/managed-by={}", store::MANAGER));
    let controller = Controller::new(stores, watcher::Config::default());
    let woken = store::woken(Arc::clone(&operator), controller.store());
    let passes = controller
        .with_config(Pace::default().concurrency(operator.config.concurrency))
        .reconcile_on(woken)
        .owns(scoped::<Deployment>(&operator), children.clone())
        .owns(scoped::<Service>(&operator), children.clone())
        .owns(scoped::<ServiceAccount>(&operator), children.clone())
        .owns(scoped::<HorizontalPodAutoscaler>(&operator), children.clone())
        .owns(scoped::<PodDisruptionBudget>(&operator), children.clone())
        .owns(scoped::<NetworkPolicy>(&operator), children.clone())
        .owns(scoped::<Ingress>(&operator), children)
        .graceful_shutdown_on(async move {
            let _ = stopped.await;
        })
        .run(pass, after_failure, operator)
        .for_each(|outcome| async move {
            if let Err(error) = outcome {
                tracing::debug!(%error, "a pass ended early");
            }
        });
    let stopping = async move {
        let answer = until.await;
        let _ = stop.send(());
        let _ = stop_releases.send(());
        answer
    };
    let answer = tokio::join!(passes, releases, stopping).2;
    tidying.abort();
    answer
}

/// Retained data whose time is over goes, whether or not anything else happens.
async fn purge(operator: Arc<Operator>) {
    let mut hour = tokio::time::interval(Duration::from_secs(3600));
    loop {
        hour.tick().await;
        match operator.provisioner.purge_due(souk_kernel::Clock::system().now()).await {
            Ok(0) => {}
            Ok(purged) => tracing::info!(purged, "retained data whose time was over is gone"),
            Err(error) => {
                tracing::warn!(%error, "retained data could not be looked through; tried again in an hour")
            }
        }
    }
}

/// Every object of a kind that this operator may look at.
pub(crate) fn scoped<K>(operator: &Operator) -> Api<K>
where
    K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
{
    match &operator.config.watch_namespace {
        Some(namespace) => Api::namespaced(operator.client.clone(), namespace),
        None => Api::all(operator.client.clone()),
    }
}

async fn pass(store: Arc<Store>, operator: Arc<Operator>) -> Result<Action, Failure> {
    let began = std::time::Instant::now();
    metrics::gauge!("souk_operator_passes_under_way").increment(1.0);
    let outcome = store::reconcile(&store, &operator).await;
    metrics::gauge!("souk_operator_passes_under_way").decrement(1.0);
    metrics::histogram!("souk_operator_pass_seconds").record(began.elapsed().as_secs_f64());
    match &outcome {
        Ok(_) => operator.forgive(&store.uid().unwrap_or_default()),
        Err(failure) => {
            metrics::counter!("souk_operator_failures_total", "reason" => failure.reason.as_str())
                .increment(1);
            tracing::warn!(
                store.namespace = store.namespace(),
                store.name = store.name_any(),
                reason = %failure.reason,
                message = failure.message,
                "a store is not as asked for"
            );
        }
    }
    outcome
}

fn after_failure(store: Arc<Store>, _: &Failure, operator: Arc<Operator>) -> Action {
    Action::requeue(operator.back_off(&store.uid().unwrap_or_default()))
}
