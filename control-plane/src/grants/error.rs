//! What can be wrong about a grant.

use souk_access::TokenError;
use souk_api::Problem;
use souk_api::problem::{FORBIDDEN, NOT_FOUND};
use souk_tenancy::{DbError, TenancyError};

use crate::messages::MessageError;
use crate::problems;

souk_api::problems! { CATALOGUE;
    STORE_GRANT_OVER = 409, "store_grant_over", "The grant is over", "It ran out or was taken back. Ask for another one, with a reason.";
}

#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    #[error("no such grant or store")]
    Unknown,
    #[error("the account is not of the platform")]
    NotOfThePlatform,
    #[error("the grant is over")]
    Over,
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Database(#[from] TenancyError),
}

impl From<DbError> for GrantError {
    fn from(error: DbError) -> Self {
        Self::Database(error.into())
    }
}

impl From<GrantError> for Problem {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Unknown => Problem::new(&NOT_FOUND),
            GrantError::NotOfThePlatform => Problem::new(&FORBIDDEN)
                .detail("Only people of the platform, with a confirmed address, ask for grants.")
                .hint("Whoever runs the platform names them in SOUK_PLATFORM_STAFF."),
            GrantError::Over => Problem::new(&STORE_GRANT_OVER),
            GrantError::Token(cause) => problems::internal(cause),
            GrantError::Message(cause) => problems::internal(cause),
            GrantError::Problem(problem) => problem,
            GrantError::Database(cause) => problems::of_database(cause),
        }
    }
}
