//! `souk up --detach`: the same command again in the background, watched until it is ready.

use crate::children::open_log;
use crate::home::Home;
use crate::logs::Reader;
use crate::outlook::say;
use crate::run_state::{Process, RunState};
use anyhow::{Context, bail};
use rustix::process::Signal;
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use tokio::process::Command;

/// Starts the background process, shows what it says, and returns when it is ready.
///
/// # Errors
/// When it ends instead.
pub async fn leave_running(home: &Home) -> anyhow::Result<ExitCode> {
    let path = home.log("supervisor");
    let log = open_log(&path)?;
    let mut reader = Reader::from(path, log.metadata()?.len());
    let mut child = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .arg("--detached")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .context("the background process cannot be started")?;
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or(0);
    loop {
        let ended = tokio::select! {
            status = child.wait() => Some(status?),
            () = tokio::time::sleep(Duration::from_millis(50)) => None,
            _ = tokio::signal::ctrl_c() => {
                Process::of(pid).signal(Signal::TERM);
                Some(child.wait().await?)
            }
        };
        reader.print_new();
        if ended.is_some() {
            bail!("it did not become ready; see above, and: souk logs");
        }
        if RunState::read(home).is_some_and(|state| state.ready && state.supervisor.pid == pid) {
            reader.print_new();
            say!("It goes on in the background; stop it with: souk down");
            return Ok(ExitCode::SUCCESS);
        }
    }
}
