//! Reading the log fails like any reading.

use souk_access::Refusal;
use souk_api::Problem;
use souk_tenancy::{DbError, TenancyError};

#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<DbError> for AuditError {
    fn from(error: DbError) -> Self {
        Self::Tenancy(error.into())
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Tenancy(error) => Refusal::from(error).into(),
        }
    }
}
