//! Random lives of payments against a model in memory: in whatever order a provider's words come, and however often, the order stands where the
//! model says, and the books are what the model adds up to.

use chrono::DateTime;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use souk_kernel::{Money, PaymentSessionId};
use souk_tenancy::WriteTx;

use super::super::actions::dispute::contest;
use super::shop::Shop;
use crate::checkout::{CheckoutError, settle};
use crate::payments::{self, DisputeFact, DisputeState, ProviderFact, ProviderStatus};

const ASKED: i64 = 1490;
const LIVES: usize = 16;

/// What becomes of money that is held.
#[derive(Clone, Copy, Debug)]
enum End {
    /// It stays so.
    Held,
    LetGo,
    /// So much is taken.
    Taken(i64),
}

/// A life as the provider sees it, and how its words come to us.
#[derive(Clone, Debug)]
struct Life {
    end: End,
    /// Parts in 100 of what is left of it that staff gives back, one refund each.
    refunds: Vec<i64>,
    /// How the bank decides, where it takes the money back.
    dispute: Option<bool>,
    /// Which of the words come before staff gives anything back, and which after: any, in any order, any number of times.
    early: Vec<Index>,
    late: Vec<Index>,
}

fn life() -> impl Strategy<Value = Life> {
    let end = prop_oneof![
        1 => Just(End::Held),
        2 => Just(End::LetGo),
        2 => Just(End::Taken(ASKED)),
        4 => (1..ASKED).prop_map(End::Taken),
    ];
    let words = || prop::collection::vec(any::<Index>(), 0..6);
    (
        end,
        prop::collection::vec(1_i64..60, 0..3),
        prop::option::weighted(0.3, any::<bool>()),
        words(),
        words(),
    )
        .prop_map(|(end, refunds, dispute, early, late)| Life { end, refunds, dispute, early, late })
}

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

fn fact(reference: &str, status: ProviderStatus, captured: i64, refunded: i64) -> ProviderFact {
    ProviderFact {
        reference: reference.to_owned(),
        status,
        amount: eur(ASKED),
        authorized: eur(ASKED),
        captured: eur(captured),
        refunded: eur(refunded),
        redirect_url: None,
        failure: None,
    }
}

/// What the books of all lives must say.
#[derive(Debug, Default)]
struct Model {
    clearing: i64,
    receivable: i64,
    owed: i64,
    lost: i64,
}

/// One life, lived in a shop that lives others as well.
struct Lived<'a> {
    shop: &'a Shop,
    session: PaymentSessionId,
    /// What is known of it by now: taken, given back, let go.
    known: (i64, i64, bool),
}

impl Lived<'_> {
    async fn hears(&mut self, told: &ProviderFact) {
        let worker = self.shop.gate.worker(self.shop.store.id, "test", "tells").unwrap();
        let (session, fact) = (self.session, told.clone());
        let work = async move |tx: &mut WriteTx<'_>| settle(tx, session, &fact, "test").await.map(drop);
        worker.write::<_, CheckoutError, _>("test.settle", work).await.unwrap();
        let (taken, back, let_go) = self.known;
        let voided = told.status == ProviderStatus::Voided;
        self.known = (taken.max(told.captured.minor()), back.max(told.refunded.minor()), let_go || voided);
    }

    async fn contests(&self, fact: DisputeFact) {
        let worker = self.shop.gate.worker(self.shop.store.id, "test", "contests").unwrap();
        let session = self.session;
        let work = async move |tx: &mut WriteTx<'_>| contest(tx, session, &fact, "test").await.map(drop);
        worker.write::<_, CheckoutError, _>("test.contest", work).await.unwrap();
    }

    /// Where the model says that the order stands.
    fn status(&self) -> &'static str {
        match self.known {
            (0, _, true) => "voided",
            (0, _, false) => "authorized",
            (taken, back, _) if back >= taken => "refunded",
            (_, back, _) if back > 0 => "partially_refunded",
            (taken, ..) if taken < ASKED => "partially_paid",
            _ => "paid",
        }
    }
}

/// Lives one; gives the order's status as it is and as the model says.
async fn live(shop: &Shop, life: &Life, model: &mut Model) -> (String, &'static str) {
    let (order, line) = shop.held("tok_ok").await;
    let id: souk_kernel::OrderId = order.parse().unwrap();
    let worker = shop.gate.worker(shop.store.id, "test", "prepares").unwrap();
    let part = match life.end {
        End::Taken(amount) if amount < ASKED => Some(eur(amount)),
        End::Held | End::LetGo | End::Taken(_) => None,
    };
    let decide = async move |tx: &mut WriteTx<'_>| {
        let held = payments::session(tx, id).await?.ok_or(CheckoutError::SessionUnknown)?;
        if part.is_some() {
            payments::set_part(tx, held.session.id, part).await?;
        }
        Ok((held.session.id, held.session.reference.unwrap_or_default()))
    };
    let (session, name) = worker.write::<_, CheckoutError, _>("test.decide", decide).await.unwrap();
    let mut lived = Lived { shop, session, known: (0, 0, false) };
    let mut words = vec![fact(&name, ProviderStatus::Authorized, 0, 0)];
    match life.end {
        End::Held => {}
        End::LetGo => words.push(fact(&name, ProviderStatus::Voided, 0, 0)),
        End::Taken(amount) => words.push(fact(&name, ProviderStatus::Captured, amount, 0)),
    }
    for word in &life.early {
        lived.hears(word.get(&words)).await;
    }
    let taken = lived.known.0;
    let mut promised = 0;
    for share in &life.refunds {
        // A line of 10.00 gives back no more than that.
        let amount = (taken.min(1000) - promised) * share / 100;
        if amount < 1 {
            continue;
        }
        let money = json!({ "amount_minor": amount, "currency": "EUR" });
        let wish = json!({ "lines": [{ "line": line, "amount": money }], "reason": "late" });
        shop.owner_call("POST", &format!("/admin/v1/orders/{order}/refunds"))
            .keyed()
            .json(&wish)
            .send()
            .await
            .expect(200);
        promised += amount;
        words.push(fact(&name, ProviderStatus::Captured, taken, promised));
    }
    for word in &life.late {
        lived.hears(word.get(&words)).await;
    }
    let (taken, back, _) = lived.known;
    model.clearing += taken - back;
    model.receivable += ASKED - taken;
    model.owed -= promised - back;
    if let Some(won) = life.dispute.filter(|_| taken > 0) {
        let told = |state| DisputeFact {
            reference: format!("dp_{order}"),
            state,
            amount: eur(taken),
            fee: None,
            reason: "fraudulent".to_owned(),
            evidence_due_at: None,
            opened_at: DateTime::UNIX_EPOCH,
        };
        let end = if won { DisputeState::Won } else { DisputeState::Lost };
        let mut news = vec![DisputeState::NeedsResponse, DisputeState::UnderReview, end, end];
        let turn = life.late.first().map_or(0, |index| index.index(news.len()));
        news.rotate_left(turn);
        for state in news {
            lived.contests(told(state)).await;
        }
        let lost = if won { 0 } else { taken };
        model.clearing -= lost;
        model.lost += lost;
    }
    let standing = shop.order(&order).await["financial_status"].as_str().unwrap_or_default().to_owned();
    (standing, lived.status())
}

#[actix_web::test]
async fn a_payment_lives_as_the_model_says() {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let lives = life();
    let shop = Shop::open().await;
    let mut model = Model::default();
    for _ in 0..LIVES {
        let life = lives.new_tree(&mut runner).unwrap().current();
        let (stands, should) = live(&shop, &life, &mut model).await;
        assert_eq!(stands, should, "{life:?}");
        // That it is balanced is asserted by whoever reads it.
        let books = (shop.balance_of("1000").await, shop.balance_of("1100").await);
        assert_eq!(books, (model.clearing, model.receivable), "{life:?}");
        let books =
            (shop.balance_of("2300").await, shop.balance_of("1300").await, shop.balance_of("6300").await);
        assert_eq!(books, (model.owed, 0, model.lost), "{life:?}");
    }
}
