//! What is done with what a shop says. Every action reads before it writes, so that a refusal costs nothing.

pub mod menus;
pub mod pages;
pub mod policies;

pub use pages::publish_due;
