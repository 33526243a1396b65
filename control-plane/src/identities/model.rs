//! Identities elsewhere, and the way there and back.

use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use souk_access::{LinkSecret, SigningKey};
use souk_kernel::{Email, IdentityId, Text};
use souk_openid::{Flow, Person};
use utoipa::ToSchema;

use crate::accounts::Typed;
use crate::schema::identities;

pub use souk_openid::web::{AWAY, Back, Begin, TICKET_LASTS, Ticket, believable_email};

/// The page of the console that fetches the ticket.
pub const PAGE: &str = "signed-in";

/// The row of an identity, as its owner sees it.
#[derive(Clone, Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = identities)]
pub struct Identity {
    pub id: IdentityId,
    #[schema(example = "google")]
    pub provider: String,
    /// The address the provider last had for you.
    #[schema(example = "ada@example.com")]
    pub email: Option<String>,
    pub created_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
}

/// A provider one can sign in with.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderView {
    #[schema(example = "google")]
    pub id: String,
    #[schema(example = "Google")]
    pub name: String,
    /// Send the browser here, with `challenge`.
    #[schema(example = "https://souk.example/v1/sign-in/google")]
    pub sign_in_url: String,
}

/// Sign in with a ticket.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"ticket": "Kq3dVd3iP0f0w2yT8cQmZr1nXb5sLh7uJg9aE4oKq3d", "verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}))]
pub struct SignInByTicket {
    /// From the fragment of the page the browser came back to.
    pub ticket: Typed,
    /// What `challenge` was made of.
    pub verifier: Typed,
    /// For whoever has a second factor: six digits of the app, or a recovery code.
    pub code: Option<Typed>,
}

/// Link the identity behind a ticket to your account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"ticket": "Kq3dVd3iP0f0w2yT8cQmZr1nXb5sLh7uJg9aE4oKq3d", "verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}))]
pub struct LinkByTicket {
    pub ticket: Typed,
    pub verifier: Typed,
}

/// What a sign-in has of its own. Nonce and verifier follow from the state for whoever has the plane's key, so neither is stored.
pub fn flow(signing: &SigningKey, state: &LinkSecret) -> Flow {
    Flow::of(state.expose(), |purpose| signing.secret_for(purpose, state.expose().as_bytes()))
}

/// The name a new account gets.
pub fn name_of(person: &Person, email: &Email) -> Option<Text<120>> {
    let local = email.as_str().split('@').next().unwrap_or_default();
    let short = |text: &str| Text::try_from(text.chars().take(120).collect::<String>()).ok();
    person.name.as_deref().and_then(short).or_else(|| short(local))
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn a_flow_follows_from_its_state_and_the_key() {
        let (key, other) = (SigningKey::generate("a").unwrap().0, SigningKey::generate("a").unwrap().0);
        let state = LinkSecret::mint().unwrap();
        let first = flow(&key, &state);
        assert_eq!(first, flow(&key, &state));
        assert!(first.nonce != first.verifier && first.nonce != first.state);
        assert_ne!(first.verifier, flow(&other, &state).verifier);
        assert_ne!(first.nonce, flow(&key, &LinkSecret::mint().unwrap()).nonce);
    }
}
