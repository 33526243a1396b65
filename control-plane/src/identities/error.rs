//! Why somebody is not signed in with another.

use souk_access::NoEntropy;
use souk_api::Problem;
use souk_api::problem::{NOT_FOUND, VALIDATION};
use souk_openid::OpenIdError;
use souk_openid::web::{
    CHALLENGE, EMAIL_UNVERIFIED, IDENTITY_TAKEN, LAST_WAY_IN, PROVIDER_AWAY, SIGN_IN_UNKNOWN, TICKET_UNUSABLE,
};
use souk_tenancy::{DbError, TenancyError};

use crate::accounts::AccountError;
use crate::messages::MessageError;
use crate::problems;
use crate::sessions::SessionError;

souk_api::problems! { CATALOGUE;
    IDENTITY_UNLINKED = 409, "identity_unlinked", "There is an account with this e-mail address, and the identity is not linked to it", "Sign in to the account as before, then link the identity: POST /v1/account/identities.";
}

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("no such provider")]
    UnknownProvider,
    #[error("no such identity")]
    Unknown,
    #[error("the challenge is no SHA-256 in base64url")]
    Challenge,
    #[error("no such sign-in is under way")]
    UnknownSignIn,
    #[error("the provider is away: {0}")]
    Away(OpenIdError),
    #[error("the ticket is unusable")]
    TicketUnusable,
    #[error("the address is not verified")]
    EmailUnverified,
    #[error("the address has an account")]
    Unlinked,
    #[error("the identity is another account's")]
    Taken,
    #[error("it is the last way in")]
    LastWayIn,
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Database(#[from] TenancyError),
}

impl From<DbError> for IdentityError {
    fn from(error: DbError) -> Self {
        Self::Database(error.into())
    }
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::UnknownProvider | IdentityError::Unknown => Problem::new(&NOT_FOUND),
            IdentityError::Challenge => Problem::new(&VALIDATION).field("?challenge", "malformed", CHALLENGE),
            IdentityError::UnknownSignIn => Problem::new(&SIGN_IN_UNKNOWN),
            IdentityError::Away(cause) => Problem::new(&PROVIDER_AWAY).retry_after(5).source(cause),
            IdentityError::TicketUnusable => Problem::new(&TICKET_UNUSABLE),
            IdentityError::EmailUnverified => Problem::new(&EMAIL_UNVERIFIED),
            IdentityError::Unlinked => Problem::new(&IDENTITY_UNLINKED),
            IdentityError::Taken => Problem::new(&IDENTITY_TAKEN),
            IdentityError::LastWayIn => Problem::new(&LAST_WAY_IN),
            IdentityError::Account(cause) => cause.into(),
            IdentityError::Session(cause) => cause.into(),
            IdentityError::Message(cause) => problems::internal(cause),
            IdentityError::Json(cause) => problems::internal(cause),
            IdentityError::Entropy(cause) => problems::internal(cause),
            IdentityError::Database(cause) => problems::of_database(cause),
        }
    }
}
