//! A real store in a real database behind the real routes, in this process. For the tests of the rooms.
//!
//! Needs `SOUK_TEST_DATABASE_URL`. Every shop is a store of its own, so tests run side by side.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::HeaderMap;
use actix_web::test;
use serde_json::Value;
use souk_access::{Audience, Gate, Grant, MAX_LIFETIME, SigningKey, Subject, TokenKind, Verifier};
use souk_api::CursorKey;
use souk_kernel::{AccountId, Clock};
use souk_provisioner::test_support::{TestDatabase, TestStore};
use souk_provisioner::{PermissionSeed, RoleSeed};
use souk_tenancy::{Database, Directory, Tenancy, TenancyConfig};
use uuid::Uuid;

use crate::app::{self, Services};
use crate::checkout::{PublicAddress, Till};
use crate::customers::Reception;
use crate::orders::LinkKey;
use crate::payments::{Providers, ProvidersConfig};

/// What the test provider and the shops share.
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const CONTROL: &str = "https://control.example";
/// Short, so that a test of a silent provider is.
const PROVIDER_TIMEOUT: Duration = Duration::from_millis(1500);

/// A store, the gate to it, and a clock that stands still until it is moved.
pub struct TestShop {
    pub store: Arc<TestStore>,
    pub gate: Gate,
    pub clock: Clock,
    pub till: Till,
    pub reception: Reception,
    key: Arc<SigningKey>,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    /// Null when the body is no JSON.
    pub json: Value,
}

impl TestShop {
    /// A new store in Germany, with the `test` payment provider at this address if there is one.
    pub async fn open(provider: Option<String>) -> Self {
        let clock = Clock::manual(Clock::system().now());
        let (key, _) = SigningKey::generate(CONTROL).unwrap();
        let store = TestStore::open_with(|request| request.seeds.roles = committed_roles()).await;
        Self::over(Arc::new(store), clock, Arc::new(key), provider).await
    }

    /// Another runtime process over the same store.
    pub async fn another_runtime(&self) -> Self {
        Self::over(Arc::clone(&self.store), self.clock.clone(), Arc::clone(&self.key), None).await
    }

    async fn over(
        store: Arc<TestStore>,
        clock: Clock,
        key: Arc<SigningKey>,
        provider: Option<String>,
    ) -> Self {
        let database = TestDatabase::get().await;
        let at = database.url.parse::<Database>().unwrap();
        let mut config = TenancyConfig::new(at, database.secrets.lane_secret.clone());
        config.clock = clock.clone();
        config.lanes = database.lanes;
        // A test that floods a shop means the flood, not the queue in front of it.
        config.acquire_timeout = Duration::from_secs(20);
        let directory = Directory::start(&config).await;
        let (_, mint) = Tenancy::start(config, directory).unwrap();
        let verifier = Verifier::new().trust(CONTROL, key.public_pem(), &[TokenKind::Staff]).unwrap();
        let reception = Reception::new(b"of tests", 1, 50).unwrap();
        let verifier = reception.trusted_by(verifier).unwrap();
        let gate = Gate::open(mint, verifier, app::policy().await.unwrap()).unwrap();
        gate.trust_proxies(1);
        let providers = Providers::new(&ProvidersConfig {
            test_url: provider,
            test_webhook_secret: Some(WEBHOOK_SECRET.to_owned()),
            timeout: PROVIDER_TIMEOUT,
            clock: clock.clone(),
        });
        let address = PublicAddress { scheme: "http".to_owned(), port: None };
        let till = Till { providers: providers.unwrap(), links: LinkKey::new(b"of tests"), address };
        Self { store, gate, clock, till, reception, key }
    }

    /// A token of the store's owner.
    pub fn owner(&self) -> String {
        self.staff_token(AccountId::from_uuid(self.store.owner_account))
    }

    /// A token of whoever has this account, whether they work here or not.
    pub fn staff_token(&self, account: AccountId) -> String {
        let subject = Subject::Staff(account);
        let audience = Audience::Store(self.store.id);
        self.key.issue(audience, subject, 0, None, self.clock.now(), MAX_LIFETIME).unwrap().text
    }

    /// One request to the store's host; a body is sent as JSON.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let services = Services::with(
            self.gate.clone(),
            self.till.clone(),
            CursorKey::new(b"of tests"),
            self.reception.clone(),
            u32::MAX,
            true,
            true,
        );
        let app = test::init_service(app::app(services)).await;
        let mut request = test::TestRequest::default().method(method.parse().unwrap()).uri(path);
        request = request.insert_header(("host", self.store.host.as_str()));
        if let Some(body) = body {
            request = request.insert_header(("content-type", "application/json")).set_payload(body);
        }
        for header in headers {
            request = request.append_header(*header);
        }
        let response = test::call_service(&app, request.to_request()).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = test::read_body(response).await.to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, bytes, json }
    }

    /// The platform suspends the store.
    pub async fn suspend(&self) {
        let text = format!(
            "UPDATE platform.store_ledger SET state = 'suspended' WHERE store_id = '{}'",
            self.store.id.uuid()
        );
        TestDatabase::get().await.admin(&text).await;
    }

    /// SQL as the database's admin; `{s}` is the store's schema. For arranging, never for what a test proves.
    pub async fn admin(&self, text: &str) {
        TestDatabase::get().await.admin(&text.replace("{s}", &self.store.schema)).await;
    }
}

/// The roles that every store starts with.
fn committed_roles() -> Vec<RoleSeed> {
    let roles = souk_access::read_roles(include_str!("../policy/roles.csv")).unwrap();
    let permission = |grant: &Grant| PermissionSeed {
        object: grant.object().to_owned(),
        action: grant.action().to_owned(),
    };
    let seed = |(name, grants): (String, Vec<Grant>)| RoleSeed {
        id: Uuid::now_v7(),
        name,
        permissions: grants.iter().map(permission).collect(),
    };
    let staff = roles.into_iter().filter(|(name, _)| name != "anyone" && name != "shopper");
    staff.map(seed).collect()
}
