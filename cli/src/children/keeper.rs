//! A keeper starts a child, starts it again when it dies, and stops it when asked.

use super::board::Board;
use super::spec::Spec;
use crate::home::Home;
use crate::run_state::Process;
use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::process::ExitStatus;
use std::time::{Duration, Instant};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A child that lived this long is healthy again: its next death is a first one.
const HEALTHY: Duration = Duration::from_secs(60);

/// Keeps one child. Dropping it leaves the child alone; call [`stop`](Self::stop).
pub struct Keeper {
    name: &'static str,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Keeper {
    /// Starts the child and keeps it.
    ///
    /// # Errors
    /// When it cannot be started the first time.
    pub fn start(spec: Spec, home: &Home, board: &Board) -> anyhow::Result<Self> {
        let child = spawn(&spec, home, board)?;
        let (stop, wish) = watch::channel(false);
        let name = spec.name;
        let task = tokio::spawn(keep(spec, home.clone(), board.clone(), child, wish));
        Ok(Self { name, stop, task })
    }

    /// The child's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Asks the child to stop and waits for it; kills it when its grace is over.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // The task ends by itself; only its panic could be reported here, and that was printed already.
        let _ = self.task.await;
    }
}

fn spawn(spec: &Spec, home: &Home, board: &Board) -> anyhow::Result<Child> {
    let child = spec
        .command(home)?
        .spawn()
        .with_context(|| format!("{} ({}) cannot be started", spec.name, spec.program.display()))?;
    let process = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Process::of);
    board.note(spec.name, "running", process, None);
    Ok(child)
}

async fn keep(spec: Spec, home: Home, board: Board, first: Child, mut wish: watch::Receiver<bool>) {
    let mut child = Some(first);
    let first_pause = FIRST_PAUSE.min(spec.longest_pause);
    let mut pause = first_pause;
    loop {
        if let Some(mut living) = child.take() {
            let began = Instant::now();
            let ended = tokio::select! {
                status = living.wait() => Some(status),
                _ = wish.wait_for(|stop| *stop) => None,
            };
            let Some(status) = ended else {
                end(&spec, &mut living).await;
                break;
            };
            let how = described(&status);
            eprintln!("souk: {} ended ({how}); starting it again in {pause:?}", spec.name);
            board.note(spec.name, "restarting", None, Some(how));
            if began.elapsed() >= HEALTHY {
                pause = first_pause;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = wish.wait_for(|stop| *stop) => break,
        }
        pause = (pause * 2).min(spec.longest_pause);
        match spawn(&spec, &home, &board) {
            Ok(started) => child = Some(started),
            Err(error) => board.note(spec.name, "restarting", None, Some(format!("{error:#}"))),
        }
    }
    board.note(spec.name, "stopped", None, None);
}

async fn end(spec: &Spec, child: &mut Child) {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) {
        // It is our unreaped child, so the number cannot be somebody else's.
        let _ = kill_process(pid, spec.stop);
    }
    if tokio::time::timeout(spec.grace, child.wait()).await.is_err() {
        eprintln!("souk: {} did not stop within {:?} and is killed", spec.name, spec.grace);
        let _ = child.kill().await;
    }
}

fn described(status: &std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Runs a child to its end.
///
/// # Errors
/// When it cannot be started or fails; the message ends with the last lines of its log.
pub async fn run_once(spec: &Spec, home: &Home) -> anyhow::Result<()> {
    let mut child = spec
        .command(home)?
        .spawn()
        .with_context(|| format!("{} ({}) cannot be started", spec.name, spec.program.display()))?;
    let status = tokio::select! {
        status = child.wait() => status?,
        () = crate::up::asked_to_stop() => {
            end(spec, &mut child).await;
            bail!("stopped while {} was at work", spec.name);
        }
    };
    if !status.success() {
        bail!("{} failed ({status}):\n{}", spec.name, crate::logs::tail(&home.log(spec.name), 20));
    }
    Ok(())
}

/// Stops a process that is not our child (any more): asks, waits, kills.
pub async fn stop_process(process: Process, signal: Signal, grace: Duration) {
    process.signal(signal);
    let deadline = Instant::now() + grace;
    while process.lives() {
        if Instant::now() > deadline {
            process.signal(Signal::KILL);
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
