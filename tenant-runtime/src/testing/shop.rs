//! A store with a provider of its own, and what shoppers and staff do in it.

use std::ops::Deref;
use std::time::Duration;

use actix_web::{App, HttpServer};
use serde_json::{Value, json};
use souk_kernel::{CartId, Clock, InventoryItemId, ProductId, VariantId};
use souk_payment_provider::{book::Book, couriers::Couriers, desk::Desk, routes};
use uuid::Uuid;

use super::{Answer, TestShop, WEBHOOK_SECRET};

/// Longer than the runtime waits for a provider in tests.
const SILENCE: Duration = Duration::from_millis(2500);

pub struct Shop {
    pub inner: TestShop,
    pub provider: String,
}

/// Something on the shelf.
#[derive(Clone, Copy)]
pub struct Thing {
    pub variant: VariantId,
}

pub struct Basket {
    pub id: CartId,
    pub secret: String,
}

pub fn key() -> String {
    Uuid::now_v7().to_string()
}

/// A provider of this test's own, on a port of its own.
pub async fn provider() -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let couriers = Couriers::new(WEBHOOK_SECRET.parse().unwrap()).unwrap();
    let desk = Desk::new(Book::open(None).unwrap(), couriers, Clock::system(), url.clone());
    let pace = routes::Pace { slow: Duration::from_millis(600), silence: SILENCE };
    let server = HttpServer::new(move || App::new().configure(routes::routes(desk.clone(), pace)));
    let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
    tokio::spawn(server);
    url
}

impl Deref for Shop {
    type Target = TestShop;

    fn deref(&self) -> &TestShop {
        &self.inner
    }
}

impl Shop {
    pub async fn open() -> Self {
        let provider = provider().await;
        Self::at(&provider).await
    }

    /// A shop that believes its provider to be there. Delivery costs 4.90.
    pub async fn at(provider: &str) -> Self {
        let inner = TestShop::open(Some(provider.to_owned())).await;
        inner.admin("UPDATE {s}.shipping_rates SET amount_minor = 490 WHERE name = 'Standard'").await;
        Self { inner, provider: provider.to_owned() }
    }

    /// A product with so many pieces at a price; what costs nothing is a download.
    pub async fn thing(&self, pieces: i64, price: i64) -> Thing {
        self.thing_for(pieces, price, "EUR").await
    }

    /// The same in another currency.
    pub async fn thing_for(&self, pieces: i64, price: i64, currency: &str) -> Thing {
        let (product, variant, item) = (ProductId::new(), VariantId::new(), InventoryItemId::new());
        let (p, v, i) = (product.uuid(), variant.uuid(), item.uuid());
        self.inner
            .admin(&format!(
                "INSERT INTO {{s}}.inventory_items (id, created_at) VALUES ('{i}', now());
                 INSERT INTO {{s}}.inventory_levels (item_id, location_id, on_hand) SELECT '{i}', id, {pieces} FROM {{s}}.locations LIMIT 1;
                 INSERT INTO {{s}}.stock_movements (id, item_id, location_id, kind, on_hand_delta, actor)
                     SELECT gen_random_uuid(), '{i}', id, 'received', {pieces}, 'test' FROM {{s}}.locations LIMIT 1;
                 INSERT INTO {{s}}.products (id, handle, title, status, created_at, updated_at) VALUES ('{p}', '{p}', 'Enamel mug', 'active', now(), now());
                 INSERT INTO {{s}}.product_variants (id, product_id, title, position, requires_shipping, inventory_item_id, created_at, updated_at) VALUES ('{v}', '{p}', 'Blue', 1, {price} > 0, '{i}', now(), now());
                 INSERT INTO {{s}}.prices (id, variant_id, currency, amount_minor, updated_at) VALUES (gen_random_uuid(), '{v}', '{currency}', {price}, now())"
            ))
            .await;
        Thing { variant }
    }

    /// A cart of Ada's in Germany.
    pub async fn basket(&self, thing: Thing, quantity: u32) -> Basket {
        let body = json!({
            "lines": [{ "variant": thing.variant, "quantity": quantity }],
            "email": "ada@example.com",
            "shipping_address": ada(),
        });
        loop {
            let answer =
                self.inner.send("POST", "/store/v1/carts", Some(body.to_string().into_bytes()), &[]).await;
            if answer.status != 503 {
                assert_eq!(answer.status, 201, "{}", answer.json);
                let text = |name: &str| answer.json[name].as_str().unwrap().to_owned();
                return Basket { id: text("id").parse().unwrap(), secret: text("secret") };
            }
        }
    }

    pub async fn checkout(&self, basket: &Basket, key: &str, body: &Value) -> Answer {
        let path = format!("/store/v1/carts/{}/checkout", basket.id);
        let headers = [("x-cart-secret", basket.secret.as_str()), ("idempotency-key", key)];
        self.inner.send("POST", &path, Some(body.to_string().into_bytes()), &headers).await
    }

    /// Buys with a token of the test provider.
    pub async fn buys(&self, basket: &Basket, total: i64, token: &str) -> Answer {
        self.checkout(basket, &key(), &pay_with(total, token)).await
    }

    pub async fn staff(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let (bearer, key) = (format!("Bearer {}", self.inner.owner()), key());
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key.as_str())];
        self.inner.send(method, path, body.map(|body| body.to_string().into_bytes()), &headers).await
    }

    pub async fn order(&self, id: &str) -> Value {
        let answer = self.staff("GET", &format!("/admin/v1/orders/{id}"), None).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.json
    }

    /// One round of the worker.
    pub async fn sweep(&self) -> crate::checkout::Swept {
        let worker = self.inner.gate.worker(self.inner.store.id, "poller", "test").unwrap();
        crate::checkout::sweep(&worker, &self.inner.till).await.unwrap()
    }

    /// Every currency of the books adds up, and every entry does.
    pub async fn balance_of(&self, account: &str) -> i64 {
        let books = self.staff("GET", "/admin/v1/ledger/trial-balance", None).await;
        assert_eq!(books.status, 200, "{}", books.json);
        for total in books.json["totals"].as_array().unwrap() {
            assert_eq!(total["balance"]["amount_minor"], 0, "{}", books.json);
        }
        let accounts = books.json["accounts"].as_array().unwrap();
        let found = accounts.iter().find(|found| found["code"] == account);
        found.map_or(0, |found| found["balance"]["amount_minor"].as_i64().unwrap())
    }

    /// The provider's own book.
    pub async fn book(&self) -> Value {
        reqwest::get(format!("{}/book", self.provider)).await.unwrap().json().await.unwrap()
    }

    /// Captured and refunded, by the provider's own book.
    pub async fn taken(&self) -> (i64, i64) {
        let book = self.book().await;
        let payments = book["payments"].as_array().unwrap();
        let sum = |name: &str| payments.iter().map(|payment| payment[name].as_i64().unwrap()).sum();
        (sum("captured_minor"), sum("refunded_minor"))
    }
}

/// Where Ada lives.
pub fn ada() -> Value {
    json!({ "first_name": "Ada", "last_name": "Lovelace", "address1": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117",
        "country": "DE" })
}

/// A checkout's body.
pub fn pay_with(total: i64, token: &str) -> Value {
    json!({
        "expected_total": { "amount_minor": total, "currency": "EUR" },
        "payment": { "provider": "test", "token": token, "return_url": "http://localhost:3000/thanks" },
    })
}
