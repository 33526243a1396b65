//! Random work on one shelf against a model that is a few lines of arithmetic.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use souk_kernel::{CartId, InventoryItemId, LocationId, OrderId, Quantity};
use souk_tenancy::WriteTx;

use crate::inventory::{self, Commitment, Demand, GivenUp, InventoryError, NewItem, Policy};
use crate::testing::TestShop;

/// What may happen to the shelf. Carts are named by small numbers.
#[derive(Clone, Copy, Debug)]
enum Step {
    Reserve {
        cart: usize,
        pieces: u32,
    },
    Release {
        cart: usize,
    },
    Commit {
        cart: usize,
    },
    Uncommit {
        cart: usize,
        restock: bool,
    },
    GiveUp {
        cart: usize,
        pieces: u32,
        restock: bool,
    },
    Set {
        on_hand: i64,
    },
    /// The clock runs on; what is not committed may run out.
    Wait {
        minutes: u32,
    },
    Sweep,
}

const CARTS: usize = 4;
const HOLD: u32 = 15;

fn step() -> impl Strategy<Value = Step> {
    let cart = 0..CARTS;
    prop_oneof![
        4 => (cart.clone(), 1_u32..6).prop_map(|(cart, pieces)| Step::Reserve { cart, pieces }),
        2 => cart.clone().prop_map(|cart| Step::Release { cart }),
        3 => cart.clone().prop_map(|cart| Step::Commit { cart }),
        1 => (cart.clone(), any::<bool>()).prop_map(|(cart, restock)| Step::Uncommit { cart, restock }),
        2 => (cart, 1_u32..4, any::<bool>()).prop_map(|(cart, pieces, restock)| Step::GiveUp { cart, pieces, restock }),
        2 => (0_i64..15).prop_map(|on_hand| Step::Set { on_hand }),
        1 => (1_u32..20).prop_map(|minutes| Step::Wait { minutes }),
        1 => Just(Step::Sweep),
    ]
}

/// What a cart has of the shelf.
#[derive(Clone, Copy, Debug, Default)]
struct Claim {
    /// Reserved, until this minute.
    held: Option<(i64, u32)>,
    /// Ran out, and may be taken again.
    lost: i64,
    committed: i64,
    /// It has reserved something once.
    ever: bool,
}

#[derive(Debug, Default)]
struct Shelf {
    on_hand: i64,
    minute: u32,
    claims: BTreeMap<usize, Claim>,
}

impl Shelf {
    fn committed(&self) -> i64 {
        self.claims.values().map(|claim| claim.committed).sum()
    }

    fn reserved(&self) -> i64 {
        self.claims.values().filter_map(|claim| claim.held).map(|held| held.0).sum()
    }

    fn free(&self) -> i64 {
        self.on_hand - self.committed() - self.reserved()
    }

    /// Reservations whose time is up go back to the shelf.
    fn expire(&mut self) {
        for claim in self.claims.values_mut() {
            if let Some((pieces, until)) = claim.held.filter(|held| held.1 <= self.minute) {
                let _ = until;
                claim.held = None;
                claim.lost += pieces;
            }
        }
    }

    /// What the shelf answers to a step: done or not.
    fn does(&mut self, step: Step) -> bool {
        match step {
            Step::Reserve { cart, pieces } => {
                let pieces = i64::from(pieces);
                let mut after = self.claims.clone();
                let claim = self.claims.entry(cart).or_default();
                // What it had goes back first, and what it lost is forgotten.
                if claim.held.is_some() || claim.lost > 0 {
                    (claim.held, claim.lost) = (None, 0);
                }
                if self.free() < pieces {
                    self.expire();
                }
                let enough = self.free() >= pieces;
                if enough {
                    let until = self.minute + HOLD;
                    let claim = self.claims.entry(cart).or_default();
                    (claim.held, claim.ever) = (Some((pieces, until)), true);
                } else {
                    // Refused: rolled back to the last row.
                    std::mem::swap(&mut self.claims, &mut after);
                }
                enough
            }
            Step::Release { cart } => {
                let claim = self.claims.entry(cart).or_default();
                (claim.held, claim.lost) = (None, 0);
                true
            }
            Step::Commit { cart } => {
                let room = |shelf: &Self, claim: Claim| claim.lost == 0 || shelf.free() >= claim.lost;
                let mut claim = self.claims.get(&cart).copied().unwrap_or_default();
                if !room(self, claim) {
                    self.expire();
                    claim = self.claims.get(&cart).copied().unwrap_or_default();
                }
                let enough = room(self, claim);
                let wanted = claim.held.map_or(0, |held| held.0) + claim.lost;
                let claim = self.claims.entry(cart).or_default();
                (claim.held, claim.lost) = (None, 0);
                if enough {
                    claim.committed += wanted;
                }
                enough && (wanted > 0 || claim.committed > 0 || !claim.ever)
            }
            Step::Uncommit { cart, restock } => {
                let claim = self.claims.entry(cart).or_default();
                if !restock {
                    self.on_hand -= claim.committed;
                }
                claim.committed = 0;
                true
            }
            Step::GiveUp { cart, pieces, restock } => {
                let claim = self.claims.entry(cart).or_default();
                let part = claim.committed.min(i64::from(pieces));
                claim.committed -= part;
                if !restock {
                    self.on_hand -= part;
                }
                true
            }
            Step::Set { on_hand } => {
                let allowed = on_hand >= self.committed() + self.reserved();
                if allowed {
                    self.on_hand = on_hand;
                }
                allowed
            }
            Step::Wait { minutes } => {
                self.minute += minutes;
                true
            }
            Step::Sweep => {
                self.expire();
                true
            }
        }
    }
}

/// The same shelf in the database.
struct Real {
    shop: TestShop,
    item: InventoryItemId,
    location: LocationId,
    carts: Vec<(CartId, OrderId)>,
}

impl Real {
    async fn open() -> Self {
        let shop = TestShop::open(None).await;
        let item = InventoryItemId::new();
        let worker = shop.gate.worker(shop.store.id, "test", "a shelf").unwrap();
        let work = async move |tx: &mut WriteTx<'_>| {
            let new = NewItem { id: item, sku: None, on_hand: 0, policy: Policy::Deny };
            inventory::create_items(tx, &[new], "test").await
        };
        worker.write::<_, InventoryError, _>("test.make", work).await.unwrap();
        let place = shop.owner_call("GET", "/admin/v1/locations").send().await.text("/data/0/id");
        let carts = (0..CARTS).map(|_| (CartId::new(), OrderId::new())).collect();
        Self { shop, item, location: place.parse().unwrap(), carts }
    }

    async fn does(&self, step: Step) -> bool {
        if let Step::Wait { minutes } = step {
            self.shop.clock.advance(std::time::Duration::from_secs(u64::from(minutes) * 60));
            return true;
        }
        let (item, location, carts) = (self.item, self.location, &self.carts);
        let worker = self.shop.gate.worker(self.shop.store.id, "test", "a shelf").unwrap();
        let work = async move |tx: &mut WriteTx<'_>| match step {
            Step::Reserve { cart, pieces } => {
                let quantity = Quantity::new(pieces).unwrap();
                let demand = Demand { item, quantity, policy: Policy::Deny };
                inventory::reserve(tx, carts[cart].0, &[demand], HOLD).await.map(|_| true)
            }
            Step::Release { cart } => inventory::release(tx, carts[cart].0).await.map(|()| true),
            Step::Commit { cart } => {
                let (cart, order) = carts[cart];
                Ok(inventory::commit_reservations(tx, cart, order).await? == Commitment::Committed)
            }
            Step::Uncommit { cart, restock } => {
                let (cart, order) = carts[cart];
                inventory::uncommit(tx, cart, order, restock, "test").await.map(|()| true)
            }
            Step::GiveUp { cart, pieces, restock } => {
                let (cart, order) = carts[cart];
                // As two lines of one thing: together they are as many.
                let given = |pieces| GivenUp { item, pieces, restock };
                let given = [given(1), given(i64::from(pieces) - 1)];
                inventory::give_up(tx, cart, order, &given, "test").await.map(|()| true)
            }
            Step::Set { on_hand } => {
                inventory::set_on_hand(tx, item, location, on_hand, "counted", "test").await.map(|()| true)
            }
            Step::Sweep => inventory::expire_due(tx).await.map(|_| true),
            Step::Wait { .. } => Ok(true),
        };
        match worker.write::<_, InventoryError, _>("test.step", work).await {
            Ok(done) => done,
            Err(InventoryError::OutOfStock(_) | InventoryError::InUse) => false,
            Err(error) => panic!("{step:?}: {error:?}"),
        }
    }
}

/// After every step of every walk: the same answer, the same level, and a level that is the sum of its movements.
#[actix_web::test]
async fn the_shelf_does_what_the_model_does() {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let walks = prop::collection::vec(step(), 40);
    for walk in 0..12 {
        let steps = walks.new_tree(&mut runner).unwrap().current();
        let (real, mut model) = (Real::open().await, Shelf::default());
        for (number, step) in
            std::iter::once(Step::Set { on_hand: 12 }).chain(steps.iter().copied()).enumerate()
        {
            let (expected, done) = (model.does(step), real.does(step).await);
            let told = || format!("walk {walk}, step {number}: {step:?} of {steps:?}\nmodel: {model:?}");
            assert_eq!(done, expected, "{}", told());
            let level = format!("{}/{}/{}", model.on_hand, model.committed(), model.reserved());
            assert_eq!(real.shop.stock().await, level, "{}", told());
            assert_eq!(real.shop.unexplained_levels().await, 0, "{}", told());
        }
    }
}
