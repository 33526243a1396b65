//! Reading the catalogue.

use std::net::SocketAddr;

use crate::http::{Client, Request};
use crate::measure::Work;

/// The same request, or each of several in turn.
pub struct Reads {
    client: Client,
    requests: Vec<Request>,
    next: usize,
}

impl Reads {
    pub fn new(address: SocketAddr, requests: Vec<Request>, first: usize) -> Self {
        Self { client: Client::new(address), requests, next: first }
    }
}

impl Work for Reads {
    async fn once(&mut self) -> anyhow::Result<()> {
        let request = &self.requests[self.next % self.requests.len()];
        self.next += 1;
        self.client.fine(request).await.map(drop)
    }
}

/// The first page of twenty.
pub fn list(host: &str) -> Vec<Request> {
    vec![Request::get(host, "/store/v1/products?limit=20")]
}

/// Products by handle.
pub fn details(host: &str) -> Vec<Request> {
    (0..200).map(|number| Request::get(host, &format!("/store/v1/products/bench-{number}"))).collect()
}
