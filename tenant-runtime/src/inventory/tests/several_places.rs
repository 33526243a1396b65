//! Random work on two shelves and between them, in one row and in buckets, against a model that is a few lines of arithmetic.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use souk_api::{DryRun, IfMatch};
use souk_kernel::{CartId, InventoryItemId, LocationId, OrderId, Quantity, StockTransferId};
use souk_tenancy::WriteTx;

use super::{first_place, mug, second_place};
use crate::inventory::actions;
use crate::inventory::model::{
    Counted, CreateTransfer, Demand, NewTransferLine, Policy, PutInventoryItem, ReceiveTransfer,
    ReceivedLine, StockCount,
};
use crate::inventory::{Commitment, InventoryError};
use crate::testing::TestShop;

/// What may happen. Carts and places are named by small numbers; of transfers it is the oldest that is not over.
#[derive(Clone, Copy, Debug)]
enum Step {
    Reserve { cart: usize, pieces: i64 },
    Release { cart: usize },
    Commit { cart: usize },
    Set { place: usize, on_hand: i64 },
    Count { place: usize, drift: i64, counted: i64 },
    Send { from: usize, pieces: i64 },
    Receive { received: i64, lost: i64 },
    Cancel,
    Deal { buckets: i32 },
}

const CARTS: usize = 4;

fn step() -> impl Strategy<Value = Step> {
    let (cart, place) = (0..CARTS, 0_usize..2);
    prop_oneof![
        5 => (cart.clone(), 1_i64..7).prop_map(|(cart, pieces)| Step::Reserve { cart, pieces }),
        2 => cart.clone().prop_map(|cart| Step::Release { cart }),
        2 => cart.prop_map(|cart| Step::Commit { cart }),
        2 => (place.clone(), 0_i64..12).prop_map(|(place, on_hand)| Step::Set { place, on_hand }),
        2 => (place.clone(), 0_i64..2, 0_i64..12).prop_map(|(place, drift, counted)| Step::Count { place, drift, counted }),
        3 => (place, 1_i64..6).prop_map(|(from, pieces)| Step::Send { from, pieces }),
        3 => (0_i64..4, 0_i64..2).prop_map(|(received, lost)| Step::Receive { received, lost }),
        1 => Just(Step::Cancel),
        2 => prop_oneof![Just(0), Just(2), Just(3)].prop_map(|buckets| Step::Deal { buckets }),
    ]
}

/// What a cart has at each place.
#[derive(Clone, Copy, Debug, Default)]
struct Claim {
    held: [i64; 2],
    committed: [i64; 2],
    /// Whether it ever held anything.
    ever: bool,
}

impl Claim {
    /// Whether a commit finds what it needs: not when all of it was given back.
    fn commits(&self) -> bool {
        !self.ever || self.held.iter().chain(&self.committed).any(|pieces| *pieces > 0)
    }
}

#[derive(Clone, Debug, Default)]
struct Shelves {
    on_hand: [i64; 2],
    claims: BTreeMap<usize, Claim>,
    /// Whence, and how many are still on their way.
    transfers: Vec<(usize, i64)>,
}

impl Shelves {
    fn sum(&self, place: usize, part: impl Fn(&Claim) -> [i64; 2]) -> i64 {
        self.claims.values().map(|claim| part(claim)[place]).sum()
    }

    fn free(&self, place: usize) -> i64 {
        self.on_hand[place] - self.sum(place, |claim| claim.held) - self.sum(place, |claim| claim.committed)
    }

    fn moves(&mut self, place: usize, to: i64) -> bool {
        let fine = self.free(place) + to - self.on_hand[place] >= 0;
        if fine {
            self.on_hand[place] = to;
        }
        fine
    }

    /// What the shelves answer to a step: done or not.
    fn does(&mut self, step: Step) -> bool {
        match step {
            Step::Reserve { cart, pieces } => {
                let before = self.claims.clone();
                self.claims.entry(cart).or_default().held = [0, 0];
                let free = [self.free(0), self.free(1)];
                let parts = match free.iter().position(|free| *free >= pieces) {
                    Some(0) => [pieces, 0],
                    Some(_) => [0, pieces],
                    None => [free[0], pieces - free[0]],
                };
                let fine = parts[1] <= free[1];
                if fine {
                    let claim = self.claims.entry(cart).or_default();
                    (claim.held, claim.ever) = (parts, true);
                } else {
                    self.claims = before;
                }
                fine
            }
            Step::Release { cart } => {
                self.claims.entry(cart).or_default().held = [0, 0];
                true
            }
            Step::Commit { cart } => {
                let claim = self.claims.entry(cart).or_default();
                let held = std::mem::take(&mut claim.held);
                claim.committed = [claim.committed[0] + held[0], claim.committed[1] + held[1]];
                true
            }
            Step::Set { place, on_hand } => self.moves(place, on_hand),
            Step::Count { place, drift, counted } => drift == 0 && self.moves(place, counted),
            Step::Send { from, pieces } => {
                let fine = self.free(from) >= pieces;
                if fine {
                    self.on_hand[from] -= pieces;
                    self.transfers.push((from, pieces));
                }
                fine
            }
            Step::Receive { received, lost } => {
                let Some((from, rest)) = self.transfers.first_mut() else { return true };
                if received + lost == 0 || received + lost > *rest {
                    return false;
                }
                *rest -= received + lost;
                let (to, over) = (1 - *from, *rest == 0);
                self.on_hand[to] += received;
                if over {
                    self.transfers.remove(0);
                }
                true
            }
            Step::Cancel => {
                if !self.transfers.is_empty() {
                    let (from, rest) = self.transfers.remove(0);
                    self.on_hand[from] += rest;
                }
                true
            }
            Step::Deal { .. } => true,
        }
    }

    fn shown(&self) -> String {
        let level = |place| {
            let (committed, reserved) =
                (self.sum(place, |claim| claim.committed), self.sum(place, |claim| claim.held));
            format!("{}/{committed}/{reserved}", self.on_hand[place])
        };
        let incoming: i64 = self.transfers.iter().map(|transfer| transfer.1).sum();
        format!("{} {} {incoming}", level(0), level(1))
    }
}

/// The same shelves in the database.
struct Real {
    shop: TestShop,
    item: InventoryItemId,
    places: [LocationId; 2],
    carts: Vec<(CartId, OrderId)>,
    transfers: Vec<StockTransferId>,
}

impl Real {
    async fn open() -> Self {
        let shop = TestShop::open(None).await;
        let (_, item) = mug(&shop, 0).await;
        let places = [first_place(&shop).await, second_place(&shop).await].map(|id| id.parse().unwrap());
        let carts = (0..CARTS).map(|_| (CartId::new(), OrderId::new())).collect();
        Self { item: item.parse().unwrap(), places, carts, transfers: Vec::new(), shop }
    }

    async fn does(&mut self, step: Step, model: &Shelves) -> bool {
        let (on_hand, open) = (model.on_hand, model.transfers.len());
        let commits =
            matches!(step, Step::Commit { cart } if model.claims.get(&cart).is_none_or(Claim::commits));
        self.transfers.drain(..self.transfers.len() - open);
        let (item, places, carts) = (self.item, self.places, &self.carts);
        let oldest = self.transfers.first().copied();
        let worker = self.shop.gate.worker(self.shop.store.id, "test", "shelves").unwrap();
        let (dry, any) = (&DryRun::default(), &IfMatch::default());
        let work = async move |tx: &mut WriteTx<'_>| match step {
            Step::Reserve { cart, pieces } => {
                let quantity = Quantity::new(u32::try_from(pieces).unwrap()).unwrap();
                let demand = Demand { item, quantity, policy: Policy::Deny };
                actions::reserve(tx, carts[cart].0, &[demand], 15).await.map(|_| None)
            }
            Step::Release { cart } => actions::release(tx, carts[cart].0).await.map(|()| None),
            Step::Commit { cart } => {
                let (cart, order) = carts[cart];
                let done = actions::commit_reservations(tx, cart, order).await?;
                // Nothing to commit after it was given back.
                assert_eq!(done, if commits { Commitment::Committed } else { Commitment::Gone });
                Ok(None)
            }
            Step::Set { place, on_hand } => {
                actions::set_on_hand(tx, item, places[place], on_hand, "counted", "test").await.map(|()| None)
            }
            Step::Count { place, drift, counted } => {
                let lines = vec![Counted { item, seen: on_hand[place] + drift, counted }];
                let count = StockCount { location: places[place], lines, reason: None };
                actions::count(tx, &count, dry, "test").await.map(|_| None)
            }
            Step::Send { from, pieces } => {
                let wish = CreateTransfer {
                    origin: places[from],
                    destination: places[1 - from],
                    lines: vec![NewTransferLine { item, quantity: pieces }],
                    reference: None,
                    note: None,
                    expected_at: None,
                };
                let id = actions::create_transfer(tx, &wish).await?.id;
                actions::send_transfer(tx, id, dry, "test").await.map(|sent| Some(sent.id))
            }
            Step::Receive { received, lost } => match oldest {
                Some(id) => {
                    let wish = ReceiveTransfer { lines: Some(vec![ReceivedLine { item, received, lost }]) };
                    actions::receive_transfer(tx, id, &wish, dry, "test").await.map(|_| None)
                }
                None => Ok(None),
            },
            Step::Cancel => match oldest {
                Some(id) => actions::cancel_transfer(tx, id, dry, "test").await.map(|_| None),
                None => Ok(None),
            },
            Step::Deal { buckets } => {
                let wish = PutInventoryItem {
                    safety_stock: 0,
                    backorder_limit: None,
                    low_stock_threshold: None,
                    buckets,
                };
                actions::put_item(tx, item, any, &wish, "test").await.map(|_| None)
            }
        };
        match worker.write::<_, InventoryError, _>("test.step", work).await {
            Ok(made) => {
                self.transfers.extend(made);
                true
            }
            Err(
                InventoryError::OutOfStock(_)
                | InventoryError::InUse
                | InventoryError::Moved(_)
                | InventoryError::Invalid { .. },
            ) => false,
            Err(error) => panic!("{step:?}: {error:?}"),
        }
    }

    async fn shown(&self) -> String {
        self.shop
            .words(
                "SELECT word FROM ( \
                     SELECT 1 AS part, min(loc.priority) AS place, \
                            sum(l.on_hand) || '/' || sum(l.committed) || '/' || sum(l.reserved) AS word \
                     FROM inventory_levels l JOIN locations loc ON loc.id = l.location_id GROUP BY coalesce(loc.bucket_of, loc.id) \
                     UNION ALL SELECT 2, 0, coalesce(sum(t.quantity - t.received - t.lost - t.returned), 0)::text \
                     FROM stock_transfer_lines t JOIN stock_transfers w ON w.id = t.transfer_id WHERE w.state IN ('in_transit', 'partly_received') \
                 ) parts ORDER BY part, place",
            )
            .await
    }
}

/// After every step of every walk: the same answer, the same levels, the same on its way, and levels that are the sums of their movements.
#[actix_web::test]
async fn two_shelves_do_what_the_model_does() {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let walks = prop::collection::vec(step(), 40);
    let begin = [Step::Set { place: 0, on_hand: 5 }, Step::Set { place: 1, on_hand: 9 }];
    for walk in 0..10 {
        let steps = walks.new_tree(&mut runner).unwrap().current();
        let (mut real, mut model) = (Real::open().await, Shelves::default());
        for (number, step) in begin.iter().chain(steps.iter()).copied().enumerate() {
            let done = real.does(step, &model).await;
            let expected = model.does(step);
            let told = || format!("walk {walk}, step {number}: {step:?} of {steps:?}\nmodel: {model:?}");
            assert_eq!(done, expected, "{}", told());
            if number > 0 {
                assert_eq!(real.shown().await, model.shown(), "{}", told());
            }
            assert_eq!(real.shop.unexplained_levels().await, 0, "{}", told());
        }
    }
}
