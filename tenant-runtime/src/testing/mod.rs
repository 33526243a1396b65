//! A real store in a real database behind the real application, in this process. For the tests of the rooms.
//!
//! Needs `SOUK_TEST_DATABASE_URL`. Every shop is a store of its own, so tests run side by side.

mod call;
pub mod forms;
mod looks;
pub mod shop;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::test::{TestRequest, init_service};
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use souk_access::{Audience, Gate, MAX_LIFETIME, SigningKey, Subject, TokenKind, Verifier};
use souk_api::{CursorKey, ReadCache};
use souk_kernel::{AccountId, Clock, Limits};
use souk_provisioner::test_support::{TestDatabase, TestStore};
use souk_provisioner::{PermissionSeed, RoleSeed};
use souk_tenancy::{Database, Directory, Tenancy, TenancyConfig};
use tokio::sync::OnceCell;
use uuid::Uuid;

pub use self::call::Answer;
use crate::app::{self, Services};
use crate::checkout::Till;
use crate::customers::Reception;
use crate::identities::Embassy;
use crate::media::{Darkroom, Fetcher, Shelf};
use crate::orders::LinkKey;
use crate::payments::{Providers, ProvidersConfig};
use crate::storefront::PublicAddress;
use crate::worker::Studio;

/// What the test provider and the shops share.
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const CONTROL: &str = "https://control.example";
const CONSOLE: &str = "https://console.example";
/// Short, so that a test of a silent provider is.
const PROVIDER_TIMEOUT: Duration = Duration::from_millis(1500);
/// More than any test asks.
const UNLIMITED: u32 = 1_000_000;

/// The application, ready to be asked.
type Door = Rc<dyn Fn(TestRequest) -> LocalBoxFuture<'static, HttpResponse<BoxBody>>>;

/// A store, the gate to it, and a clock that stands still until it is moved.
pub struct TestShop {
    pub store: Arc<TestStore>,
    pub gate: Gate,
    pub clock: Clock,
    pub till: Till,
    pub reception: Reception,
    key: Arc<SigningKey>,
    requests_per_minute: u32,
    cache: ReadCache,
    embassy: Embassy,
    pub darkroom: Darkroom,
    door: OnceCell<Door>,
}

impl TestShop {
    /// A new store in Germany, with the `test` payment provider at this address if there is one.
    pub async fn open(provider: Option<String>) -> Self {
        Self::limited(provider, UNLIMITED).await
    }

    /// The same, where one caller has only so many requests in a minute.
    pub async fn limited(provider: Option<String>, requests_per_minute: u32) -> Self {
        let store = TestStore::open_with(|request| request.seeds.roles = committed_roles()).await;
        let clock = Clock::manual(Clock::system().now());
        let (key, _) = SigningKey::generate(CONTROL).unwrap();
        Self::over(Arc::new(store), clock, Arc::new(key), provider, requests_per_minute).await
    }

    /// Another runtime process over the same store.
    pub async fn another_runtime(&self) -> Self {
        let (store, key) = (Arc::clone(&self.store), Arc::clone(&self.key));
        Self::over(store, self.clock.clone(), key, None, self.requests_per_minute).await
    }

    async fn over(
        store: Arc<TestStore>,
        clock: Clock,
        key: Arc<SigningKey>,
        provider: Option<String>,
        requests_per_minute: u32,
    ) -> Self {
        forms::watch();
        let database = TestDatabase::get().await;
        let at = database.url.parse::<Database>().unwrap();
        let mut config = TenancyConfig::new(at, database.secrets.lane_secret.clone());
        config.clock = clock.clone();
        config.lanes = database.lanes;
        // A test that floods a shop means the flood, not the queue in front of it.
        config.acquire_timeout = Duration::from_secs(20);
        let directory = Directory::start(&config).await;
        let (_, mint) = Tenancy::start(config, directory).unwrap();
        let reception = Reception::new(b"of tests", 1, 50).unwrap();
        let verifier = Verifier::new().trust(CONTROL, key.public_pem(), &[TokenKind::Staff]).unwrap();
        let verifier = reception.trusted_by(verifier).unwrap();
        let gate = Gate::open(mint, verifier, app::policy().await.unwrap(), crate::audit::Log).unwrap();
        gate.trust_proxies(1);
        let providers = Providers::new(&ProvidersConfig {
            // One process speaks both.
            stripe_url: provider.clone().unwrap_or_else(|| "http://127.0.0.1:9".to_owned()),
            secret: b"of tests".to_vec(),
            test_url: provider,
            test_webhook_secret: Some(WEBHOOK_SECRET.to_owned()),
            timeout: PROVIDER_TIMEOUT,
            clock: clock.clone(),
        });
        let address = PublicAddress { scheme: "http".to_owned(), port: None };
        let embassy = Embassy::new(b"of tests", address.clone(), CONSOLE, true).unwrap();
        let till = Till { providers: providers.unwrap(), links: LinkKey::new(b"of tests"), address };
        let cache = ReadCache::new(0);
        let (darkroom, door) = (Darkroom::new(None), OnceCell::new());
        Self { store, gate, clock, till, reception, key, requests_per_minute, cache, embassy, darkroom, door }
    }

    /// The same, with shoppers' pages kept in memory as a process keeps them. Other shops keep none: their tests arrange things by SQL and
    /// ask at once.
    pub fn keeping_pages(self) -> Self {
        Self { cache: ReadCache::new(1 << 20), ..self }
    }

    /// The same, with pictures on a shelf of this test's. Other shops leave them to the store's tables.
    pub fn with_shelf(self) -> Self {
        Self { darkroom: Darkroom::new(Some(Shelf::in_memory())), ..self }
    }

    /// The same, with the pictures on another one's shelf.
    pub fn sharing_shelf(self, other: &Self) -> Self {
        Self { darkroom: Darkroom::new(other.darkroom.shelf().cloned()), ..self }
    }

    /// What its workers need for pictures; they may fetch from this machine.
    pub fn studio(&self) -> Studio {
        Studio { darkroom: self.darkroom.clone(), fetcher: Fetcher::new(true).unwrap() }
    }

    /// The same, where identity providers must be of the open internet. Other shops ask those of this machine.
    pub fn facing_the_internet(self) -> Self {
        let embassy = Embassy::new(b"of tests", self.till.address.clone(), CONSOLE, false).unwrap();
        Self { embassy, ..self }
    }

    /// A token of the store's owner.
    pub fn owner(&self) -> String {
        self.staff_token(AccountId::from_uuid(self.store.owner_account))
    }

    /// A token of whoever has this account, whether they work here or not.
    pub fn staff_token(&self, account: AccountId) -> String {
        self.staff_token_proved(account, Some(self.clock.now()))
    }

    /// The same, of somebody who proved who they are then.
    pub fn staff_token_proved(&self, account: AccountId, proved_at: Option<DateTime<Utc>>) -> String {
        let subject = Subject::Staff(account, proved_at);
        let audience = Audience::Store(self.store.id);
        self.key.issue(audience, subject, 0, None, self.clock.now(), MAX_LIFETIME).unwrap().text
    }

    /// The application as a process serves it.
    async fn door(&self) -> &Door {
        self.door
            .get_or_init(|| async {
                let mut services = Services::with(
                    self.gate.clone(),
                    self.till.clone(),
                    CursorKey::new(b"of tests"),
                    (self.reception.clone(), self.embassy.clone()),
                    self.requests_per_minute,
                    false,
                    true,
                );
                services.cache = self.cache.clone();
                services.darkroom = self.darkroom.clone();
                let service = Rc::new(init_service(app::app(services)).await);
                let door: Door = Rc::new(move |request| {
                    let service = Rc::clone(&service);
                    async move {
                        match actix_web::dev::Service::call(&*service, request.to_request()).await {
                            Ok(response) => response.map_into_boxed_body().into(),
                            Err(error) => HttpResponse::from_error(error),
                        }
                    }
                    .boxed_local()
                });
                door
            })
            .await
    }

    /// The platform suspends the store.
    pub async fn suspend(&self) {
        let text = format!(
            "UPDATE platform.store_ledger SET state = 'suspended' WHERE store_id = '{}'",
            self.store.id.uuid()
        );
        TestDatabase::get().await.admin(&text).await;
    }

    /// Writes the store's plan into the ledger, as the control plane does, and waits until this process knows.
    pub async fn on_plan(&self, plan: &Value) {
        let text = format!(
            "UPDATE platform.store_ledger SET plan = '{plan}' WHERE store_id = '{}'",
            self.store.id.uuid()
        );
        let written = serde_json::from_value(plan["limits"].clone()).ok();
        let limits = Limits::of(plan["id"].as_str(), written);
        let mut changes = self.gate.directory().changes();
        TestDatabase::get().await.admin(&text).await;
        let known = || self.gate.directory().by_id(self.store.id).is_some_and(|entry| entry.limits == limits);
        while !known() {
            let news = tokio::time::timeout(Duration::from_secs(10), changes.changed()).await;
            news.expect("the plan is never heard of").unwrap();
        }
    }

    /// SQL as the database's admin; `{s}` is the store's schema. For arranging, never for what a test proves.
    pub async fn admin(&self, text: &str) {
        TestDatabase::get().await.admin(&text.replace("{s}", &self.store.schema)).await;
    }
}

/// The roles a new store gets, read from the committed policy.
fn committed_roles() -> Vec<RoleSeed> {
    let mut roles: Vec<RoleSeed> = Vec::new();
    for line in include_str!("../../policy/roles.csv").lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.split(',').map(|cell| cell.trim().to_owned());
        let (Some(name), Some(object), Some(action)) = (cells.next(), cells.next(), cells.next()) else {
            continue;
        };
        // These two are nobody's by name.
        if name == "anyone" || name == "shopper" {
            continue;
        }
        if roles.last().is_none_or(|role| role.name != name) {
            roles.push(RoleSeed { id: Uuid::now_v7(), name, permissions: Vec::new() });
        }
        roles.last_mut().unwrap().permissions.push(PermissionSeed { object, action });
    }
    roles
}
