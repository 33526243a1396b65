//! A real, bootstrapped database per test process, and stores in it. Only for tests.
//!
//! `SOUK_TEST_DATABASE_URL` names an admin login (`postgres://postgres@127.0.0.1:5432/postgres`). The database is called
//! `souk_test_<seconds>_<pid>`; the process keeps one connection to it open, and whoever starts next drops those nobody is
//! connected to any more, with the roles of their stores.
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use souk_kernel::{Country, Plan, StoreId};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config};
use uuid::Uuid;

use crate::connection;
use crate::{
    Basics, Bootstrap, BootstrapReport, ClaimRequest, MigrationSet, Owner, ProvisionError, Provisioner,
    ProvisionerConfig, RoleSeed, Secrets, StaffSeed, StoreRecord, StoreSeeds,
};

const PREFIX: &str = "souk_test_";
/// Younger databases may belong to a process that is about to connect.
const YOUNG: Duration = Duration::from_secs(60);
/// How long a test waits for its database to go.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections outlive the test that opened them, so they are driven by a runtime that outlives every test.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime starts")
    })
}

/// A database of this process's own.
pub struct TestDatabase {
    pub name: String,
    /// With the admin's user.
    pub admin_url: String,
    /// `postgres://host:port/name`, without user: what `SOUK_DATABASE_URL` would be.
    pub url: String,
    pub secrets: Secrets,
    pub lanes: u16,
    pub report: BootstrapReport,
    provisioner: Provisioner,
    admin: Client,
}

/// The same in every test process: login roles belong to the whole server.
pub fn test_secrets() -> Secrets {
    Secrets {
        lane_secret: "lane-secret-of-tests-that-is-long-enough".into(),
        provisioner: "provisioner-of-tests".into(),
        control_plane: "control-plane-of-tests".into(),
        relay: "relay-of-tests".into(),
    }
}

/// The admin login of the server the tests run on.
#[expect(clippy::disallowed_methods, reason = "tests have no config.rs")]
pub fn admin_url() -> String {
    std::env::var("SOUK_TEST_DATABASE_URL")
        .expect("SOUK_TEST_DATABASE_URL names an admin login of a PostgreSQL server")
}

impl TestDatabase {
    /// The process's database, made on first use. Panics when there is no server: a test without one proves nothing.
    pub async fn get() -> &'static Self {
        static DATABASE: OnceCell<TestDatabase> = OnceCell::const_new();
        DATABASE
            .get_or_init(|| async {
                let made = runtime().spawn(Self::make(8));
                made.await.expect("the task ends").expect("a test database is made")
            })
            .await
    }

    /// One more database, for a test that changes what stores share. Drop it with [`TestDatabase::remove`].
    pub async fn fresh() -> Self {
        let made = runtime().spawn(Self::make(8));
        made.await.expect("the task ends").expect("a test database is made")
    }

    async fn make(lanes: u16) -> Result<Self, ProvisionError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let admin_url = admin_url();
        // Beside the test: some disks take minutes to forget the files of a hundred stores.
        let url = admin_url.clone();
        tokio::spawn(async move {
            if let Err(error) = drop_stale(&url).await {
                tracing::debug!(%error, "leftover test databases stay");
            }
        });
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}_{}_{number}", seconds(), std::process::id());
        let secrets = test_secrets();
        let bootstrap = Bootstrap {
            admin_url: admin_url.clone(),
            database: name.clone(),
            secrets: secrets.clone(),
            lanes,
        };
        let report = bootstrap.run().await?;
        let mut config = parse(&admin_url)?;
        config.dbname(&name).application_name("souk test: keeps the database");
        let admin = connection::connect(&config).await?;
        let url = url_of(&config, &name);
        let mut config = ProvisionerConfig::new(&url, &secrets.provisioner)?;
        config.lanes = lanes;
        let provisioner = Provisioner::connect(config).await?;
        Ok(Self { name, admin_url, url, secrets, lanes, report, provisioner, admin })
    }

    /// Claims a store on the runtime that keeps the connections.
    pub async fn claim(&self, request: ClaimRequest) -> Result<StoreRecord, ProvisionError> {
        let provisioner = self.provisioner.clone();
        let claimed = runtime().spawn(async move { provisioner.claim(&request).await });
        Ok(claimed.await.expect("the task ends")?.record)
    }

    /// A provisioner of the caller's own, whose connections live on the caller's runtime.
    pub async fn provisioner(&self) -> Provisioner {
        let config =
            ProvisionerConfig::new(&self.url, &self.secrets.provisioner).expect("migrations are in order");
        Provisioner::connect(config).await.expect("the provisioner connects")
    }

    /// The same with other migrations or limits.
    pub async fn provisioner_with(&self, change: impl FnOnce(&mut ProvisionerConfig)) -> Provisioner {
        let mut config = ProvisionerConfig {
            migrations: MigrationSet::default(),
            ..ProvisionerConfig::new(&self.url, &self.secrets.provisioner).expect("migrations are in order")
        };
        change(&mut config);
        Provisioner::connect(config).await.expect("the provisioner connects")
    }

    /// Runs SQL in the database as the admin. For arranging and for looking, never for what a test proves.
    pub async fn admin(&self, sql: &str) {
        self.admin.batch_execute(sql).await.expect("the admin's SQL runs");
    }

    /// A connection as one of the logins, with its password.
    pub async fn login(&self, user: &str, password: &str) -> Result<Client, ProvisionError> {
        connection::connect(&connection::config_for(&self.url, user, password)?).await
    }

    /// Drops the database and the roles of its stores now, whoever is connected. A disk that is slow to forget so many files is not
    /// waited for: the server goes on by itself.
    pub async fn remove(&self) {
        let (admin_url, name) = (self.admin_url.clone(), self.name.clone());
        let gone = runtime().spawn(async move {
            let admin = connection::connect(&parse(&admin_url)?).await?;
            drop_database(&admin, &name).await
        });
        if let Ok(gone) = tokio::time::timeout(PATIENCE, gone).await {
            gone.expect("the task ends").expect("the test database is dropped");
        }
    }
}

/// A live store for a test.
pub struct TestStore {
    pub id: StoreId,
    pub schema: String,
    pub role: String,
    pub lane: u16,
    pub handle: String,
    /// `<handle>.localhost`
    pub host: String,
    pub owner_account: Uuid,
    pub record: StoreRecord,
}

impl TestStore {
    /// A store in Germany with standard seeds and the role `owner` (everything allowed), in the process's database.
    pub async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// The same with changed seeds.
    pub async fn open_with(change: impl FnOnce(&mut ClaimRequest)) -> Self {
        let database = TestDatabase::get().await;
        let mut request = test_request(Country::DE);
        change(&mut request);
        let owner_account = request.seeds.owner.as_ref().map_or_else(Uuid::nil, |owner| owner.account_id);
        let host = request.hosts.first().cloned().unwrap_or_default();
        let handle = request.handle.clone();
        let record = database.claim(request).await.expect("a test store opens");
        Self {
            id: record.store_id,
            schema: record.schema.clone(),
            role: record.role.clone(),
            lane: record.lane,
            handle,
            host,
            owner_account,
            record,
        }
    }
}

/// What a test claims: unique owner, handle and host; an owner of staff with every right.
pub fn test_request(country: Country) -> ClaimRequest {
    let unique = StoreId::new();
    let handle = format!("shop-{}", unique.suffix());
    let basics = Basics {
        name: "Test shop",
        country,
        currency: None,
        locale: "en",
        time_zone: "UTC",
        contact_email: "owner@example.com",
    };
    let mut seeds = StoreSeeds::standard(&basics).expect("the country is known");
    let everything = crate::PermissionSeed { object: "*".into(), action: "*".into() };
    seeds.roles = vec![RoleSeed { id: Uuid::now_v7(), name: "owner".into(), permissions: vec![everything] }];
    seeds.owner = Some(StaffSeed {
        id: Uuid::now_v7(),
        account_id: Uuid::now_v7(),
        email: "owner@example.com".into(),
        email_key: "owner@example.com".into(),
        name: "Olive Owner".into(),
        role: "owner".into(),
    });
    ClaimRequest {
        owner: Owner { kind: "test".into(), reference: unique.to_string() },
        organization_id: None,
        hosts: vec![format!("{handle}.localhost")],
        handle,
        name: "Test shop".into(),
        // Room for whatever a test puts there; one that means a plan's limits says so.
        plan: serde_json::json!({ "id": Plan::GROWTH.id }),
        fence: 0,
        seeds,
    }
}

fn parse(url: &str) -> Result<Config, ProvisionError> {
    url.parse().map_err(|_| ProvisionError::Refused("SOUK_TEST_DATABASE_URL is no PostgreSQL URL".into()))
}

fn url_of(config: &Config, database: &str) -> String {
    let host = match config.get_hosts().first() {
        Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
        _ => "127.0.0.1".into(),
    };
    format!("postgres://{host}:{}/{database}", config.get_ports().first().copied().unwrap_or(5432))
}

#[expect(clippy::disallowed_methods, reason = "the age of a leftover database is real time")]
fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

async fn drop_stale(admin_url: &str) -> Result<(), ProvisionError> {
    let admin = connection::connect(&parse(admin_url)?).await?;
    let sql = "SELECT d.datname::text FROM pg_catalog.pg_database d WHERE d.datname LIKE $1
               AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity a WHERE a.datname = d.datname)";
    for row in admin.query_typed(sql, &[(&format!("{PREFIX}%"), Type::TEXT)]).await? {
        let name: String = row.get(0);
        let born = name.split('_').nth(2).and_then(|part| part.parse::<u64>().ok()).unwrap_or(0);
        if seconds().saturating_sub(born) > YOUNG.as_secs()
            && let Err(error) = drop_database(&admin, &name).await
        {
            // Somebody else cleans up at the same time.
            tracing::debug!(name, %error, "a leftover test database stays");
        }
    }
    Ok(())
}

async fn drop_database(admin: &Client, name: &str) -> Result<(), ProvisionError> {
    // Who finds that somebody else drops it already does not wait for that.
    admin.batch_execute("SET lock_timeout = '1s'").await?;
    admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
    drop_roles(admin).await
}

/// Drops the roles of stores that are in no database any more, then the logins of stores that have no role.
async fn drop_roles(admin: &Client) -> Result<(), ProvisionError> {
    let roles = "SELECT r.rolname::text FROM pg_catalog.pg_roles r WHERE r.rolname ~ '^r_[0-9a-z]{26}$'
                 AND NOT EXISTS (SELECT FROM pg_catalog.pg_shdepend s WHERE s.refobjid = r.oid AND s.dbid <> 0)";
    let logins = "SELECT l.rolname::text FROM pg_catalog.pg_roles l WHERE l.rolname ~ '^l_[0-9a-z]{26}_[12]$'
                  AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'r_' || substr(l.rolname, 3, 26))";
    // Whoever made a role is its admin; the test's own admin may be a lesser login.
    admin.batch_execute("SET ROLE provisioner").await?;
    for gone in [roles, logins] {
        for row in admin.query_typed(gone, &[]).await? {
            let role: String = row.get(0);
            // Somebody else cleans up at the same time, or the server still drops the database.
            if let Err(error) = admin.batch_execute(&format!("DROP ROLE IF EXISTS {role}")).await {
                tracing::debug!(role, %error, "a role without a database stays");
            }
        }
    }
    admin.batch_execute("RESET ROLE").await?;
    Ok(())
}
