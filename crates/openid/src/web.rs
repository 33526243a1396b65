//! What every application says and hears on the way to a provider and back: its parameters, how long things last, and the words of refusals.

use chrono::TimeDelta;
use serde::Deserialize;
use souk_api::problems;
use souk_kernel::Email;
use utoipa::IntoParams;

use crate::{Person, challenge};

/// A browser may be away at a provider for so long.
pub const AWAY: TimeDelta = TimeDelta::minutes(10);
/// A ticket is fetched at once, or after somebody has typed a password or found their phone for the second factor.
pub const TICKET_LASTS: TimeDelta = TimeDelta::minutes(5);

problems! { CATALOGUE;
    SIGN_IN_UNKNOWN = 400, "sign_in_unknown", "This sign-in is over, has run out, or was never begun here", "Begin anew at the provider's `sign_in_url`.";
    EMAIL_UNVERIFIED = 403, "identity_email_unverified", "The provider has not verified your e-mail address", "Confirm it there, or sign up with a password and link the identity then.";
    IDENTITY_TAKEN = 409, "identity_taken", "This identity is linked to another account", "Sign in with it, and take it away there first.";
    LAST_WAY_IN = 409, "last_way_in", "Without this identity nobody could sign in to the account", "Set a password first: ask for a reset link.";
    TICKET_UNUSABLE = 410, "ticket_unusable", "This ticket was used, has run out, or is another client's", "Sign in with the provider again.";
    PROVIDER_AWAY = 503, "identity_provider_away", "The provider does not answer as it should", "Try again soon, or sign in another way.";
}

/// What a challenge must be, for the complaint about one that is not.
pub const CHALLENGE: &str = "must be the SHA-256 of your verifier in base64url, 43 characters";

/// The way to a provider.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Begin {
    /// Base64url of the SHA-256 of a verifier: 43 to 128 random characters that only your client knows. It fetches the ticket with it.
    #[param(example = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")]
    pub challenge: String,
    /// Have the provider ask who you are even if you are signed in there: for a proof that is fresh.
    #[serde(default)]
    pub fresh: bool,
}

impl Begin {
    /// The digest in the challenge; `None` when it is none.
    pub fn digest(&self) -> Option<[u8; 32]> {
        challenge::digest_of(&self.challenge)
    }
}

/// The way back. Providers add parameters of their own.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Back {
    pub state: Option<String>,
    pub code: Option<String>,
    /// Instead of a code, why there is none.
    pub error: Option<String>,
    /// Who answers (RFC 9207).
    pub iss: Option<String>,
}

/// A ticket as an application keeps it: who vouches, and for whom.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub provider: String,
    pub person: Person,
}

/// The address a new account gets; `None` unless the provider has verified it.
pub fn believable_email(person: &Person) -> Option<Email> {
    person.verified_email().and_then(|email| Email::parse(email).ok())
}
