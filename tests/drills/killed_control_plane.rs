//! The control plane dies once at every boundary on a store's way from the wish to its birth, then at moments of chance while several are
//! made: whoever asked gets the store they asked for, once, and nothing else is left over.

use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use souk_kernel::StoreId;
use souk_telemetry::FailPoint;
use souk_tests::shop::Shop;

use crate::Reckoning;
use crate::crowd::Choices;
use crate::stage::Stage;

/// Each is passed by whoever opens a store, or by whoever makes another spare one in its place.
pub const POINTS: [FailPoint; 12] = [
    FailPoint::OperationClaimed,
    FailPoint::OperationPrepared,
    FailPoint::StoreClaimed,
    FailPoint::StoreReserved,
    FailPoint::StoreFounded,
    FailPoint::StoreMigrated,
    FailPoint::StoreBuilt,
    FailPoint::StoreChecked,
    FailPoint::StoreSeeded,
    FailPoint::StoreLive,
    FailPoint::OperationEnding,
    FailPoint::OperationEnded,
];
/// Stores that are asked for at once, more than there are spare ones, and how often the plane is killed meanwhile.
const AT_ONCE: usize = 6;
const KILLS: usize = 2;
/// How long a point may be waited for, and an answer from a plane that dies.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one store may not have passed a point, until another is asked for.
const ANOTHER: Duration = Duration::from_secs(15);
/// A killed worker's operation waits for the end of its lease (15 s), and for what else the machine does.
const REST: Duration = Duration::from_secs(120);
const EMAIL: &str = "killed-control-plane@example.com";
const PASSWORD: &str = "correct horse battery";

pub async fn run(stage: &Stage) -> Reckoning<'_> {
    let office = Office::new(stage.platform().ports().control);
    let who = json!({ "email": EMAIL, "password": PASSWORD, "name": "Ada" });
    assert_eq!(send(office.call(Method::POST, "/v1/accounts").json(&who)).await.0, 202);
    let token = office.sign_in().await;
    let mut operations = Vec::new();
    for point in POINTS {
        let (pid, _) = stage.platform().child("control-plane").expect("it runs");
        stage.arm(point);
        let began = Instant::now();
        while !stage.died_at(point) {
            assert!(began.elapsed() < PATIENCE, "nothing passes {}", point.as_str());
            let operation = office.wish(&token, operations.len()).await;
            operations.push(operation);
            let asked = Instant::now();
            while asked.elapsed() < ANOTHER && !stage.died_at(point) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        tokio::task::block_in_place(|| stage.platform().wait_for_return("control-plane", pid));
    }
    let mut choices = Choices::of(stage.seed());
    let next = operations.len();
    let wishes = join_all((next..next + AT_ONCE).map(|number| office.wish(&token, number)));
    let kills = async {
        for _ in 0..KILLS {
            tokio::time::sleep(Duration::from_millis(choices.below(1500) as u64)).await;
            let killed = stage.platform().kill("control-plane");
            tokio::task::block_in_place(|| stage.platform().wait_for_return("control-plane", killed));
        }
    };
    let (more, ()) = tokio::join!(wishes, kills);
    operations.extend(more);
    // Whoever comes next finds it at work.
    office.sign_in().await;
    async move {
        // A token lives for a quarter of an hour.
        let token = office.sign_in().await;
        let mut shop = None;
        for (number, operation) in operations.iter().enumerate() {
            let view = office.succeeded(&token, operation).await;
            let again = office.wish(&token, number).await;
            assert_eq!(*operation, again, "the same wish is the same operation");
            shop = Some(office.shop(stage, &token, &view).await);
        }
        let shop = shop.expect("stores were opened");
        let numbers = nothing_else(stage, &shop, &operations).await;
        format!(
            "{} deaths while {} stores were opened: each wish is one operation, one row, one schema, one role, and keys that work; {numbers}",
            POINTS.len() + KILLS,
            operations.len()
        )
    }
    .boxed_local()
}

/// One ledger row, one schema, one role, one set of seeds for each operation, and none of any for nobody; how many there are.
async fn nothing_else(stage: &Stage, shop: &Shop, operations: &[String]) -> String {
    let books = stage.books(shop).await;
    let unfinished = "SELECT count(*) FROM platform.store_ledger WHERE state = 'provisioning'";
    books.until_none("stores are half made", unfinished, REST).await;
    for operation in operations {
        let rows = format!(
            "SELECT l.store_id::text FROM platform.store_ledger l JOIN control.stores s ON s.id = l.store_id
             WHERE l.owner_kind = 'control_plane' AND l.owner_ref = '{operation}' AND l.state = 'live' AND s.state = 'live'"
        );
        let stores = books.lines(&rows).await;
        let [store] = stores.as_slice() else { panic!("{operation} has these stores: {stores:?}") };
        let store = StoreId::from_uuid(store.parse().expect("a UUID"));
        let schema = format!("s_{}", store.suffix());
        let planted = format!(
            "SELECT (SELECT count(*) FROM {schema}.store_settings) || ' ' || (SELECT count(*) FROM {schema}.locations) || ' '
             || (SELECT count(*) FROM {schema}.staff) || ' ' || (SELECT count(*) FROM {schema}.api_keys)"
        );
        assert_eq!(books.lines(&planted).await, ["1 1 1 2"], "{operation} was planted once");
        let told = format!(
            "SELECT count(*) FROM control.audit_entries WHERE action = 'store.opened' AND target = '{store}'"
        );
        assert_eq!(books.number(&told).await, 1, "{operation} ended once");
    }
    // The server is the drills' own: every such schema and role on it is this platform's.
    let orphans = "SELECT 'schema ' || n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname ~ '^s_[0-9a-z]{26}$'
            AND NOT EXISTS (SELECT FROM platform.store_ledger l WHERE l.schema_name = n.nspname AND l.state <> 'deleted')
        UNION ALL SELECT 'role ' || r.rolname FROM pg_catalog.pg_roles r WHERE r.rolname ~ '^r_[0-9a-z]{26}$'
            AND NOT EXISTS (SELECT FROM platform.store_ledger l WHERE l.role_name = r.rolname AND l.state <> 'deleted')
        UNION ALL SELECT 'ledger ' || l.schema_name FROM platform.store_ledger l WHERE l.state <> 'deleted'
            AND NOT (EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = l.schema_name)
                AND EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = l.role_name))";
    assert_eq!(books.lines(orphans).await, [""; 0], "the ledger has what is there, and the other way round");
    let of = async |state: &str| {
        books.number(&format!("SELECT count(*) FROM platform.store_ledger WHERE state = '{state}'")).await
    };
    format!("{} stores and {} spare ones in all", of("live").await, of("spare").await)
}

/// The control plane, as somebody sees it who asks again until they are told.
struct Office {
    client: Client,
    base: String,
}

impl Office {
    fn new(port: u16) -> Self {
        // Another drill may have chosen already; the same choice is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).pool_max_idle_per_host(0);
        Self { client: client.build().expect("a client"), base: format!("http://127.0.0.1:{port}") }
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// What a request is answered, made again while nobody answers it, or politely not now.
    async fn told(&self, status: u16, request: impl Fn() -> RequestBuilder) -> Value {
        let began = Instant::now();
        loop {
            let (told, body) = send(request()).await;
            if told == status {
                return body;
            }
            let later = matches!(told, 0 | 503) || body["code"] == "idempotency_running";
            assert!(later && began.elapsed() < PATIENCE, "{told} {body}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn sign_in(&self) -> String {
        let wish = json!({ "email": EMAIL, "password": PASSWORD });
        let tokens = self.told(201, || self.call(Method::POST, "/v1/sessions").json(&wish)).await;
        text(&tokens["access_token"])
    }

    /// Asks for a store under a key of its own; the operation.
    async fn wish(&self, token: &str, number: usize) -> String {
        let wish = json!({ "name": format!("Killed {number}"), "country": "PT", "plan": "growth" });
        let key = format!("killed-control-plane-{number}");
        let request = || {
            let request = self.call(Method::POST, "/v1/stores").bearer_auth(token);
            request.header("idempotency-key", &key).json(&wish)
        };
        text(&self.told(202, request).await["id"])
    }

    /// Waits until it has succeeded.
    async fn succeeded(&self, token: &str, operation: &str) -> Value {
        let (path, began) = (format!("/v1/operations/{operation}"), Instant::now());
        loop {
            let view = self.told(200, || self.call(Method::GET, &path).bearer_auth(token)).await;
            match view["state"].as_str() {
                Some("succeeded") => return view,
                Some("queued" | "running") if began.elapsed() < REST => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                _ => panic!("{view}"),
            }
        }
    }

    /// Takes the keys of a store that was opened, and tries both.
    async fn shop(&self, stage: &Stage, token: &str, view: &Value) -> Shop {
        let path = format!("/v1/operations/{}/keys", view["id"].as_str().expect("an id"));
        let keys = self.told(200, || self.call(Method::POST, &path).bearer_auth(token)).await;
        let base = format!("http://127.0.0.1:{}", stage.platform().ports().runtime);
        let (url, store) = (text(&view["store_url"]), text(&view["store"]));
        let (publishable, secret) = (text(&keys["publishable_key"]), text(&keys["secret_key"]));
        let shop = Shop::at(&base, url.trim_start_matches("http://"), &store, &publishable, &secret);
        assert_eq!(shop.browse().await.status, 200, "{store} is open for shoppers");
        shop.admin(Method::GET, "/admin/v1/products", None, None).await.fine("its owner's key");
        shop
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Status 0: no answer at all.
async fn send(request: RequestBuilder) -> (u16, Value) {
    match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            match response.json().await {
                Ok(body) => (status, body),
                // It died while it spoke, or spoke of nothing.
                Err(_) => (if status < 300 { 0 } else { status }, Value::Null),
            }
        }
        Err(_) => (0, Value::Null),
    }
}
