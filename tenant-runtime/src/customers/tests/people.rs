//! A store and its customers.

use std::sync::Mutex;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use serde_json::{Value, json};
use souk_event_bus::{Consumer as _, Event};
use souk_kernel::EventId;
use souk_provisioner::test_support::TestDatabase;
use souk_tenancy::{DbError, TenancyError, sql};
use uuid::Uuid;

use crate::messages::CustomerMail;
use crate::testing::{Answer, TestShop};

pub const PASSWORD: &str = "correct horse battery staple";

pub struct People {
    pub shop: TestShop,
    /// Position of the last event the mail consumer heard.
    heard: Mutex<i64>,
}

/// Somebody who is signed in.
pub struct SignedIn {
    pub access: String,
    pub refresh: String,
}

/// A mail that was queued.
#[derive(Debug, QueryableByName)]
pub struct Mail {
    #[diesel(sql_type = Text)]
    pub template: String,
    #[diesel(sql_type = Text)]
    pub recipient: String,
    #[diesel(sql_type = Text)]
    pub text: String,
    /// What its link carries after the `#`.
    #[diesel(sql_type = Text)]
    pub secret: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    text: String,
}

#[derive(Debug)]
struct Failure;
impl From<TenancyError> for Failure {
    fn from(error: TenancyError) -> Self {
        panic!("{error:?}")
    }
}
impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        panic!("{error:?}")
    }
}

struct Attack(DbError);
impl From<TenancyError> for Attack {
    fn from(error: TenancyError) -> Self {
        match error {
            TenancyError::Db(error) => Self(error),
            error => panic!("{error:?}"),
        }
    }
}
impl From<DbError> for Attack {
    fn from(error: DbError) -> Self {
        Self(error)
    }
}

/// Where Ada lives.
pub fn address(city: &str) -> Value {
    json!({ "first_name": "Ada", "last_name": "Lovelace", "address1": "Lindenweg 1", "city": city, "postal_code": "10117", "country": "DE" })
}

impl Answer {
    /// The body of an answer with this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.json);
        self.json
    }
}

impl People {
    pub async fn open() -> Self {
        Self { shop: TestShop::open(None).await, heard: Mutex::new(0) }
    }

    /// The same people at another runtime process.
    pub async fn another_runtime(&self) -> Self {
        Self { shop: self.shop.another_runtime().await, heard: Mutex::new(0) }
    }

    async fn send(&self, method: &str, path: &str, bearer: Option<&str>, body: Option<&Value>) -> Answer {
        let bearer = bearer.filter(|token| !token.is_empty()).map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        self.shop.send(method, path, body.map(|body| body.to_string().into_bytes()), &headers).await
    }

    pub async fn get(&self, path: &str, bearer: &str) -> Answer {
        self.send("GET", path, Some(bearer), None).await
    }

    pub async fn delete(&self, path: &str, bearer: &str) -> Answer {
        self.send("DELETE", path, Some(bearer), None).await
    }

    pub async fn send_delete(&self, path: &str, bearer: &str, body: &Value) -> Answer {
        self.send("DELETE", path, Some(bearer), Some(body)).await
    }

    pub async fn post(&self, path: &str, bearer: Option<&str>, body: &Value) -> Answer {
        self.send("POST", path, bearer, Some(body)).await
    }

    pub async fn put(&self, path: &str, bearer: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some(bearer), Some(body)).await
    }

    pub async fn patch(&self, path: &str, bearer: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(bearer), Some(body)).await
    }

    pub async fn post_with(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        self.shop.send("POST", path, Some(body.to_string().into_bytes()), headers).await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> SignedIn {
        let answer =
            self.post("/store/v1/sessions", None, &json!({ "email": email, "password": password })).await;
        let json = answer.is(201);
        let text = |name: &str| json[name].as_str().unwrap().to_owned();
        SignedIn { access: text("access_token"), refresh: text("refresh_token") }
    }

    /// A customer with a confirmed address, signed in; their mails are read.
    pub async fn customer(&self, email: &str) -> SignedIn {
        let wish = json!({ "email": email, "password": PASSWORD });
        self.post("/store/v1/customers", None, &wish).await.is(202);
        let mails = self.mails().await;
        let mail = mails.iter().find(|mail| mail.recipient == email).unwrap();
        self.post("/store/v1/customers/verify", None, &json!({ "token": mail.secret })).await.is(204);
        self.sign_in(email, PASSWORD).await
    }

    /// The one mail since the last look.
    pub async fn mail(&self) -> Mail {
        let mut mails = self.mails().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }

    /// Lets the mail consumer hear what was told since the last look; the mails it queued, in order.
    pub async fn mails(&self) -> Vec<Mail> {
        let worker = self.shop.gate.worker(self.shop.store.id, "test", "hears").unwrap();
        let before = self.count(&worker).await;
        let consumer = CustomerMail {
            address: self.shop.till.address.clone(),
            console_url: "https://console.example".to_owned(),
        };
        let after = *self.heard.lock().unwrap();
        for event in outbox_after(&self.shop, after).await {
            *self.heard.lock().unwrap() = event.0;
            if consumer.wants(&event.1.kind) {
                let (consumer, event) = (&consumer, &event.1);
                let hear = worker.write("test.hear", async move |tx| {
                    consumer.hear(tx, event).await.unwrap();
                    Ok::<_, Failure>(())
                });
                hear.await.unwrap();
            }
        }
        let read = worker.read("test.mails", async move |tx| {
            let query = sql("SELECT template, recipient, body_text AS text, \
                 coalesce(substring(body_text FROM '#(?:sto_[0-9a-z]{26}[.])?([A-Za-z0-9_-]{43})'), '') AS secret FROM email_messages ORDER BY id OFFSET $1");
            Ok::<_, Failure>(tx.load(query.bind::<BigInt, _>(before)).await?)
        });
        read.await.unwrap()
    }

    async fn count(&self, worker: &souk_access::WorkerPermit) -> i64 {
        let read = worker.read("test.count", async |tx| {
            Ok::<_, Failure>(
                tx.one::<Number>(sql("SELECT count(*) AS number FROM email_messages")).await?.number,
            )
        });
        read.await.unwrap()
    }

    /// One number of the store's schema.
    pub async fn number(&self, text: &'static str) -> i64 {
        let worker = self.shop.gate.worker(self.shop.store.id, "test", "looks").unwrap();
        let read = worker
            .read("test.number", async move |tx| Ok::<_, Failure>(tx.one::<Number>(sql(text)).await?.number));
        read.await.unwrap()
    }

    /// SQL with the rights of the store itself.
    pub async fn try_as_store(&self, text: &'static str) -> Result<(), DbError> {
        let worker = self.shop.gate.worker(self.shop.store.id, "test", "attacks").unwrap();
        let work = worker.write("test.attack", async move |tx| {
            tx.execute(sql(text)).await.map(drop).map_err(Attack::from)
        });
        work.await.map_err(|attack| attack.0)
    }

    /// Every row of a table of the store's, as JSON.
    pub async fn text_of(&self, table: &str) -> String {
        let database = TestDatabase::get().await;
        let text = format!(
            "CREATE TABLE IF NOT EXISTS {0}.test_text (text text); TRUNCATE {0}.test_text; \
             INSERT INTO {0}.test_text SELECT coalesce(jsonb_agg(to_jsonb(t))::text, '') FROM {0}.{table} t; \
             GRANT SELECT ON {0}.test_text TO PUBLIC",
            self.shop.store.schema
        );
        database.admin(&text).await;
        let worker = self.shop.gate.worker(self.shop.store.id, "test", "looks").unwrap();
        let read = worker.read("test.text", async move |tx| {
            Ok::<_, Failure>(tx.one::<Word>(sql("SELECT text FROM test_text")).await?.text)
        });
        read.await.unwrap()
    }

    /// How many events the store has stated.
    pub async fn events(&self) -> usize {
        self.outbox().await.len()
    }

    pub async fn outbox(&self) -> Vec<Event> {
        outbox_after(&self.shop, 0).await.into_iter().map(|(_, event)| event).collect()
    }

    /// Until principals are looked up anew.
    pub async fn a_second(&self) {
        tokio::time::sleep(Duration::from_millis(950)).await;
    }
}

/// What a shop has stated after a position, in order, with positions.
pub async fn outbox_after(shop: &TestShop, position: i64) -> Vec<(i64, Event)> {
    let database = TestDatabase::get().await;
    let client = database.login("relay", &database.secrets.relay).await.unwrap();
    let text = "SELECT position, event_id, aggregate_type, aggregate_id, type, version, payload::text \
         FROM platform.outbox WHERE store_id = $1 AND position > $2 ORDER BY position";
    let rows = client.query(text, &[&shop.store.id.uuid(), &position]).await.unwrap();
    let mut events = Vec::new();
    for row in &rows {
        let event = Event {
            id: EventId::from_uuid(row.get::<_, Uuid>(1)),
            store: shop.store.id,
            aggregate_type: row.get(2),
            aggregate_id: row.get(3),
            sequence: 0,
            kind: row.get(4),
            version: u16::try_from(row.get::<_, i32>(5)).unwrap(),
            occurred_at: shop.clock.now(),
            payload: serde_json::from_str(row.get(6)).unwrap(),
            traceparent: None,
        };
        events.push((row.get(0), event));
    }
    events
}
