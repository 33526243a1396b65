//! Many stores and one operator, a process of its own, on nodes that only say that they run pods: how long until all are Ready, what it
//! asks of the API server for that, how much memory it has, that it writes nothing once all is settled, and how soon another is as far.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use souk_store_resource::{ConditionType, Store};
use souk_tests::platform::programs;

use crate::bench::{Bench, FOLDER, eventually};
use crate::front::{free_port, plain_http};
use crate::node::public_key;
use crate::release::Releases;

/// Nothing was asked of the API server for so long: it is settled.
const QUIET: Duration = Duration::from_secs(5);

/// `souk-operator run`, as the chart runs it, in the bench's namespace.
pub struct OperatorProcess {
    settings: BTreeMap<&'static str, String>,
    folder: PathBuf,
    process: Option<Child>,
    health: u16,
}

impl OperatorProcess {
    pub async fn start(bench: &Bench) -> Self {
        let folder = std::env::temp_dir().join(format!("souk-operator-{}", bench.namespace));
        std::fs::create_dir_all(&folder).unwrap();
        let key = folder.join("staff.pem");
        std::fs::write(&key, public_key()).unwrap();
        let health = free_port();
        let settings = BTreeMap::from([
            ("KUBECONFIG", format!("{FOLDER}/operator.kubeconfig")),
            ("SOUK_DATABASE_URL", bench.database.url.clone()),
            ("SOUK_PROVISIONER_PASSWORD", bench.database.secrets.provisioner.clone()),
            ("SOUK_LANES", bench.database.lanes.to_string()),
            ("SOUK_OPERATOR_INTERNAL_LISTEN", format!("127.0.0.1:{health}")),
            ("SOUK_LEASE_NAMESPACE", bench.namespace.clone()),
            // A container that is started again in its pod has the same name, and so its lease.
            ("SOUK_OPERATOR_NAME", "operator-0".to_owned()),
            ("SOUK_LEASE_SECONDS", "5".to_owned()),
            ("SOUK_WATCH_NAMESPACE", bench.namespace.clone()),
            ("SOUK_RUNTIME_IMAGE", format!("localhost/souk-runtime@sha256:{}", "0".repeat(64))),
            ("SOUK_CURSOR_SECRET", "a cursor secret of tests, long enough".to_owned()),
            ("SOUK_STAFF_KEY_FILE", key.display().to_string()),
            ("SOUK_PUBLIC_URL", "https://souk.example".to_owned()),
            ("SOUK_PLATFORM_DOMAIN", format!("{}.example", bench.namespace)),
            ("SOUK_INGRESS_CLASS", "nginx".to_owned()),
        ]);
        let mut operator = Self { settings, folder, process: None, health };
        operator.run().await;
        operator
    }

    /// Starts it, or starts it again.
    pub async fn run(&mut self) {
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).unwrap();
        let process = Command::new(programs().join("souk-operator"))
            .arg("run")
            .env_clear()
            .envs(&self.settings)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("souk-operator is built");
        self.process = Some(process);
        let http = plain_http().build().expect("a client");
        let ready = format!("http://127.0.0.1:{}/readyz", self.health);
        eventually("the operator is ready", async || {
            http.get(&ready).send().await.ok()?.error_for_status().ok().map(|_| ())
        })
        .await;
    }

    /// As the kernel would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Megabytes it holds now, and held at most.
    pub fn memory(&self) -> (f64, f64) {
        let pid = self.process.as_ref().expect("it runs").id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            let kilobytes = line.split_whitespace().nth(1).and_then(|text| text.parse::<f64>().ok());
            kilobytes.unwrap_or_default() / 1024.0
        };
        (field("VmRSS:"), field("VmHWM:"))
    }
}

impl Drop for OperatorProcess {
    fn drop(&mut self) {
        self.kill();
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// What an operator asked of the API server in one namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub reads: usize,
    pub writes: usize,
    pub events: usize,
}

impl Asked {
    fn all(self) -> usize {
        self.reads + self.writes + self.events
    }

    fn since(self, before: Self) -> Self {
        Self {
            reads: self.reads - before.reads,
            writes: self.writes - before.writes,
            events: self.events - before.events,
        }
    }
}

/// The audit log, read on from where it was left.
struct Audit {
    namespace: String,
    offset: u64,
    asked: Asked,
}

impl Audit {
    fn of(bench: &Bench) -> Self {
        let offset = std::fs::metadata(format!("{FOLDER}/audit.log")).map_or(0, |file| file.len());
        Self { namespace: bench.namespace.clone(), offset, asked: Asked::default() }
    }

    /// Everything that was asked so far. Leases are not counted: whoever leads renews its own for ever; nor is watching.
    fn read(&mut self) -> Asked {
        let mut file = std::fs::File::open(format!("{FOLDER}/audit.log")).expect("the audit log");
        file.seek(SeekFrom::Start(self.offset)).expect("it only grows");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("it can be read");
        // What is being written is read the next time.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        bytes.truncate(whole);
        self.offset += u64::try_from(whole).expect("it fits");
        for line in String::from_utf8_lossy(&bytes).lines().filter(|line| line.contains(&self.namespace)) {
            let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
            let object = &event["objectRef"];
            let (verb, resource) = (&event["verb"], &object["resource"]);
            if event["user"]["username"] != "operator"
                || event["stage"] != "ResponseComplete"
                || object["namespace"] != self.namespace.as_str()
                || *resource == "leases"
                || *verb == "watch"
            {
                continue;
            }
            if *resource == "events" {
                self.asked.events += 1;
            } else if *verb == "get" || *verb == "list" {
                self.asked.reads += 1;
            } else {
                self.asked.writes += 1;
            }
        }
        self.asked
    }

    /// Waits until nothing more is asked, for what was asked after `before`; when the last of it was.
    async fn settled(&mut self, before: Asked, patience: Duration) -> (Asked, Instant) {
        let began = Instant::now();
        let (mut last, mut at) = (before, began);
        loop {
            let now = self.read();
            if now != last {
                (last, at) = (now, Instant::now());
            } else if now != before && at.elapsed() > QUIET {
                return (now, at);
            }
            assert!(began.elapsed() < patience, "never settled: {now:?}");
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}

pub fn is_ready(store: &Store) -> bool {
    let ready = store.status.as_ref().and_then(|status| status.condition(ConditionType::Ready));
    ready
        .is_some_and(|ready| ready.status == "True" && ready.observed_generation == store.metadata.generation)
}

async fn until_all_ready(bench: &Bench, count: usize, patience: Duration) {
    let began = Instant::now();
    loop {
        let stores = bench.stores().list(&Default::default()).await.expect("Stores").items;
        let ready = stores.iter().filter(|store| is_ready(store)).count();
        if ready == count {
            return;
        }
        assert!(began.elapsed() < patience, "{ready} of {count} are Ready");
        // Looking at all of them takes its own share of the API server.
        tokio::time::sleep(Duration::from_millis(500 + 2 * u64::try_from(count).unwrap_or(0))).await;
    }
}

/// What a crowd of stores came to.
#[derive(Debug)]
pub struct Outcome {
    pub stores: usize,
    pub dedicated: usize,
    pub all_ready: Duration,
    pub asked: Asked,
    pub window: Duration,
    /// Once all was settled.
    pub then_asked: Asked,
    pub memory: (f64, f64),
    pub restart: Duration,
    pub restart_asked: Asked,
    pub restart_memory: (f64, f64),
    pub release: Option<Duration>,
}

/// `stores` Stores, every `dedicated_every`th of them with pods. `None` = there is no cluster.
pub async fn crowd(
    stores: usize,
    dedicated_every: usize,
    window: Duration,
    with_release: bool,
) -> Option<Outcome> {
    let bench = Bench::alone().await?;
    // A schema takes a second of two processors in a debug build, a pod at least five until it counts.
    let patience =
        Duration::from_secs(180) + Duration::from_secs(3) * u32::try_from(stores).unwrap_or(u32::MAX);
    let mut audit = Audit::of(&bench);
    let mut operator = OperatorProcess::start(&bench).await;
    let dedicated = move |number: usize| number.is_multiple_of(dedicated_every);
    let place = &bench;
    let began = Instant::now();
    let applied = move |number: usize| {
        let isolation = if dedicated(number) { "Dedicated" } else { "Pooled" };
        let spec = Bench::spec(json!({ "isolation": isolation }));
        async move { place.apply(&format!("shop-{number}"), spec).await.expect("it is taken") }
    };
    let objects: Vec<_> = stream::iter(0..stores).map(applied).buffer_unordered(8).collect().await;
    assert_eq!(objects.len(), stores);
    until_all_ready(&bench, stores, patience).await;
    let all_ready = began.elapsed();
    let (asked, _) = audit.settled(Asked::default(), patience).await;

    // Settled means silent.
    tokio::time::sleep(window).await;
    let then_asked = audit.read().since(asked);
    let memory = operator.memory();

    // Killed and started again: it looks at every store, and finds nothing to do.
    let before = audit.read();
    operator.kill();
    let started = Instant::now();
    operator.run().await;
    let (after, at) = audit.settled(before, patience).await;
    let (restart, restart_asked, restart_memory) =
        (at.duration_since(started), after.since(before), operator.memory());

    let release = if with_release { Some(released(&bench, patience).await) } else { None };
    let made = (0..stores).filter(|number| dedicated(*number)).count();
    Some(Outcome {
        stores,
        dedicated: made,
        all_ready,
        asked,
        window,
        then_asked,
        memory,
        restart,
        restart_asked,
        restart_memory,
        release,
    })
}

/// Another image for all that have pods, a tenth of them at once.
async fn released(bench: &Bench, patience: Duration) -> Duration {
    let releases = Releases::of(bench);
    let began = Instant::now();
    releases.apply("bench", json!({ "maxUnavailable": "10%" })).await.expect("it is taken");
    while !releases.get("bench").await.is_complete() {
        assert!(began.elapsed() < patience, "{:?}", releases.get("bench").await.status);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    began.elapsed()
}

impl Outcome {
    /// The crowd has cost what it may: nothing once it is there.
    pub fn must_be_silent(&self) {
        assert_eq!((self.then_asked.writes, self.then_asked.events), (0, 0), "a settled crowd: {self:#?}");
        assert_eq!(
            (self.restart_asked.writes, self.restart_asked.events),
            (0, 0),
            "a second pass: {self:#?}"
        );
    }

    /// Rows of docs/PERFORMANCE.md: what, found, aim.
    pub fn rows(&self) -> Vec<String> {
        let (stores, dedicated) = (self.stores, self.dedicated);
        let each = |count: usize| count as f64 / stores.max(1) as f64;
        let restart = self.restart.as_secs_f64();
        let mut rows = vec![
            format!(
                "{stores} stores, {dedicated} of them Dedicated, applied at once: until all are Ready | {:.0} s |",
                self.all_ready.as_secs_f64()
            ),
            format!(
                "What the operator asks of the API server for each of them until all is settled | {:.1} calls: {:.1} read, {:.1} write, {:.1} Events |",
                each(self.asked.all()),
                each(self.asked.reads),
                each(self.asked.writes),
                each(self.asked.events)
            ),
            format!(
                "Objects written in {} s once all is settled | {} | 0",
                self.window.as_secs(),
                self.then_asked.writes
            ),
            format!(
                "The operator's resident memory then | {:.0} MB, {:.0} at most | ≤ 150 MB",
                self.memory.0, self.memory.1
            ),
            format!(
                "Killed and started again, until it has looked at every store | {restart:.1} s, {:.1} calls a store, {} objects written, {:.0} MB at most | 0 written",
                each(self.restart_asked.all()),
                self.restart_asked.writes,
                self.restart_memory.1
            ),
        ];
        if let Some(release) = self.release {
            rows.push(format!(
                "A StoreRelease over the {dedicated} with pods, a tenth down at once | {:.0} s |",
                release.as_secs_f64()
            ));
        }
        rows
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_stores_settle_and_stay_silent() {
    let Some(outcome) = crowd(30, 6, Duration::from_secs(3), false).await else { return };
    outcome.rows().iter().for_each(|row| eprintln!("| {row} |"));
    outcome.must_be_silent();
    assert_eq!((outcome.stores, outcome.dedicated), (30, 5));
    // One look at a store that is in order: its Secrets and one list of each kind of object.
    let looked = outcome.restart_asked.reads as f64 / outcome.stores as f64;
    assert!((5.0..=30.0).contains(&looked), "{looked} reads a store: {outcome:#?}");
    assert!(outcome.memory.1 < 150.0, "{outcome:#?}");
}
