//! Asking a shop something, and what comes back.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::header::HeaderMap;
use actix_web::test::TestRequest;
use serde_json::Value;
use souk_tenancy::StatementCount;
use uuid::Uuid;

use super::TestShop;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    /// Null when the body is no JSON.
    pub json: Value,
    /// Statements and transactions it cost.
    pub cost: (u32, u32),
}

impl Answer {
    /// Itself, if this is its status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    /// Itself, if it is a problem document of this status and code that a person can act on.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let seen = (self.status, self.json["code"].as_str());
        assert_eq!(seen, (status, Some(code)), "{}", String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json["type"], format!("https://souk.dev/problems/{code}"));
        assert_eq!(self.json["request_id"], self.header("x-request-id"));
        assert!(self.json["title"].is_string());
        self
    }

    /// Itself, if one of its complaints is about this part.
    #[track_caller]
    pub fn about(self, pointer: &str) -> Self {
        let errors = self.json["errors"].as_array().cloned().unwrap_or_default();
        assert!(errors.iter().any(|error| error["pointer"] == pointer), "{}", self.json);
        self
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// A text of the document by its JSON pointer.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> String {
        let text = self.json.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no text at {pointer}: {}", self.json)).to_owned()
    }

    /// The list of a page.
    #[track_caller]
    pub fn data(&self) -> &Vec<Value> {
        self.json["data"].as_array().unwrap_or_else(|| panic!("no data: {}", self.json))
    }
}

/// A request being put together.
pub struct Call<'s> {
    shop: &'s TestShop,
    request: TestRequest,
}

impl TestShop {
    /// A request of somebody without credentials.
    pub fn call(&self, method: &str, path: &str) -> Call<'_> {
        let request = TestRequest::default().method(method.parse().unwrap()).uri(path);
        let request = request.insert_header(("host", self.store.host.as_str()));
        Call { shop: self, request: request.peer_addr(([127, 0, 0, 1], 4711).into()) }
    }

    /// A request of the owner.
    pub fn owner_call(&self, method: &str, path: &str) -> Call<'_> {
        let bearer = format!("Bearer {}", self.owner());
        self.call(method, path).header("authorization", &bearer)
    }

    /// One request to the store's host; a body is sent as JSON.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut call = self.call(method, path);
        if let Some(body) = body {
            call = call.header("content-type", "application/json").bytes(body);
        }
        headers.iter().fold(call, |call, (name, value)| call.header(name, value)).send().await
    }
}

impl Call<'_> {
    /// One more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.append_header((name, value));
        self
    }

    /// To this host instead of the store's, as it is written.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.request = self.request.insert_header(("host", host));
        self
    }

    /// A key of its own.
    #[must_use]
    pub fn keyed(self) -> Self {
        self.header("idempotency-key", &Uuid::now_v7().to_string())
    }

    /// A JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").bytes(body.to_string().into_bytes())
    }

    /// A body.
    #[must_use]
    pub fn bytes(mut self, body: Vec<u8>) -> Self {
        self.request = self.request.set_payload(body);
        self
    }

    /// Asks, and leaves the body to be read as it comes.
    pub async fn begin(self) -> HttpResponse<BoxBody> {
        let door = self.shop.door().await;
        door(self.request).await
    }

    /// Asks.
    pub async fn send(self) -> Answer {
        let door = self.shop.door().await;
        // Whoever counts around several calls goes on counting.
        let count = StatementCount::current().unwrap_or_default();
        let before = (count.statements(), count.transactions());
        let response = count.scope(door(self.request)).await;
        let cost = (count.statements() - before.0, count.transactions() - before.1);
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = actix_web::body::to_bytes(response.into_body()).await.unwrap().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, bytes, json, cost }
    }
}
