//! Runs the payment provider until it is asked to stop.

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer};
use anyhow::Context;
use clap::Parser;
use souk_payment_provider::{book::Book, couriers::Couriers, desk::Desk, routes, webhook::WebhookSecret};
use souk_telemetry::{
    InternalServer, Nameless, Readiness, Shutdown, TelemetryConfig, drain, measure, request_spans,
};
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

/// A payment provider for development and tests: it keeps a book and misbehaves on request.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Where to listen; keep it on loopback.
    #[arg(long, env = "SOUK_PROVIDER_LISTEN", default_value = "127.0.0.1:8082")]
    listen: String,
    /// Signs webhooks: whsec_ and base64 of 24 to 64 bytes.
    #[arg(long, env = "SOUK_PROVIDER_WEBHOOK_SECRET", hide_env_values = true)]
    webhook_secret: WebhookSecret,
    /// Where shoppers reach the hosted page; http://<listen> by default.
    #[arg(long, env = "SOUK_PROVIDER_PUBLIC_URL")]
    public_url: Option<String>,
    /// A file that keeps the book over restarts; in memory without it.
    #[arg(long, env = "SOUK_PROVIDER_JOURNAL")]
    journal: Option<PathBuf>,
    /// Where to serve health and metrics; nowhere by default.
    #[arg(long, env = "SOUK_PROVIDER_INTERNAL_LISTEN")]
    internal_listen: Option<String>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let telemetry = souk_telemetry::init("payment-provider", &TelemetryConfig::from_env()?)?;
    // Webhooks may go to https addresses; a second provider in the process is fine as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let shutdown = Shutdown::on_signals()?;
    let readiness = Readiness::awaiting([]);
    let internal = options
        .internal_listen
        .as_deref()
        .map(|listen| InternalServer::start(listen, readiness.clone()))
        .transpose()?;
    let book = Book::open(options.journal.as_deref()).context("the journal cannot be opened")?;
    let listener =
        TcpListener::bind(&options.listen).with_context(|| format!("{} is taken", options.listen))?;
    let address = listener.local_addr()?;
    let public_url = options.public_url.unwrap_or_else(|| format!("http://{address}"));
    let public_url = public_url.trim_end_matches('/').to_owned();
    let desk =
        Desk::new(book, Couriers::new(options.webhook_secret)?, souk_kernel::Clock::system(), public_url);
    let server = HttpServer::new(move || {
        App::new()
            .configure(routes::routes(desk.clone(), routes::Pace::default()))
            .wrap(from_fn(measure))
            .wrap(request_spans::<Nameless>())
    })
    .workers(2)
    .disable_signals()
    .shutdown_timeout(2)
    .listen(listener)?
    .run();
    tracing::info!(%address, "the payment provider listens");
    tokio::spawn(drain(shutdown, readiness, server.handle(), Duration::ZERO));
    server.await?;
    if let Some(internal) = internal {
        internal.stop().await;
    }
    telemetry.flush();
    Ok(())
}
