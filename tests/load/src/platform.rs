//! The real programs, started as `souk up` starts them, in a folder of the benchmark's own.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio_postgres::NoTls;

use crate::http::{Client, Request};
use crate::process;

/// More than any work asks for: the benchmark measures work, not the limiter.
const UNLIMITED: &str = "100000000";

/// Everything that runs; stopped when dropped, however the measuring ended.
pub struct Platform {
    souk: PathBuf,
    home: PathBuf,
    /// Leave it running.
    pub keep: bool,
    pub control: SocketAddr,
    pub runtime: SocketAddr,
    pub runtime_pid: i32,
    pub postgres_pid: i32,
    /// As the database's administrator.
    pub admin_url: String,
    environment: HashMap<String, String>,
}

/// One more runtime over the same database, without workers and without the read cache.
pub struct Extra {
    pub address: SocketAddr,
    pub pid: i32,
    /// From the start of the program until its first answer.
    pub started_in: Duration,
    _child: Child,
}

fn free_ports() -> anyhow::Result<Vec<u16>> {
    // Each program also listens 1000 higher; what the system gives out begins above 32768, so 20000 and up is quiet.
    let mut found = Vec::new();
    for port in (20_000..30_000).step_by(7) {
        let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if free(port) && free(port + 1000) {
            found.push(port);
        }
        if found.len() == 5 {
            return Ok(found);
        }
    }
    bail!("no free ports between 20000 and 31000")
}

impl Platform {
    /// Starts everything in `home`, which is emptied first; with a Kafka broker where `kafka` says so.
    pub async fn start(programs: &Path, home: &Path, kafka: bool) -> anyhow::Result<Self> {
        let souk = programs.join("souk");
        let ran = |arguments: &[&str]| {
            let mut command = Command::new(&souk);
            command.args(arguments).arg("--home").arg(home).stdin(Stdio::null());
            command
        };
        let _ = ran(&["down"]).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
        let _ = std::fs::remove_dir_all(home);
        let ports = free_ports()?;
        let (control, runtime) = (ports[0], ports[1]);
        let started = ran(&["up", "--detach", "--no-demo"])
            .args(["--control-port", &control.to_string(), "--runtime-port", &runtime.to_string()])
            .args(if kafka { &["--kafka"][..] } else { &[] })
            .args(["--kafka-port", &ports[4].to_string()])
            .args(["--provider-port", &ports[2].to_string(), "--postgres-port", &ports[3].to_string()])
            .env("SOUK_SHOW_STATEMENTS", "1")
            .env("SOUK_REQUESTS_PER_MINUTE", UNLIMITED)
            .env("SOUK_ATTEMPTS_PER_NETWORK", "1000000")
            .env("SOUK_SPARE_STORES", "12")
            .stdout(Stdio::null())
            .status()
            .await
            .with_context(|| format!("{} cannot be run", souk.display()))?;
        if !started.success() {
            let _ = ran(&["down"]).stdout(Stdio::null()).status().await;
            bail!("the platform does not start; see {}", home.join("logs").display());
        }
        let state = ran(&["status", "--json"]).output().await?;
        let state: Value = serde_json::from_slice(&state.stdout).context("souk status --json")?;
        let pid = |name: &str| -> anyhow::Result<i32> {
            let children = state["children"].as_array().into_iter().flatten();
            let found = children.into_iter().find(|child| child["name"] == name);
            let pid = found.and_then(|child| child["process"]["pid"].as_i64()).context(name.to_owned())?;
            Ok(i32::try_from(pid)?)
        };
        let (runtime_pid, postgres_pid) = (pid("tenant-runtime")?, pid("postgres")?);
        let environment = process::environment(runtime_pid);
        let plain = environment.get("SOUK_DATABASE_URL").context("SOUK_DATABASE_URL")?;
        let secrets = std::fs::read_to_string(home.join("secrets.json")).context("secrets.json")?;
        let secrets: Value = serde_json::from_str(&secrets)?;
        let password = secrets["postgres_password"].as_str().context("postgres_password")?;
        let admin_url = plain.replacen("postgres://", &format!("postgres://postgres:{password}@"), 1);
        Ok(Self {
            home: home.to_owned(),
            keep: false,
            control: SocketAddr::from(([127, 0, 0, 1], control)),
            runtime: SocketAddr::from(([127, 0, 0, 1], runtime)),
            runtime_pid,
            postgres_pid,
            admin_url,
            environment,
            souk,
        })
    }

    /// The database without a login.
    pub fn database_url(&self) -> &str {
        self.environment.get("SOUK_DATABASE_URL").map_or("", String::as_str)
    }

    /// A secret the programs were given.
    pub fn secret(&self, name: &str) -> anyhow::Result<String> {
        let secrets: Value = serde_json::from_str(&std::fs::read_to_string(self.home.join("secrets.json"))?)?;
        Ok(secrets[name].as_str().with_context(|| name.to_owned())?.to_owned())
    }

    /// Runs SQL as the administrator: for filling in bulk and for looking.
    pub async fn admin(&self) -> anyhow::Result<tokio_postgres::Client> {
        let (client, connection) = tokio_postgres::connect(&self.admin_url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// One more runtime, with these settings over those of the first.
    pub async fn extra(&self, arguments: &[&str], changes: &[(&str, &str)]) -> anyhow::Result<Extra> {
        let (listener, internal) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
        let (address, internal_address) = (listener.local_addr()?, internal.local_addr()?);
        drop((listener, internal));
        let program = self.souk.with_file_name("souk-tenant-runtime");
        let log = std::fs::File::create(self.home.join("logs").join("extra-runtime.log"))?;
        let began = Instant::now();
        let child = Command::new(program)
            .arg("serve")
            .args(arguments)
            .env_clear()
            .envs(&self.environment)
            .env("SOUK_RUNTIME_LISTEN", address.to_string())
            .env("SOUK_RUNTIME_INTERNAL_LISTEN", internal_address.to_string())
            .envs(changes.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).context("a process id")?;
        let ready = Request::get("localhost", "/readyz");
        while Client::new(internal_address).send(&ready).await.map_or(true, |answer| answer.status != 200) {
            if began.elapsed() > Duration::from_secs(20) {
                bail!("a second runtime is not ready after 20 s");
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(Extra { address, pid, started_in: began.elapsed(), _child: child })
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if self.keep {
            return println!("still running: {} status --home {}", self.souk.display(), self.home.display());
        }
        let mut down = std::process::Command::new(&self.souk);
        match down.arg("down").arg("--home").arg(&self.home).stdout(Stdio::null()).status() {
            Ok(status) if status.success() => drop(std::fs::remove_dir_all(&self.home)),
            _ => eprintln!(
                "something may still run: {} down --home {}",
                self.souk.display(),
                self.home.display()
            ),
        }
    }
}

/// A store that was opened through the public API.
#[derive(Clone, Debug)]
pub struct Shop {
    pub host: String,
    pub secret_key: String,
    pub schema: String,
}

/// Signs up, opens a store, waits until it is ready and takes its keys.
pub async fn open_shop(control: SocketAddr, handle: &str, step: Duration) -> anyhow::Result<Shop> {
    let mut client = Client::new(control);
    let host = "localhost";
    let email = format!("{handle}@example.com");
    let person = json!({ "email": email, "password": "correct horse battery staple 9", "name": "Bench" });
    client.fine(&Request::post(host, "/v1/accounts", &[], &person)).await.context("sign up")?;
    let credentials = json!({ "email": email, "password": "correct horse battery staple 9" });
    let session =
        client.fine(&Request::post(host, "/v1/sessions", &[], &credentials)).await.context("sign in")?;
    let bearer = format!("Bearer {}", session.json()["access_token"].as_str().context("access_token")?);
    let key = uuid::Uuid::now_v7().to_string();
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", key.as_str())];
    let wish = json!({ "name": handle, "country": "DE", "handle": handle });
    let operation =
        client.fine(&Request::post(host, "/v1/stores", &headers, &wish)).await.context("open")?.json();
    let id = operation["id"].as_str().context("id")?.to_owned();
    let look = Request::new("GET", host, &format!("/v1/operations/{id}"), &headers[..1], b"");
    let began = Instant::now();
    let done = loop {
        let view = client.fine(&look).await?.json();
        match view["state"].as_str() {
            Some("succeeded") => break view,
            Some("failed") => bail!("the store was not opened: {view}"),
            _ if began.elapsed() > Duration::from_secs(60) => bail!("the store is not ready in time: {view}"),
            _ => tokio::time::sleep(step).await,
        }
    };
    let keys = Request::post(host, &format!("/v1/operations/{id}/keys"), &headers[..1], &json!({}));
    let keys = client.fine(&keys).await.context("keys")?.json();
    let url = done["store_url"].as_str().context("store_url")?;
    let host = url.trim_start_matches("http://").to_owned();
    let store = done["store"].as_str().context("store")?;
    Ok(Shop {
        host,
        secret_key: keys["secret_key"].as_str().context("secret_key")?.to_owned(),
        schema: format!("s_{}", store.trim_start_matches("sto_")),
    })
}
