//! How booking fails.

use souk_api::{Problem, problem};
use souk_tenancy::{DbError, TenancyError};

use super::model::UnbalancedEntry;

/// An entry could not be posted. Nothing of it is in the journal.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// This fact is in the journal already. The transaction is still good.
    #[error("the fact {0} is already booked")]
    AlreadyBooked(String),
    /// The entry does not add up: a mistake of ours, never of the caller.
    #[error(transparent)]
    Unbalanced(#[from] UnbalancedEntry),
    /// A statement failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::AlreadyBooked(_) | LedgerError::Unbalanced(_) => {
                Self::new(&problem::INTERNAL).source(error)
            }
            LedgerError::Db(error) => souk_access::database_problem(error.into()),
            LedgerError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
