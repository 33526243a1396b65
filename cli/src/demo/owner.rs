//! The demo's owner: signs up at the control plane and opens the store.

use super::catalogue::Store;
use super::{Opened, Shop};
use crate::api::{Api, finished, signed_in, text};
use crate::options::Network;
use crate::random;
use serde_json::{Value, json};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// Signs up (or in), opens the store, waits until it is ready and takes its keys. When the owner's address belongs
/// to somebody with another password (a database that another home filled), another address is taken.
///
/// # Errors
/// When the control plane refuses, or the store is not ready in time.
pub async fn open_store(shop: &mut Shop, network: &Network, store: &Store) -> anyhow::Result<Opened> {
    let base = format!("http://localhost:{}", network.control_port);
    let owner = match sign_in(&base, shop).await {
        Ok(api) => api,
        Err(_) => {
            let suffix: String = random::password()?.chars().take(6).collect();
            shop.owner_email = format!("owner-{suffix}@example.com");
            sign_in(&base, shop).await?
        }
    };
    let mut wish = json!({ "name": store.name, "country": store.country, "currency": store.currency, "handle": store.handle });
    let mut answer = owner.post("/v1/stores", Some("demo-store"), &wish).await?;
    if answer.status == 409 || answer.status == 422 {
        // The handle belongs to another store of this database: let the platform choose one.
        wish["handle"] = Value::Null;
        answer = owner.post("/v1/stores", Some("demo-store-renamed"), &wish).await?;
    }
    let operation = text(&answer.fine("the demo store was not opened")?, "/id")?;
    let view = finished(&owner, &operation, PATIENCE).await?;
    let keys = owner.post(&format!("/v1/operations/{operation}/keys"), None, &json!({})).await?;
    let keys = keys.fine("the demo store's keys were not given")?;
    Ok(Opened {
        url: text(&view, "/store_url")?,
        publishable_key: text(&keys, "/publishable_key")?,
        secret_key: text(&keys, "/secret_key")?,
    })
}

async fn sign_in(base: &str, shop: &Shop) -> anyhow::Result<Api> {
    signed_in(base, "Demo Owner", &shop.owner_email, &shop.owner_password).await
}
