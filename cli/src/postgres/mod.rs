//! A private PostgreSQL: fetched once, cached outside the clone, run as a child on loopback.

mod install;
mod left_over;
mod probe;
mod server;

pub use install::installed;
pub use left_over::drop_left_over;
pub use probe::{is_ready, server_version};
pub use server::{Server, Settings};

/// The version that `souk up` runs unless told otherwise.
pub const DEFAULT_VERSION: &str = "18.6.0";

/// The majors that can be asked for.
pub const MAJORS: std::ops::RangeInclusive<u64> = 15..=99;

/// The oldest version Souk works with, as `server_version_num`.
pub const OLDEST: u32 = 150_000;
