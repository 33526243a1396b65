//! A private Kafka: fetched once from Maven Central, cached outside the clone, one KRaft node as a child on loopback.

mod install;
mod pom;
mod probe;
mod server;

pub use install::installed;
pub use probe::is_ready;
pub use server::Server;

/// The version that `souk up --kafka` runs.
pub const VERSION: &str = "4.4.0";
