//! What can go wrong when events are read.

use souk_api::{Problem, problem};
use souk_tenancy::{DbError, TenancyError};

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error("no such dead letter")]
    Unknown,
    /// Pointer and what would have been right.
    #[error("{0} {1}")]
    Field(&'static str, String),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<FeedError> for Problem {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::Unknown => Self::new(&problem::NOT_FOUND),
            FeedError::Field(pointer, message) => {
                Self::new(&problem::VALIDATION).field(pointer, "invalid", message)
            }
            FeedError::Db(error) => souk_access::database_problem(error.into()),
            FeedError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
