//! Why somebody is not signed in with another, and what can be wrong about a provider.

use souk_access::{NoEntropy, Refusal, TokenError};
use souk_api::Problem;
use souk_api::problem::{CONFLICT, INTERNAL, NOT_FOUND, VALIDATION};
use souk_openid::web::{
    CHALLENGE, EMAIL_UNVERIFIED, IDENTITY_TAKEN, LAST_WAY_IN, PROVIDER_AWAY, SIGN_IN_UNKNOWN, TICKET_UNUSABLE,
};
use souk_openid::{ConfigError, OpenIdError};
use souk_tenancy::{DbError, TenancyError};

use crate::customers::CustomerError;
use crate::staff::StaffError;

souk_api::problems! { CATALOGUE;
    IDENTITY_UNKNOWN = 403, "identity_unknown", "Nobody who works here has linked this identity", "Accept your invitation with it, or sign in as before and link it: POST /admin/v1/account/identities.";
    IDENTITY_UNLINKED = 409, "identity_unlinked", "There is an account with this e-mail address, and the identity is not linked to it", "Sign in to the account as before, then link the identity to it.";
}

/// Nothing was changed.
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
    /// What the provider's secret was sealed with is not here.
    #[error("the client's secret cannot be read any more")]
    SecretUnreadable,
    #[error("the ticket is unusable")]
    TicketUnusable,
    #[error("the address is not verified")]
    EmailUnverified,
    #[error("nobody here has this identity")]
    Stranger,
    #[error("the address has an account")]
    Unlinked,
    #[error("the identity is another account's")]
    Taken,
    #[error("it is the last way in")]
    LastWayIn,
    #[error("there is a provider with this id")]
    ProviderIdTaken,
    #[error("{0} {1}")]
    Field(&'static str, &'static str),
    /// The owner's provider is none: what was found where it should be is for the log.
    #[error("{0}")]
    NoProvider(OpenIdError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Customer(#[from] CustomerError),
    #[error(transparent)]
    Staff(#[from] StaffError),
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Url(#[from] url::ParseError),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<DbError> for IdentityError {
    fn from(error: DbError) -> Self {
        Self::Tenancy(error.into())
    }
}

fn field(pointer: &'static str, message: &'static str) -> Problem {
    Problem::new(&VALIDATION).field(pointer, "invalid", message)
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::UnknownProvider | IdentityError::Unknown => Self::new(&NOT_FOUND),
            IdentityError::Challenge => Self::new(&VALIDATION).field(
                "?challenge",
                "malformed",
                CHALLENGE,
            ),
            IdentityError::UnknownSignIn => Self::new(&SIGN_IN_UNKNOWN),
            IdentityError::Away(cause) => Self::new(&PROVIDER_AWAY).retry_after(5).source(cause),
            IdentityError::SecretUnreadable => Self::new(&PROVIDER_AWAY).retry_after(60).source(error),
            IdentityError::TicketUnusable => Self::new(&TICKET_UNUSABLE),
            IdentityError::EmailUnverified => Self::new(&EMAIL_UNVERIFIED),
            IdentityError::Stranger => Self::new(&IDENTITY_UNKNOWN),
            IdentityError::Unlinked => Self::new(&IDENTITY_UNLINKED),
            IdentityError::Taken => Self::new(&IDENTITY_TAKEN),
            IdentityError::LastWayIn => Self::new(&LAST_WAY_IN),
            IdentityError::ProviderIdTaken => {
                Self::new(&CONFLICT).detail("There is a provider with this id.")
            }
            IdentityError::Field(pointer, message) => field(pointer, message),
            // One text for whatever was found there: an owner must not look around in our network by it.
            IdentityError::NoProvider(cause) => field(
                "/issuer",
                "must be the issuer of an OpenID Connect provider that answers there, with keys and PKCE S256",
            )
            .source(cause),
            IdentityError::Config(ConfigError::Id(_)) => {
                field("/id", "must be 1 to 40 of a-z, 0-9 and hyphen")
            }
            IdentityError::Config(ConfigError::Issuer(_)) => {
                field("/issuer", "must be an https address of the open internet, without query and fragment")
            }
            IdentityError::Config(ConfigError::Scopes(_)) => field("/scopes", "must hold `openid`"),
            IdentityError::Config(ConfigError::Client(_)) => field("/client_id", "must be given"),
            IdentityError::Customer(cause) => cause.into(),
            IdentityError::Staff(cause) => cause.into(),
            IdentityError::Problem(problem) => problem,
            IdentityError::Json(cause) => Self::new(&INTERNAL).source(cause),
            IdentityError::Url(cause) => Self::new(&INTERNAL).source(cause),
            IdentityError::Entropy(cause) => Refusal::from(cause).into(),
            IdentityError::Token(cause) => Refusal::from(cause).into(),
            IdentityError::Tenancy(cause) => Refusal::from(cause).into(),
        }
    }
}
