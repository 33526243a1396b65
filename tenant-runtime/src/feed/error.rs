//! What can go wrong when events are read.

use souk_api::Problem;
use souk_tenancy::{DbError, TenancyError};

/// Nothing was changed: events are only read here.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<FeedError> for Problem {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::Db(error) => souk_access::database_problem(error.into()),
            FeedError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
