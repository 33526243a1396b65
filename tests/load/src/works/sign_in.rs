//! Signing in: what it costs, and what a flood of it costs those who only look.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;

use crate::http::{Client, Request};
use crate::measure::{Work, percentile};
use crate::works::overload::{gentle, open_loop};

const EMAIL: &str = "bench.customer@example.com";
const PASSWORD: &str = "correct horse battery staple 9";
/// Sign-ins a second that are tried in a flood.
const FLOOD: f64 = 50.0;
/// Still and flood in turn, so often.
const ROUNDS: usize = 3;
const PAUSE: Duration = Duration::from_millis(2);

/// A customer who signs in again and again.
pub struct SignIn {
    client: Client,
    request: Request,
}

impl SignIn {
    pub fn new(address: SocketAddr, host: &str) -> Self {
        Self { client: Client::new(address), request: request(host, PASSWORD) }
    }
}

impl Work for SignIn {
    async fn once(&mut self) -> anyhow::Result<()> {
        self.client.fine(&self.request).await.map(drop)
    }
}

fn request(host: &str, password: &str) -> Request {
    let body = json!({ "email": EMAIL, "password": password });
    Request::post(host, "/store/v1/sessions", &[], &body)
}

/// Makes the customer.
pub async fn register(address: SocketAddr, host: &str) -> anyhow::Result<()> {
    let wish = json!({ "email": EMAIL, "password": PASSWORD, "first_name": "Bench", "last_name": "Mark" });
    let request = Request::post(host, "/store/v1/customers", &[], &wish);
    Client::new(address).fine(&request).await.map(drop)
}

/// What somebody who reads the catalogue waits, in peace and in the flood.
#[derive(Debug)]
pub struct Flood {
    pub still: Duration,
    pub flooded: Duration,
    /// Sign-ins answered and refused a second meanwhile.
    pub tried: f64,
    pub wrong: u64,
}

/// Reads one page after another, in turn without and with sign-ins beside it; p99 of all still and of all flooded rounds.
pub async fn flood(address: SocketAddr, host: &str, page: &Request, time: Duration) -> anyhow::Result<Flood> {
    let (mut still, mut flooded, mut wrong, mut tried) = (Vec::new(), Vec::new(), 0, 0.0);
    let sign_in = request(host, PASSWORD);
    gentle(address, page, PAUSE, Duration::from_millis(300)).await;
    for _ in 0..ROUNDS {
        let (times, failed) = gentle(address, page, PAUSE, time).await;
        still.extend(times);
        wrong += failed;
        let crowd = async {
            let outcome = open_loop(address, &sign_in, FLOOD, time, 64).await;
            outcome.offered_per_second
        };
        let (offered, (times, failed)) = tokio::join!(crowd, gentle(address, page, PAUSE, time));
        flooded.extend(times);
        wrong += failed;
        tried += offered / ROUNDS as f64;
    }
    still.sort_unstable();
    flooded.sort_unstable();
    let (still, flooded) = (percentile(&still, 0.99), percentile(&flooded, 0.99));
    Ok(Flood { still, flooded, tried, wrong })
}
