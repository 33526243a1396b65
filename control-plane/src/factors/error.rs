//! Why a second factor did not do.

use souk_access::NoEntropy;
use souk_api::Problem;
use souk_api::problem::CONFLICT;
use souk_tenancy::{DbError, TenancyError};

use crate::accounts::AccountError;
use crate::problems;

souk_api::problems! { CATALOGUE;
    SECOND_FACTOR_REQUIRED = 401, "second_factor_required", "A code of the second factor is needed", "Send it as `code`: six digits of the app, or a recovery code.";
    SECOND_FACTOR_WRONG = 401, "second_factor_wrong", "The code is not right", "Wait for the app's next code: each works once. Or use a recovery code.";
    STEP_UP_REQUIRED = 403, "step_up_required", "This needs a proof of who you are from the last 15 minutes", "POST /v1/sessions/current/proof with your password and code, then try again.";
}

#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    #[error("a code is needed")]
    Required,
    #[error("the code is wrong")]
    Wrong,
    #[error("a fresh proof is needed")]
    StepUp,
    #[error("there is a second factor already")]
    Already,
    #[error("there is no second factor to confirm")]
    None,
    #[error(transparent)]
    Account(#[from] Box<AccountError>),
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
            FactorError::StepUp => Problem::new(&STEP_UP_REQUIRED),
            FactorError::Already => {
                Problem::new(&CONFLICT).detail("there is a second factor; take it away first")
            }
            FactorError::None => Problem::new(&CONFLICT).detail("there is no second factor of that state"),
            FactorError::Account(cause) => (*cause).into(),
            FactorError::Entropy(cause) => problems::internal(cause),
            FactorError::Database(cause) => problems::of_database(cause),
        }
    }
}
