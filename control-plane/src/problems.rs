//! Problems that every capability may answer because the ground under it moved: the database, the hasher, chance.

use souk_access::HasherError;
use souk_api::problem::{CONFLICT, IDEMPOTENCY_RUNNING, INTERNAL, UNAVAILABLE};
use souk_api::{Problem, ProblemKind};
use souk_tenancy::{DbError, TenancyError};

/// Every catalogue of this plane, for the generated page of problems.
pub const CATALOGUES: &[&[ProblemKind]] = &[
    souk_api::problem::CATALOGUE,
    souk_access::CATALOGUE,
    crate::accounts::CATALOGUE,
    crate::sessions::CATALOGUE,
    crate::factors::CATALOGUE,
    souk_openid::web::CATALOGUE,
    crate::identities::CATALOGUE,
    crate::organizations::CATALOGUE,
    crate::members::CATALOGUE,
    crate::stores::CATALOGUE,
    crate::grants::CATALOGUE,
    crate::operations::CATALOGUE,
];

/// 500; the cause goes to the log.
pub fn internal(cause: impl std::error::Error + Send + Sync + 'static) -> Problem {
    Problem::new(&INTERNAL).source(cause)
}

/// A failed transaction: away or busy is 503, a collision that a retry would solve is 409, the rest is ours.
pub fn of_database(error: TenancyError) -> Problem {
    match &error {
        TenancyError::Busy | TenancyError::Db(DbError::Unavailable) => {
            Problem::new(&UNAVAILABLE).retry_after(1).source(error)
        }
        TenancyError::Db(DbError::Timeout) => Problem::new(&UNAVAILABLE).retry_after(2).source(error),
        TenancyError::Db(DbError::Serialization | DbError::Deadlock) => Problem::new(&CONFLICT)
            .detail("somebody else changed the same thing")
            .retry_after(1)
            .source(error),
        _ => internal(error),
    }
}

/// A flood of passwords is told to come back.
pub fn of_hasher(error: HasherError) -> Problem {
    match error {
        HasherError::Busy => Problem::new(&UNAVAILABLE).retry_after(1).source(error),
        HasherError::Broken => internal(error),
    }
}

/// Somebody holds the same key: the first request is still at work.
pub fn still_running() -> Problem {
    Problem::new(&IDEMPOTENCY_RUNNING).retry_after(1)
}
