//! Files of products, over HTTP; the worker's steps are taken one by one.

mod belongings;
mod errors;
mod files;
mod pictures;
mod publications;
mod resuming;
mod shopify;
mod upserts;

use std::time::Duration;

use serde_json::Value;
use souk_access::WorkerPermit;

use super::Worked;
use super::actions::step;
use crate::testing::{Answer, TestShop};

const IMPORTS: &str = "/admin/v1/imports";

/// A file as it was exported somewhere else.
pub const SHOPIFY: &str = include_str!("shopify_products.csv");

/// Sends a file in.
pub async fn send(shop: &TestShop, query: &str, file: &str) -> Answer {
    let call = shop.owner_call("POST", &format!("{IMPORTS}?{query}"));
    call.header("content-type", "text/csv").bytes(file.as_bytes().to_vec()).send().await
}

pub fn worker(shop: &TestShop) -> WorkerPermit {
    shop.gate.worker(shop.store.id, "test", "imports").unwrap()
}

/// Everything the worker has to do, to its end.
pub async fn work(shop: &TestShop) {
    let (worker, mut reading) = (worker(shop), None);
    loop {
        match step(&worker, &mut reading).await.unwrap() {
            Worked::Nothing => return,
            Worked::More => {}
            // As the desk does: whoever comes too early has read the file for nothing.
            Worked::Busy => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
}

/// What became of a file, worked through.
pub async fn imported(shop: &TestShop, query: &str, file: &str) -> Value {
    let sent = send(shop, query, file).await.expect(202);
    work(shop).await;
    shown(shop, &sent.text("/id")).await
}

pub async fn shown(shop: &TestShop, id: &str) -> Value {
    shop.owner_call("GET", &format!("{IMPORTS}/{id}")).send().await.expect(200).json
}

/// created/updated/unchanged/failed
pub fn counts(import: &Value) -> String {
    let products = &import["products"];
    ["created", "updated", "unchanged", "failed"].map(|name| products[name].to_string()).join("/")
}

/// `level row field code` of a report, in order.
pub async fn report(shop: &TestShop, import: &Value) -> Vec<String> {
    let path = format!("{IMPORTS}/{}/errors?limit=100", import["id"].as_str().unwrap());
    let page = shop.owner_call("GET", &path).send().await.expect(200);
    let line = |entry: &Value| {
        let word = |name: &str| entry[name].as_str().unwrap().to_owned();
        format!("{} {} {} {}", word("level"), entry["row"], word("field"), word("code"))
    };
    page.data().iter().map(line).collect()
}

pub async fn product(shop: &TestShop, handle: &str) -> Value {
    shop.owner_call("GET", &format!("/admin/v1/products/{handle}")).send().await.expect(200).json
}

pub async fn exported(shop: &TestShop, format: &str) -> String {
    let path = format!("/admin/v1/exports/products?format={format}");
    String::from_utf8(shop.owner_call("GET", &path).send().await.expect(200).bytes).unwrap()
}

/// Digests of everything but what an import says of itself.
pub async fn rest_of_store(shop: &TestShop) -> Vec<String> {
    let own =
        ["imports ", "import_entries ", "import_pieces ", "audit_log ", "audit_entries ", "audit_head "];
    let mut digest = shop.digest().await;
    digest.retain(|line| !own.iter().any(|own| line.starts_with(own)));
    digest
}
