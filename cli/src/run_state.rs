//! What runs: written by the process that keeps the children, read by everybody else.

use crate::home::Home;
use crate::secrets::write_private;
use anyhow::Context;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};

/// The state of one home that is up, or was when its keeper died.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunState {
    /// The process that keeps the children.
    pub supervisor: Process,
    /// Everything is ready.
    pub ready: bool,
    /// The children, in the order they were started.
    pub children: Vec<ChildState>,
    /// Where things are, to be printed again.
    pub summary: Vec<String>,
    /// Where things are, as variables of a shell.
    #[serde(default)]
    pub variables: Vec<(String, String)>,
}

/// A process, told apart from a later one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// When it began, in the kernel's ticks; 0 where that cannot be known.
    pub began: u64,
}

/// How a child is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChildState {
    /// Its name.
    pub name: String,
    /// Its process, while it has one.
    pub process: Option<Process>,
    /// `running`, `restarting` or `stopped`.
    pub state: String,
    /// How often it was started again.
    pub restarts: u32,
    /// Since when it is so.
    pub since: DateTime<Utc>,
    /// How it ended the last time, if it did.
    pub last_exit: Option<String>,
}

impl Process {
    /// The process with that number, now.
    #[must_use]
    pub fn of(pid: i32) -> Self {
        Self { pid, began: began(pid).unwrap_or(0) }
    }

    /// Whether it still lives and is the same one.
    #[must_use]
    pub fn lives(self) -> bool {
        match rustix::process::Pid::from_raw(self.pid) {
            Some(pid) => {
                rustix::process::test_kill_process(pid).is_ok() && began(self.pid).unwrap_or(0) == self.began
            }
            None => false,
        }
    }

    /// Sends it a signal, if it is still the same one.
    pub fn signal(self, signal: rustix::process::Signal) {
        if self.lives()
            && let Some(pid) = rustix::process::Pid::from_raw(self.pid)
        {
            // It may have ended since; then there is nothing to tell it.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }
}

/// Field 22 of `/proc/<pid>/stat`; `None` where there is no `/proc`, and for a zombie, which is as good as dead.
fn began(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if fields.next() == Some("Z") { Some(u64::MAX) } else { fields.nth(18)?.parse().ok() }
}

impl RunState {
    /// What was written last, if anything.
    #[must_use]
    pub fn read(home: &Home) -> Option<Self> {
        serde_json::from_str(&std::fs::read_to_string(home.run_state()).ok()?).ok()
    }

    /// Writes it for others.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, home: &Home) -> anyhow::Result<()> {
        Ok(write_private(&home.run_state(), &serde_json::to_string_pretty(self)?)?)
    }
}

/// The right to be the one who keeps this home's children, held until the file is closed (also by a crash).
/// `None` when somebody else has it.
///
/// # Errors
/// When the file cannot be opened.
pub fn lock(home: &Home) -> anyhow::Result<Option<File>> {
    let path = home.lock();
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}
