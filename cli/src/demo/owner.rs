//! The demo's owner: signs up at the control plane and opens the store.

use super::api::{Api, text};
use super::catalogue::Store;
use super::{Opened, Shop};
use crate::options::Network;
use crate::random;
use anyhow::bail;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// Signs up (or in), opens the store, waits until it is ready and takes its keys. When the owner's address belongs
/// to somebody with another password (a database that another home filled), another address is taken.
///
/// # Errors
/// When the control plane refuses, or the store is not ready in time.
pub async fn open_store(shop: &mut Shop, network: &Network, store: &Store) -> anyhow::Result<Opened> {
    let base = format!("http://localhost:{}", network.control_port);
    let signed_in = match sign_in(&base, shop).await {
        Ok(api) => api,
        Err(_) => {
            let suffix: String = random::password()?.chars().take(6).collect();
            shop.owner_email = format!("owner-{suffix}@example.com");
            sign_in(&base, shop).await?
        }
    };
    let mut wish = json!({ "name": store.name, "country": store.country, "currency": store.currency, "handle": store.handle });
    let mut answer = signed_in.post("/v1/stores", Some("demo-store"), &wish).await?;
    if answer.status == 409 || answer.status == 422 {
        // The handle belongs to another store of this database: let the platform choose one.
        wish["handle"] = Value::Null;
        answer = signed_in.post("/v1/stores", Some("demo-store-renamed"), &wish).await?;
    }
    let operation = text(&answer.fine("the demo store was not opened")?, "/id")?;
    let url = finished(&signed_in, &operation).await?;
    let keys = signed_in.post(&format!("/v1/operations/{operation}/keys"), None, &json!({})).await?;
    let keys = keys.fine("the demo store's keys were not given")?;
    Ok(Opened {
        url,
        publishable_key: text(&keys, "/publishable_key")?,
        secret_key: text(&keys, "/secret_key")?,
    })
}

async fn sign_in(base: &str, shop: &Shop) -> anyhow::Result<Api> {
    let api = Api::at(base)?;
    let credentials = json!({ "email": shop.owner_email, "password": shop.owner_password });
    let mut person = credentials.clone();
    person["name"] = json!("Demo Owner");
    api.post("/v1/accounts", None, &person).await?.fine("the demo owner could not sign up")?;
    let tokens =
        api.post("/v1/sessions", None, &credentials).await?.fine("the demo owner could not sign in")?;
    let token = text(&tokens, "/access_token")?;
    Ok(api.with(&token))
}

/// The store's address, once the operation has succeeded.
async fn finished(api: &Api, operation: &str) -> anyhow::Result<String> {
    let began = Instant::now();
    loop {
        let view =
            api.get(&format!("/v1/operations/{operation}")).await?.fine("the operation is not there")?;
        match view["state"].as_str() {
            Some("succeeded") => return text(&view, "/store_url"),
            Some("failed") => bail!("the demo store was not opened: {}", view["error"]),
            _ if began.elapsed() > PATIENCE => bail!("the demo store is not ready in time: {view}"),
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}
