//! From what a person typed to what is done.

use crate::options::{Command, Options};
use crate::outlook::say;
use clap::Parser;
use std::process::ExitCode;

/// Reads the command line and does it.
///
/// # Errors
/// What went wrong, for a person to read.
pub fn run() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    if let Command::Up(up) = &options.command
        && up.detached
    {
        // A session of its own: closing the terminal does not stop what was left running. Fails only where this
        // process leads a session already, which is as good.
        let _ = rustix::process::setsid();
    }
    // Everything that talks HTTPS in this process uses the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(obey(options))
}

async fn obey(options: Options) -> anyhow::Result<ExitCode> {
    let home = crate::home::Home::at(&options.home)?;
    match options.command {
        Command::Up(up) => crate::up::up(&home, up).await,
        Command::Down => crate::down::down(&home).await,
        Command::Doctor(network) => crate::doctor::doctor(&home, &network).await,
        Command::Status { json } => crate::status::status(&home, json),
        Command::Logs { name, follow, lines } => {
            crate::logs::logs(&home, name.as_deref(), follow, lines).await
        }
        Command::Env => crate::env::env(&home),
        Command::Pick { fields } => crate::pick::pick(&fields),
        Command::Db(command) => crate::database::db(command).await,
        Command::Kafka(command) => crate::broker::kafka(command).await,
        Command::Events(command) => crate::events::events(&home, command).await,
        Command::Listen(wish) => crate::listen::listen(&home, wish).await,
        Command::Audit(command) => crate::audit::audit(command).await,
        Command::Authz(command) => crate::authz::authz(command).await,
        Command::Rehearse(wish) => crate::rehearse::rehearse(&wish).await,
        Command::Version => {
            say!("souk {}", env!("CARGO_PKG_VERSION"));
            Ok(ExitCode::SUCCESS)
        }
    }
}
