//! Reads the README, whose blocks of commands are run as they stand.

use crate::platform::workspace;

/// The blocks that begin with three backticks and this mark, one after the other.
///
/// # Panics
/// When there is no README, or a block that does not end.
pub fn blocks(mark: &str) -> Vec<String> {
    let text = std::fs::read_to_string(workspace().join("README.md")).expect("a README");
    text.split(&format!("\n```{mark}\n"))
        .skip(1)
        .map(|rest| rest.split_once("\n```").expect("a block ends").0.to_owned())
        .collect()
}
