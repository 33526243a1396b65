//! What can be wrong about the addresses of pages.

use souk_access::Refusal;
use souk_api::Problem;
use souk_api::problem::VALIDATION;
use souk_tenancy::{DbError, TenancyError};

#[derive(Debug, thiserror::Error)]
pub enum StorefrontError {
    #[error("{0} {1}")]
    Field(&'static str, &'static str),
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<DbError> for StorefrontError {
    fn from(error: DbError) -> Self {
        Self::Tenancy(error.into())
    }
}

impl From<StorefrontError> for Problem {
    fn from(error: StorefrontError) -> Self {
        match error {
            StorefrontError::Field(pointer, message) => {
                Self::new(&VALIDATION).field(pointer, "invalid", message)
            }
            StorefrontError::Problem(problem) => problem,
            StorefrontError::Tenancy(error) => Refusal::from(error).into(),
        }
    }
}
