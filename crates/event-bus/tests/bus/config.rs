//! The one setting these tests have beside their database.

/// A variable that need not be set.
#[expect(clippy::disallowed_methods, reason = "this is the tests' config.rs")]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
