//! A real store in a real database behind a real gate, and a small app whose handlers use every sort of permit.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Service as _;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, test, web};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use souk_access::{
    Actor, ApiKey, Audience, Claim, Gate, KeyKind, KeyMode, MAX_LIFETIME, Permit, Policy, Refusal, Reply,
    SigningKey, Subject, TokenKind, Verifier, permissions,
};
use souk_api::{Digest, IdempotencyKey, Problem};
use souk_kernel::{AccountId, Clock, CustomerId};
use souk_provisioner::test_support::{TestDatabase, TestStore};
use souk_provisioner::{ApiKeySeed, PermissionSeed, RoleSeed};
use souk_tenancy::{Database, DbError, Directory, Tenancy, TenancyConfig, WriteTx, sql};
use uuid::Uuid;

use crate::notes::Notes;

permissions! {
    /// See products.
    View = "product", "view", Reads;
    /// Change products.
    Edit = "product", "edit", Writes;
    /// See the storefront.
    Browse = "storefront", "view", Reads;
    /// Use a cart.
    UseCart = "cart", "use", Writes;
}

const MODEL: &str = include_str!("../../../../tenant-runtime/policy/model.conf");
const ROLES: &str =
    "anyone, storefront, view\nanyone, cart, use\nshopper, storefront, view\nshopper, cart, use\n";
const CONTROL: &str = "https://control.example";
const RUNTIME: &str = "https://runtime.example";

/// One store, its gate, and the keys that open it.
pub struct Shop {
    pub store: TestStore,
    pub gate: Gate,
    pub clock: Clock,
    pub control_key: SigningKey,
    pub runtime_key: SigningKey,
    pub secret: ApiKey,
    pub public: ApiKey,
    pub directory: Directory,
    /// What was done by right, as the gate wrote it down.
    pub notes: Notes,
}

pub struct Answer {
    pub status: StatusCode,
    pub body: String,
    pub replayed: bool,
}

impl Answer {
    /// Status and problem code, or the body of a success.
    pub fn short(&self) -> String {
        let problem = serde_json::from_str::<serde_json::Value>(&self.body).ok();
        let code = problem.as_ref().and_then(|problem| problem["code"].as_str()).map(str::to_owned);
        format!("{} {}", self.status.as_u16(), code.unwrap_or_else(|| self.body.trim_matches('"').to_owned()))
    }
}

fn key_seed(key: &ApiKey, scopes: &[&str]) -> ApiKeySeed {
    let hash = key.digest().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    ApiKeySeed {
        id: Uuid::now_v7(),
        kind: key.kind().as_str().to_owned(),
        mode: key.mode().as_str().to_owned(),
        name: "test".to_owned(),
        prefix: key.prefix().to_owned(),
        hash,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    }
}

impl Shop {
    pub async fn open() -> Self {
        let secret = ApiKey::mint(KeyKind::Secret, KeyMode::Test).unwrap();
        let public = ApiKey::mint(KeyKind::Publishable, KeyMode::Test).unwrap();
        let (secret_seed, public_seed) = (key_seed(&secret, &["product:view"]), key_seed(&public, &[]));
        let store = TestStore::open_with(|request| {
            let permission = PermissionSeed { object: "product".to_owned(), action: "view".to_owned() };
            let viewer =
                RoleSeed { id: Uuid::now_v7(), name: "viewer".to_owned(), permissions: vec![permission] };
            request.seeds.roles.push(viewer);
            request.seeds.api_keys = vec![secret_seed, public_seed];
        })
        .await;
        let database = TestDatabase::get().await;
        let clock = Clock::manual(Clock::system().now());
        let mut config = TenancyConfig::new(
            Database::from_str(&database.url).unwrap(),
            database.secrets.lane_secret.clone(),
        );
        config.clock = clock.clone();
        config.lanes = database.lanes;
        let directory = Directory::start(&config).await;
        let (_, mint) = Tenancy::start(config, directory.clone()).unwrap();
        let (control_key, _) = SigningKey::generate(CONTROL).unwrap();
        let (runtime_key, _) = SigningKey::generate(RUNTIME).unwrap();
        let verifier = Verifier::new()
            .trust(CONTROL, control_key.public_pem(), &[TokenKind::Staff])
            .unwrap()
            .trust(RUNTIME, runtime_key.public_pem(), &[TokenKind::Customer])
            .unwrap();
        let policy = Policy::load(MODEL, ROLES, ALL.iter().copied()).await.unwrap();
        let notes = Notes::default();
        let gate = Gate::open(mint, verifier, policy, notes.clone()).unwrap();
        Self { store, gate, clock, control_key, runtime_key, secret, public, directory, notes }
    }

    pub fn staff_token(&self, account: Uuid) -> String {
        let subject = Subject::Staff(AccountId::from_uuid(account), Some(self.clock.now()));
        self.token(&self.control_key, subject, 0)
    }

    pub fn customer_token(&self, customer: CustomerId, epoch: i64) -> String {
        self.token(&self.runtime_key, Subject::Customer(customer), epoch)
    }

    pub fn token(&self, key: &SigningKey, subject: Subject, epoch: i64) -> String {
        let audience = Audience::Store(self.store.id);
        key.issue(audience, subject, epoch, None, self.clock.now(), MAX_LIFETIME).unwrap().text
    }

    /// A customer of this store.
    pub async fn customer(&self) -> CustomerId {
        let id = CustomerId::new();
        self.admin(&format!(
            "INSERT INTO {{s}}.customers (id, email, email_key, created_at, updated_at) VALUES ('{0}', '{0}@x', '{0}@x', now(), now())",
            id.uuid()
        ))
        .await;
        id
    }

    /// SQL as the database's admin; `{s}` is the store's schema.
    pub async fn admin(&self, text: &str) {
        TestDatabase::get().await.admin(&text.replace("{s}", &self.store.schema)).await;
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(test::TestRequest::get().uri(path), headers).await
    }

    pub async fn post(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(test::TestRequest::post().uri(path).set_payload(body.to_owned()), headers).await
    }

    async fn send(&self, mut request: test::TestRequest, headers: &[(&str, &str)]) -> Answer {
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.insert_header(("host", self.store.host.as_str()));
        }
        for (name, value) in headers {
            request = request.append_header((*name, *value));
        }
        let routes = |app: &mut web::ServiceConfig| {
            app.route("/who", web::get().to(who))
                .route("/shop", web::get().to(browse))
                .route("/edit", web::post().to(edit))
                .route("/cart/{id}", web::post().to(use_cart))
                .route("/slow", web::post().to(slow))
                .route("/lease", web::post().to(lease));
        };
        let app = test::init_service(App::new().app_data(self.gate.clone()).configure(routes)).await;
        let response = app.call(request.to_request()).await.unwrap();
        let (status, replayed) = (response.status(), response.headers().contains_key("idempotent-replayed"));
        let body = String::from_utf8(test::read_body(response).await.to_vec()).unwrap();
        Answer { status, body, replayed }
    }
}

/// Waits up to ten seconds for a condition about the directory.
pub async fn eventually(condition: impl Fn() -> bool) {
    for _ in 0..1000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen in ten seconds");
}

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// Says who the gate thinks is calling; what it returns is read inside a transaction.
async fn who(permit: Permit<View>) -> Result<String, Problem> {
    let name = permit
        .read("test.who", async |tx| {
            let row: NameRow = tx.one(sql("SELECT current_user::text AS name")).await?;
            Ok::<_, Refusal>(row.name)
        })
        .await?;
    assert!(name.ends_with(&permit.store().suffix()), "the transaction is the store's own");
    let sort = match permit.actor() {
        Actor::Staff { role, .. } => format!("staff {role}"),
        Actor::ApiKey { scopes, .. } => format!("key {}", scopes.join(" ")),
        other => format!("{other}"),
    };
    Ok(format!("{sort} {:?}", permit.reach()))
}

async fn browse(permit: Permit<Browse>) -> String {
    match permit.actor() {
        Actor::Anonymous => "anonymous".to_owned(),
        Actor::Customer { .. } => "customer".to_owned(),
        Actor::ApiKey { .. } => "key".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Something that may happen only once: takes the next order number.
async fn take_number(tx: &mut WriteTx<'_>) -> Result<i64, DbError> {
    let query = sql(
        "UPDATE store_settings SET next_order_number = next_order_number + 1 RETURNING next_order_number AS number",
    );
    Ok(tx.one::<NumberRow>(query).await?.number)
}

async fn once<P>(permit: Permit<P>, key: IdempotencyKey, body: web::Bytes) -> Result<HttpResponse, Problem>
where
    P: souk_access::Permission<Access = souk_access::Writes>,
{
    let fail = body.starts_with(b"fail");
    permit
        .write_once("test.once", &key, Digest::of(&body), async move |tx| {
            let number = take_number(tx).await?;
            if fail {
                return Err(Refusal(Problem::new(&souk_api::problem::CONFLICT)));
            }
            Ok(Reply::created(&number).location("/numbers/1"))
        })
        .await
}

async fn edit(permit: Permit<Edit>, key: IdempotencyKey, body: web::Bytes) -> Result<HttpResponse, Problem> {
    once(permit, key, body).await
}

async fn use_cart(
    permit: Permit<UseCart>,
    key: IdempotencyKey,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    once(permit, key, body).await
}

/// As `edit`, but the transaction stays open for as many milliseconds as the body says.
async fn slow(permit: Permit<Edit>, key: IdempotencyKey, body: web::Bytes) -> Result<HttpResponse, Problem> {
    let pause = Duration::from_millis(std::str::from_utf8(&body).unwrap().parse().unwrap());
    permit
        .write_once("test.slow", &key, Digest::of(&body), async move |tx| {
            let number = take_number(tx).await?;
            tokio::time::sleep(pause).await;
            Ok::<_, Refusal>(Reply::created(&number))
        })
        .await
}

/// Claims with a minute's lease. Body `stop`: leaves it claimed. Body `go`: fulfils. `late`: lets an hour pass in between.
async fn lease(permit: Permit<Edit>, key: IdempotencyKey, req: HttpRequest) -> Result<HttpResponse, Problem> {
    let (digest, minute) = (Digest::empty(), Duration::from_secs(60));
    let does =
        req.headers().get("x-does").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let first = permit.clone();
    let claim = permit
        .write("test.claim", async move |tx| Ok::<_, Refusal>(first.claim(tx, &key, digest, minute).await?))
        .await?;
    let claimed = match claim {
        Claim::Done(reply) => return permit.replay(reply),
        Claim::Ours(claimed) => claimed,
    };
    match does.as_str() {
        "stop" => return Ok(HttpResponse::Accepted().body(claimed.resumed.to_string())),
        "late" => permit.clock().advance(Duration::from_secs(3600)),
        _ => {}
    }
    let (second, claimed) = (permit.clone(), Arc::new(claimed));
    if does == "release" {
        permit
            .write("test.release", async move |tx| {
                Ok::<_, Refusal>(second.release(tx, &claimed.ticket).await?)
            })
            .await?;
        return Ok(HttpResponse::Ok().body("released"));
    }
    let reply = permit
        .write("test.fulfil", async move |tx| {
            let number = take_number(tx).await?;
            let reply = Reply::created(&format!("{number} resumed={}", claimed.resumed));
            Ok::<_, Refusal>(second.fulfil(tx, &claimed.ticket, reply).await?)
        })
        .await?;
    permit.send(reply)
}
