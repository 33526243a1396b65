//! The plane in a test: built with what production is built with, called in process, over a real database.
//!
//! Tests share one database and one worker. A test that moves the clock or the work itself takes a [`House::alone`].

use std::sync::OnceLock;
use std::time::Duration;

use actix_http::Request;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use chrono::TimeDelta;
use serde_json::{Value, json};
use souk_access::{Hasher, SigningKey};
use souk_api::CursorKey;
use souk_kernel::{Clock, RequestId};
use souk_openid::ProviderConfig;
use souk_provisioner::Provisioner;
use souk_provisioner::test_support::TestDatabase;
use souk_telemetry::Shutdown;
use souk_tenancy::StatementCount;
use tokio_postgres::Client;

use crate::config::{DatabaseConfig, Settings};
use crate::messages::Sender;
use crate::plane::Plane;
use crate::{app, serve, worker};

pub const PASSWORD: &str = "correct horse battery staple";

/// The application as actix builds it for tests.
pub trait Doors: Service<Request, Response = ServiceResponse<Self::Out>, Error = actix_web::Error> {
    type Out: MessageBody;
}

impl<S, B> Doors for S
where
    S: Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    type Out = B;
}

/// The plane with its application and its database.
pub struct House<S> {
    pub doors: S,
    pub plane: Plane,
    pub database: Database,
}

/// Shared by all tests of the process, or a test's own.
pub enum Database {
    Shared(&'static TestDatabase),
    Own(Box<TestDatabase>),
}

impl std::ops::Deref for Database {
    type Target = TestDatabase;

    fn deref(&self) -> &TestDatabase {
        match self {
            Self::Shared(database) => database,
            Self::Own(database) => database,
        }
    }
}

fn config_of(database: &TestDatabase) -> DatabaseConfig {
    DatabaseConfig {
        url: database.url.clone(),
        database: database.url.parse().expect("a database URL"),
        control_password: database.secrets.control_plane.clone(),
        provisioner_password: Some(database.secrets.provisioner.clone()),
        lanes: database.lanes,
    }
}

/// One key for the process, so that tokens are believed whoever signed them.
fn signing() -> SigningKey {
    static PEM: OnceLock<String> = OnceLock::new();
    let pem = PEM.get_or_init(|| SigningKey::generate("https://control.test").expect("randomness").1);
    SigningKey::from_pem("https://control.test", pem).expect("a key")
}

async fn plane_over(database: &TestDatabase, settings: Settings, clock: Clock) -> Plane {
    let hasher = Hasher::new(2, 64).expect("randomness");
    serve::plane(settings, &config_of(database), signing(), hasher, clock).await.expect("a plane")
}

/// The worker of the process, on a runtime that outlives every test.
fn start_worker(database: &'static TestDatabase) {
    static WORKER: OnceLock<()> = OnceLock::new();
    WORKER.get_or_init(|| {
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let settings = Settings { spare_stores: 2, ..Settings::local().expect("settings") };
                let plane = plane_over(database, settings, Clock::system()).await;
                let provisioner = database.provisioner().await;
                worker::run(plane, provisioner, None, Sender::Captured, Shutdown::manual()).await;
            });
        });
    });
}

/// The shared house, with a worker at work.
pub async fn house() -> House<impl Doors> {
    let database = TestDatabase::get().await;
    start_worker(database);
    let plane = plane_over(database, Settings::local().expect("settings"), Clock::system()).await;
    House { doors: doors(&plane).await, plane, database: Database::Shared(database) }
}

/// The shared database without its worker's help, seen through a clock of the test's own.
pub async fn house_at(clock: Clock) -> House<impl Doors> {
    let database = TestDatabase::get().await;
    let plane = plane_over(database, Settings::local().expect("settings"), clock).await;
    House { doors: doors(&plane).await, plane, database: Database::Shared(database) }
}

/// The same, where one can sign in with others.
pub async fn house_beside(clock: Clock, providers: Vec<ProviderConfig>) -> House<impl Doors> {
    let database = TestDatabase::get().await;
    let settings = Settings { identity_providers: providers, ..Settings::local().expect("settings") };
    let plane = plane_over(database, settings, clock).await;
    House { doors: doors(&plane).await, plane, database: Database::Shared(database) }
}

/// A house with a database of its own and nobody at work: the test does the work, at the time it wants.
pub async fn house_alone(clock: Clock, change: impl FnOnce(&mut Settings)) -> House<impl Doors> {
    let database = TestDatabase::fresh().await;
    let mut settings = Settings::local().expect("settings");
    change(&mut settings);
    let plane = plane_over(&database, settings, clock).await;
    House { doors: doors(&plane).await, plane, database: Database::Own(Box::new(database)) }
}

async fn doors(plane: &Plane) -> impl Doors + use<> {
    init_service(app::app(plane.clone(), CursorKey::new(b"a cursor key of tests"))).await
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// Statements and transactions that it took.
    pub cost: (u32, u32),
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The problem's code.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Where the first complaint points, and its code.
    pub fn complaint(&self) -> (String, String) {
        let error = &self.json()["errors"][0];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (text("pointer"), text("code"))
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}", self.text);
        self
    }
}

/// A request under way.
pub struct Call<'h, S> {
    house: &'h House<S>,
    request: TestRequest,
}

impl<S: Doors> Call<'_, S> {
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request = self.request.insert_header((name, value));
        self
    }

    pub fn at_network(mut self, address: &str) -> Self {
        self.request = self.request.peer_addr(format!("{address}:4000").parse().expect("an address"));
        self
    }

    pub fn by(self, person: &Person) -> Self {
        let bearer = format!("Bearer {}", person.token);
        self.header("authorization", &bearer)
    }

    /// Under a fresh idempotency key.
    pub fn once(self) -> Self {
        let key = RequestId::new().to_string();
        self.header("idempotency-key", &key)
    }

    pub fn body(mut self, body: &Value) -> Self {
        self.request =
            self.request.insert_header(("content-type", "application/json")).set_payload(body.to_string());
        self
    }

    pub async fn send(self) -> Answer {
        let count = StatementCount::new();
        let response = count.scope(call_service(&self.house.doors, self.request.to_request())).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = String::from_utf8(read_body(response).await.to_vec()).expect("UTF-8");
        Answer { status, headers, text, cost: (count.statements(), count.transactions()) }
    }
}

/// Somebody signed in.
#[derive(Clone, Debug)]
pub struct Person {
    pub email: String,
    pub account: String,
    pub token: String,
    pub refresh: String,
}

impl<S: Doors> House<S> {
    fn call(&self, request: TestRequest) -> Call<'_, S> {
        Call { house: self, request }
    }

    pub fn get(&self, path: &str) -> Call<'_, S> {
        self.call(TestRequest::get().uri(path))
    }

    pub fn post(&self, path: &str) -> Call<'_, S> {
        self.call(TestRequest::post().uri(path))
    }

    pub fn patch(&self, path: &str) -> Call<'_, S> {
        self.call(TestRequest::patch().uri(path))
    }

    pub fn delete(&self, path: &str) -> Call<'_, S> {
        self.call(TestRequest::delete().uri(path))
    }

    /// Signs somebody new up and in.
    pub async fn newcomer(&self) -> Person {
        let email = format!("{}@example.com", RequestId::new().suffix());
        let wish = json!({ "email": email, "password": PASSWORD, "name": "Ada Lovelace" });
        self.post("/v1/accounts").body(&wish).send().await.expect(202);
        self.sign_in(&email, PASSWORD).await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Person {
        let wish = json!({ "email": email, "password": password });
        let tokens = self.post("/v1/sessions").body(&wish).send().await.expect(201).json();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Person {
            email: email.to_owned(),
            account: text(&tokens["account"]["id"]),
            token: text(&tokens["access_token"]),
            refresh: text(&tokens["refresh_token"]),
        }
    }

    /// Asks for a store; gives the path of its operation.
    pub async fn ask_for_store(&self, owner: &Person, wish: &Value) -> String {
        let answer = self.post("/v1/stores").by(owner).once().body(wish).send().await.expect(202);
        answer.header("location").to_owned()
    }

    /// Follows an operation to its end, which the worker must bring about soon.
    pub async fn follow(&self, owner: &Person, operation: &str) -> Value {
        for _ in 0..400 {
            let view = self.get(operation).by(owner).send().await.expect(200).json();
            if view["finished_at"].is_string() {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{operation} did not end");
    }

    /// Opens a store and gives it and its operation.
    pub async fn open_store(&self, owner: &Person, wish: &Value) -> (Value, Value) {
        let operation = self.ask_for_store(owner, wish).await;
        let operation = self.follow(owner, &operation).await;
        assert_eq!(operation["state"], "succeeded", "{operation}");
        let store = self.get(&path_of(&operation)).by(owner).send().await.expect(200).json();
        (store, operation)
    }

    /// The token of the latest mailed link to an address on a page.
    pub async fn mailed_token(&self, email: &str, page: &str) -> String {
        let body = self
            .mailed(email)
            .await
            .into_iter()
            .find(|body| body.contains(page))
            .expect("a mail with a link");
        let link = body.lines().find(|line| line.contains(page)).expect("a link");
        link.split_once("#token=").expect("a token").1.to_owned()
    }

    /// Bodies of the mails to an address, newest first.
    pub async fn mailed(&self, email: &str) -> Vec<String> {
        let query = "SELECT coalesce(text_body, '') FROM control.messages WHERE recipient = $1 ORDER BY created_at DESC, id DESC";
        let rows = self.rows().await.query(query, &[&email]).await.expect("rows");
        rows.into_iter().map(|row| row.get(0)).collect()
    }

    /// A look behind the API's back.
    pub async fn rows(&self) -> Client {
        self.database
            .login("control_plane", &self.database.secrets.control_plane)
            .await
            .expect("a connection")
    }

    /// SQL as the database's administrator, triggers set aside: what nobody of ours can do.
    pub async fn tamper(&self, text: &str) {
        let text = format!("BEGIN; SET LOCAL session_replication_role = replica; {text}; COMMIT");
        self.database.admin(&text).await;
    }

    /// One number from the database.
    pub async fn count(&self, query: &str, values: &[&(dyn tokio_postgres::types::ToSql + Sync)]) -> i64 {
        self.rows().await.query_one(query, values).await.expect("a row").get(0)
    }

    /// Does the work that is due, as a worker process would, until there is none.
    pub async fn work(&self, provisioner: &Provisioner) {
        let worker = self.plane.gate().worker("test", "does the work of a test");
        let holder = RequestId::new().uuid();
        let hands =
            crate::stores::Hands { worker: &worker, plane: &self.plane, provisioner, cluster: None, holder };
        while let Some(operation) = claim(&worker, holder).await {
            crate::stores::carry_out(&hands, &operation).await.expect("the work is noted");
        }
    }
}

/// Claims the next operation that is due.
pub async fn claim(
    worker: &souk_access::ControlWorker,
    holder: uuid::Uuid,
) -> Option<crate::operations::Operation> {
    let work = async move |tx: &mut souk_tenancy::WriteTx<'_>| {
        Ok::<_, souk_tenancy::TenancyError>(crate::operations::claim(tx, holder).await?)
    };
    worker.scope().write("test.claim", work).await.expect("the queue answers")
}

/// The path of an operation's store.
pub fn path_of(operation: &Value) -> String {
    format!("/v1/stores/{}", operation["store"].as_str().expect("a store's id"))
}

/// A clock that stands at the real time until it is moved.
pub fn clock() -> Clock {
    Clock::manual(Clock::system().now())
}

/// Moves a clock.
pub fn pass(clock: &Clock, by: TimeDelta) {
    clock.advance(by.to_std().expect("forward"));
}

/// Longer than the gate remembers who is a member and whose session lives.
pub async fn a_second() {
    tokio::time::sleep(Duration::from_millis(1_000)).await;
}
