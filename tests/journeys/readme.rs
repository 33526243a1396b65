//! Reads the README.

use souk_tests::platform::workspace;

/// The blocks marked `sh tour`, one after the other.
///
/// # Panics
/// When there are none.
pub fn tour() -> String {
    let text = std::fs::read_to_string(workspace().join("README.md")).expect("a README");
    let blocks: Vec<_> = text
        .split("\n```sh tour\n")
        .skip(1)
        .map(|rest| rest.split_once("\n```").expect("a block ends").0)
        .collect();
    assert!(blocks.len() >= 5, "the tour has its steps: {}", blocks.len());
    blocks.join("\n")
}
