//! An API server on a bad day: a proxy between it and the operators refuses, fails, forgets to answer, and breaks watches off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use k8s_openapi::api::apps::v1::Deployment;
use reqwest::{Certificate, Client, Method};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::bench::{Bench, FOLDER};

/// What happens to every fifth request of a storm, in turn.
const FAULTS: [Fault; 5] = [
    Fault::Refused(429, "TooManyRequests"),
    Fault::Refused(500, "InternalError"),
    Fault::Unanswered,
    Fault::Refused(409, "Conflict"),
    Fault::Refused(503, "ServiceUnavailable"),
];
/// So many requests, and so many watches, have a fault; then the storm is over.
const STORM: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It is not done, and the answer says so.
    Refused(u16, &'static str),
    /// It is done, and nobody hears of it.
    Unanswered,
}

/// What the proxy does and counts.
struct Weather {
    server: String,
    upstream: Client,
    /// Every write is refused as a conflict.
    closed: AtomicBool,
    /// Those of Stores, done or refused.
    writes: AtomicUsize,
    requests: AtomicUsize,
    faults: AtomicUsize,
    watches: AtomicUsize,
}

/// Ends with the test.
struct Proxy {
    address: String,
    weather: Arc<Weather>,
    serving: JoinHandle<()>,
}

impl Proxy {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = std::fs::read_to_string(format!("{FOLDER}/admin.kubeconfig")).expect("a kubeconfig");
        let server =
            config.split('"').find(|text| text.starts_with("https://")).expect("an address").to_owned();
        let certificate = std::fs::read(format!("{FOLDER}/server.crt")).expect("its certificate");
        let certificate = Certificate::from_pem(&certificate).expect("a certificate");
        let upstream = Client::builder().no_proxy().tls_certs_only([certificate]).build().expect("a client");
        let none = || AtomicUsize::new(0);
        let weather = Arc::new(Weather {
            server,
            upstream,
            closed: AtomicBool::new(true),
            writes: none(),
            requests: none(),
            faults: none(),
            watches: none(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::clone(&weather);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                // Whoever breaks off, on either side, ends one connection.
                tokio::spawn(async move { state.answer(BufReader::new(stream)).await });
            }
        });
        Self { address, weather, serving }
    }

    fn count(&self, of: impl Fn(&Weather) -> &AtomicUsize) -> usize {
        of(&self.weather).load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Weather {
    /// One request of a connection; it is the last one.
    async fn answer(&self, mut stream: BufReader<TcpStream>) -> anyhow::Result<()> {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().context("a method")?, words.next().context("a path")?);
        let method = Method::from_bytes(method.as_bytes())?;
        let watch = path.contains("watch=true") || path.contains("watch=1");
        let mut request = self.upstream.request(method.clone(), format!("{}{path}", self.server));
        let mut length: usize = 0;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse()?,
                "host" | "connection" | "accept-encoding" => {}
                _ => request = request.header(name, value),
            }
        }
        let mut body = vec![0_u8; length];
        stream.read_exact(&mut body).await?;

        let fault = if watch { self.fault_of_a_watch() } else { self.fault(&method, path) };
        if let Some(Fault::Refused(code, reason)) = fault {
            return refuse(stream, code, reason).await;
        }
        let mut response = request.body(body).send().await?;
        if fault == Some(Fault::Unanswered) && !watch {
            return Ok(());
        }
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        let head = format!(
            "HTTP/1.1 {} Answered\r\ncontent-type: {}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
            response.status().as_u16(),
            kind.unwrap_or("application/json")
        );
        stream.write_all(head.as_bytes()).await?;
        stream.flush().await?;
        // A watch that breaks off does so in the middle: the last chunk never comes.
        let patience = if fault.is_some() { Duration::from_millis(700) } else { Duration::from_secs(600) };
        let end = Instant::now() + patience;
        while let Some(chunk) = timeout_at(end, response.chunk()).await?? {
            if !chunk.is_empty() {
                stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).await?;
                stream.write_all(&chunk).await?;
                stream.write_all(b"\r\n").await?;
                stream.flush().await?;
            }
        }
        stream.write_all(b"0\r\n\r\n").await?;
        Ok(stream.shutdown().await?)
    }

    fn fault(&self, method: &Method, path: &str) -> Option<Fault> {
        let write = *method != Method::GET;
        self.writes.fetch_add(usize::from(write && path.contains("/stores/")), Ordering::SeqCst);
        if self.closed.load(Ordering::SeqCst) {
            return write.then_some(Fault::Refused(409, "Conflict"));
        }
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        if number % 5 != 4 || number / 5 >= STORM {
            return None;
        }
        self.faults.fetch_add(1, Ordering::SeqCst);
        FAULTS.get(number / 5 % FAULTS.len()).copied()
    }

    /// Some break off after a while, some are told that what they ask for is too long ago.
    fn fault_of_a_watch(&self) -> Option<Fault> {
        let number = self.watches.fetch_add(1, Ordering::SeqCst);
        let fault = if number % 3 == 2 { Fault::Refused(410, "Expired") } else { Fault::Unanswered };
        (number < STORM).then_some(fault)
    }
}

/// As the API server refuses.
async fn refuse(mut stream: BufReader<TcpStream>, code: u16, reason: &str) -> anyhow::Result<()> {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "the weather is bad", "reason": reason, "code": code,
    })
    .to_string();
    let head = format!(
        "HTTP/1.1 {code} {reason}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    Ok(stream.shutdown().await?)
}

/// Two operators at once, behind it. While nothing can be written they ask seldom; when it clears, each store is there once.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_day_is_waited_for_and_makes_every_store_once() {
    let Some(mut bench) = Bench::idle(|_| {}).await else { return };
    let proxy = Proxy::start().await;
    let names = ["one", "two", "three", "four"];
    for (number, name) in names.iter().enumerate() {
        let isolation = if number == 0 { "Dedicated" } else { "Pooled" };
        bench.apply(name, Bench::spec(json!({ "isolation": isolation }))).await.unwrap();
    }
    bench.start_by(Some(&proxy.address)).await;
    bench.start_by(Some(&proxy.address)).await;

    // Four seconds are three passes of a store (at 0, 1 and 3 s, give or take a quarter), and its first write is refused in each.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let tried = proxy.count(|weather| &weather.writes);
    eprintln!("while every write was refused: {tried} attempts for 4 stores by 2 operators in 4 s");
    assert!((8..=80).contains(&tried), "{tried} attempts: a hot loop, or nobody tries");
    let rows = format!("FROM platform.store_ledger WHERE owner_scope = '{}'", bench.namespace);
    assert_eq!(bench.look(&format!("SELECT count(*) {rows}")).await, "0", "nothing before the finalizer");

    proxy.weather.closed.store(false, Ordering::SeqCst);
    for name in names {
        let store = bench.until_ready(name).await;
        assert_eq!(bench.record(&store).await.last_error, None);
    }
    let faults = proxy.count(|weather| &weather.faults);
    let watches = proxy.count(|weather| &weather.watches);
    eprintln!("ready after {faults} faults and {watches} watches");
    assert!(faults >= 10 && watches > STORM, "{faults} faults and {watches} watches are no storm");
    assert_eq!(bench.look(&format!("SELECT count(*) {rows}")).await, "4");
    let schemas = format!(
        "SELECT count(*) FROM platform.store_ledger JOIN pg_namespace ON nspname = schema_name WHERE owner_scope = '{}'",
        bench.namespace
    );
    assert_eq!(bench.look(&schemas).await, "4");
    assert_eq!(bench.api::<Deployment>().list(&Default::default()).await.unwrap().items.len(), 1);

    // What was done and not heard of is not done again for ever.
    let before = bench.until_quiet().await;
    for name in names {
        bench.done(&["annotate", "sto", name, "somebody.example/note=1"]);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(bench.writes()[before.len()..], Vec::<String>::new());
    bench.stop().await;
}
