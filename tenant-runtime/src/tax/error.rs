//! How tax fails.

use souk_api::{Problem, problem};
use souk_tenancy::{DbError, TenancyError};

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum TaxError {
    /// There is no such rate.
    #[error("no such rate")]
    Unknown,
    /// A field does not hold what it must: pointer and what would have been right.
    #[error("{0} {1}")]
    Field(&'static str, &'static str),
    /// A statement failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<TaxError> for Problem {
    fn from(error: TaxError) -> Self {
        match error {
            TaxError::Unknown => Self::new(&problem::NOT_FOUND),
            TaxError::Field(pointer, message) => {
                Self::new(&problem::VALIDATION).field(pointer, "invalid", message)
            }
            TaxError::Db(error) => souk_access::database_problem(error.into()),
            TaxError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
