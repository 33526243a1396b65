//! What can be wrong about an account, and how it is said.

use souk_access::{HasherError, NoEntropy, PasswordError};
use souk_api::Problem;
use souk_api::problem::{CONFLICT, NOT_FOUND, VALIDATION};
use souk_tenancy::{DbError, TenancyError};

use crate::messages::MessageError;
use crate::problems;
use crate::sessions::SessionError;

souk_api::problems! { CATALOGUE;
    WRONG_PASSWORD = 403, "wrong_password", "The current password is not right", "Type it again, or ask for a reset link.";
    NO_PASSWORD = 409, "no_password", "This account has no password: it is signed in to with a provider", "For a fresh proof sign in with the provider again (`fresh=true`). To have a password, ask for a reset link.";
    LINK_UNUSABLE = 410, "link_unusable", "This link was used, has expired, or never was", "Ask for a new one.";
    LAST_OWNER = 409, "last_owner", "An organization would be left without an owner", "Make somebody else an owner first, or delete the organization.";
}

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("the account is gone")]
    Gone,
    #[error("the current password is wrong")]
    WrongPassword,
    #[error("the account has no password")]
    NoPassword,
    #[error("the new password {1}")]
    Password(&'static str, PasswordError),
    #[error("a name is needed")]
    NameNeeded,
    #[error("the link is unusable")]
    LinkUnusable,
    #[error("sole owner of {0:?}")]
    OwnsAlone(Vec<String>),
    #[error("the address is confirmed already")]
    VerifiedAlready,
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Hasher(#[from] HasherError),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Database(#[from] TenancyError),
}

impl From<DbError> for AccountError {
    fn from(error: DbError) -> Self {
        Self::Database(error.into())
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Gone => Problem::new(&NOT_FOUND),
            AccountError::WrongPassword => Problem::new(&WRONG_PASSWORD),
            AccountError::NoPassword => Problem::new(&NO_PASSWORD),
            AccountError::Password(pointer, cause) => {
                Problem::new(&VALIDATION).field(pointer, cause.code(), cause.to_string())
            }
            AccountError::NameNeeded => {
                Problem::new(&VALIDATION).field("/name", "required", "must be given with this address")
            }
            AccountError::LinkUnusable => Problem::new(&LINK_UNUSABLE),
            AccountError::OwnsAlone(names) => Problem::new(&LAST_OWNER)
                .detail(format!("you are the only owner of {}", names.join(", ")))
                .extension("organizations", names),
            AccountError::VerifiedAlready => {
                Problem::new(&CONFLICT).detail("the address is confirmed already")
            }
            AccountError::Problem(problem) => problem,
            AccountError::Session(cause) => cause.into(),
            AccountError::Hasher(cause) => problems::of_hasher(cause),
            AccountError::Entropy(cause) => problems::internal(cause),
            AccountError::Message(cause) => problems::internal(cause),
            AccountError::Database(cause) => problems::of_database(cause),
        }
    }
}
