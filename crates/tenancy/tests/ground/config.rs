//! Where the tests' PostgreSQL is: the one setting they have.

/// # Panics
/// If SOUK_TEST_DATABASE_URL is not set: a test must never find a database by guessing.
#[expect(clippy::disallowed_methods, reason = "this is the tests' config.rs")]
pub fn database_url() -> String {
    std::env::var("SOUK_TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!(
            "set SOUK_TEST_DATABASE_URL to a superuser's URL of a PostgreSQL that tests may fill and empty"
        )
    })
}
