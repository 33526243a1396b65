//! Sessions, tokens, and how often one may guess.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use souk_api::LOCAL;
use souk_kernel::{CustomerId, Email, SessionId};
use utoipa::ToSchema;

use super::{AccountView, Typed};

/// A session lives this long after signing in, however often it is refreshed.
pub const SESSION_LIFETIME: TimeDelta = TimeDelta::days(60);
/// A refresh token that is not used for so long dies.
pub const REFRESH_LIFETIME: TimeDelta = TimeDelta::days(30);
/// Attempts are counted in windows of this length.
pub const WINDOW: TimeDelta = TimeDelta::minutes(10);

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    SignedOut,
    SignedOutEverywhere,
    PasswordChanged,
    EmailChanged,
    Reused,
    Disabled,
}

impl EndReason {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::PasswordChanged => "password_changed",
            Self::EmailChanged => "email_changed",
            Self::Reused => "reused",
            Self::Disabled => "disabled",
        }
    }
}

/// A session's row.
#[derive(Clone, Debug, QueryableByName)]
pub struct Session {
    #[diesel(sql_type = SqlUuid)]
    pub id: SessionId,
    #[diesel(sql_type = SqlUuid)]
    pub customer_id: CustomerId,
    #[diesel(sql_type = SqlText)]
    pub user_agent: String,
    #[diesel(sql_type = SqlText)]
    pub network: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub last_used_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub expires_at: DateTime<Utc>,
}

/// A device that is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    pub id: SessionId,
    /// Whether it is the session of this request.
    pub current: bool,
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64)")]
    pub user_agent: String,
    /// Where it began: an IPv4 address, an IPv6 /64, or `local`.
    #[schema(example = "203.0.113.7")]
    pub network: String,
    pub created_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl Session {
    pub fn view(self, current: Option<SessionId>) -> SessionView {
        let Self { id, user_agent, network, created_at, last_used_at, expires_at, customer_id: _ } = self;
        let current = Some(id) == current;
        SessionView { id, current, user_agent, network, created_at, last_used_at, expires_at }
    }
}

/// Sign in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    #[schema(value_type = String, example = "ada@example.com")]
    pub email: Email,
    pub password: Typed,
}

/// Exchange a refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    pub refresh_token: Typed,
}

/// The tokens of a session.
#[derive(Serialize, ToSchema)]
pub struct Tokens {
    /// Send it as `Authorization: Bearer …`.
    pub access_token: String,
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds the access token lives.
    #[schema(example = 900)]
    pub expires_in: i64,
    /// Good for one exchange at `POST /store/v1/sessions/refresh`.
    pub refresh_token: String,
    pub refresh_token_expires_at: DateTime<Utc>,
    pub session: SessionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountView>,
}

/// What can be guessed at, and is therefore counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    SignIn,
    Register,
    Reset,
    Password,
}

impl Door {
    const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Register => "register",
            Self::Reset => "reset",
            Self::Password => "password",
        }
    }
}

/// One counter: its name, and how many attempts a window holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub name: String,
    pub limit: i32,
    /// Anybody anywhere can fill it, so it does not hold back whoever comes from a network where the account signed in lately.
    pub by_strangers: bool,
}

/// The counters of one attempt. The pair of account and network is tight; the account alone is wide, so that a stranger's guesses do
/// not lock its owner out; the network stops one machine that tries many accounts. This machine itself (`local`) is not counted as a
/// network: there it stands for everybody.
pub fn buckets(door: Door, account: &str, network: &str, per_network: i32) -> Vec<Bucket> {
    // The address is personal: its digest is as good a name.
    let digest = Sha256::digest(account.as_bytes());
    let who: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    // At this machine itself one address stands for everybody, so nobody is known by it.
    let by_strangers = door == Door::SignIn && network != LOCAL;
    let door = door.name();
    let mut all = vec![
        Bucket { name: format!("{door}/{who}/{network}"), limit: 10, by_strangers: false },
        Bucket { name: format!("{door}/{who}"), limit: 100, by_strangers },
    ];
    if network != LOCAL {
        all.push(Bucket { name: format!("{door}//{network}"), limit: per_network, by_strangers: false });
    }
    all
}

/// The counters of a declined payment. Whoever tries stolen cards at a shop makes many carts from one place, and hears of each card
/// whether it is good; a shopper mistypes a few times in one cart. This machine itself is no network here either.
pub fn buckets_of_declines(cart: &str, network: &str) -> Vec<Bucket> {
    let mut all = vec![Bucket { name: format!("declined/{cart}"), limit: 10, by_strangers: false }];
    if network != LOCAL {
        all.push(Bucket { name: format!("declined//{network}"), limit: 20, by_strangers: false });
    }
    all
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn attempts_count_for_account_network_and_both() {
        let remote = buckets(Door::SignIn, "ada@example.com", "203.0.113.7", 100);
        assert_eq!(remote.len(), 3);
        let network = Bucket { name: "sign_in//203.0.113.7".into(), limit: 100, by_strangers: false };
        assert_eq!(remote[2], network);
        assert!(remote.iter().all(|bucket| !bucket.name.contains("ada")));
        assert_eq!(buckets(Door::SignIn, "ada@example.com", LOCAL, 100).len(), 2);
    }
}
