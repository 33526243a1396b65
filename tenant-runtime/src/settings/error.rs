//! How reading or changing the settings fails.

use souk_api::{Problem, problem};
use souk_tenancy::{DbError, TenancyError};

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A field does not hold what it must: pointer and what would have been right.
    #[error("{0} {1}")]
    Field(&'static str, &'static str),
    /// The precondition of the request was not met.
    #[error("{0}")]
    Precondition(Problem),
    /// A statement failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<SettingsError> for Problem {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Field(pointer, message) => {
                Self::new(&problem::VALIDATION).field(pointer, "invalid", message)
            }
            SettingsError::Precondition(problem) => problem,
            SettingsError::Db(error) => souk_access::database_problem(error.into()),
            SettingsError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
