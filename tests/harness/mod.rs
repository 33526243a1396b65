//! What journeys and drills stand on: a platform of real processes, shoppers who speak HTTP, and the books that are compared.

pub mod books;
pub mod platform;
pub mod readme;
pub mod receiver;
pub mod shop;
