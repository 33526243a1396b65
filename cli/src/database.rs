//! `souk db`: a database server in the background, apart from `souk up`.

use crate::children::{open_log, stop_process};
use crate::config;
use crate::home::{Owner, remove};
use crate::options::Db;
use crate::outlook::{note, say, trouble};
use crate::postgres::{self, Server, Settings, installed};
use crate::run_state::Process;
use crate::secrets::write_private;
use crate::{ports, random};
use anyhow::{Context, bail};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};
use tokio::process::Command;

/// What is kept about a server, in its folder.
#[derive(Serialize, Deserialize)]
struct Record {
    process: Option<Process>,
    port: u16,
    password: String,
}

/// Starts, stops, removes, or tells the URL. `start` prints nothing but the URL to standard output's last line.
///
/// # Errors
/// When the server cannot be fetched, made, started or removed.
pub async fn db(command: Db) -> anyhow::Result<ExitCode> {
    match command {
        Db::Start { version, dir, port, careless } => {
            start(&version, &std::path::absolute(dir)?, port, careless).await
        }
        Db::Stop { dir, immediate } => {
            let signal = if immediate { Signal::QUIT } else { Signal::INT };
            if let Some(process) = read(&std::path::absolute(dir)?).and_then(|record| record.process) {
                stop_process(process, signal, Duration::from_secs(20)).await;
            }
            Ok(ExitCode::SUCCESS)
        }
        Db::Remove { dir } => {
            let folder = std::path::absolute(dir)?;
            if let Some(process) = read(&folder).and_then(|record| record.process) {
                // Nobody will look at its data again.
                stop_process(process, Signal::QUIT, Duration::from_secs(20)).await;
            }
            // Each major's data has a folder of its own, and may live elsewhere.
            for major in postgres::MAJORS {
                remove(&folder.join(format!("postgres-{major}")))?;
            }
            remove(&folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
            Ok(ExitCode::SUCCESS)
        }
        Db::Url { dir } => match read(&std::path::absolute(dir)?) {
            Some(record) if record.process.is_some_and(Process::lives) => {
                say!("{}", url(&record));
                Ok(ExitCode::SUCCESS)
            }
            _ => bail!("no server runs there; start one with: souk db start --dir …"),
        },
    }
}

fn record_path(folder: &Path) -> PathBuf {
    folder.join("server.json")
}

fn read(folder: &Path) -> Option<Record> {
    serde_json::from_str(&std::fs::read_to_string(record_path(folder)).ok()?).ok()
}

fn url(record: &Record) -> String {
    format!("postgres://postgres:{}@127.0.0.1:{}/postgres", record.password, record.port)
}

async fn start(version: &str, folder: &Path, port: u16, careless: bool) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(folder)?;
    let known = read(folder);
    if let Some(record) = &known
        && record.process.is_some_and(Process::lives)
        && postgres::is_ready(&url(record)).await
    {
        say!("{}", url(record));
        return Ok(ExitCode::SUCCESS);
    }
    // Whoever knows its URL finds it there again.
    let port = match &known {
        _ if port != 0 => port,
        Some(record) if ports::is_free(record.port) => record.port,
        _ => ports::any_free()?,
    };
    let password = match known {
        Some(record) => record.password,
        None => random::password()?,
    };
    let mut record = Record { process: None, port, password: password.clone() };
    // The password is on disk before the data folder that needs it.
    write_private(&record_path(folder), &serde_json::to_string(&record)?)?;
    let programs = installed(version, &config::cache_folder(), Owner::needed()).await?;
    let major = programs.version.major;
    let server = Server::prepared(
        &programs,
        &folder.join(format!("postgres-{major}")),
        Settings { port, password, careless },
    )?;
    let spec = server.spec();
    let log = open_log(&folder.join("postgres.log"))?;
    let mut command = Command::new(&spec.program);
    command.args(&spec.arguments).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
    if let Some(owner) = spec.owner {
        command.uid(owner.uid).gid(owner.gid);
    }
    if let Some(data) = &spec.folder {
        command.current_dir(data);
    }
    let mut child = command.spawn().context("the server cannot be started")?;
    record.process = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Process::of);
    write_private(&record_path(folder), &serde_json::to_string(&record)?)?;
    let began = Instant::now();
    while !postgres::is_ready(&url(&record)).await {
        if child.try_wait()?.is_some() || began.elapsed() > Duration::from_secs(30) {
            let log = crate::logs::tail(&folder.join("postgres.log"), 10);
            bail!("the server does not start; the end of its log:\n{log}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    if careless {
        match postgres::drop_left_over(&url(&record)).await {
            Ok(0) => {}
            Ok(gone) => note(&format!("{gone} databases that tests had left were dropped")),
            Err(error) => trouble(&format!("what tests left is still there: {error:#}")),
        }
    }
    say!("{}", url(&record));
    Ok(ExitCode::SUCCESS)
}
