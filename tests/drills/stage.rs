//! The platform all drills run on: a database server that can be stopped apart from it, a mail sink, and every process for real.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use souk_telemetry::FailPoint;
use souk_tests::books::{Books, Entry, Findings};
use souk_tests::platform::{self, Platform};
use souk_tests::shop::Shop;

/// How long a store may take to come to rest after a fault: a killed relay's lease (30 s), a webhook's or a visit's (60 s), and what a loaded
/// machine adds.
const REST: Duration = Duration::from_secs(120);

pub struct Stage {
    platform: Platform,
    database: String,
    sink: Child,
    seed: u64,
}

/// The way from the outbox to the consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Direct,
    Kafka,
}

impl Stage {
    pub async fn set(way: Way) -> Self {
        let mut platform = Platform::new(if way == Way::Kafka { "drills-kafka" } else { "drills" });
        std::fs::create_dir_all(platform.home()).expect("a folder");
        let mail = platform.home().join("mail.jsonl");
        let authority = platform.home().join("mail-authority.pem");
        let mut sink = Command::new(env!("CARGO_BIN_EXE_souk-mail-sink"))
            .args([&mail, &authority])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the mail sink starts");
        let mut address = String::new();
        let out = sink.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut address).expect("its address");
        let database = platform.database("server");
        let providers = platform.home().join("providers.json");
        std::fs::write(&providers, crate::canaries::providers()).expect("a file");
        let fail_points = platform.home().join("fail-points");
        std::fs::create_dir_all(&fail_points).expect("a folder");
        // A crowd is one network here, and whoever is killed over and over comes back at once.
        let platform = platform
            .with("SMTP_URL", address.trim())
            .with("SMTP_CA_FILE", authority.to_string_lossy())
            .with("DATABASE_URL", &database)
            .with("SOUK_IDENTITY_PROVIDERS_FILE", providers.to_string_lossy())
            .with("SOUK_REQUESTS_PER_MINUTE", "1000000")
            .with("SOUK_LONGEST_PAUSE", "1")
            .with("SOUK_FAIL_POINTS", fail_points.to_string_lossy());
        match way {
            Way::Direct => platform.up(&["--no-demo"]),
            Way::Kafka => platform.up(&["--no-demo", "--kafka"]),
        };
        Self { platform, database, sink, seed: seed() }
    }

    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Where the database server lives.
    pub fn server(&self) -> PathBuf {
        self.platform.home().join("server")
    }

    /// Where the sink keeps mails.
    pub fn mail(&self) -> PathBuf {
        self.platform.home().join("mail.jsonl")
    }

    /// While this file exists, the sink keeps mails and does not acknowledge them.
    pub fn hold(&self) -> PathBuf {
        self.platform.home().join("mail.hold")
    }

    fn armed(&self, point: FailPoint) -> PathBuf {
        self.platform.home().join("fail-points").join(point.as_str())
    }

    /// Has whatever process next passes the point die there.
    pub fn arm(&self, point: FailPoint) {
        std::fs::write(self.armed(point), "1").expect("the point is armed");
    }

    /// Whether it has died there.
    pub fn died_at(&self, point: FailPoint) -> bool {
        !self.armed(point).exists()
    }

    pub async fn open_shop(&self, name: &str) -> Shop {
        Shop::open(&self.platform, name).await
    }

    pub async fn books(&self, shop: &Shop) -> Books {
        Books::open(&self.database, &shop.id, self.platform.ports().provider).await
    }

    /// Waits until the store rests, compares its books, and gives the numbers.
    ///
    /// # Panics
    /// With every breach.
    pub async fn settle_accounts(&self, shop: &Shop, history: &[Entry]) -> Findings {
        let books = self.books(shop).await;
        books.let_time_pass().await;
        books.rest(REST).await;
        let found = books.compare(history, &self.mail()).await;
        assert!(
            found.breaches.is_empty(),
            "{} breaches:\n{}",
            found.breaches.len(),
            found.breaches.join("\n")
        );
        found
    }

    /// The ends of the logs.
    pub fn troubles(&self) -> String {
        let tail = |path: &Path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            lines[lines.len().saturating_sub(15)..].join("\n")
        };
        ["tenant-runtime", "control-plane", "supervisor"]
            .map(|name| {
                format!("── {name}\n{}", tail(&self.platform.home().join(format!("logs/{name}.log"))))
            })
            .join("\n")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // It is our unreaped child; it may have ended already.
        let _ = self.sink.kill();
        let _ = self.sink.wait();
    }
}

fn seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a drill has no configuration but its seed")]
    let wish = std::env::var("SOUK_DRILL_SEED").ok();
    wish.map_or_else(platform::random, |text| text.parse().expect("SOUK_DRILL_SEED is a number"))
}
