//! How working with credit fails.

use souk_access::NoEntropy;
use souk_api::problem::{INTERNAL, NOT_FOUND, VALIDATION};
use souk_api::{Problem, problems};
use souk_kernel::MoneyError;
use souk_tenancy::{DbError, TenancyError};

use crate::ledger::LedgerError;

problems! { CATALOGUE;
    CREDIT_GONE = 409, "credit_gone", "A gift card or the store credit has less on it than you saw", "Read the cart again, show the shopper what is left to pay and try with a new Idempotency-Key.";
    GIFT_CARD_REFUSED = 422, "gift_card_refused", "This gift card cannot be used", "`reason` says why.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CreditError {
    /// There is no such account, or no such customer.
    #[error("there is no such credit")]
    Unknown,
    /// A field does not hold what it must: pointer, code, what would have been right.
    #[error("{0} {2}")]
    Field(&'static str, &'static str, &'static str),
    /// The code is unknown, or its card cannot be used here: why.
    #[error("the gift card is refused: {0}")]
    Refused(&'static str),
    /// It was spent, stopped or ran out between the shopper's last look and now.
    #[error("the credit is gone")]
    Gone,
    /// The caller saw an earlier version.
    #[error("the precondition failed")]
    Precondition(Problem),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A statement failed.
    #[error(transparent)]
    Db(DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<DbError> for CreditError {
    fn from(error: DbError) -> Self {
        match error {
            // The only foreign key a request reaches.
            DbError::Foreign { .. } => {
                Self::Field("/customer", "unknown", "must be a customer of this store")
            }
            error => Self::Db(error),
        }
    }
}

impl From<CreditError> for Problem {
    fn from(error: CreditError) -> Self {
        match error {
            CreditError::Unknown => Self::new(&NOT_FOUND),
            CreditError::Field(pointer, code, message) => {
                Self::new(&VALIDATION).field(pointer, code, message)
            }
            CreditError::Refused(reason) => Self::new(&GIFT_CARD_REFUSED).extension("reason", reason).field(
                "/code",
                reason,
                "must be the code of a gift card that can be used",
            ),
            CreditError::Gone => Self::new(&CREDIT_GONE),
            CreditError::Precondition(problem) => problem,
            CreditError::Entropy(error) => Self::new(&INTERNAL).source(error),
            CreditError::Money(error) => {
                Self::new(&VALIDATION).field("/amount", "out_of_range", "must be less").source(error)
            }
            CreditError::Ledger(error) => error.into(),
            CreditError::Db(error) => souk_access::database_problem(error.into()),
            CreditError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
