//! `souk down`: stops what `souk up` started, and nothing else.

use crate::children::stop_process;
use crate::home::Home;
use crate::outlook;
use crate::outlook::say;
use crate::run_state::{RunState, lock};
use rustix::process::Signal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// As long as all children together may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// Stops everything of this home. Succeeds when nothing runs.
///
/// # Errors
/// When the lock cannot be read.
pub async fn down(home: &Home) -> anyhow::Result<ExitCode> {
    if !home.lock().exists() {
        say!("Souk does not run here.");
        return Ok(ExitCode::SUCCESS);
    }
    let began = Instant::now();
    if let Some(_lock) = lock(home)? {
        let stopped = stop_left_over(home).await;
        say!("{}", if stopped == 0 { "Souk does not run here." } else { "Souk is stopped." });
        return Ok(ExitCode::SUCCESS);
    }
    let Some(state) = RunState::read(home) else {
        say!("Souk is just starting; try again.");
        return Ok(ExitCode::FAILURE);
    };
    state.supervisor.signal(Signal::TERM);
    while lock(home)?.is_none() {
        if began.elapsed() > PATIENCE {
            anyhow::bail!("process {} does not stop; see: souk logs supervisor", state.supervisor.pid);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop_left_over(home).await;
    outlook::done("Souk is stopped", began);
    Ok(ExitCode::SUCCESS)
}

/// Stops children whose keeper died without stopping them, in reverse order; call it holding the lock. Returns how
/// many there were.
pub async fn stop_left_over(home: &Home) -> usize {
    let Some(state) = RunState::read(home) else { return 0 };
    let mut stopped = 0;
    for child in state.children.iter().rev() {
        let Some(process) = child.process.filter(|process| process.lives()) else { continue };
        outlook::note(&format!(
            "stopping {} (process {}), left over from a run that was killed",
            child.name, process.pid
        ));
        let signal = if child.name == "postgres" { Signal::INT } else { Signal::TERM };
        stop_process(process, signal, Duration::from_secs(20)).await;
        stopped += 1;
    }
    // Absent is what it should be.
    let _ = std::fs::remove_file(home.run_state());
    stopped
}
