//! `souk-control-plane serve | work | migrate | openapi | mails`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use souk_control_plane::config::{Config, MigrateConfig};
use souk_control_plane::{app, messages, serve};
use souk_provisioner::SweepOptions;
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
    /// Prepare the database named by SOUK_DATABASE_URL, as SOUK_ADMIN_DATABASE_URL, and bring every store in it to this program's
    /// tables while it sells. Safe to repeat; a run that was interrupted or failed goes on where it ended.
    Migrate {
        /// Stores migrated at the same time.
        #[arg(long, default_value_t = 4)]
        workers: usize,
        /// Begin no further store after so many failed.
        #[arg(long, default_value_t = 1)]
        max_failures: usize,
    },
    /// Print the OpenAPI document.
    Openapi,
    /// Write every mail with made-up facts, in every language, as a page into a folder: to look at them (`make pictures`).
    Mails { folder: PathBuf },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Serve { no_worker } => {
            serve::run(Config::from_env()?, serve::Parts { api: true, worker: !no_worker }).await
        }
        Task::Work => serve::run(Config::from_env()?, serve::Parts { api: false, worker: true }).await,
        Task::Migrate { workers, max_failures } => {
            let telemetry = souk_telemetry::init("control-plane", &TelemetryConfig::from_env()?)?;
            let sweep = SweepOptions { workers, max_failures, ..SweepOptions::default() };
            let outcome = serve::migrate(MigrateConfig::from_env()?, &sweep).await;
            telemetry.flush();
            outcome
        }
        Task::Openapi => Ok(std::io::stdout().write_all(app::openapi().as_bytes())?),
        Task::Mails { folder } => write_mails(&folder),
    }
}

fn write_mails(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, mail) in messages::samples()? {
        std::fs::write(folder.join(format!("control.{name}.html")), mail.html)?;
    }
    Ok(())
}
