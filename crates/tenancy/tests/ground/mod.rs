//! A throw-away database with the platform's own tables and hand-made stores of one table each: what `souk-tenancy`
//! and `souk-event-bus` stand on, without the provisioner.

mod config;

use std::panic::AssertUnwindSafe;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use souk_kernel::id::StoreId;
use souk_tenancy::{Database, Directory, Mint, StoreScope, Tenancy, TenancyConfig, role_password};
use tokio_postgres::{Client, Config, NoTls};
use uuid::Uuid;

const PLATFORM: &str = include_str!("../../../../migrations/platform/0001_ground.sql");
const DELIVERY: &str = include_str!("../../../../migrations/platform/0004_event_delivery.sql");
/// What the doors look into besides.
const GRANTS: &str = concat!(
    include_str!("../../../../migrations/platform/0011_store_grants.sql"),
    include_str!("../../../../migrations/platform/0012_own_undelivered.sql"),
    include_str!("../../../../migrations/platform/0013_oldest_first.sql"),
    include_str!("../../../../migrations/platform/0014_ended_sessions.sql"),
    include_str!("../../../../migrations/platform/0015_consumer_readings.sql")
);
const LEDGER: &str = include_str!("../../../../migrations/replaceable/0010_store_ledger_triggers.sql");
const DOORS: &str = include_str!("../../../../migrations/replaceable/0020_store_doors.sql");
/// Logins belong to the whole server, so these are the passwords that the provisioner's `test_secrets` give them too.
const LANE_SECRET: &str = "lane-secret-of-tests-that-is-long-enough";
pub const RELAY_PASSWORD: &str = "relay-of-tests";
pub const CONTROL_PASSWORD: &str = "control-plane-of-tests";

pub struct Ground {
    /// A superuser's connection to the test's database.
    pub admin: Client,
    admin_config: Config,
    name: String,
    url: String,
}

/// Runs a test on a database of its own, which is dropped after it even if it fails.
pub fn on_ground(test: impl AsyncFnOnce(&Ground)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let ground = Ground::lay().await;
        let outcome = AssertUnwindSafe(tokio::time::timeout(Duration::from_secs(60), test(&ground)))
            .catch_unwind()
            .await;
        ground.clear().await;
        match outcome {
            Ok(ended) => ended.expect("the test took longer than a minute"),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
}

pub async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("SOUK_TEST_DATABASE_URL must be reachable");
    tokio::spawn(connection);
    client
}

/// Waits until `condition` holds, up to ten seconds.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..1000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never happened: {what}");
}

impl Ground {
    async fn lay() -> Self {
        let url = config::database_url();
        let maintenance = connect(&Config::from_str(&url).unwrap()).await;
        let name = format!("souk_ground_{}", Uuid::now_v7().simple());
        maintenance.batch_execute(&format!("create database {name}")).await.unwrap();
        let mut admin_config = Config::from_str(&url).unwrap();
        admin_config.dbname(&name);
        let admin = connect(&admin_config).await;
        let derived = |login| (login, role_password(LANE_SECRET, login));
        for (login, password) in [
            ("provisioner", "provisioner-of-tests".to_owned()),
            derived("runtime_1"),
            derived("runtime_2"),
            derived("runtime_directory"),
            ("relay", RELAY_PASSWORD.to_owned()),
            ("control_plane", CONTROL_PASSWORD.to_owned()),
        ] {
            // Another test may be making them right now; whoever comes first gives the password everybody knows.
            let make = format!(
                "do $$ begin create role {login} login noinherit password '{password}';
                 exception when duplicate_object or unique_violation then null; end $$"
            );
            admin.batch_execute(&make).await.unwrap();
        }
        let platform = format!(
            "create schema extensions; create schema platform; create schema control;
             grant usage on schema extensions, platform to public;
             set search_path = platform; {PLATFORM}; {DELIVERY}; {GRANTS}; {LEDGER}; {DOORS}
             set search_path = control; create table notes (text text not null);
             grant usage on schema control to control_plane; grant select, insert on notes to control_plane;
             reset search_path;"
        );
        admin.batch_execute(&platform).await.unwrap();
        let mut host = url::Url::parse(&url).unwrap();
        host.set_path(&name);
        Self { admin, admin_config, name, url: host.into() }
    }

    async fn clear(self) {
        let roles = self.admin.query("select role_name from platform.store_ledger", &[]).await.unwrap();
        for role in roles {
            let role: &str = role.get(0);
            let drop = format!("drop owned by {role}; drop role {role}");
            // A test may have dropped the role itself.
            let _ = self.admin.batch_execute(&drop).await;
        }
        drop(self.admin);
        let mut config = self.admin_config;
        config.dbname("postgres");
        let maintenance = connect(&config).await;
        maintenance.batch_execute(&format!("drop database {} with (force)", self.name)).await.unwrap();
    }

    pub fn database(&self) -> Database {
        Database::from_str(&self.url).unwrap()
    }

    pub fn config(&self) -> TenancyConfig {
        let mut config = TenancyConfig::new(self.database(), LANE_SECRET.to_owned());
        config.lanes = 2;
        config.connections_per_lane = 1;
        config
    }

    /// A live store with the tables `products` and `heard_events`.
    pub async fn store(&self, lane: i32, host: &str) -> StoreId {
        let store = StoreId::new();
        let (schema, role) = (format!("s_{}", store.suffix()), format!("r_{}", store.suffix()));
        let make = format!(
            "create role {role} nologin; grant {role} to runtime_{lane};
             create schema {schema};
             grant usage on schema {schema} to {role};
             alter default privileges in schema {schema} grant select, insert, update, delete on tables to {role};
             create table {schema}.products (
               name text primary key, stock integer not null default 0 constraint stock_left check (stock >= 0),
               parent text constraint parent_is_product references {schema}.products);
             create table {schema}.heard_events (
               consumer text, event_id uuid, heard_at timestamptz not null default now(), primary key (consumer, event_id));"
        );
        self.admin.batch_execute(&make).await.unwrap();
        let row = "insert into platform.store_ledger
            (store_id, schema_name, role_name, lane, state, owner_kind, owner_ref, handle, name, hosts)
            values ($1, $2, $3, $4, 'live', 'test', $2, $5, $5, array[$5::text])";
        self.admin.execute(row, &[&store.uuid(), &schema, &role, &lane, &host]).await.unwrap();
        store
    }

    /// Starts everything above the database and waits until it knows `stores`.
    pub async fn tenancy(&self, config: TenancyConfig) -> Stores {
        let directory = Directory::start(&config).await;
        assert!(directory.health().ready, "the directory has read the ledger");
        let (tenancy, mint) = Tenancy::start(config, directory.clone()).unwrap();
        Stores { directory, tenancy, mint: Arc::new(mint) }
    }
}

pub struct Stores {
    pub directory: Directory,
    pub tenancy: Tenancy,
    pub mint: Arc<Mint>,
}

impl Stores {
    pub fn scope(&self, store: StoreId) -> StoreScope {
        self.mint.scope_of(store).expect("the directory knows the store")
    }
}
