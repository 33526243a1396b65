//! Shoppers who buy as fast as they can, remember what they were told, and ask again under the same key when they were told nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use souk_tests::books::{Entry, Told};
use souk_tests::shop::{Answer, Cart, Shop};
use tokio::task::JoinHandle;

/// How long a shopper of a crowd asks again before going home without an answer; what became of it is for the books to say.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// Payments as they come: mostly fine, some declined, some whose webhooks are lost, doubled or out of order.
const TOKENS: [&str; 8] = [
    "tok_ok",
    "tok_ok",
    "tok_declined",
    "tok_ok",
    "tok_duplicate_webhooks",
    "tok_ok",
    "tok_lost_webhook",
    "tok_reordered_webhooks",
];

/// Numbers from a seed (xorshift64): the same seed, the same choices.
#[derive(Clone, Debug)]
pub struct Choices(u64);

impl Choices {
    pub fn of(seed: u64) -> Self {
        // Zero would stay zero for ever.
        Self(seed | 1)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("below a usize")
    }
}

/// What all shoppers together saw.
#[derive(Debug, Default)]
pub struct Weather {
    stop: AtomicBool,
    pub served: AtomicUsize,
    pub unavailable: AtomicUsize,
    pub no_answer: AtomicUsize,
    /// 5xx that is not a polite 503, and 503 without `Retry-After`: never right.
    pub rude: AtomicUsize,
}

impl Weather {
    fn note(&self, answer: &Answer) {
        let count = match (answer.status, &answer.retry_after) {
            (0, _) => &self.no_answer,
            (503, Some(_)) => &self.unavailable,
            (500.., _) => &self.rude,
            _ => &self.served,
        };
        count.fetch_add(1, Ordering::Relaxed);
        if answer.status >= 500 && (answer.status != 503 || answer.retry_after.is_none()) {
            eprintln!("rude: {answer:?}");
        }
    }

    pub fn served(&self) -> usize {
        self.served.load(Ordering::Relaxed)
    }

    /// Waits until somebody is served from now on; how long that took.
    ///
    /// # Panics
    /// When nobody is, for that long.
    pub async fn somebody_is_served(&self, patience: Duration, when: &str) -> Duration {
        let (before, began) = (self.served(), Instant::now());
        while self.served() == before {
            assert!(began.elapsed() < patience, "nobody is served {when} for {patience:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        began.elapsed()
    }
}

/// Shoppers at work.
pub struct Crowd {
    pub weather: Arc<Weather>,
    shoppers: Vec<JoinHandle<Vec<Entry>>>,
}

impl Crowd {
    /// Sends `count` shoppers into the shop.
    pub fn gather(shop: &Shop, variants: &[String], count: usize, seed: u64) -> Self {
        let weather = Arc::new(Weather::default());
        let shoppers = (0..count)
            .map(|number| {
                let (shop, variants, weather) = (shop.clone(), variants.to_vec(), Arc::clone(&weather));
                let choices = Choices::of(seed.wrapping_add(7919 * number as u64));
                tokio::spawn(buy_and_buy(shop, variants, weather, choices, number))
            })
            .collect();
        Self { weather, shoppers }
    }

    /// Lets everybody finish what they began; the whole history.
    pub async fn go_home(self) -> Vec<Entry> {
        self.weather.stop.store(true, Ordering::Relaxed);
        let mut history = Vec::new();
        for shopper in self.shoppers {
            history.extend(shopper.await.expect("a shopper"));
        }
        history
    }
}

async fn buy_and_buy(
    shop: Shop,
    variants: Vec<String>,
    weather: Arc<Weather>,
    mut choices: Choices,
    number: usize,
) -> Vec<Entry> {
    let mut history = Vec::new();
    while !weather.stop.load(Ordering::Relaxed) {
        let variant = &variants[choices.below(variants.len())];
        let quantity = u32::try_from(1 + choices.below(3)).expect("small");
        let token = TOKENS[choices.below(TOKENS.len())];
        match shop.cart(variant, quantity, &format!("shopper-{number}@example.com")).await {
            Ok(cart) => history.push(pay_until_told(&shop, &cart, token, &weather, PATIENCE).await),
            Err(answer) => {
                weather.note(&answer);
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    history
}

/// A cart, asked for again while the answer is a polite 503.
pub async fn cart(shop: &Shop, variant: &str, email: &str) -> Cart {
    let began = Instant::now();
    loop {
        match shop.cart(variant, 1, email).await {
            Ok(cart) => return cart,
            Err(answer) if answer.status == 503 && began.elapsed() < 2 * PATIENCE => {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            Err(answer) => panic!("no cart: {answer:?}"),
        }
    }
}

/// Pays, and pays again under the same key while the answer leaves it open and for as long as `patience` lasts.
pub async fn pay_until_told(
    shop: &Shop,
    cart: &Cart,
    token: &str,
    weather: &Weather,
    patience: Duration,
) -> Entry {
    let began = Instant::now();
    loop {
        let answer = shop.pay(cart, token).await;
        weather.note(&answer);
        let told = told(&answer);
        if told != Told::Nothing || began.elapsed() > patience {
            return Entry { cart: cart.id.clone(), told };
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

/// What an answer says for good. 409 `idempotency_running` leaves it open (another attempt is at work, or
/// died and its lease runs), as does 202.
fn told(answer: &Answer) -> Told {
    let order = &answer.body["order"];
    match (answer.status, answer.body["status"].as_str()) {
        (200 | 201, Some("completed")) => Told::Ordered {
            order: order["id"].as_str().expect("an order's id").to_owned(),
            paid: order["financial_status"] == "paid",
        },
        (200 | 201 | 402, Some("failed")) => Told::Refused("failed".to_owned()),
        (402 | 409 | 422, _) if !matches!(answer.code(), "idempotency_running") => {
            Told::Refused(answer.code().to_owned())
        }
        _ => Told::Nothing,
    }
}
