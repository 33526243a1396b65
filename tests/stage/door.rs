//! Requests over real HTTP, and what came back.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

/// Addresses that requests come from, in turn. Odd, so that of two kinds of requests in turn neither keeps to the same half of them.
const NETWORKS: u8 = 47;

/// One request, ready to be sent by anybody.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    /// Path and query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
}

impl Call {
    pub fn new(method: &str, path: impl Into<String>) -> Self {
        Self { method: method.to_owned(), path: path.into(), headers: Vec::new(), body: None }
    }

    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    pub fn post(path: impl Into<String>, body: &Value) -> Self {
        Self::new("POST", path).json(body)
    }

    /// Sets a header, in place of any of the same name.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self = self.without(name);
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string().into_bytes())
    }

    pub fn bytes(self, media_type: &str, body: Vec<u8>) -> Self {
        let mut call = self.header("content-type", media_type);
        call.body = Some(body);
        call
    }

    /// Under a fresh idempotency key.
    pub fn once(self) -> Self {
        let key = uuid::Uuid::now_v7().to_string();
        self.header("idempotency-key", key)
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        match &self.body {
            Some(body) => {
                let text = String::from_utf8_lossy(body);
                write!(f, " {}", text.chars().take(400).collect::<String>())
            }
            None => Ok(()),
        }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Null when the body is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The problem's code; empty when it is none.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The body without what differs between any two requests: the request's id and path.
    pub fn essence(&self) -> Value {
        let mut body = self.json();
        if let Some(body) = body.as_object_mut() {
            body.remove("request_id");
            body.remove("instance");
        }
        body
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// A text of the body, by JSON pointer.
    #[track_caller]
    pub fn word(&self, pointer: &str) -> String {
        let json = self.json();
        let word = json.pointer(pointer).and_then(Value::as_str);
        word.unwrap_or_else(|| panic!("no text at {pointer}: {json}")).to_owned()
    }

    /// What is wrong with a refusal, if anything: every one is a problem document that names itself and the request.
    pub fn complaint(&self) -> Option<String> {
        let body = self.json();
        let told = |name: &str| body[name].as_str().is_some_and(|text| !text.is_empty());
        if self.status < 400 {
            return None;
        }
        if self.status >= 500 {
            return Some(format!("{} is our fault: {}", self.status, self.text()));
        }
        // OAuth clients are refused in the words of RFC 6749 §5.2, and nobody else is.
        if told("error") && self.header("content-type") == "application/json" {
            return (!told("error_description")).then(|| format!("an OAuth error without words: {body}"));
        }
        if self.header("content-type") != "application/problem+json" {
            return Some(format!("{} without a problem document: {}", self.status, self.text()));
        }
        // A kept refusal is the same at each repeat: the header names the request then.
        let named = told("request_id") || !self.header("x-request-id").is_empty();
        let whole = named
            && ["type", "title", "code"].iter().all(|name| told(name))
            && body["status"].as_u64() == Some(u64::from(self.status));
        if !whole {
            return Some(format!("an incomplete problem document: {body}"));
        }
        let says = self.text().to_ascii_lowercase();
        let leaks = ["panicked", "select ", "insert into", "relation \"", "src/"];
        leaks.iter().find(|leak| says.contains(**leak)).map(|leak| format!("it shows `{leak}`: {says}"))
    }
}

/// Clients at as many addresses of this machine: limits that count by network are not what a proof is about.
struct Clients {
    clients: Vec<reqwest::Client>,
    turn: AtomicUsize,
}

impl Clients {
    /// Those of this test's runtime: connections die with the runtime that opened them.
    fn here() -> Arc<Self> {
        static ALL: LazyLock<Mutex<HashMap<tokio::runtime::Id, Arc<Clients>>>> =
            LazyLock::new(Mutex::default);
        let mut all = ALL.lock().expect("nothing under this lock panics");
        Arc::clone(all.entry(tokio::runtime::Handle::current().id()).or_insert_with(|| Arc::new(Self::new())))
    }

    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = |number: u8| {
            let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
            let client = client.local_address(IpAddr::from([127, 0, 0, number]));
            // Nothing here speaks TLS, and reading the system's certificates 47 times takes a second unoptimised.
            let client = client.no_proxy().tls_certs_only([]);
            // Sooner than the server closes idle connections (5 s): a request on one that closes under way would look like a crash.
            let client = client.pool_idle_timeout(Duration::from_secs(2));
            client.timeout(Duration::from_secs(30)).build().expect("a client")
        };
        Self { clients: (1..=NETWORKS).map(client).collect(), turn: AtomicUsize::new(0) }
    }

    fn next(&self) -> &reqwest::Client {
        &self.clients[self.turn.fetch_add(1, Ordering::Relaxed) % self.clients.len()]
    }
}

/// A plane's address, and the host it is asked for.
#[derive(Clone)]
pub struct Door {
    address: String,
    host: Option<String>,
}

impl Door {
    pub fn at(address: &str, host: Option<&str>) -> Self {
        Self { address: address.to_owned(), host: host.map(str::to_owned) }
    }

    /// Sends a request. A connection that breaks is what a panic looks like from outside.
    pub async fn try_send(&self, call: &Call) -> Result<Answer, String> {
        let method =
            reqwest::Method::from_bytes(call.method.as_bytes()).map_err(|error| error.to_string())?;
        let clients = Clients::here();
        let mut request = clients.next().request(method, format!("{}{}", self.address, call.path));
        if let Some(host) = &self.host {
            request = request.header("host", host);
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        let mut response = request.send().await.map_err(|error| format!("{call}: {error:?}"))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if headers.get("content-type").is_some_and(|kind| kind == "text/event-stream") {
            // A stream need not end: its beginning is what can be looked at.
            let begins = tokio::time::timeout(Duration::from_millis(200), response.chunk()).await;
            let bytes = begins.ok().and_then(Result::ok).flatten().unwrap_or_default().to_vec();
            return Ok(Answer { status, headers, bytes });
        }
        let bytes = response.bytes().await.map_err(|error| format!("{call}: {error:?}"))?.to_vec();
        Ok(Answer { status, headers, bytes })
    }

    #[track_caller]
    pub fn send(&self, call: &Call) -> impl Future<Output = Answer> {
        let place = std::panic::Location::caller();
        async move { self.try_send(call).await.unwrap_or_else(|error| panic!("no answer at {place}: {error}")) }
    }
}
