//! The demo store: made through the public API, as anybody could, and taken up again where it was interrupted.

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
    follow_port(&mut shop, network.runtime_port)?;
    if !shop.purchase.is_empty() {
        keep(home, &shop)?;
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

/// The stores' API may listen elsewhere than the last time.
fn follow_port(shop: &mut Shop, port: u16) -> anyhow::Result<()> {
    let Some(opened) = &mut shop.opened else { return Ok(()) };
    let mut url: url::Url = opened.url.parse()?;
    // Refused only for addresses that have no port, which ours are not.
    let _ = url.set_port(Some(port));
    let now = url.as_str().trim_end_matches('/').to_owned();
    for line in &mut shop.purchase {
        *line = line.replace(&opened.url, &now);
    }
    opened.url = now;
    Ok(())
}

fn keep(home: &Home, shop: &Shop) -> anyhow::Result<()> {
    Ok(write_private(&home.demo(), &serde_json::to_string_pretty(shop)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_the_port() {
        let opened = Opened {
            url: "http://tea.localhost:8081".into(),
            publishable_key: "p".into(),
            secret_key: "s".into(),
        };
        let mut shop = Shop {
            owner_email: "o".into(),
            owner_password: "p".into(),
            opened: Some(opened),
            purchase: vec!["curl http://tea.localhost:8081/store/v1/carts".into()],
        };
        follow_port(&mut shop, 9001).unwrap();
        assert_eq!(shop.opened.unwrap().url, "http://tea.localhost:9001");
        assert_eq!(shop.purchase, ["curl http://tea.localhost:9001/store/v1/carts"]);
    }
}
