//! The commerce API that every store runs: one capability per folder, calls go down the floors, events go up.
//!
//! Floors, from the ground: 0 `settings` `audit` · 1 `tax` `shipping` `markets` `inventory` `ledger` `staff` `storefront` `media` · 2 `catalog` `customers` `credit` ·
//! 3 `discounts` `payments` `identities` `apps` `imports` `content` `channels` · 4 `cart` · 5 `orders` `drafts` · 6 `checkout` `fulfillment` `invoices` `subscriptions` · 7 `messages` `webhooks` `privacy` · 8 `feed`. See `docs/ARCHITECTURE.md`.

pub mod app;
#[cfg(test)]
mod app_tests;
pub mod config;
mod cors;
pub mod schema;
pub mod serve;
pub mod worker;

pub mod audit;
pub mod groups;
pub mod inventory;
pub mod invoices;
pub mod ledger;
pub mod markets;
pub mod media;
pub mod settings;
pub mod shipping;
pub mod staff;
pub mod storefront;
pub mod tax;

pub mod catalog;
pub mod credit;
pub mod customers;

pub mod apps;
pub mod channels;
pub mod content;
pub mod discounts;
pub mod identities;
pub mod imports;
pub mod payments;

pub mod cart;

pub mod drafts;
pub mod orders;

pub mod checkout;
pub mod fulfillment;
pub mod subscriptions;

pub mod messages;
pub mod privacy;
pub mod webhooks;

pub mod feed;

#[cfg(test)]
mod testing;
