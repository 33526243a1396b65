//! The sale over HTTP: a real database, a real provider, every way it can end.

mod credit;
mod discounts;
mod endings;
mod prices;
mod providers;
mod races;
mod shop;
mod undoing;
