//! The sale over HTTP: a real database, a real provider, every way it can end.

mod amounts;
mod assent;
mod books;
mod bundles;
mod captures;
mod costs;
mod credit;
mod crowd;
mod discounts;
mod endings;
mod freshness;
mod life;
mod prices;
mod providers;
mod races;
mod search;
mod shipping;
mod stripe;
mod tax;
mod undoing;

use crate::testing::shop;
