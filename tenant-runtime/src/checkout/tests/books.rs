//! Random sales, refunds and cancellations in stores that count in different ways. After every step the books are what a few sums over the
//! answers say they are; in the end everything is given back, and exactly what was paid has gone back.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::testing::shop::{Shop, Thing, ada, key};

/// How a store counts.
#[derive(Clone, Copy, Debug)]
struct Ways {
    currency: &'static str,
    inclusive: bool,
    level: &'static str,
    rounding: &'static str,
}

const WAYS: [Ways; 6] = [
    Ways { currency: "EUR", inclusive: true, level: "line", rounding: "half_up" },
    Ways { currency: "EUR", inclusive: false, level: "unit", rounding: "half_even" },
    Ways { currency: "JPY", inclusive: true, level: "document", rounding: "half_down" },
    Ways { currency: "JPY", inclusive: false, level: "line", rounding: "half_up" },
    Ways { currency: "KWD", inclusive: true, level: "unit", rounding: "half_up" },
    Ways { currency: "KWD", inclusive: false, level: "document", rounding: "half_even" },
];

#[derive(Clone, Debug)]
enum Step {
    /// Things by number, and how many of each.
    Buy(Vec<(usize, u32)>),
    /// Of one order one line: pieces, or an amount that leaves the pieces.
    Refund {
        order: Index,
        line: Index,
        pieces: Option<u32>,
        minor: i64,
    },
    /// Of one order's delivery.
    RefundDelivery {
        order: Index,
        minor: i64,
    },
    Cancel {
        order: Index,
        restock: bool,
    },
    /// The worker's round.
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    let lines = prop::collection::vec((0..PRICES.len(), 1_u32..6), 1..4);
    prop_oneof![
        4 => lines.prop_map(Step::Buy),
        4 => (any::<Index>(), any::<Index>(), prop::option::weighted(0.7, 1_u32..4), 1_i64..800)
            .prop_map(|(order, line, pieces, minor)| Step::Refund { order, line, pieces, minor }),
        1 => (any::<Index>(), 1_i64..600).prop_map(|(order, minor)| Step::RefundDelivery { order, minor }),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(order, restock)| Step::Cancel { order, restock }),
        1 => Just(Step::Sweep),
    ]
}

/// Prices that do not divide well.
const PRICES: [i64; 4] = [1, 333, 1999, 100_003];
const DELIVERY: i64 = 497;

/// What the answers say of an order.
#[derive(Clone, Debug)]
struct Known {
    id: String,
    total: i64,
    tax: i64,
    refunded: i64,
    refunded_tax: i64,
    cancelled: bool,
    lines: Vec<String>,
}

struct Books {
    shop: Shop,
    ways: Ways,
    things: Vec<Thing>,
    orders: Vec<Known>,
    /// Promised and not yet gone.
    owed: i64,
    /// At the provider: taken and given back.
    cash: i64,
}

impl Books {
    async fn open(ways: Ways) -> Self {
        let shop = Shop::open().await;
        let Ways { currency, inclusive, level, rounding } = ways;
        shop.admin(&format!(
            "UPDATE {{s}}.store_settings SET currency = '{currency}', prices_include_tax = {inclusive}, tax_level = '{level}', tax_rounding = '{rounding}';
             UPDATE {{s}}.shipping_rates SET currency = '{currency}', amount_minor = {DELIVERY};"
        ))
        .await;
        // A second rate, so that taxes are split.
        let body = json!({ "country": "DE", "province": "BE", "name": "City", "rate_ppm": 17_500 });
        shop.owner_call("POST", "/admin/v1/tax-rates").json(&body).send().await.expect(201);
        let mut things = Vec::new();
        for price in PRICES {
            things.push(shop.thing_for(1000, price, currency).await);
        }
        Self { shop, ways, things, orders: Vec::new(), owed: 0, cash: 0 }
    }

    fn money(&self, minor: i64) -> Value {
        json!({ "amount_minor": minor, "currency": self.ways.currency })
    }

    async fn buys(&mut self, wish: &[(usize, u32)]) {
        let mut pieces = BTreeMap::<usize, u32>::new();
        for (thing, quantity) in wish {
            *pieces.entry(*thing).or_default() += quantity;
        }
        let line = |(thing, quantity): (&usize, &u32)| json!({ "variant": self.things[*thing].variant, "quantity": quantity });
        let mut address = ada();
        address["province"] = json!("be");
        let body = json!({
            "lines": pieces.iter().map(line).collect::<Vec<_>>(), "email": "ada@example.com", "shipping_address": address,
        });
        let cart = self.shop.call("POST", "/store/v1/carts").json(&body).send().await.expect(201);
        let (total, tax) = (minor(&cart.json["total"]), minor(&cart.json["tax"]));
        // The price on the tag is what the shopper pays; tax comes on top only where the store says so.
        let tags: i64 = pieces.iter().map(|(thing, quantity)| PRICES[*thing] * i64::from(*quantity)).sum();
        let on_top = if self.ways.inclusive { 0 } else { tax };
        assert_eq!(total, tags + DELIVERY + on_top, "{:?} {}", self.ways, cart.json);
        let body = json!({ "expected_total": cart.json["total"], "payment": { "provider": "test", "token": "tok_ok" } });
        let path = format!("/store/v1/carts/{}/checkout", cart.text("/id"));
        let call = self.shop.call("POST", &path).header("x-cart-secret", &cart.text("/secret"));
        let order =
            call.header("idempotency-key", &key()).json(&body).send().await.expect(201).json["order"].clone();
        assert_eq!((minor(&order["total"]), minor(&order["tax"])), (total, tax));
        let taxes = |lines: &Value| -> i64 {
            let lines = lines.as_array().unwrap().iter();
            lines
                .flat_map(|line| line["tax_lines"].as_array().unwrap())
                .map(|tax| minor(&tax["amount"]))
                .sum()
        };
        assert_eq!(taxes(&order["lines"]) + taxes(&order["shipping_lines"]), tax, "{order}");
        let id = order["id"].as_str().unwrap().to_owned();
        let lines = order["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["id"].as_str().unwrap().to_owned())
            .collect();
        self.orders.push(Known { id, total, tax, refunded: 0, refunded_tax: 0, cancelled: false, lines });
        self.cash += total;
    }

    /// Asks for a refund; what cannot be had is refused and changes nothing.
    async fn refunds(&mut self, order: usize, mut body: Value) -> bool {
        body["reason"] = json!("random");
        let path = format!("/admin/v1/orders/{}/refunds", self.orders[order].id);
        let answer = self.shop.owner_call("POST", &path).keyed().json(&body).send().await;
        if answer.status != 200 {
            assert!(matches!(answer.status, 409 | 422), "{} {body} {}", answer.status, answer.json);
            return false;
        }
        let refund = answer.json["refunds"].as_array().unwrap().last().unwrap();
        let amount = minor(&refund["amount"]);
        let lines = refund["lines"].as_array().unwrap();
        assert_eq!(lines.iter().map(|line| minor(&line["amount"])).sum::<i64>(), amount);
        let known = &mut self.orders[order];
        known.refunded += amount;
        known.refunded_tax += lines.iter().map(|line| minor(&line["tax"])).sum::<i64>();
        assert!(known.refunded <= known.total && known.refunded_tax <= known.tax, "{known:?}");
        self.owed += amount;
        true
    }

    async fn does(&mut self, step: &Step) {
        match step {
            Step::Buy(lines) => self.buys(lines).await,
            Step::Refund { order, line, pieces, minor } if !self.orders.is_empty() => {
                let order = order.index(self.orders.len());
                let line = line.get(&self.orders[order].lines).clone();
                let line = match pieces {
                    Some(pieces) => json!({ "line": line, "quantity": pieces }),
                    None => json!({ "line": line, "amount": self.money(*minor) }),
                };
                self.refunds(order, json!({ "lines": [line] })).await;
            }
            Step::RefundDelivery { order, minor } if !self.orders.is_empty() => {
                let (order, amount) = (order.index(self.orders.len()), self.money(*minor));
                self.refunds(order, json!({ "shipping": amount })).await;
            }
            Step::Cancel { order, restock } if !self.orders.is_empty() => {
                let order = order.index(self.orders.len());
                let path = format!("/admin/v1/orders/{}/cancel", self.orders[order].id);
                let body = json!({ "reason": "staff", "restock": restock });
                let answer = self.shop.owner_call("POST", &path).keyed().json(&body).send().await;
                if self.orders[order].cancelled {
                    answer.refused(409, "order_state");
                    return;
                }
                answer.expect(200);
                let known = &mut self.orders[order];
                self.owed += known.total - known.refunded;
                (known.refunded, known.refunded_tax, known.cancelled) = (known.total, known.tax, true);
            }
            Step::Sweep => self.sweeps().await,
            Step::Refund { .. } | Step::RefundDelivery { .. } | Step::Cancel { .. } => {}
        }
    }

    async fn sweeps(&mut self) {
        // The worker takes a few at a time.
        while self.shop.sweep().await.refunds > 0 {}
        self.cash -= self.owed;
        self.owed = 0;
    }

    /// The books, recomputed.
    async fn check(&self, told: &str) {
        let standing = || self.orders.iter();
        let tax: i64 = standing().map(|order| order.tax - order.refunded_tax).sum();
        let net: i64 =
            standing().map(|order| order.total - order.tax - (order.refunded - order.refunded_tax)).sum();
        let mut seen = BTreeMap::new();
        for account in ["1000", "1100", "2100", "2200", "2300", "4000", "4100", "4900"] {
            seen.insert(account, self.shop.balance_of(account).await);
        }
        let revenue = seen["4000"] + seen["4100"] + seen["4900"];
        let expected = (self.cash, 0, 0, -tax, -self.owed, -net);
        let books = (seen["1000"], seen["1100"], seen["2100"], seen["2200"], seen["2300"], revenue);
        assert_eq!(books, expected, "{told}\n{:#?}", self.orders);
        assert_eq!(self.shop.unexplained_levels().await, 0, "{told}");
    }

    /// Everything that is left goes back, piece by piece.
    async fn gives_all_back(&mut self) {
        for order in 0..self.orders.len() {
            if self.orders[order].cancelled {
                continue;
            }
            for line in self.orders[order].lines.clone() {
                // One, and then the rest at once; a piece may be worth nothing by itself.
                self.refunds(order, json!({ "lines": [{ "line": line, "quantity": 1 }] })).await;
                let now = self.shop.order(&self.orders[order].id).await;
                let row =
                    now["lines"].as_array().unwrap().iter().find(|row| row["id"] == json!(line)).unwrap();
                let left = row["quantity"].as_i64().unwrap() - row["refunded_quantity"].as_i64().unwrap();
                if left > 0 {
                    self.refunds(order, json!({ "lines": [{ "line": line, "quantity": left }] })).await;
                }
            }
            for minor in [497, 100, 10, 1] {
                while self.refunds(order, json!({ "shipping": self.money(minor) })).await {}
            }
            // With exclusive prices the delivery is dearer by its tax.
            let known = &self.orders[order];
            assert_eq!(
                (known.refunded, known.refunded_tax),
                (known.total, known.tax),
                "{:?} {known:?}",
                self.ways
            );
        }
        self.sweeps().await;
        assert_eq!(
            self.shop.taken().await,
            (
                self.orders.iter().map(|order| order.total).sum(),
                self.orders.iter().map(|order| order.total).sum()
            )
        );
        for order in &self.orders {
            assert_eq!(self.shop.order(&order.id).await["financial_status"], "refunded");
        }
    }
}

fn minor(money: &Value) -> i64 {
    money["amount_minor"].as_i64().unwrap_or_else(|| panic!("no money: {money}"))
}

#[actix_web::test]
async fn the_books_are_what_was_sold_and_given_back() {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let walks = prop::collection::vec(step(), 14);
    for ways in WAYS {
        let steps = walks.new_tree(&mut runner).unwrap().current();
        let mut books = Books::open(ways).await;
        let first = Step::Buy(vec![(0, 3), (1, 3), (2, 1)]);
        for (number, step) in std::iter::once(&first).chain(&steps).enumerate() {
            books.does(step).await;
            books.check(&format!("{ways:?}, step {number}: {step:?} of {steps:?}")).await;
        }
        books.gives_all_back().await;
        books.check(&format!("{ways:?}, all given back")).await;
    }
}

/// A price that changes while shoppers are at the till: whoever pays has paid what they saw.
#[actix_web::test]
async fn price_edit_against_checkout() {
    let shop = Shop::open().await;
    let mug = shop.thing(50, 1000).await;
    let price = format!("/admin/v1/variants/{}/price", mug.variant);
    let mut baskets = Vec::new();
    for _ in 0..8 {
        baskets.push(shop.basket(mug, 1).await);
    }
    let buyers =
        futures_util::future::join_all(baskets.iter().map(|basket| shop.buys(basket, 1490, "tok_ok")));
    let wish = json!({ "price": { "amount_minor": 1200, "currency": "EUR" } });
    let edit = shop.owner_call("PUT", &price).header("if-match", "*").json(&wish).send();
    let (answers, edited) = futures_util::future::join(buyers, edit).await;
    edited.expect(200);
    let mut sold = 0;
    for answer in answers {
        if answer.status == 201 {
            assert_eq!(minor(&answer.json["order"]["total"]), 1490);
            sold += 1;
        } else {
            assert_eq!(minor(&answer.refused(409, "price_changed").json["total"]), 1690);
        }
    }
    assert_eq!(shop.taken().await, (sold * 1490, 0));
    // Who looks again may buy at the new price, in the same cart.
    let late = shop.basket(mug, 1).await;
    shop.buys(&late, 1490, "tok_ok").await.refused(409, "price_changed");
    shop.buys(&late, 1690, "tok_ok").await.expect(201);
    assert_eq!(shop.stock().await, format!("50/{}/0", sold + 1));
}

/// Two carts, one unit.
#[actix_web::test]
async fn the_last_piece_goes_to_one_of_two() {
    for _ in 0..5 {
        let shop = Shop::open().await;
        let mug = shop.thing(1, 1000).await;
        let (one, two) = (shop.basket(mug, 1).await, shop.basket(mug, 1).await);
        let (one, two) =
            futures_util::future::join(shop.buys(&one, 1490, "tok_slow"), shop.buys(&two, 1490, "tok_ok"))
                .await;
        let (won, lost) = if one.status == 201 { (one, two) } else { (two, one) };
        won.expect(201);
        let lost = lost.refused(409, "out_of_stock");
        assert_eq!(lost.json["shortages"][0]["available"], 0);
        assert_eq!((shop.stock().await.as_str(), shop.taken().await), ("1/1/0", (1490, 0)));
    }
}

/// Those that fall silent go by token: `providers.rs`.
#[actix_web::test]
async fn amounts_end_as_the_provider_says_of_them() {
    let shop = Shop::open().await;
    shop.admin("UPDATE {s}.shipping_rates SET amount_minor = 0").await;
    let ends: [(i64, u16, &str); 8] = [
        (10_00, 201, "paid"),
        (10_02, 402, "declined"),
        (10_13, 202, "action_required"),
        (10_41, 201, "paid"),
        (10_43, 201, "paid"),
        (10_47, 201, "paid"),
        (10_53, 201, "paid"),
        (10_67, 201, "paid"),
    ];
    let mut taken = 0;
    for (price, status, end) in ends {
        let basket = shop.basket(shop.thing(5, price).await, 1).await;
        let money = json!({ "amount_minor": price, "currency": "EUR" });
        let body = json!({ "expected_total": money, "payment": { "provider": "test", "return_url": "http://localhost:3000/thanks" } });
        let answer = shop.checkout(&basket, &key(), &body).await.expect(status);
        match status {
            201 => {
                assert_eq!(answer.json["order"]["financial_status"], end, "{price}");
                taken += price;
            }
            202 => assert_eq!(answer.json["status"], end, "{price}"),
            _ => assert_eq!(answer.json["failure_code"], "card_declined", "{price}"),
        }
    }
    assert_eq!(shop.taken().await, (taken, 0));
    assert_eq!(shop.balance_of("1000").await, taken);
}
