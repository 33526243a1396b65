//! How taking in payouts fails.

use souk_api::{Problem, problem};
use souk_kernel::MoneyError;
use souk_tenancy::{DbError, TenancyError};

use crate::ledger::LedgerError;

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PayoutError {
    /// There is no such payout.
    #[error("no such payout")]
    Unknown,
    /// An amount that cannot be counted.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// It could not be booked.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A statement failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<PayoutError> for Problem {
    fn from(error: PayoutError) -> Self {
        match error {
            PayoutError::Unknown => Self::new(&problem::NOT_FOUND),
            PayoutError::Money(error) => Self::new(&problem::INTERNAL).source(error),
            PayoutError::Ledger(error) => error.into(),
            PayoutError::Db(error) => souk_access::database_problem(error.into()),
            PayoutError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
