#![doc = include_str!("../README.md")]

pub mod behaviour;
pub mod book;
pub mod couriers;
pub mod desk;
mod journal;
mod loopback;
mod page;
pub mod payment;
pub mod routes;
pub mod stripe;
#[cfg(test)]
mod tests;
pub mod webhook;
