//! `souk-tenant-runtime serve | openapi | events`.

use std::io::Write as _;

use clap::{Parser, Subcommand};
use souk_tenant_runtime::config::Config;
use souk_tenant_runtime::{app, feed, serve};

/// Half of what a request costs outside the database is small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The commerce API that every store runs.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Serve the API of every store in the database, with the workers in the same process.
    Serve {
        /// Leave the work to other processes.
        #[arg(long)]
        no_worker: bool,
    },
    /// Print the OpenAPI document.
    Openapi,
    /// Print the catalogue of events (docs/EVENTS.md).
    Events,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Serve { no_worker } => serve::run(Config::from_env()?, !no_worker).await,
        Task::Events => Ok(std::io::stdout().write_all(feed::document().as_bytes())?),
        Task::Openapi => Ok(std::io::stdout().write_all(app::openapi().as_bytes())?),
    }
}
