//! `souk-tenant-runtime serve | openapi | events | mails`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use souk_tenant_runtime::config::Config;
use souk_tenant_runtime::{app, feed, messages, serve};

/// What was freed goes back to the system: after a run of the bench the process holds a third of what it held with the system's allocator.
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
    /// Write every mail with made-up facts, in every language, as a page into a folder: to look at them (`make pictures`).
    Mails { folder: PathBuf },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Serve { no_worker } => serve::run(Config::from_env()?, !no_worker).await,
        Task::Events => Ok(std::io::stdout().write_all(feed::document().as_bytes())?),
        Task::Openapi => Ok(std::io::stdout().write_all(app::openapi().as_bytes())?),
        Task::Mails { folder } => write_mails(&folder),
    }
}

fn write_mails(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, mail) in messages::samples() {
        std::fs::write(folder.join(format!("store.{name}.html")), mail?.html)?;
    }
    Ok(())
}
