//! Why a second factor did not do.

use souk_access::NoEntropy;
use souk_api::Problem;
use souk_api::problem::{CONFLICT, UNAUTHENTICATED};
use souk_tenancy::{DbError, TenancyError};

use crate::accounts::AccountError;
use crate::messages::MessageError;
use crate::problems;
use crate::sessions::SessionError;

souk_api::problems! { CATALOGUE;
    SECOND_FACTOR_REQUIRED = 403, "second_factor_required", "A code of the second factor is needed", "Send it as `code`: six digits of the app, or a recovery code.";
    SECOND_FACTOR_WRONG = 403, "second_factor_wrong", "The code is not right", "Wait for the app's next code: each works once. Or use a recovery code.";
}

#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    #[error("a code is needed")]
    Required,
    #[error("the code is wrong")]
    Wrong,
    #[error("the address cannot be a label in an app")]
    Unnamed,
    #[error("the token names no session")]
    NoSession,
    #[error("there is a second factor already")]
    Already,
    #[error("there is no second factor to confirm")]
    None,
    #[error(transparent)]
    Account(#[from] Box<AccountError>),
    #[error(transparent)]
    Session(#[from] Box<SessionError>),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Database(#[from] TenancyError),
}

impl From<AccountError> for FactorError {
    fn from(error: AccountError) -> Self {
        Self::Account(Box::new(error))
    }
}

impl From<DbError> for FactorError {
    fn from(error: DbError) -> Self {
        Self::Database(error.into())
    }
}

impl From<FactorError> for Problem {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Required => Problem::new(&SECOND_FACTOR_REQUIRED),
            FactorError::Wrong => Problem::new(&SECOND_FACTOR_WRONG),
            error @ FactorError::Unnamed => problems::internal(error),
            FactorError::NoSession => Problem::new(&UNAUTHENTICATED),
            FactorError::Already => {
                Problem::new(&CONFLICT).detail("there is a second factor; take it away first")
            }
            FactorError::None => Problem::new(&CONFLICT)
                .detail("there is no second factor in this state")
                .hint("GET /v1/account/second-factor says which there is."),
            FactorError::Account(cause) => (*cause).into(),
            FactorError::Session(cause) => (*cause).into(),
            FactorError::Message(cause) => problems::internal(cause),
            FactorError::Entropy(cause) => problems::internal(cause),
            FactorError::Database(cause) => problems::of_database(cause),
        }
    }
}
