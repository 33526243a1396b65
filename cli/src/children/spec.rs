//! What a child is: program, environment, log, how it is asked to stop, how it says that it is ready.

use crate::home::{Home, Owner};
use rustix::process::Signal;
use std::ffi::OsString;
use std::fs::{File, rename};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// A child to be.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Unique; also the name of its log.
    pub name: &'static str,
    /// What to run.
    pub program: PathBuf,
    /// With what.
    pub arguments: Vec<OsString>,
    /// Added to our own environment.
    pub environment: Vec<(String, OsString)>,
    /// Another user, if it refuses ours.
    pub owner: Option<Owner>,
    /// Working folder, if not ours.
    pub folder: Option<PathBuf>,
    /// Asks it to stop.
    pub stop: Signal,
    /// How long it may take to stop before it is killed.
    pub grace: Duration,
    /// Longest pause before it is started again; the pauses double up to it.
    pub longest_pause: Duration,
    /// When it is ready.
    pub ready: Ready,
}

/// What a program gets that nobody decided anything else for.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How to tell that a child is ready.
#[derive(Clone, Debug)]
pub enum Ready {
    /// `GET` answers 200.
    Http(String),
    /// A login works.
    Database(String),
    /// A broker on this port answers.
    Broker(u16),
}

/// A log that grew past this many bytes is set aside (one generation) when the child starts.
const LARGEST_LOG: u64 = 10 * 1024 * 1024;

impl Spec {
    /// A plane or provider of ours: SIGTERM, ready when its `/readyz` says so.
    #[must_use]
    pub fn ours(name: &'static str, program: PathBuf, internal_port: u16) -> Self {
        Self {
            name,
            program,
            arguments: Vec::new(),
            // An error is a sentence for whoever reads the log; a panic keeps its backtrace.
            environment: vec![("RUST_LIB_BACKTRACE".into(), "0".into())],
            owner: None,
            folder: None,
            stop: Signal::TERM,
            grace: Duration::from_secs(15),
            longest_pause: LONGEST_PAUSE,
            ready: Ready::Http(format!("http://127.0.0.1:{internal_port}/readyz")),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The command, writing to its log, in a process group of its own: Ctrl-C reaches us alone, and we stop the
    /// children in their order.
    ///
    /// # Errors
    /// When the log cannot be opened.
    pub fn command(&self, home: &Home) -> std::io::Result<Command> {
        let log = open_log(&home.log(self.name))?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        if let Some(owner) = self.owner {
            command.uid(owner.uid).gid(owner.gid);
        }
        Ok(command)
    }
}

/// Opens a log to append, setting a large one aside first.
///
/// # Errors
/// When it cannot be opened.
pub fn open_log(path: &Path) -> std::io::Result<File> {
    if std::fs::metadata(path).is_ok_and(|found| found.len() > LARGEST_LOG) {
        rename(path, path.with_extension("log.1"))?;
    }
    File::options().create(true).append(true).open(path)
}
