//! A process of this plane: the API of many stores, and the workers beside it.

use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpServer, web};
use anyhow::Context as _;
use souk_access::{Gate, TokenKind, Verifier};
use souk_api::CursorKey;
use souk_due_work::DeskConfig;
use souk_event_bus::{BusError, RelayConfig};
use souk_kernel::Clock;
use souk_telemetry::{InternalServer, Readiness, Shutdown, TelemetryConfig};
use souk_tenancy::{Directory, Tenancy, TenancyConfig};

use crate::app::{self, Services};
use crate::audit;
use crate::checkout::Till;
use crate::config::Config;
use crate::customers::Reception;
use crate::identities::{Embassy, EmbassyError};
use crate::media::{Darkroom, Fetcher, Shelf};
use crate::messages::{MailRoom, Sender};
use crate::orders::LinkKey;
use crate::payments::{Providers, ProvidersConfig};
use crate::storefront::PublicAddress;
use crate::webhooks::Courier;
use crate::worker::{self, Studio};

/// A call to a payment provider takes no longer than this; what became of it then is found out by the poller.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(8);

/// What checkouts share.
pub fn till(config: &Config) -> anyhow::Result<Till> {
    let providers = Providers::new(&ProvidersConfig {
        test_url: config.test_provider_url.clone(),
        test_webhook_secret: config.test_webhook_secret.clone(),
        stripe_url: config.stripe_url.clone(),
        secret: config.link_secret.as_bytes().to_vec(),
        timeout: PROVIDER_TIMEOUT,
        clock: Clock::system(),
    })?;
    let address = PublicAddress::below(&config.platform_domain);
    Ok(Till { providers, links: LinkKey::new(config.link_secret.as_bytes()), address })
}

/// What asks the identity providers of stores.
///
/// # Errors
/// When the TLS library cannot be set up.
pub fn embassy(config: &Config) -> Result<Embassy, EmbassyError> {
    Embassy::new(
        config.link_secret.as_bytes(),
        PublicAddress::below(&config.platform_domain),
        &config.console_url,
        config.identity_providers_private,
    )
}

/// Where pictures are worked on, and kept if the environment names a place.
///
/// # Errors
/// The place cannot be used.
pub fn darkroom(config: &Config) -> anyhow::Result<Darkroom> {
    let shelf = config.media_url.as_deref().map(Shelf::at).transpose().context("SOUK_MEDIA_URL")?;
    Ok(Darkroom::new(shelf))
}

/// The keys of a file, one after the other: two while the control plane's key is being exchanged. A file without any is one wrong key.
fn public_keys(file: &str) -> impl Iterator<Item = &str> {
    const END: &str = "-----END PUBLIC KEY-----";
    let several = file.contains(END);
    file.split_inclusive(END).filter(move |part| !several || part.contains(END))
}

/// Opens the gate over a database. Does not wait for it: the directory keeps trying, and readiness says so.
pub async fn gate(config: &Config, reception: &Reception) -> anyhow::Result<Gate> {
    let mut tenancy = TenancyConfig::new(config.database.clone(), config.lane_secret.clone());
    tenancy.lanes = config.lanes;
    tenancy.own_login.clone_from(&config.own_login);
    if tenancy.own_login.is_some() {
        // One lane instead of eight.
        tenancy.connections_per_lane = 8;
    }
    let directory = Directory::start(&tenancy).await;
    let (_, mint) = Tenancy::start(tenancy, directory)?;
    let mut verifier = Verifier::new();
    for pem in public_keys(&config.staff_key_pem) {
        verifier = verifier
            .trust(&config.control_plane_url, pem, &[TokenKind::Staff, TokenKind::Platform])
            .context("SOUK_STAFF_KEY_FILE must hold Ed25519 public keys (PEM)")?;
    }
    let gate = Gate::open(mint, reception.trusted_by(verifier)?, app::policy().await?, audit::Log)?;
    gate.trust_proxies(config.trusted_proxies);
    Ok(gate)
}

/// How long a start waits to hear that the topic is right. A broker that is away holds nobody up: events wait for it.
const TOPIC_PATIENCE: Duration = Duration::from_secs(3);

/// A topic in which the order per key would break ends the start, before anything is said to be ready.
async fn refuse_wrong_topic(relay: &RelayConfig) -> anyhow::Result<()> {
    let Some(kafka) = &relay.kafka else { return Ok(()) };
    match tokio::time::timeout(TOPIC_PATIENCE, kafka.check()).await {
        Ok(Err(error @ BusError::Topic { .. })) => Err(error.into()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the topic of events cannot be looked at yet");
            Ok(())
        }
        Err(_) => {
            tracing::warn!("the broker is away; events wait for it");
            Ok(())
        }
        // The relay says what is otherwise without doing harm.
        Ok(Ok(_)) => Ok(()),
    }
}

/// Runs until SIGTERM or SIGINT, then finishes what is under way.
pub async fn run(config: Config, with_worker: bool) -> anyhow::Result<()> {
    let telemetry = souk_telemetry::init("tenant-runtime", &TelemetryConfig::from_env()?)?;
    let shutdown = Shutdown::on_signals()?;
    let readiness = Readiness::awaiting(["directory", "listening"]);
    let internal = InternalServer::start(&config.internal_listen, readiness.clone())
        .with_context(|| format!("listening on {}", config.internal_listen))?;
    let reception =
        Reception::new(config.link_secret.as_bytes(), config.trusted_proxies, config.attempts_per_network)?;
    let (gate, till, darkroom) = (gate(&config, &reception).await?, till(&config)?, darkroom(&config)?);
    let watching = tokio::spawn(watch_directory(gate.clone(), readiness.clone(), shutdown.clone()));

    anyhow::ensure!(
        config.own_login.is_none() || !with_worker,
        "SOUK_STORE_LOGIN serves one store; workers serve all of them: run `serve` without a worker"
    );
    let working = match (&config.relay_password, with_worker) {
        (Some(password), true) => {
            let mut relay = RelayConfig::new(config.database.clone(), password.clone());
            relay.kafka.clone_from(&config.kafka);
            refuse_wrong_topic(&relay).await?;
            let desk = DeskConfig::new(config.database.clone(), password.clone());
            let room = MailRoom {
                vault: Arc::new(reception.vault()),
                domain: config.mail_from.email.domain().to_owned(),
                console_url: config.console_url.clone(),
            };
            let (url, authority) = (config.smtp_url.as_deref(), config.smtp_authority.as_deref());
            let sender = Sender::new(url, authority, &config.mail_from, Arc::clone(&room.vault))?;
            let courier = Courier::new(config.webhooks_private)?;
            let fetcher = Fetcher::new(config.images_private)?;
            let studio = Studio { darkroom: darkroom.clone(), fetcher };
            let work = worker::run(
                gate.clone(),
                relay,
                desk,
                till.clone(),
                (sender, courier, studio),
                room,
                shutdown.clone(),
            );
            Some(tokio::spawn(work))
        }
        (None, true) => anyhow::bail!("SOUK_RELAY_PASSWORD must be set for a worker"),
        (_, false) => None,
    };

    let cursors = CursorKey::new(config.link_secret.as_bytes());
    let mut services = Services::new(gate, till, cursors, (reception, embassy(&config)?), &config);
    services.darkroom = darkroom;
    // What never ends by itself ends with the process.
    let ending = web::Data::new(shutdown.clone());
    let server = HttpServer::new(move || app::app(services.clone()).app_data(ending.clone()))
        .workers(config.http_workers)
        .disable_signals()
        .shutdown_timeout(20)
        .bind(config.listen)
        .with_context(|| format!("listening on {}", config.listen))?
        .run();
    // Bound, so whoever comes now waits at most; before, they were turned away although the directory was there.
    readiness.up("listening");
    tracing::info!(listen = %config.listen, "stores are open");
    let leaving =
        souk_telemetry::drain(shutdown.clone(), readiness, server.handle(), Duration::from_millis(200));
    let (served, ()) = tokio::join!(server, leaving);
    served?;
    if let Some(working) = working {
        working.await?;
    }
    watching.await?;
    internal.stop().await;
    telemetry.flush();
    Ok(())
}

/// Ready once the ledger was read. A database that goes away later does not make the process unready: stores answer 503 by
/// themselves, and every other process would be as unready.
async fn watch_directory(gate: Gate, readiness: Readiness, shutdown: Shutdown) {
    while !gate.directory().health().ready {
        if !shutdown.pause(Duration::from_millis(50)).await {
            return;
        }
    }
    readiness.up("directory");
}

#[cfg(test)]
mod tests {
    use super::public_keys;

    #[test]
    fn a_file_may_hold_two_keys() {
        let key = |name: &str| format!("-----BEGIN PUBLIC KEY-----\n{name}\n-----END PUBLIC KEY-----");
        let file = format!("{}\n{}\n", key("old"), key("new"));
        let found: Vec<_> = public_keys(&file).map(str::trim).collect();
        assert_eq!(found, [key("old"), key("new")]);
        assert_eq!(public_keys("nonsense").collect::<Vec<_>>(), ["nonsense"]);
    }
}
