//! Providers, identities, and the way there and back.

mod embassy;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use souk_kernel::{CustomerId, IdentityId, SessionId, StaffId, Text};
use souk_openid::Person;
use utoipa::ToSchema;

use super::error::IdentityError;
use crate::customers::Typed;
use crate::staff::StaffView;

pub use embassy::{Embassy, EmbassyError};
pub use souk_openid::web::{AWAY, Back, Begin, TICKET_LASTS, Ticket, believable_email};

/// A session of a colleague lives this long after signing in, however often it is refreshed: a working day.
pub const STAFF_SESSION_LIFETIME: TimeDelta = TimeDelta::hours(12);
/// Providers of one store.
pub const MOST_PROVIDERS: i64 = 20;
/// Identities of one person.
pub const MOST_IDENTITIES: i64 = 20;

/// For whom a provider vouches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    Customers,
    Staff,
}

impl Audience {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Staff => "staff",
        }
    }

    /// Which side of the API they use.
    pub const fn side(self) -> &'static str {
        match self {
            Self::Customers => "store",
            Self::Staff => "admin",
        }
    }
}

/// Who somebody is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Customer(CustomerId),
    Staff(StaffId),
}

/// A provider's row.
#[derive(Clone, Debug, QueryableByName)]
pub struct ProviderRow {
    #[diesel(sql_type = SqlText)]
    pub id: String,
    #[diesel(sql_type = SqlText)]
    pub audience: String,
    #[diesel(sql_type = SqlText)]
    pub name: String,
    #[diesel(sql_type = SqlText)]
    pub issuer: String,
    #[diesel(sql_type = SqlText)]
    pub client_id: String,
    #[diesel(sql_type = Nullable<Binary>)]
    pub secret: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub secret_key: Option<String>,
    #[diesel(sql_type = Array<SqlText>)]
    pub scopes: Vec<String>,
    #[diesel(sql_type = Bool)]
    pub require_multi_factor: bool,
    #[diesel(sql_type = Array<SqlText>)]
    pub acr_values: Vec<String>,
    #[diesel(sql_type = Bool)]
    pub enabled: bool,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

impl ProviderRow {
    /// For whom it vouches; what is neither vouches for nobody's customers.
    pub fn audience(&self) -> Audience {
        if self.audience == Audience::Customers.as_str() { Audience::Customers } else { Audience::Staff }
    }

    /// What the log says of it: never the secret.
    pub fn told(&self) -> Value {
        json!({
            "audience": self.audience, "name": self.name, "issuer": self.issuer, "client_id": self.client_id,
            "has_secret": self.secret.is_some(), "scopes": self.scopes, "enabled": self.enabled,
            "require_multi_factor": self.require_multi_factor, "acr_values": self.acr_values,
        })
    }
}

/// A provider, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityProviderView {
    #[schema(example = "google")]
    pub id: String,
    pub audience: Audience,
    #[schema(example = "Google")]
    pub name: String,
    #[schema(example = "https://accounts.google.com")]
    pub issuer: String,
    #[schema(example = "407408718192.apps.googleusercontent.com")]
    pub client_id: String,
    /// Whether there is a secret; it is never shown.
    pub has_secret: bool,
    #[schema(example = json!(["openid", "email", "profile"]))]
    pub scopes: Vec<String>,
    /// Whether only those are let in whom the provider asked for a second factor.
    pub require_multi_factor: bool,
    /// Levels that the provider is asked for; each stands for a second factor.
    #[schema(example = json!(["urn:okta:loa:2fa:any"]))]
    pub acr_values: Vec<String>,
    pub enabled: bool,
    /// Register this address at the provider.
    #[schema(example = "https://acme.souk.example/store/v1/sign-in/google/callback")]
    pub callback_url: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

fn yes() -> bool {
    true
}

/// Name a provider.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"id": "google", "audience": "customers", "name": "Google", "issuer": "https://accounts.google.com", "client_id": "407408718192.apps.googleusercontent.com", "client_secret": "GOCSPX-…", "enabled": false}))]
pub struct NewIdentityProvider {
    /// In addresses: 1 to 40 of a-z, 0-9 and hyphen. It stays.
    #[schema(example = "google")]
    pub id: Text<40>,
    /// For whom it vouches. It stays.
    pub audience: Audience,
    /// On the button.
    #[schema(example = "Google")]
    pub name: Text<80>,
    /// Exactly as the provider writes it.
    #[schema(example = "https://accounts.google.com")]
    pub issuer: Text<2000>,
    #[schema(example = "407408718192.apps.googleusercontent.com")]
    pub client_id: Text<500>,
    /// Left out for a public client: PKCE alone protects the code then.
    pub client_secret: Option<Typed>,
    /// `openid email profile` unless given.
    #[schema(max_items = 20, example = json!(["openid", "email", "profile"]))]
    pub scopes: Option<Vec<Text<100>>>,
    /// Lets only those in whom the provider asked for a second factor: its ID token must hold `mfa` in `amr` (RFC 8176), or one of
    /// `acr_values` in `acr`. Look first whether it says so: who is refused comes back with `#error=second_factor`.
    #[serde(default)]
    pub require_multi_factor: bool,
    /// Levels to ask the provider for, the best first, in its own words; each must stand for a second factor there.
    #[schema(max_items = 10, example = json!(["urn:okta:loa:2fa:any"]))]
    #[serde(default)]
    pub acr_values: Vec<Text<200>>,
    /// Asked at once whether it is a provider when it is enabled.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// Change a provider. Only what is given changes.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Google", "enabled": false}))]
pub struct EditIdentityProvider {
    #[schema(example = "Google")]
    pub name: Option<Text<80>>,
    pub issuer: Option<Text<2000>>,
    pub client_id: Option<Text<500>>,
    /// Takes the place of the one there is.
    pub client_secret: Option<Typed>,
    #[schema(max_items = 20)]
    pub scopes: Option<Vec<Text<100>>>,
    pub require_multi_factor: Option<bool>,
    #[schema(max_items = 10)]
    pub acr_values: Option<Vec<Text<200>>>,
    pub enabled: Option<bool>,
}

/// The scopes of a wish, or the usual ones.
///
/// # Errors
/// More than 20, or one with a space in it.
pub fn scopes_of(wish: Option<&Vec<Text<100>>>) -> Result<Vec<String>, IdentityError> {
    let Some(wish) = wish else { return Ok(["openid", "email", "profile"].map(str::to_owned).to_vec()) };
    let sound = |scope: &&Text<100>| scope.as_str().bytes().all(|byte| byte.is_ascii_graphic());
    if wish.len() > 20 || wish.iter().filter(sound).count() != wish.len() {
        return Err(IdentityError::Field("/scopes", "must be at most 20, without spaces"));
    }
    Ok(wish.iter().map(|scope| scope.as_str().to_owned()).collect())
}

/// The levels of a wish.
///
/// # Errors
/// More than 10, or one with a space in it.
pub fn levels_of(wish: &[Text<200>]) -> Result<Vec<String>, IdentityError> {
    let sound = |level: &Text<200>| level.as_str().bytes().all(|byte| byte.is_ascii_graphic());
    if wish.len() > 10 || !wish.iter().all(sound) {
        return Err(IdentityError::Field("/acr_values", "must be at most 10, without spaces"));
    }
    Ok(wish.iter().map(|level| level.as_str().to_owned()).collect())
}

/// A client's secret as it was typed.
///
/// # Errors
/// Empty, or longer than any.
pub fn secret_of(wish: Option<&Typed>) -> Result<Option<String>, IdentityError> {
    let Some(secret) = wish.map(Typed::as_str) else { return Ok(None) };
    if secret.is_empty() || secret.len() > 2000 {
        return Err(IdentityError::Field("/client_secret", "must be 1 to 2000 characters, or left out"));
    }
    Ok(Some(secret.to_owned()))
}

/// A provider one can sign in with.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignInChoice {
    #[schema(example = "google")]
    pub id: String,
    #[schema(example = "Google")]
    pub name: String,
    /// Send the browser here, with `challenge`.
    #[schema(example = "https://acme.souk.example/store/v1/sign-in/google")]
    pub sign_in_url: String,
}

/// An identity, as its owner sees it.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct IdentityView {
    #[diesel(sql_type = SqlUuid)]
    pub id: IdentityId,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "google")]
    pub provider: String,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "https://accounts.google.com")]
    pub issuer: String,
    /// How the provider calls you.
    #[diesel(sql_type = SqlText)]
    #[schema(example = "248289761001")]
    pub subject: String,
    /// The address the provider last had for you.
    #[diesel(sql_type = Nullable<SqlText>)]
    #[schema(example = "ada@example.com")]
    pub email: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub last_used_at: DateTime<Utc>,
}

/// What a client shows of a sign-in that came back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"ticket": "Kq3dVd3iP0f0w2yT8cQmZr1nXb5sLh7uJg9aE4oKq3d", "verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}))]
pub struct TicketWish {
    /// From the fragment of the page the browser came back to.
    pub ticket: Typed,
    /// What `challenge` was made of.
    pub verifier: Typed,
}

/// Link the identity behind a ticket to your account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"ticket": "Kq3dVd3iP0f0w2yT8cQmZr1nXb5sLh7uJg9aE4oKq3d", "verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "password": "correct horse battery staple"}))]
pub struct LinkWish {
    pub ticket: Typed,
    pub verifier: Typed,
    /// Proves that it is you; whoever has no password leaves it out, and has signed in with their provider within the last 15 minutes.
    pub password: Option<Typed>,
}

/// Accept an invitation as somebody whom a provider vouches for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "Xq3dVd3iP0f0w2yT8cQmZr1nXb5sLh7uJg9aE4oKq3d", "ticket": "Kq3dVd3iP0f0w2yT8cQmZr1nXb5sLh7uJg9aE4oKq3d", "verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "name": "Charles Babbage"}))]
pub struct JoinWish {
    /// Of the mailed link.
    pub token: Typed,
    pub ticket: Typed,
    pub verifier: Typed,
    /// How colleagues see you.
    #[schema(example = "Charles Babbage")]
    pub name: Text<120>,
}

/// A token for the store's people.
#[derive(Serialize, ToSchema)]
pub struct StaffToken {
    /// Send it as `Authorization: Bearer …`.
    pub access_token: String,
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds it lives.
    #[schema(example = 900)]
    pub expires_in: i64,
    /// Good for one exchange at `POST /admin/v1/sessions/refresh`.
    pub refresh_token: String,
    /// The end of the session. Sign in again then: who is still signed in at the provider types nothing.
    pub refresh_token_expires_at: DateTime<Utc>,
    pub staff: StaffView,
}

/// What keeps a colleague signed in, or signs them out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"refresh_token": "rt_Kq3dVd3iP0f0w2yT8cQmZr1nXb5sLh7uJg9aE4oKq3d"}))]
pub struct StaffRefresh {
    pub refresh_token: Typed,
}

/// A session of somebody who works here and signed in with a provider.
#[derive(Clone, Debug, QueryableByName)]
pub struct StaffSession {
    #[diesel(sql_type = SqlUuid)]
    pub id: SessionId,
    #[diesel(sql_type = SqlUuid)]
    pub staff_id: StaffId,
    /// The colleague's when it began.
    #[diesel(sql_type = BigInt)]
    pub epoch: i64,
    #[diesel(sql_type = Timestamptz)]
    pub proved_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub expires_at: DateTime<Utc>,
}

/// A device at which somebody who works here is signed in.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct StaffSessionView {
    #[diesel(sql_type = SqlUuid)]
    pub id: SessionId,
    /// Whether it is the session of this request.
    #[diesel(sql_type = Bool)]
    pub current: bool,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64)")]
    pub user_agent: String,
    /// Where it began: an IPv4 address, an IPv6 /64, or `local`.
    #[diesel(sql_type = SqlText)]
    #[schema(example = "203.0.113.7")]
    pub network: String,
    /// When they showed the provider who they are.
    #[diesel(sql_type = Timestamptz)]
    pub proved_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub last_used_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub expires_at: DateTime<Utc>,
}

/// When somebody showed who they are: signed in there an hour ago is no proof of now.
pub fn proved_at(ticket: &Ticket, now: DateTime<Utc>) -> DateTime<Utc> {
    ticket.person.authenticated_at.map_or(now, |at| at.min(now))
}

/// First and last name of a new customer: the last word is the last name.
pub fn names_of(person: &Person) -> (String, String) {
    let sound = |text: &str| {
        let short: String = text.trim().chars().take(100).collect();
        Text::<100>::parse(&short).map(Text::into_string).unwrap_or_default()
    };
    let name = person.name.as_deref().unwrap_or_default().trim();
    match name.rsplit_once(' ') {
        Some((first, last)) => (sound(first), sound(last)),
        None => (sound(name), String::new()),
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn a_name_is_split_at_its_last_word() {
        let of = |name: Option<&str>| {
            let person = Person {
                issuer: String::new(),
                subject: String::new(),
                email: None,
                email_verified: false,
                name: name.map(str::to_owned),
                authenticated_at: None,
            };
            names_of(&person)
        };
        let pair = |first: &str, last: &str| (first.to_owned(), last.to_owned());
        assert_eq!(of(Some("Ada Lovelace")), pair("Ada", "Lovelace"));
        assert_eq!(of(Some("Augusta Ada King ")), pair("Augusta Ada", "King"));
        assert_eq!(of(Some("Ada")), pair("Ada", ""));
        assert_eq!(of(Some("\u{7} x")), pair("", "x"));
        assert_eq!(of(None), pair("", ""));
        assert_eq!(of(Some(&"x".repeat(500))).0.len(), 100);
    }

    #[test]
    fn scopes_are_words() {
        let scopes = |texts: &[&str]| {
            scopes_of(Some(&texts.iter().map(|text| Text::parse(text).unwrap()).collect::<Vec<_>>()))
        };
        assert_eq!(scopes_of(None).unwrap(), ["openid", "email", "profile"]);
        assert_eq!(scopes(&["openid", "groups"]).unwrap(), ["openid", "groups"]);
        assert!(scopes(&["openid email"]).is_err());
        assert!(scopes(&vec!["x"; 21]).is_err());
    }
}
