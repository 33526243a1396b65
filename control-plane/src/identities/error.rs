//! Why somebody is not signed in with another.

use souk_access::NoEntropy;
use souk_api::Problem;
use souk_api::problem::{NOT_FOUND, VALIDATION};
use souk_openid::OpenIdError;
use souk_tenancy::{DbError, TenancyError};

use crate::accounts::AccountError;
use crate::messages::MessageError;
use crate::problems;
use crate::sessions::SessionError;

souk_api::problems! { CATALOGUE;
    SIGN_IN_UNKNOWN = 400, "sign_in_unknown", "This sign-in is over, has run out, or was never begun here", "Begin anew at the provider's `sign_in_url`.";
    PROVIDER_AWAY = 503, "identity_provider_away", "The provider does not answer as it should", "Try again soon, or sign in another way.";
    TICKET_UNUSABLE = 410, "ticket_unusable", "This ticket was used, has run out, or is another client's", "Sign in with the provider again.";
    EMAIL_UNVERIFIED = 403, "identity_email_unverified", "The provider has not verified your e-mail address", "Confirm it there, or sign up with a password and link the identity then.";
    IDENTITY_UNLINKED = 409, "identity_unlinked", "There is an account with this e-mail address, and the identity is not linked to it", "Sign in to the account as before, then link the identity: POST /v1/account/identities.";
    IDENTITY_TAKEN = 409, "identity_taken", "This identity is linked to another account", "Sign in with it, and take it away there first.";
    LAST_WAY_IN = 409, "last_way_in", "Without this identity nobody could sign in to the account", "Set a password first: ask for a reset link.";
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
            IdentityError::Challenge => Problem::new(&VALIDATION).field(
                "?challenge",
                "malformed",
                "must be the SHA-256 of your verifier in base64url, 43 characters",
            ),
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
