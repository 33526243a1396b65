//! The sale over HTTP: a real database, a real provider, every way it can end.

mod amounts;
mod assent;
mod books;
mod bounced;
mod bundles;
mod captures;
mod costs;
mod credit;
mod crowd;
mod discounts;
mod endings;
mod freshness;
mod life;
mod overdue;
mod pickup;
mod prices;
mod providers;
mod races;
mod search;
mod shipping;
mod split;
mod stripe;
mod tax;
mod tax_provider;
mod undoing;

use crate::testing::shop;
