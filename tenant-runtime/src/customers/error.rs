//! What can be wrong about a customer, and how it is said.

use souk_access::{HasherError, NoEntropy, PasswordError, Refusal, TokenError};
use souk_api::problem::{CONFLICT, NOT_FOUND, TOO_MANY_REQUESTS, VALIDATION};
use souk_api::{FieldError, Problem, problems};
use souk_tenancy::{DbError, TenancyError};

problems! { CATALOGUE;
    WRONG_CREDENTIALS = 401, "wrong_credentials", "The e-mail address or the password is not right", "Type both again, or ask for a reset link.";
    REFRESH_REFUSED = 401, "refresh_refused", "The refresh token is not valid any more", "Sign in again.";
    WRONG_PASSWORD = 403, "wrong_password", "The current password is not right", "Type it again, or ask for a reset link.";
    LINK_UNUSABLE = 410, "link_unusable", "This link was used, has expired, or never was", "Ask for a new one.";
    ADDRESS_BOOK_FULL = 409, "address_book_full", "The address book is full", "Remove an address that is not needed any more.";
}

/// Nothing was changed, except that an attempt was counted.
#[derive(Debug, thiserror::Error)]
pub enum CustomerError {
    /// There is no such customer, address or session within reach.
    #[error("no such customer, address or session")]
    Unknown,
    #[error("wrong credentials")]
    WrongCredentials,
    #[error("the refresh token is {0}")]
    RefreshRefused(&'static str),
    #[error("the current password is wrong")]
    WrongPassword,
    #[error("the new password {1}")]
    Password(&'static str, PasswordError),
    #[error("the link is unusable")]
    LinkUnusable,
    #[error("too many attempts")]
    TooManyAttempts { retry_after: u32 },
    #[error("the address is confirmed already")]
    VerifiedAlready,
    /// Nobody knows yet whose mailbox it is.
    #[error("the address is not confirmed")]
    Unconfirmed,
    #[error("the address book is full")]
    AddressBookFull,
    /// An address is not one of its country.
    #[error("the address breaks a rule of its country")]
    Fields(Vec<FieldError>),
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Hasher(#[from] HasherError),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<DbError> for CustomerError {
    fn from(error: DbError) -> Self {
        Self::Tenancy(error.into())
    }
}

impl From<CustomerError> for Problem {
    fn from(error: CustomerError) -> Self {
        match error {
            CustomerError::Unknown => Self::new(&NOT_FOUND),
            CustomerError::WrongCredentials => Self::new(&WRONG_CREDENTIALS),
            // One text for every reason: a thief learns nothing. The reason is logged.
            CustomerError::RefreshRefused(reason) => Self::new(&REFRESH_REFUSED).source(reason),
            CustomerError::WrongPassword => Self::new(&WRONG_PASSWORD),
            CustomerError::Password(pointer, cause) => {
                Self::new(&VALIDATION).field(pointer, cause.code(), cause.to_string())
            }
            CustomerError::LinkUnusable => Self::new(&LINK_UNUSABLE),
            CustomerError::TooManyAttempts { retry_after } => Self::new(&TOO_MANY_REQUESTS)
                .detail("Too many attempts that failed, here or from this network. Try again when `Retry-After` is over.")
                .retry_after(retry_after),
            CustomerError::VerifiedAlready => {
                Self::new(&CONFLICT).detail("The address is confirmed already.")
            }
            CustomerError::Unconfirmed => {
                Self::new(&CONFLICT).detail("Confirm the address of your account first, with the link of the mail.")
            }
            CustomerError::AddressBookFull => Self::new(&ADDRESS_BOOK_FULL),
            CustomerError::Fields(errors) => errors.into_iter().fold(Self::new(&VALIDATION), Self::error),
            CustomerError::Problem(problem) => problem,
            CustomerError::Hasher(error) => Refusal::from(error).into(),
            CustomerError::Entropy(error) => Refusal::from(error).into(),
            CustomerError::Token(error) => Refusal::from(error).into(),
            CustomerError::Tenancy(error) => Refusal::from(error).into(),
        }
    }
}
