//! A platform of real processes in a folder and on ports of its own, driven as a person would: by the `souk` command.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

/// One home of `souk up`. Dropping it stops what it started and removes its folder; after a panic the folder stays, to be read.
pub struct Platform {
    home: PathBuf,
    ports: Ports,
    variables: Vec<(String, String)>,
    /// Folders of servers that `souk db` started.
    servers: Vec<PathBuf>,
}

/// Each with the one 1000 higher beside it, but for PostgreSQL's and Kafka's.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    pub control: u16,
    pub runtime: u16,
    pub provider: u16,
    pub postgres: u16,
    pub kafka: u16,
}

impl Ports {
    /// Some that are free now, below those that systems hand out by themselves.
    fn free() -> Self {
        let salt = random() as u16;
        let free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        (0..500)
            .map(|step| 20_000 + (salt.wrapping_add(step * 17) % 1_600) * 5)
            .find(|base| (0..5).all(|port| free(base + port) && free(base + port + 1000)))
            .map(|base| Self {
                control: base,
                runtime: base + 1,
                provider: base + 2,
                postgres: base + 3,
                kafka: base + 4,
            })
            .expect("free ports")
    }
}

/// The workspace's folder.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent")
}

/// Where the programs lie: beside the folder of the running test.
///
/// # Panics
/// When they were not built.
pub fn programs() -> PathBuf {
    let test = std::env::current_exe().expect("this program's path");
    let folder = test.ancestors().nth(2).expect("target/<profile>/deps/<test>").to_owned();
    for name in ["souk", "souk-control-plane", "souk-tenant-runtime", "souk-payment-provider"] {
        assert!(folder.join(name).is_file(), "{name} is not built: make build");
    }
    folder
}

impl Platform {
    /// A new home; nothing runs yet.
    pub fn new(name: &str) -> Self {
        let home = std::env::temp_dir().join(format!("souk-{name}-{}", std::process::id()));
        // What an earlier process with our number left.
        let _ = std::fs::remove_dir_all(&home);
        Self { home, ports: Ports::free(), variables: Vec::new(), servers: Vec::new() }
    }

    /// A variable for every command from now on.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    pub fn home(&self) -> &Path {
        &self.home
    }

    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// What decides where this platform lives; nothing of ours leaks in from outside.
    pub fn equip<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        for foreign in
            ["DATABASE_URL", "SMTP_URL", "SMTP_CA_FILE", "KAFKA_BROKERS", "OTEL_EXPORTER_OTLP_ENDPOINT"]
        {
            command.env_remove(foreign);
        }
        command
            .current_dir(workspace())
            .env("SOUK_HOME", &self.home)
            .env("SOUK_CONTROL_PORT", self.ports.control.to_string())
            .env("SOUK_RUNTIME_PORT", self.ports.runtime.to_string())
            .env("SOUK_PROVIDER_PORT", self.ports.provider.to_string())
            .env("SOUK_POSTGRES_PORT", self.ports.postgres.to_string())
            .env("SOUK_KAFKA_PORT", self.ports.kafka.to_string())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
    }

    /// `souk <arguments>`, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs().join("souk"));
        self.equip(command.args(arguments));
        command
    }

    /// Runs `souk <arguments>`; what it printed, once it succeeded.
    ///
    /// # Panics
    /// When it fails, with what it said.
    pub fn souk(&self, arguments: &[&str]) -> String {
        printed(arguments, self.command(arguments).output().expect("souk runs"))
    }

    /// `souk up --detach` with more arguments.
    pub fn up(&self, arguments: &[&str]) -> String {
        self.souk(&[&["up", "--detach"], arguments].concat())
    }

    /// A server of its own in this home, kept apart from `souk up`, for a drill to stop and start; its address.
    pub fn database(&mut self, name: &str) -> String {
        let folder = self.home.join(name);
        let address = self.start_database(&folder);
        self.servers.push(folder);
        address
    }

    /// Starts it, or starts it again.
    pub fn start_database(&self, folder: &Path) -> String {
        let mut arguments = vec!["db", "start", "--dir", folder.to_str().expect("UTF-8")];
        let version = postgres_version();
        if let Some(version) = &version {
            arguments.extend(["--version", version]);
        }
        self.souk(&arguments).lines().last().expect("an address").to_owned()
    }

    /// `souk status --json`.
    pub fn status(&self) -> Value {
        let output = self.command(&["status", "--json"]).output().expect("souk runs");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// A child's process and how often it was started again.
    pub fn child(&self, name: &str) -> Option<(i32, u64)> {
        let status = self.status();
        let child = status["children"].as_array()?.iter().find(|child| child["name"] == name)?;
        Some((i32::try_from(child["process"]["pid"].as_i64()?).ok()?, child["restarts"].as_u64()?))
    }

    /// Kills a child as the kernel would, and gives its number.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&self, name: &str) -> i32 {
        let (pid, _) = self.child(name).unwrap_or_else(|| panic!("{name} does not run"));
        signal(pid, rustix::process::Signal::KILL);
        pid
    }

    /// Waits until a child runs as another process than `killed`.
    ///
    /// # Panics
    /// After 30 seconds.
    pub fn wait_for_return(&self, name: &str, killed: i32) {
        until(Duration::from_secs(30), &format!("{name} comes back"), || {
            self.child(name).is_some_and(|(pid, _)| pid != killed)
        });
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = self.command(&["down"]).output();
        for folder in &self.servers {
            let _ = self.command(&["db", "stop", "--dir", &folder.to_string_lossy()]).output();
        }
        if std::thread::panicking() {
            eprintln!("what the processes wrote is in {}", self.home.join("logs").display());
        } else {
            let _ = std::fs::remove_dir_all(&self.home);
        }
    }
}

/// The version the suites run on, where `make test PG=…` names one.
fn postgres_version() -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the Makefile tells the suites which PostgreSQL they run on"
    )]
    std::env::var("SOUK_POSTGRES_VERSION").ok().filter(|version| !version.is_empty())
}

/// What a command printed.
///
/// # Panics
/// When it failed.
pub fn printed(what: &[&str], output: Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what:?} failed ({})\n{text}\n{errors}", output.status);
    text
}

/// A number nobody chose.
pub fn random() -> u64 {
    let bytes = uuid::Uuid::now_v7().into_bytes();
    bytes[8..].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Sends a signal to a process of ours.
pub fn signal(pid: i32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid).expect("a process number");
    rustix::process::kill_process(pid, signal).expect("it lives");
}

/// Whether a process lives (a zombie does not).
pub fn lives(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| Some(stat.rsplit_once(')')?.1.trim_start().starts_with('Z')))
        .is_some_and(|zombie| !zombie)
}

/// Waits until something is so.
///
/// # Panics
/// When it is not so in time.
pub fn until(patience: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < patience, "waited {patience:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
