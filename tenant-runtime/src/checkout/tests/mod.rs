//! The sale over HTTP: a real database, a real provider, every way it can end.

mod books;
mod credit;
mod discounts;
mod endings;
mod prices;
mod providers;
mod races;
mod undoing;

use crate::testing::shop;
