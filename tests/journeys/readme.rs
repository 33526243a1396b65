//! Reads the README.

use souk_tests::readme::blocks;

/// The blocks marked `sh tour`, one after the other.
///
/// # Panics
/// When there are none.
pub fn tour() -> String {
    let blocks = blocks("sh tour");
    assert!(blocks.len() >= 5, "the tour has its steps: {}", blocks.len());
    blocks.join("\n")
}
