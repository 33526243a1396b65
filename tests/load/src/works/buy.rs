//! Carts and checkouts.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::{Answer, Client, Request};
use crate::measure::Work;

/// A shopper with a connection.
pub struct Shopper {
    client: Client,
    host: String,
    variants: Arc<Vec<String>>,
    next: usize,
    errand: Errand,
}

/// What the shopper came for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// A cart, and a line put into it.
    Cart,
    /// A cart of two lines with e-mail and address, delivery chosen, paid with this provider, an order got.
    Checkout(&'static str),
}

impl Shopper {
    pub fn new(
        address: SocketAddr,
        host: &str,
        variants: &Arc<Vec<String>>,
        first: usize,
        errand: Errand,
    ) -> Self {
        let client = Client::new(address);
        Self { client, host: host.to_owned(), variants: Arc::clone(variants), next: first * 101, errand }
    }

    fn variant(&mut self) -> String {
        self.next += 7;
        self.variants[self.next % self.variants.len()].clone()
    }

    /// Runs the errand once; gives each answer's name and what it cost in statements and transactions.
    pub async fn run(&mut self) -> anyhow::Result<Vec<(&'static str, (u32, u32))>> {
        match self.errand {
            Errand::Cart => self.cart().await,
            Errand::Checkout(provider) => self.checkout(provider).await,
        }
    }

    async fn cart(&mut self) -> anyhow::Result<Vec<(&'static str, (u32, u32))>> {
        let created =
            self.client.fine(&Request::post(&self.host, "/store/v1/carts", &[], &json!({}))).await?;
        let (id, secret) = known(&created.json())?;
        let line = json!({ "variant": self.variant(), "quantity": 1 });
        let path = format!("/store/v1/carts/{id}/lines");
        let headers = [("x-cart-secret", secret.as_str())];
        let added = self.client.fine(&Request::post(&self.host, &path, &headers, &line)).await?;
        if added.json()["lines"].as_array().is_none_or(|lines| lines.len() != 1) {
            bail!("the line is not in the cart: {}", added.json());
        }
        Ok(vec![("create cart", created.statements()), ("add line", added.statements())])
    }

    async fn checkout(&mut self, provider: &str) -> anyhow::Result<Vec<(&'static str, (u32, u32))>> {
        let lines = [self.variant(), self.variant()].map(|id| json!({ "variant": id, "quantity": 1 }));
        let new = json!({
            "lines": lines,
            "email": "ada@example.com",
            "shipping_address": {
                "first_name": "Ada", "last_name": "Lovelace", "address1": "Hauptstr. 1", "city": "Berlin",
                "postal_code": "10115", "country": "DE"
            },
        });
        let created = self.client.fine(&Request::post(&self.host, "/store/v1/carts", &[], &new)).await?;
        let cart = created.json();
        let (id, secret) = known(&cart)?;
        let headers = [("x-cart-secret", secret.as_str())];
        let rate = cart["shipping_options"][0]["id"].as_str().context("a shipping option")?;
        let path = format!("/store/v1/carts/{id}/shipping-option");
        let choice = json!({ "shipping_rate": rate }).to_string();
        let chosen = Request::new("PUT", &self.host, &path, &headers, choice.as_bytes());
        let chosen = self.client.fine(&chosen).await.context("shipping")?;
        let total = chosen.json()["total"].clone();
        let key = Uuid::now_v7().to_string();
        let headers = [("x-cart-secret", secret.as_str()), ("idempotency-key", key.as_str())];
        let wish = json!({ "expected_total": total, "payment": { "provider": provider, "token": "tok_ok" } });
        let path = format!("/store/v1/carts/{id}/checkout");
        let bought = self.client.fine(&Request::post(&self.host, &path, &headers, &wish)).await?;
        ordered(&bought)?;
        Ok(vec![
            ("create cart", created.statements()),
            ("choose delivery", chosen.statements()),
            ("check out", bought.statements()),
        ])
    }
}

fn known(cart: &Value) -> anyhow::Result<(String, String)> {
    let text = |name: &str| cart[name].as_str().map(str::to_owned).with_context(|| name.to_owned());
    Ok((text("id")?, text("secret")?))
}

fn ordered(bought: &Answer) -> anyhow::Result<()> {
    if bought.status != 201 {
        bail!("no order: {} {}", bought.status, bought.json());
    }
    Ok(())
}

impl Work for Shopper {
    async fn once(&mut self) -> anyhow::Result<()> {
        self.run().await.map(drop)
    }
}
