//! The demo store: made through the public API, as anybody could, and taken up again where it was interrupted.

mod api;
mod catalogue;
mod goods;
mod owner;
mod picture;
mod png;
mod purchase;
mod shapes;

use crate::home::Home;
use crate::options::Network;
use crate::secrets::write_private;
use crate::{outlook, random};
use catalogue::Catalogue;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What is known about the demo store; kept because keys are shown only once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shop {
    /// Signs in at the control plane.
    pub owner_email: String,
    /// With this.
    pub owner_password: String,
    /// The store, once it is open.
    pub opened: Option<Opened>,
    /// Three commands that buy something, once there is something to buy.
    pub purchase: Vec<String>,
}

/// An open store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Opened {
    /// Base address of its API.
    pub url: String,
    /// For storefronts.
    pub publishable_key: String,
    /// For machines.
    pub secret_key: String,
}

/// Makes the demo store the first time; later it only reads what was kept.
///
/// # Errors
/// When the API refuses something. What was done so far is kept, and the next call goes on there.
pub async fn seed(home: &Home, network: &Network) -> anyhow::Result<Shop> {
    let mut shop = match std::fs::read_to_string(home.demo()) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => Shop {
            owner_email: "owner@example.com".to_owned(),
            owner_password: random::password()?,
            opened: None,
            purchase: Vec::new(),
        },
    };
    if !shop.purchase.is_empty() {
        return Ok(shop);
    }
    let began = Instant::now();
    let catalogue = Catalogue::read()?;
    let opened = match shop.opened.take() {
        Some(opened) => opened,
        None => {
            // Kept before the account is made: a password nobody knows would lock the demo out of its own store.
            keep(home, &shop)?;
            owner::open_store(&mut shop, network, &catalogue.store).await?
        }
    };
    shop.opened = Some(opened.clone());
    keep(home, &shop)?;
    let sold = goods::fill(&opened, &catalogue).await?;
    shop.purchase = purchase::commands(&opened, &sold);
    keep(home, &shop)?;
    outlook::done(&format!("demo store filled with {} products", catalogue.products.len()), began);
    Ok(shop)
}

fn keep(home: &Home, shop: &Shop) -> anyhow::Result<()> {
    Ok(write_private(&home.demo(), &serde_json::to_string_pretty(shop)?)?)
}
