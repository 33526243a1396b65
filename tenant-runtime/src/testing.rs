//! A real store in a real database behind the real routes, in this process. For the tests of the rooms.
//!
//! Needs `SOUK_TEST_DATABASE_URL`. Every shop is a store of its own, so tests run side by side.

use std::time::Duration;

use actix_web::http::header::HeaderMap;
use actix_web::middleware::from_fn;
use actix_web::{App, test, web};
use serde_json::Value;
use souk_access::{Audience, Gate, MAX_LIFETIME, Policy, SigningKey, Subject, TokenKind, Verifier};
use souk_api::CursorKey;
use souk_kernel::{AccountId, Clock};
use souk_provisioner::test_support::{TestDatabase, TestStore};
use souk_tenancy::{Database, Directory, Tenancy, TenancyConfig};
use utoipa_actix_web::AppExt;

use crate::checkout::{PublicAddress, Till};
use crate::orders::LinkKey;
use crate::payments::{Providers, ProvidersConfig};
use crate::{
    cart, catalog, checkout, credit, discounts, inventory, ledger, markets, orders, payments, shipping,
};

/// What the test provider and the shops share.
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const CONTROL: &str = "https://control.example";
/// Short, so that a test of a silent provider is.
const PROVIDER_TIMEOUT: Duration = Duration::from_millis(1500);

/// A store, the gate to it, and a clock that stands still until it is moved.
pub struct TestShop {
    pub store: TestStore,
    pub gate: Gate,
    pub clock: Clock,
    pub till: Till,
    key: SigningKey,
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
        let store = TestStore::open().await;
        let database = TestDatabase::get().await;
        let clock = Clock::manual(Clock::system().now());
        let at = database.url.parse::<Database>().unwrap();
        let mut config = TenancyConfig::new(at, database.secrets.lane_secret.clone());
        config.clock = clock.clone();
        config.lanes = database.lanes;
        // A test that floods a shop means the flood, not the queue in front of it.
        config.acquire_timeout = Duration::from_secs(20);
        let directory = Directory::start(&config).await;
        let (_, mint) = Tenancy::start(config, directory).unwrap();
        let (key, _) = SigningKey::generate(CONTROL).unwrap();
        let verifier = Verifier::new().trust(CONTROL, key.public_pem(), &[TokenKind::Staff]).unwrap();
        let permissions = [
            cart::permissions::ALL,
            checkout::permissions::ALL,
            catalog::permissions::ALL,
            credit::permissions::ALL,
            markets::permissions::ALL,
            shipping::permissions::ALL,
            discounts::permissions::ALL,
            inventory::permissions::ALL,
            ledger::permissions::ALL,
            orders::permissions::ALL,
            payments::permissions::ALL,
        ];
        let (model, roles) = (include_str!("../policy/model.conf"), include_str!("../policy/roles.csv"));
        let policy = Policy::load(model, roles, permissions.concat()).await.unwrap();
        let gate = Gate::open(mint, verifier, policy).unwrap();
        let providers = Providers::new(&ProvidersConfig {
            test_url: provider,
            test_webhook_secret: Some(WEBHOOK_SECRET.to_owned()),
            timeout: PROVIDER_TIMEOUT,
            clock: clock.clone(),
        });
        let address = PublicAddress { scheme: "http".to_owned(), port: None };
        let till = Till { providers: providers.unwrap(), links: LinkKey::new(b"of tests"), address };
        Self { store, gate, clock, till, key }
    }

    /// A token of the store's owner.
    pub fn owner(&self) -> String {
        let subject = Subject::Staff(AccountId::from_uuid(self.store.owner_account));
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
        let data = |app: App<_>| {
            app.app_data(self.gate.clone())
                .app_data(CursorKey::new(b"of tests"))
                .app_data(web::Data::new(self.till.clone()))
                .wrap(from_fn(souk_api::request_id))
        };
        let app = App::new().into_utoipa_app().map(data);
        let app = app
            .configure(cart::routes)
            .configure(credit::routes)
            .configure(catalog::routes)
            .configure(markets::routes)
            .configure(shipping::routes)
            .configure(discounts::routes)
            .configure(inventory::routes)
            .configure(ledger::routes)
            .configure(orders::routes)
            .configure(checkout::routes);
        let app = test::init_service(app.into_app()).await;
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

    /// SQL as the database's admin; `{s}` is the store's schema. For arranging, never for what a test proves.
    pub async fn admin(&self, text: &str) {
        TestDatabase::get().await.admin(&text.replace("{s}", &self.store.schema)).await;
    }
}
