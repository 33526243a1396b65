//! A store in which everything is on: net prices with two rates of tax, one of them for a class of goods, and discounts of every kind that
//! go together. What a change of a large cart costs there, and what a checkout does that uses all of it.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::{Client, Request};
use crate::measure::Work;
use crate::platform::Shop;

/// Products of the store; every one has five variants.
const PRODUCTS: usize = 120;
const SIZES: [&str; 5] = ["XS", "S", "M", "L", "XL"];
/// What a gift card of the checkout holds: less than anything costs here.
const CARD: i64 = 500;
/// The code that is entered.
const CODE: &str = "BENCH";

/// What is for sale there, and how to ask as its staff.
pub struct Goods {
    pub variants: Arc<Vec<String>>,
    clerk: Clerk,
}

/// A connection with the store's secret key.
struct Clerk {
    client: Client,
    host: String,
    bearer: String,
}

impl Clerk {
    async fn ask(&mut self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let key = Uuid::now_v7().to_string();
        let mut headers = vec![("authorization", self.bearer.as_str()), ("idempotency-key", key.as_str())];
        // Whatever is there now is what shall be changed.
        if method != "POST" {
            headers.push(("if-match", "*"));
        }
        let request = Request::new(method, &self.host, path, &headers, body.to_string().as_bytes());
        Ok(self.client.fine(&request).await.with_context(|| format!("{method} {path}"))?.json())
    }
}

fn eur(minor: i64) -> Value {
    json!({ "amount_minor": minor, "currency": "EUR" })
}

/// Sets the store up.
pub async fn furnish(runtime: SocketAddr, shop: &Shop) -> anyhow::Result<Goods> {
    let bearer = format!("Bearer {}", shop.secret_key);
    let mut clerk = Clerk { client: Client::new(runtime), host: shop.host.clone(), bearer };
    clerk.ask("PATCH", "/admin/v1/settings", &json!({ "prices_include_tax": false })).await?;
    clerk.ask("PUT", "/admin/v1/tax-classes/bench", &json!({ "name": "Books and food" })).await?;
    let reduced = json!({ "country": "DE", "class": "bench", "name": "Reduced", "rate_ppm": 70_000 });
    clerk.ask("POST", "/admin/v1/tax-rates", &reduced).await?;
    let (mut products, mut variants) = (Vec::new(), Vec::new());
    for number in 0..PRODUCTS {
        let made = clerk.ask("POST", "/admin/v1/products", &product(number)).await?;
        products.push(made["id"].clone());
        for variant in made["variants"].as_array().context("variants")? {
            variants.push(variant["id"].as_str().context("a variant's id")?.to_owned());
        }
    }
    for discount in discounts(&products) {
        clerk.ask("POST", "/admin/v1/discounts", &discount).await?;
    }
    Ok(Goods { variants: Arc::new(variants), clerk })
}

fn product(number: usize) -> Value {
    // Every other one is of the reduced class.
    let class = number.is_multiple_of(2).then_some("bench");
    let variants: Vec<_> = SIZES
        .iter()
        .zip(0_i64..)
        .map(|(size, at)| {
            json!({ "sku": format!("HEAVY-{number}-{size}"), "options": { "Size": size }, "tax_class": class,
                "price": eur(1099 + at * 137), "stock": 100_000_000_i64, "weight_grams": 120 })
        })
        .collect();
    json!({ "handle": format!("heavy-{number}"), "title": format!("Heavy thing No. {number}"), "status": "active",
        "options": [{ "name": "Size", "values": SIZES }], "variants": variants })
}

/// Of each kind, for parts of the goods that lie across each other; all go together.
fn discounts(products: &[Value]) -> Vec<Value> {
    let every = |step: usize| json!({ "products": products.iter().step_by(step).collect::<Vec<_>>() });
    let terms = [
        json!({ "kind": "percentage", "rate_ppm": 100_000, "on": every(2) }),
        json!({ "kind": "percentage", "rate_ppm": 150_000, "on": every(3) }),
        json!({ "kind": "fixed_amount", "amount": eur(30), "on": every(5), "each": true }),
        json!({ "kind": "fixed_amount", "amount": eur(700), "on": every(7) }),
        json!({ "kind": "buy_x_get_y", "buy": { "quantity": 3, "of": every(11) },
            "get": { "quantity": 1, "of": every(11) }, "rate_ppm": 500_000 }),
        json!({ "kind": "percentage", "rate_ppm": 30_000 }),
        json!({ "kind": "free_shipping", "countries": ["FR"] }),
    ];
    let automatic = terms.into_iter().map(|terms| discount("automatic", &[], &terms));
    let code = discount("code", &[CODE], &json!({ "kind": "fixed_amount", "amount": eur(250) }));
    automatic.chain([code]).collect()
}

fn discount(method: &str, codes: &[&str], terms: &Value) -> Value {
    json!({ "title": "Bench", "method": method, "codes": codes, "terms": terms,
        "combines_with": ["product", "order", "shipping"] })
}

/// Who buys, and where it goes.
fn wish(lines: &[Value]) -> Value {
    json!({
        "lines": lines,
        "email": "ada@example.com",
        "note": "Ring twice, and leave it with the neighbours on the ground floor if nobody is in.",
        "attributes": { "gift_wrap": "yes", "came_from": "newsletter" },
        "discount_codes": [CODE],
        "shipping_address": {
            "first_name": "Ada", "last_name": "Lovelace", "address1": "Hauptstr. 1", "city": "Berlin",
            "postal_code": "10115", "country": "DE"
        },
    })
}

/// A cart of so many lines in which one line after the other is changed.
pub struct Cart {
    client: Client,
    host: String,
    path: String,
    secret: String,
    lines: Vec<String>,
    next: usize,
}

impl Cart {
    pub async fn fill(
        address: SocketAddr,
        shop: &Shop,
        variants: &[String],
        size: usize,
    ) -> anyhow::Result<Self> {
        ensure!(variants.len() >= size, "{} variants are too few for {size} lines", variants.len());
        let lines: Vec<_> =
            variants.iter().take(size).map(|id| json!({ "variant": id, "quantity": 3 })).collect();
        let mut client = Client::new(address);
        let request = Request::post(&shop.host, "/store/v1/carts", &[], &wish(&lines));
        let cart = client.fine(&request).await.with_context(|| format!("a cart of {size} lines"))?.json();
        let known = cart["lines"].as_array().into_iter().flatten();
        let lines: Vec<_> = known.filter_map(|line| Some(line["id"].as_str()?.to_owned())).collect();
        ensure!(lines.len() == size, "{} lines of {size} are in the cart", lines.len());
        ensure!(cart["discount"]["amount_minor"].as_i64() > Some(0), "no discount applies: {cart}");
        ensure!(
            cart["tax_lines"].as_array().is_some_and(|rates| rates.len() > 1) || size < 10,
            "one rate only"
        );
        let id = cart["id"].as_str().context("id")?;
        let secret = cart["secret"].as_str().context("secret")?.to_owned();
        Ok(Self {
            client,
            host: shop.host.clone(),
            path: format!("/store/v1/carts/{id}/lines"),
            secret,
            lines,
            next: 0,
        })
    }

    /// Changes a line; statements and transactions of the answer.
    pub async fn change(&mut self) -> anyhow::Result<(u32, u32)> {
        let at = self.next % self.lines.len();
        let quantity = 1 + (self.next / self.lines.len() + at) % 5;
        self.next += 1;
        let line = self.lines.get(at).context("a line")?;
        let (path, headers) = (format!("{}/{line}", self.path), [("x-cart-secret", self.secret.as_str())]);
        let body = json!({ "quantity": quantity }).to_string();
        let request = Request::new("PATCH", &self.host, &path, &headers, body.as_bytes());
        let answer = self.client.fine(&request).await?;
        Ok(answer.statements())
    }
}

impl Work for Cart {
    async fn once(&mut self) -> anyhow::Result<()> {
        self.change().await.map(drop)
    }
}

/// Codes of gift cards that nobody has used.
pub type Cards = Rc<RefCell<Vec<String>>>;

impl Goods {
    /// So many gift cards.
    pub async fn issue(&mut self, count: usize) -> anyhow::Result<Cards> {
        let mut cards = Vec::with_capacity(count);
        for _ in 0..count {
            let body = json!({ "amount": eur(CARD), "origin": "granted" });
            let card = self.clerk.ask("POST", "/admin/v1/gift-cards", &body).await?;
            cards.push(card["code"].as_str().context("a gift card's code")?.to_owned());
        }
        Ok(Rc::new(RefCell::new(cards)))
    }
}

/// Buys with a discount code beside the automatic discounts, pays a part with a gift card of its own and the rest with the test provider.
pub struct Buyer {
    client: Client,
    host: String,
    variants: Arc<Vec<String>>,
    cards: Cards,
    next: usize,
}

impl Buyer {
    pub fn new(
        address: SocketAddr,
        host: &str,
        variants: &Arc<Vec<String>>,
        cards: &Cards,
        first: usize,
    ) -> Self {
        let (variants, cards) = (Arc::clone(variants), Rc::clone(cards));
        Self { client: Client::new(address), host: host.to_owned(), variants, cards, next: first * 101 }
    }

    fn line(&mut self) -> Value {
        // Neighbours are of one product, and products take turns with their rates.
        self.next += 6;
        json!({ "variant": self.variants[self.next % self.variants.len()], "quantity": 2 })
    }

    /// Buys once; gives each answer's name and what it cost in statements and transactions.
    pub async fn run(&mut self) -> anyhow::Result<Vec<(&'static str, (u32, u32))>> {
        let lines = [self.line(), self.line()];
        let card =
            self.cards.borrow_mut().pop().context("the gift cards are used up: measure for less time")?;
        let new = Request::post(&self.host, "/store/v1/carts", &[], &wish(&lines));
        let created = self.client.fine(&new).await.context("create cart")?;
        let cart = created.json();
        let (id, secret) = (cart["id"].as_str().context("id")?, cart["secret"].as_str().context("secret")?);
        let path = |below: &str| format!("/store/v1/carts/{id}/{below}");
        let opened = [("x-cart-secret", secret)];
        let code = json!({ "code": card });
        let entered = Request::post(&self.host, &path("gift-cards"), &opened, &code);
        let entered = self.client.fine(&entered).await.context("gift card")?;
        let rate = cart["shipping_options"][0]["id"].as_str().context("a shipping option")?;
        let choice = json!({ "shipping_rate": rate }).to_string();
        let chosen = Request::new("PUT", &self.host, &path("shipping-option"), &opened, choice.as_bytes());
        let chosen = self.client.fine(&chosen).await.context("shipping")?;
        let cart = chosen.json();
        let key = Uuid::now_v7().to_string();
        let headers = [("x-cart-secret", secret), ("idempotency-key", key.as_str())];
        let wish = json!({ "expected_total": cart["total"], "expected_due": cart["amount_due"],
            "payment": { "provider": "test", "token": "tok_ok" } });
        let bought = Request::post(&self.host, &path("checkout"), &headers, &wish);
        let bought = self.client.fine(&bought).await.context("checkout")?;
        ensure!(bought.status == 201, "no order: {} {}", bought.status, bought.json());
        let minor = |name: &str| cart[name]["amount_minor"].as_i64().unwrap_or_default();
        ensure!(
            minor("discount") > 0 && minor("tax") > 0 && minor("total") == minor("amount_due") + CARD,
            "not everything was on: {cart}"
        );
        Ok(vec![
            ("create cart", created.statements()),
            ("gift card", entered.statements()),
            ("choose delivery", chosen.statements()),
            ("check out", bought.statements()),
        ])
    }
}

impl Work for Buyer {
    async fn once(&mut self) -> anyhow::Result<()> {
        self.run().await.map(drop)
    }
}
