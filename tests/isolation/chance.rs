//! Chance that can be repeated: everything random in these proofs comes from one seed, which is printed.

use std::sync::atomic::{AtomicU64, Ordering};

/// `SOUK_ISOLATION_SEED`, or another one every time.
#[expect(clippy::disallowed_methods, reason = "tests have no config.rs")]
pub fn seed() -> u64 {
    let given = std::env::var("SOUK_ISOLATION_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| uuid::Uuid::now_v7().as_u64_pair().1 >> 16)
}

/// How many stores: 200, or `SOUK_ISOLATION_STORES` for a quicker look.
#[expect(clippy::disallowed_methods, reason = "tests have no config.rs")]
pub fn stores() -> usize {
    let given = std::env::var("SOUK_ISOLATION_STORES").ok().and_then(|text| text.parse().ok());
    given.unwrap_or(200)
}

/// SplitMix64.
pub struct Chance(AtomicU64);

impl Chance {
    /// One of many streams of a seed.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self(AtomicU64::new(seed ^ stream.wrapping_mul(0xa076_1d64_78bd_642f)))
    }

    pub fn next(&self) -> u64 {
        let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`.
    pub fn below(&self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap_or(1)).unwrap_or_default()
    }

    pub fn of<'t, T>(&self, things: &'t [T]) -> &'t T {
        &things[self.below(things.len())]
    }
}
