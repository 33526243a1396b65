//! `souk kafka`: a broker in the background, apart from `souk up`.

use crate::children::{open_log, stop_process};
use crate::kafka::{self, Server, installed};
use crate::options::Kafka;
use crate::outlook::say;
use crate::run_state::Process;
use crate::secrets::write_private;
use crate::{config, ports};
use anyhow::{Context, bail};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};
use tokio::process::Command;

/// What is kept about a broker, in its folder.
#[derive(Serialize, Deserialize)]
struct Record {
    process: Option<Process>,
    port: u16,
}

/// Starts, stops, or tells the address. `start` prints the address in standard output's last line.
///
/// # Errors
/// When the broker cannot be fetched, made or started.
pub async fn kafka(command: Kafka) -> anyhow::Result<ExitCode> {
    match command {
        Kafka::Start { dir, port } => start(&std::path::absolute(dir)?, port).await,
        Kafka::Stop { dir } => {
            if let Some(process) = read(&std::path::absolute(dir)?).and_then(|record| record.process) {
                stop_process(process, Signal::TERM, Duration::from_secs(20)).await;
            }
            Ok(ExitCode::SUCCESS)
        }
        Kafka::Address { dir } => match read(&std::path::absolute(dir)?) {
            Some(record) if record.process.is_some_and(Process::lives) => {
                say!("127.0.0.1:{}", record.port);
                Ok(ExitCode::SUCCESS)
            }
            _ => bail!("no broker runs there; start one with: souk kafka start --dir …"),
        },
    }
}

fn record_path(folder: &Path) -> PathBuf {
    folder.join("broker.json")
}

fn read(folder: &Path) -> Option<Record> {
    serde_json::from_str(&std::fs::read_to_string(record_path(folder)).ok()?).ok()
}

async fn start(folder: &Path, port: u16) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(folder)?;
    let known = read(folder);
    if let Some(record) = &known
        && record.process.is_some_and(Process::lives)
        && kafka::is_ready(record.port).await
    {
        say!("127.0.0.1:{}", record.port);
        return Ok(ExitCode::SUCCESS);
    }
    let programs = installed(&config::cache_folder())?;
    let port = match (port, known) {
        (0, Some(record)) if ports::expect_free(record.port, "broker", "--port").is_ok() => record.port,
        (0, _) => ports::any_free()?,
        (port, _) => port,
    };
    let server = Server::prepared(programs, folder, port)?;
    let spec = server.spec();
    let log = open_log(&folder.join("kafka.log"))?;
    let mut child = Command::new(&spec.program)
        .args(&spec.arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .current_dir(folder)
        .process_group(0)
        .spawn()
        .context("the broker cannot be started")?;
    let process = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Process::of);
    write_private(&record_path(folder), &serde_json::to_string(&Record { process, port })?)?;
    let began = Instant::now();
    while !kafka::is_ready(port).await {
        if child.try_wait()?.is_some() || began.elapsed() > Duration::from_secs(90) {
            let log = crate::logs::tail(&folder.join("kafka.log"), 10);
            bail!("the broker does not start; the end of its log:\n{log}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    say!("{}", server.address());
    Ok(ExitCode::SUCCESS)
}
