//! The demo store: made through the public API, as anybody could.

mod catalogue;
mod picture;
mod png;
mod shapes;

pub use catalogue::{Catalogue, Product};

use crate::home::Home;
use crate::options::Network;
use crate::outlook;
use serde::{Deserialize, Serialize};

/// What is known about the demo store; kept because keys are shown only once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shop {
    /// Base address of its API.
    pub url: String,
    /// Signs in at the control plane.
    pub owner_email: String,
    /// With this.
    pub owner_password: String,
    /// For storefronts.
    pub publishable_key: String,
    /// For machines.
    pub secret_key: String,
    /// Three commands that buy something.
    pub purchase: Vec<String>,
}

/// Makes the demo store the first time; later it only reads what was kept.
///
/// # Errors
/// When the catalogue is damaged.
pub async fn seed(home: &Home, _network: &Network) -> anyhow::Result<Option<Shop>> {
    if let Ok(text) = std::fs::read_to_string(home.demo()) {
        return Ok(Some(serde_json::from_str(&text)?));
    }
    let catalogue = Catalogue::read()?;
    outlook::note(&format!(
        "the demo store ({} products) comes when the API is there",
        catalogue.products.len()
    ));
    Ok(None)
}
