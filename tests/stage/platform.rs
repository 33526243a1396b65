//! Both planes over real HTTP on a real database, and the test payment provider, in this process.

use std::net::TcpListener;
use std::sync::OnceLock;
use std::time::Duration;

use actix_web::{App, HttpServer};
use souk_access::{Hasher, SigningKey};
use souk_api::CursorKey;
use souk_control_plane::config::{DatabaseConfig, Settings};
use souk_kernel::Clock;
use souk_payment_provider::{book::Book, couriers::Couriers, desk::Desk, routes};
use souk_provisioner::test_support::TestDatabase;
use souk_telemetry::Shutdown;
use souk_tenancy::Database;
use souk_tenant_runtime::app::Services;
use souk_tenant_runtime::config::Config;
use souk_tenant_runtime::customers::Reception;
use tokio::sync::{OnceCell, oneshot};

use crate::door::Door;

/// Who signs the tokens of people.
pub const ISSUER: &str = "https://control.test";
/// Somebody who may ask to look at a store.
pub const PLATFORM_STAFF: &str = "platform.staff@example.com";
/// Signs what the payment provider tells, and what becomes of a business's mails.
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Far more than a proof sends: limits are proved by the tests of the rooms that have them.
const NO_LIMIT: u32 = 10_000_000;

/// The addresses of everything, and the key that people's tokens are signed with.
pub struct Platform {
    pub database: &'static TestDatabase,
    pub control: String,
    pub runtime: String,
    signing_pem: &'static str,
    /// The payment provider's address, and the domain below which stores answer.
    provider: String,
    domain: String,
    /// Stops the worker of the control plane, so that nothing happens but what a proof asks for.
    worker: Shutdown,
    /// What hashes passwords at the control plane and at stores.
    hashers: [Hasher; 2],
}

impl Platform {
    /// The one of this process, started on first use.
    ///
    /// # Panics
    /// When something does not start: a proof without a platform proves nothing.
    pub async fn get() -> &'static Self {
        static PLATFORM: OnceCell<Platform> = OnceCell::const_new();
        PLATFORM.get_or_init(|| async { Self::on(TestDatabase::get().await).await }).await
    }

    /// One more, on a database of its own.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn on(database: &'static TestDatabase) -> Self {
        crate::ear::listen();
        let (tell, told) = oneshot::channel();
        // Servers outlive the test that asked for them first, so they have a thread and a runtime of their own.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let _ = tell.send(start(database).await);
                std::future::pending::<()>().await;
            });
        });
        told.await.expect("the platform starts")
    }

    /// What one more process of the runtime would serve with, whose way to the database is this address.
    ///
    /// # Panics
    /// When it cannot start.
    pub async fn services(&self, way: Database) -> Services {
        services(self.database, way, self.signing_pem, &self.provider, &self.domain).await
    }

    /// The control plane's door.
    pub fn control(&self) -> Door {
        Door::at(&self.control, None)
    }

    /// The door of the store at this host.
    pub fn store(&self, host: &str) -> Door {
        Door::at(&self.runtime, Some(host))
    }

    /// The control plane's own key.
    ///
    /// # Panics
    /// Never: it was read before.
    pub fn signing(&self) -> SigningKey {
        SigningKey::from_pem(ISSUER, self.signing_pem).expect("a key")
    }

    /// How many passwords were hashed at both planes so far.
    pub fn hashes(&self) -> u64 {
        self.hashers.iter().map(Hasher::computed).sum()
    }

    /// From now on nothing works in the background.
    pub fn rest(&self) {
        self.worker.begin();
    }
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, address)
}

async fn start(database: &'static TestDatabase) -> Platform {
    static PEM: OnceLock<String> = OnceLock::new();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let signing_pem = PEM.get_or_init(|| SigningKey::generate(ISSUER).expect("randomness").1);
    let provider = provider();
    let (listening, runtime) = listener();
    let port = runtime.rsplit(':').next().unwrap_or_default();
    let domain = format!("localhost:{port}");
    let way = database.url.parse().expect("a database");
    let services = services(database, way, signing_pem, &provider, &domain).await;
    let hashers = [Hasher::new(2, 64).expect("randomness"), services.reception.hasher.clone()];
    let server = HttpServer::new(move || souk_tenant_runtime::app::app(services.clone()));
    tokio::spawn(server.workers(2).disable_signals().listen(listening).expect("a server").run());
    let worker = Shutdown::manual();
    let hasher = hashers[0].clone();
    let control = serve_control(database, signing_pem, domain.clone(), worker.clone(), hasher).await;
    Platform { database, control, runtime, signing_pem, provider, domain, worker, hashers }
}

/// A payment provider, as in its own process.
fn provider() -> String {
    let (listening, url) = listener();
    let couriers = Couriers::new(WEBHOOK_SECRET.parse().expect("a secret")).expect("couriers");
    let desk = Desk::new(Book::open(None).expect("a book"), couriers, Clock::system(), url.clone());
    let pace = routes::Pace { slow: Duration::from_millis(300), silence: Duration::from_secs(1) };
    let server = HttpServer::new(move || App::new().configure(routes::routes(desk.clone(), pace)));
    tokio::spawn(server.workers(1).disable_signals().listen(listening).expect("a server").run());
    url
}

async fn services(
    database: &TestDatabase,
    way: Database,
    pem: &str,
    provider: &str,
    domain: &str,
) -> Services {
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        internal_listen: String::new(),
        database: way,
        lane_secret: database.secrets.lane_secret.clone(),
        own_login: None,
        lanes: database.lanes,
        relay_password: None,
        kafka: None,
        link_secret: "of proofs".to_owned(),
        staff_key_pem: SigningKey::from_pem(ISSUER, pem).expect("a key").public_pem().to_owned(),
        control_plane_url: ISSUER.to_owned(),
        console_url: ISSUER.to_owned(),
        platform_domain: domain.to_owned(),
        test_provider_url: Some(provider.to_owned()),
        test_webhook_secret: Some(WEBHOOK_SECRET.to_owned()),
        stripe_url: provider.to_owned(),
        smtp_url: None,
        smtp_authority: None,
        mail_from: "Souk <no-reply@souk.localhost>".parse().expect("an address"),
        webhooks_private: false,
        images_private: false,
        media_url: None,
        identity_providers_private: false,
        vat_register_url: None,
        requests_per_minute: NO_LIMIT,
        attempts_per_network: 1_000_000,
        trusted_proxies: 0,
        http_workers: 2,
        show_statements: true,
        read_cache_mb: 32,
    };
    let reception =
        Reception::new(config.link_secret.as_bytes(), 0, config.attempts_per_network).expect("a reception");
    let gate = souk_tenant_runtime::serve::gate(&config, &reception).await.expect("a gate");
    let till = souk_tenant_runtime::serve::till(&config).expect("a till");
    let embassy = souk_tenant_runtime::serve::embassy(&config).expect("an embassy");
    Services::new(gate, till, CursorKey::new(b"of proofs"), (reception, embassy), &config)
}

async fn serve_control(
    database: &'static TestDatabase,
    pem: &str,
    domain: String,
    stop: Shutdown,
    hasher: Hasher,
) -> String {
    let mut settings = Settings::local().expect("settings");
    settings.public_url = ISSUER.to_owned();
    settings.platform_domain = domain;
    settings.requests_per_minute = NO_LIMIT;
    settings.attempts_per_network = 1_000_000;
    settings.spare_stores = 0;
    settings.platform_staff = vec![PLATFORM_STAFF.parse().expect("an address")];
    let database_config = DatabaseConfig {
        url: database.url.clone(),
        database: database.url.parse().expect("a database"),
        control_password: database.secrets.control_plane.clone(),
        provisioner_password: Some(database.secrets.provisioner.clone()),
        lanes: database.lanes,
    };
    let signing = SigningKey::from_pem(ISSUER, pem).expect("a key");
    let plane =
        souk_control_plane::serve::plane(settings, &database_config, signing, hasher, Clock::system());
    let plane = plane.await.expect("a plane");
    let works = plane.clone();
    let provisioner = database.provisioner().await;
    let mail = souk_control_plane::messages::Sender::Captured;
    tokio::spawn(souk_control_plane::worker::run(works, provisioner, None, mail, stop));
    let (listening, address) = listener();
    let cursors = CursorKey::new(b"of proofs");
    let server = HttpServer::new(move || souk_control_plane::app::app(plane.clone(), cursors.clone()));
    tokio::spawn(server.workers(2).disable_signals().listen(listening).expect("a server").run());
    address
}
