//! What a shop says, over HTTP.

mod menus;
mod pages;
mod policies;

use serde_json::Value;

use crate::testing::{Answer, TestShop};

/// A request of the owner's, with a key where one is asked for.
async fn owner(shop: &TestShop, method: &str, path: &str, body: Option<Value>) -> Answer {
    let call = shop.owner_call(method, path).keyed();
    match body {
        Some(body) => call.json(&body).send().await,
        None => call.send().await,
    }
}
