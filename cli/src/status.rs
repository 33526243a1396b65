//! `souk status`: what runs.

use crate::home::Home;
use crate::outlook::say;
use crate::run_state::RunState;
use std::process::ExitCode;

/// Exit code when nothing runs, as init scripts have it.
const NOT_RUNNING: u8 = 3;

/// Prints the state.
///
/// # Errors
/// None in practice; serialising the state cannot fail.
pub fn status(home: &Home, json: bool) -> anyhow::Result<ExitCode> {
    let state = RunState::read(home).filter(|state| state.supervisor.lives());
    if json {
        say!("{}", serde_json::to_string_pretty(&state)?);
    }
    let Some(state) = state else {
        if !json {
            say!("Souk does not run here ({}). Start it with: souk up", home.root().display());
        }
        return Ok(ExitCode::from(NOT_RUNNING));
    };
    if !json {
        say!(
            "Souk {} (process {}).",
            if state.ready { "is ready" } else { "is starting" },
            state.supervisor.pid
        );
        for child in &state.children {
            let pid = child.process.map_or_else(|| "-".to_owned(), |process| process.pid.to_string());
            let since = child.since.format("%Y-%m-%d %H:%M:%S UTC");
            let exit =
                child.last_exit.as_deref().map(|exit| format!(", last end: {exit}")).unwrap_or_default();
            say!(
                "  {:<17} {:<10} pid {pid:<8} since {since}, {} restarts{exit}",
                child.name,
                child.state,
                child.restarts
            );
        }
        for line in &state.summary {
            say!("{line}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
