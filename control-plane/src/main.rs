//! `souk-control-plane serve | work | migrate | openapi`.

use std::io::Write as _;

use clap::{Parser, Subcommand};
use souk_control_plane::config::{Config, MigrateConfig};
use souk_control_plane::{app, serve};
use souk_telemetry::TelemetryConfig;

/// The people who own businesses, and the businesses they own.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Serve the API, and carry out its work in the same process.
    Serve {
        /// Leave the work to other processes.
        #[arg(long)]
        no_worker: bool,
    },
    /// Carry out work only.
    Work,
    /// Prepare the database named by SOUK_DATABASE_URL, as SOUK_ADMIN_DATABASE_URL. Safe to repeat.
    Migrate,
    /// Print the OpenAPI document.
    Openapi,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Serve { no_worker } => {
            serve::run(Config::from_env()?, serve::Parts { api: true, worker: !no_worker }).await
        }
        Task::Work => serve::run(Config::from_env()?, serve::Parts { api: false, worker: true }).await,
        Task::Migrate => {
            let telemetry = souk_telemetry::init("control-plane", &TelemetryConfig::from_env()?)?;
            serve::migrate(MigrateConfig::from_env()?).await?;
            telemetry.flush();
            Ok(())
        }
        Task::Openapi => Ok(std::io::stdout().write_all(app::openapi().as_bytes())?),
    }
}
