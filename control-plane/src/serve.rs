//! The processes of this plane: the API, the worker, and the one that prepares a database.

use actix_web::{HttpServer, web};
use anyhow::{Context, bail};
use souk_access::{Hasher, SigningKey};
use souk_api::CursorKey;
use souk_kernel::Clock;
use souk_openid::{Provider, ProviderConfig};
use souk_provisioner::{Bootstrap, Provisioner, ProvisionerConfig, Secrets, SweepOptions};
use souk_telemetry::{InternalServer, Readiness, Shutdown, TelemetryConfig};
use souk_tenancy::{ControlConfig, ControlPool};
use std::time::Duration;

use crate::app;
use crate::cluster::Cluster;
use crate::config::{Config, DatabaseConfig, MigrateConfig, Settings};
use crate::messages::Sender;
use crate::plane::Plane;
use crate::worker;

/// Which parts a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    pub api: bool,
    pub worker: bool,
}

/// The plane's private keys.
pub struct Keys {
    /// Signs tokens, and seals.
    pub signing: SigningKey,
    /// Sealed before; opens until everything was sealed anew.
    pub former: Vec<SigningKey>,
}

impl From<SigningKey> for Keys {
    fn from(signing: SigningKey) -> Self {
        Self { signing, former: Vec::new() }
    }
}

impl Keys {
    fn read(config: &Config) -> anyhow::Result<Self> {
        let issuer = &config.settings.public_url;
        let signing = SigningKey::from_pem(issuer, &config.signing_key_pem)
            .context("SOUK_SIGNING_KEY_FILE must hold an Ed25519 private key (PKCS#8 PEM)")?;
        let former = config.former_keys_pem.iter().map(|pem| SigningKey::from_pem(issuer, pem));
        let former = former.collect::<Result<_, _>>();
        let former = former.context("SOUK_FORMER_SIGNING_KEY_FILES must name Ed25519 private keys")?;
        Ok(Self { signing, former })
    }
}

/// Builds the plane over a database.
pub async fn plane(
    settings: Settings,
    database: &DatabaseConfig,
    keys: impl Into<Keys>,
    hasher: Hasher,
    clock: Clock,
) -> anyhow::Result<Plane> {
    let mut config = ControlConfig::new(database.database.clone(), database.control_password.clone());
    config.clock = clock.clone();
    let (_, mint) = ControlPool::start(config)?;
    let Keys { signing, former } = keys.into();
    let gate = app::gate(mint, &signing).await?;
    let client = souk_openid::Client::trusting()?;
    let provider = |config: &ProviderConfig| Provider::new(config.clone(), client.clone());
    let providers = settings.identity_providers.iter().map(provider).collect::<Result<_, _>>()?;
    Ok(Plane::new(settings, gate, signing, &former, providers, hasher, clock))
}

/// Runs until SIGTERM or SIGINT, then finishes what is under way.
pub async fn run(config: Config, parts: Parts) -> anyhow::Result<()> {
    let telemetry = souk_telemetry::init("control-plane", &TelemetryConfig::from_env()?)?;
    let shutdown = Shutdown::on_signals()?;
    let readiness = Readiness::awaiting(["database", "listening"]);
    let internal = InternalServer::start(&config.internal_listen, readiness.clone())
        .with_context(|| format!("listening on {}", config.internal_listen))?;

    let keys = Keys::read(&config)?;
    let cursors = CursorKey::new(config.signing_key_pem.as_bytes());
    let hasher = Hasher::new(2, 32)?;
    let authority = config.settings.smtp_authority.as_deref();
    let sender = Sender::new(config.settings.smtp_url.as_deref(), authority, &config.settings.mail_from)?;
    let plane = plane(config.settings.clone(), &config.database, keys, hasher, Clock::system()).await?;

    let working = if parts.worker {
        let provisioner = connect(&config.database, &shutdown).await?;
        let cluster = cluster(&config.settings).await?;
        Some(tokio::spawn(worker::run(plane.clone(), provisioner, cluster, sender, shutdown.clone())))
    } else {
        None
    };
    readiness.up("database");
    if !parts.api {
        readiness.up("listening");
    }
    if parts.api {
        // What never ends by itself ends with the process.
        let ending = web::Data::new(shutdown.clone());
        let server =
            HttpServer::new(move || app::app(plane.clone(), cursors.clone()).app_data(ending.clone()))
                .disable_signals()
                .shutdown_timeout(20)
                .bind(config.listen)
                .with_context(|| format!("listening on {}", config.listen))?
                .run();
        readiness.up("listening");
        tracing::info!(listen = %config.listen, "the control plane serves");
        let leaving =
            souk_telemetry::drain(shutdown.clone(), readiness, server.handle(), Duration::from_millis(200));
        let (served, ()) = tokio::join!(server, leaving);
        served?;
    }
    shutdown.begun().await;
    if let Some(working) = working {
        working.await?;
    }
    internal.stop().await;
    telemetry.flush();
    Ok(())
}

/// The cluster in which stores are made, if they are made in one. Whether it answers is no matter of starting.
async fn cluster(settings: &Settings) -> anyhow::Result<Option<Cluster>> {
    if settings.store_namespace.is_none() {
        return Ok(None);
    }
    let cluster = Cluster::connect().await;
    cluster.map(Some).context(
        "SOUK_STORE_NAMESPACE is set, but there is no cluster: KUBECONFIG, or a pod's service account",
    )
}

/// Waits for the database: at start-up it may be a little later than we are.
async fn connect(database: &DatabaseConfig, shutdown: &Shutdown) -> anyhow::Result<Provisioner> {
    let Some(password) = &database.provisioner_password else {
        bail!("SOUK_PROVISIONER_PASSWORD must be set for a worker")
    };
    loop {
        let mut config = ProvisionerConfig::new(&database.url, password)?;
        config.lanes = database.lanes;
        match Provisioner::connect(config).await {
            Ok(provisioner) => return Ok(provisioner),
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "the database does not answer yet");
                if !shutdown.pause(Duration::from_secs(1)).await {
                    bail!("asked to stop before the database answered");
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Prepares a database: logins, schemas, walls, the tables of this plane, and those of every store. Idempotent.
///
/// # Errors
/// Also when a store could not be migrated: it stays as it was and serves, and so do those that were not begun.
pub async fn migrate(config: MigrateConfig, sweep: &SweepOptions) -> anyhow::Result<()> {
    let mut provisioner = ProvisionerConfig::new(&config.url, &config.provisioner_password)?;
    provisioner.lanes = config.lanes;
    provisioner.connections = sweep.workers.max(1) + 1;
    let bootstrap = Bootstrap {
        admin_url: config.admin_url,
        database: config.database,
        secrets: Secrets {
            lane_secret: config.lane_secret,
            provisioner: config.provisioner_password,
            control_plane: config.control_password,
            relay: config.relay_password,
        },
        lanes: config.lanes,
    };
    let report = bootstrap.run().await?;
    tracing::info!(
        created = report.created_database,
        platform = report.platform_version,
        control = report.control_version,
        missing_walls = report.missing_walls.len(),
        "the database is ready"
    );
    sweep_stores(provisioner, sweep).await
}

async fn sweep_stores(config: ProvisionerConfig, options: &SweepOptions) -> anyhow::Result<()> {
    let report = Provisioner::connect(config).await?.migrate_all(options).await?;
    tracing::info!(target_version = report.target, migrated = report.migrated, "the stores are swept");
    if let Some(failure) = report.failures.first() {
        bail!(
            "{} stores failed and {} were not begun, {} are migrated; first {}: {}. Mend the cause and run this again.",
            report.failures.len(),
            report.untouched,
            report.migrated,
            failure.schema,
            failure.error
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
