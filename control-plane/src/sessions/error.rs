//! Why somebody is not signed in.

use souk_access::{HasherError, NoEntropy, TokenError};
use souk_api::Problem;
use souk_api::problem::{NOT_FOUND, TOO_MANY_REQUESTS};
use souk_tenancy::{DbError, TenancyError};

use crate::problems;

souk_api::problems! { CATALOGUE;
    WRONG_CREDENTIALS = 401, "wrong_credentials", "The e-mail address or the password is not right", "Type both again, or ask for a reset link.";
    REFRESH_REFUSED = 401, "refresh_refused", "The refresh token is not valid any more", "Sign in again.";
}

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("wrong credentials")]
    WrongCredentials,
    #[error("the refresh token is {0}")]
    RefreshRefused(&'static str),
    #[error("too many attempts")]
    TooManyAttempts { retry_after: u32 },
    #[error("no such session")]
    Unknown,
    #[error(transparent)]
    Factor(#[from] crate::factors::FactorError),
    #[error(transparent)]
    Message(#[from] crate::messages::MessageError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Hasher(#[from] HasherError),
    #[error(transparent)]
    Database(#[from] TenancyError),
}

impl From<DbError> for SessionError {
    fn from(error: DbError) -> Self {
        Self::Database(error.into())
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::WrongCredentials => Problem::new(&WRONG_CREDENTIALS),
            // One text for every reason: a thief learns nothing. The reason is logged.
            SessionError::RefreshRefused(reason) => Problem::new(&REFRESH_REFUSED).source(reason),
            SessionError::TooManyAttempts { retry_after } => Problem::new(&TOO_MANY_REQUESTS)
                .detail("too many attempts for this account or from this network")
                .retry_after(retry_after),
            SessionError::Unknown => Problem::new(&NOT_FOUND),
            SessionError::Factor(cause) => cause.into(),
            SessionError::Message(cause) => problems::internal(cause),
            SessionError::Token(cause) => problems::internal(cause),
            SessionError::Entropy(cause) => problems::internal(cause),
            SessionError::Hasher(cause) => problems::of_hasher(cause),
            SessionError::Database(cause) => problems::of_database(cause),
        }
    }
}
