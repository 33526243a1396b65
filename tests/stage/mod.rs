//! The whole platform in one process, and people to use it: what the proofs under `tests/` stand on.
//!
//! Both planes run over real HTTP on a real PostgreSQL (`SOUK_TEST_DATABASE_URL`), with the payment provider beside them.

pub mod books;
pub mod business;
pub mod document;
pub mod door;
pub mod ear;
pub mod generated;
mod others;
pub mod people;
pub mod platform;
mod ready;

pub use books::Books;
pub use business::{Business, Things};
pub use document::{Operation, Place, Plane};
pub use door::{Answer, Call, Door};
pub use people::Person;
pub use platform::Platform;
