//! Random work on a cart against a model that knows nothing of how the cart counts: after every step each amount of the answer is what a
//! few sums by hand come to, and a quote of the same basket says the same.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{Shop, Thing, ada, basket_of};
use crate::testing::Answer;
use crate::testing::shop::Basket;

/// Price and stock of what is for sale; what costs nothing is a download.
const WARES: [(i64, u32); 5] = [(1000, 9), (333, 50), (4999, 3), (1, 99), (0, 20)];
const DELIVERY: i64 = 490;

/// The codes that shoppers have. All go together but `BIG`, which goes with none.
const CODES: [&str; 4] = ["TEN", "FIVE", "SHIP", "BIG"];

#[derive(Clone, Debug)]
enum Step {
    Add { ware: usize, pieces: u32 },
    Change { line: Index, pieces: u32 },
    Remove { line: Index },
    Note(String),
    Live { somewhere: bool },
    Enter { code: usize },
    Forget { code: usize },
    Look,
}

fn step() -> impl Strategy<Value = Step> {
    let (ware, code) = (0..WARES.len(), 0..CODES.len());
    prop_oneof![
        5 => (ware, 1_u32..12).prop_map(|(ware, pieces)| Step::Add { ware, pieces }),
        3 => (any::<Index>(), 1_u32..30).prop_map(|(line, pieces)| Step::Change { line, pieces }),
        1 => any::<Index>().prop_map(|line| Step::Remove { line }),
        1 => "[a-z]{1,12}".prop_map(Step::Note),
        2 => any::<bool>().prop_map(|somewhere| Step::Live { somewhere }),
        3 => code.clone().prop_map(|code| Step::Enter { code }),
        1 => code.prop_map(|code| Step::Forget { code }),
        1 => Just(Step::Look),
    ]
}

/// The cart as it must be.
#[derive(Clone, Debug, Default)]
struct Model {
    /// What, and how many, as they were added.
    lines: Vec<(usize, u32)>,
    codes: Vec<usize>,
    note: String,
    /// Whether there is an address.
    somewhere: bool,
}

/// What a cart costs.
#[derive(Debug, PartialEq, Eq)]
struct Sums {
    /// Pieces, discount, total and tax of each line.
    lines: Vec<(i64, i64, i64, i64)>,
    subtotal: i64,
    discount: i64,
    shipping: i64,
    tax: i64,
    total: i64,
}

/// A half goes up; nothing here is negative.
fn divided(amount: i64, by: i64) -> i64 {
    (2 * amount + by) / (2 * by)
}

/// Shares of an amount: the whole units of each part, and the units left one each to the largest remainders, earlier ones first.
fn shared(amount: i64, weights: &[i64]) -> Vec<i64> {
    let whole: i64 = weights.iter().sum();
    if whole == 0 {
        return vec![0; weights.len()];
    }
    let mut shares: Vec<i64> = weights.iter().map(|weight| amount * weight / whole).collect();
    for _ in 0..amount - shares.iter().sum::<i64>() {
        // Who has had one has no remainder any more.
        let lacks = |place: &usize| amount * weights[*place] - shares[*place] * whole;
        let next = (0..weights.len()).max_by_key(|place| (lacks(place), std::cmp::Reverse(*place))).unwrap();
        shares[next] += 1;
    }
    shares
}

fn tax_of(amount: i64, inclusive: bool) -> i64 {
    if inclusive { amount - divided(amount * 100, 119) } else { divided(amount * 19, 100) }
}

impl Model {
    fn prices(&self) -> Vec<i64> {
        self.lines.iter().map(|(ware, pieces)| WARES[*ware].0 * i64::from(*pieces)).collect()
    }

    fn delivery(&self) -> i64 {
        let sent = self.lines.iter().any(|(ware, _)| WARES[*ware].0 > 0);
        if sent && self.somewhere { DELIVERY } else { 0 }
    }

    fn has(&self, code: &str) -> bool {
        self.codes.iter().any(|known| CODES[*known] == code)
    }

    /// What the codes that go together take off each line, and off the delivery.
    fn together(&self) -> (Vec<i64>, i64) {
        let mut left = self.prices();
        let whole: i64 = left.iter().sum();
        let mut off = vec![0; left.len()];
        let mut takes = |amount: &dyn Fn(i64) -> i64| {
            let shares = shared(amount(left.iter().sum::<i64>()), &left);
            for ((left, off), share) in left.iter_mut().zip(&mut off).zip(shares) {
                *left -= share;
                *off += share;
            }
        };
        let ten = |left: i64| divided(left, 10);
        let five = |left: i64| left.min(500);
        // The one that takes more by itself comes first; if both take the same, the older.
        let mut order: [(&str, &dyn Fn(i64) -> i64); 2] = [("TEN", &ten), ("FIVE", &five)];
        if five(whole) > ten(whole) {
            order.reverse();
        }
        for (code, amount) in order {
            if self.has(code) {
                takes(amount);
            }
        }
        (off, if self.has("SHIP") { self.delivery() } else { 0 })
    }

    fn sums(&self, inclusive: bool) -> Sums {
        let prices = self.prices();
        let subtotal: i64 = prices.iter().sum();
        let (mut off, mut off_delivery) = self.together();
        let big = divided(subtotal, 5);
        // The better of both; if they are as good, the one with more codes.
        if self.has("BIG") && subtotal >= 5000 && big > off.iter().sum::<i64>() + off_delivery {
            (off, off_delivery) = (shared(big, &prices), 0);
        }
        let line = |((price, off), (_, pieces)): ((&i64, &i64), &(usize, u32))| {
            (i64::from(*pieces), *off, price - off, tax_of(price - off, inclusive))
        };
        let lines: Vec<_> = prices.iter().zip(&off).zip(&self.lines).map(line).collect();
        let (discount, shipping) = (off.iter().sum::<i64>(), self.delivery() - off_delivery);
        let tax = lines.iter().map(|line| line.3).sum::<i64>() + tax_of(shipping, inclusive);
        let total = subtotal - discount + shipping + if inclusive { 0 } else { tax };
        Sums { lines, subtotal, discount, shipping, tax, total }
    }

    /// Does a step; whether it writes.
    fn does(&mut self, step: &Step) -> bool {
        match step {
            Step::Add { ware, pieces } => match self.lines.iter_mut().find(|line| line.0 == *ware) {
                Some(line) => line.1 = (line.1 + pieces).min(WARES[*ware].1),
                None => self.lines.push((*ware, (*pieces).min(WARES[*ware].1))),
            },
            Step::Change { line, pieces } => {
                let Some(place) = place(line, &self.lines) else { return false };
                let line = &mut self.lines[place];
                line.1 = (*pieces).min(WARES[line.0].1);
            }
            Step::Remove { line } => {
                let Some(place) = place(line, &self.lines) else { return false };
                self.lines.remove(place);
            }
            Step::Note(note) => self.note.clone_from(note),
            Step::Live { somewhere } => self.somewhere = *somewhere,
            Step::Enter { code } => {
                if !self.codes.contains(code) {
                    self.codes.push(*code);
                }
            }
            Step::Forget { code } => self.codes.retain(|known| known != code),
            Step::Look => return false,
        }
        true
    }
}

fn place<T>(line: &Index, lines: &[T]) -> Option<usize> {
    (!lines.is_empty()).then(|| line.index(lines.len()))
}

fn minor(money: &Value) -> i64 {
    money["amount_minor"].as_i64().unwrap_or_else(|| panic!("no amount: {money}"))
}

/// The same amounts as the answer has them.
fn told(answer: &Value) -> Sums {
    let line = |line: &Value| {
        let taxes = line["tax_lines"].as_array().unwrap();
        assert_eq!(
            minor(&line["unit_price"]) * line["quantity"].as_i64().unwrap(),
            minor(&line["total"]) + minor(&line["discount"])
        );
        let tax = taxes.iter().map(|tax| minor(&tax["amount"])).sum::<i64>();
        (line["quantity"].as_i64().unwrap(), minor(&line["discount"]), minor(&line["total"]), tax)
    };
    Sums {
        lines: answer["lines"].as_array().unwrap().iter().map(line).collect(),
        subtotal: minor(&answer["subtotal"]),
        discount: minor(&answer["discount"]),
        shipping: if answer["shipping"].is_null() { 0 } else { minor(&answer["shipping"]["price"]) },
        tax: minor(&answer["tax"]),
        total: minor(&answer["total"]),
    }
}

/// The same cart in a store.
struct Real {
    shop: Shop,
    wares: Vec<Thing>,
    basket: Basket,
    /// Of the lines, as they were added.
    ids: Vec<String>,
}

impl Real {
    async fn open(inclusive: bool) -> Self {
        let shop = Shop::open().await;
        shop.admin(&format!("UPDATE {{s}}.store_settings SET prices_include_tax = {inclusive}")).await;
        shop.admin("UPDATE {s}.shipping_rates SET active = false WHERE name <> 'Standard'").await;
        let mut wares = Vec::new();
        for (price, pieces) in WARES {
            wares.push(shop.thing(i64::from(pieces), price).await);
        }
        for (code, with, terms) in [
            ("TEN", json!(["order", "shipping"]), json!({ "kind": "percentage", "rate_ppm": 100_000 })),
            ("FIVE", json!(["order", "shipping"]), json!({ "kind": "fixed_amount", "amount": eur(500) })),
            ("SHIP", json!(["order"]), json!({ "kind": "free_shipping" })),
            ("BIG", json!([]), json!({ "kind": "percentage", "rate_ppm": 200_000 })),
        ] {
            let minimum = if code == "BIG" { json!({ "amount": eur(5000) }) } else { json!({}) };
            let body = json!({ "title": code, "method": "code", "codes": [code], "combines_with": with,
                "terms": terms, "minimum": minimum });
            shop.owner_call("POST", "/admin/v1/discounts").keyed().json(&body).send().await.expect(201);
        }
        let basket = basket_of(&shop.makes_cart(json!({})).await.expect(201));
        Self { shop, wares, basket, ids: Vec::new() }
    }

    async fn asks(&self, method: &str, below: &str, body: Option<Value>) -> Answer {
        self.shop.on_cart(method, &self.basket, below, body).await.expect(200)
    }

    async fn does(&mut self, step: &Step) -> Value {
        let answer = match step {
            Step::Add { ware, pieces } => {
                let body = json!({ "variant": self.wares[*ware].variant, "quantity": pieces });
                self.asks("POST", "/lines", Some(body)).await
            }
            Step::Change { line, pieces } => match place(line, &self.ids) {
                Some(place) => {
                    let path = format!("/lines/{}", self.ids[place]);
                    self.asks("PATCH", &path, Some(json!({ "quantity": pieces }))).await
                }
                None => self.asks("GET", "", None).await,
            },
            Step::Remove { line } => match place(line, &self.ids) {
                Some(place) => self.asks("DELETE", &format!("/lines/{}", self.ids[place]), None).await,
                None => self.asks("GET", "", None).await,
            },
            Step::Note(note) => self.asks("PATCH", "", Some(json!({ "note": note }))).await,
            Step::Live { somewhere } => {
                let address = if *somewhere { ada() } else { Value::Null };
                self.asks("PATCH", "", Some(json!({ "shipping_address": address }))).await
            }
            Step::Enter { code } => {
                self.asks("POST", "/discount-codes", Some(json!({ "code": CODES[*code] }))).await
            }
            Step::Forget { code } => {
                self.asks("DELETE", &format!("/discount-codes/{}", CODES[*code]), None).await
            }
            Step::Look => self.asks("GET", "", None).await,
        };
        let lines = answer.json["lines"].as_array().unwrap().iter();
        self.ids = lines.map(|line| line["id"].as_str().unwrap().to_owned()).collect();
        answer.json
    }

    /// What the same basket would cost, by the door that keeps nothing.
    async fn quoted(&self, model: &Model) -> Value {
        let line = |(ware, pieces): &(usize, u32)| json!({ "variant": self.wares[*ware].variant, "quantity": pieces });
        let lines: Vec<_> = model.lines.iter().map(line).collect();
        let codes: Vec<_> = model.codes.iter().map(|code| CODES[*code]).collect();
        let mut body = json!({ "lines": lines, "discount_codes": codes });
        if model.somewhere {
            body["shipping_address"] = ada();
        }
        self.shop.call("POST", "/store/v1/quotes").json(&body).send().await.expect(200).json
    }
}

fn eur(minor: i64) -> Value {
    json!({ "amount_minor": minor, "currency": "EUR" })
}

#[actix_web::test]
async fn a_cart_counts_as_the_model_does() {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let walks = prop::collection::vec(step(), 45);
    for inclusive in [true, false, true, false] {
        let steps = walks.new_tree(&mut runner).unwrap().current();
        let (mut real, mut model) = (Real::open(inclusive).await, Model::default());
        let mut version = None;
        for (number, step) in steps.iter().enumerate() {
            let wrote = model.does(step);
            let answer = real.does(step).await;
            let why = || {
                format!(
                    "inclusive: {inclusive}, step {number}: {step:?} of {steps:?}\nmodel: {model:?}\n{answer}"
                )
            };
            let sums = model.sums(inclusive);
            assert_eq!(told(&answer), sums, "{}", why());
            assert_eq!(told(&real.quoted(&model).await), sums, "the quote, {}", why());
            assert_eq!(
                (&answer["note"], answer["discount_codes"].as_array().unwrap().len()),
                (&json!(model.note), model.codes.len()),
                "{}",
                why()
            );
            // Looking changes nothing.
            let seen = answer["version"].as_i64().unwrap();
            assert!(wrote || version.is_none_or(|before| before == seen), "{}", why());
            version = Some(seen);
        }
        let last = real.does(&Step::Look).await;
        assert_eq!(told(&last), model.sums(inclusive));
    }
}

#[test]
fn shares_are_the_whole() {
    assert_eq!(shared(100, &[1, 1, 1]), [34, 33, 33]);
    assert_eq!(shared(5, &[3, 3, 1]), [2, 2, 1]);
    assert_eq!(shared(0, &[0, 0]), [0, 0]);
    assert_eq!((tax_of(1990, true), tax_of(324, false), divided(5, 2)), (318, 62, 3));
}
