//! The people who own businesses, and the businesses they own.

pub mod accounts;
pub mod app;
#[cfg(test)]
mod app_tests;
pub mod audit;
pub mod cluster;
pub mod config;
pub mod factors;
pub mod grants;
pub mod identities;
mod locale;
pub mod members;
pub mod messages;
pub mod operations;
pub mod organizations;
pub mod pages;
pub mod plane;
pub mod plans;
pub mod problems;
mod schema;
pub mod serve;
pub mod sessions;
pub mod stores;
#[cfg(test)]
mod testing;
mod text_enum;
pub mod worker;
