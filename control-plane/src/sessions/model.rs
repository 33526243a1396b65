//! Sessions, tokens, and how often one may guess.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use souk_kernel::{AccountId, Email, SessionId};
use utoipa::ToSchema;

use crate::accounts::{AccountView, Typed};
use crate::plane::LOCAL;
use crate::schema::sessions;
use crate::text_enum::text_enum;

/// A session lives this long after signing in, however often it is refreshed.
pub const SESSION_LIFETIME: TimeDelta = TimeDelta::days(30);
/// A refresh token that is not used for so long dies.
pub const REFRESH_LIFETIME: TimeDelta = TimeDelta::days(14);
/// Attempts are counted in windows of this length.
pub const WINDOW: TimeDelta = TimeDelta::minutes(10);

text_enum! {
    /// Why a session ended.
    pub enum EndReason {
        SignedOut = "signed_out",
        SignedOutEverywhere = "signed_out_everywhere",
        PasswordChanged = "password_changed",
        Reused = "reused",
        AccountDeleted = "account_deleted",
    }
}

/// A session's row.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct Session {
    pub id: SessionId,
    pub account_id: AccountId,
    pub user_agent: String,
    pub network: String,
    pub created_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// A session as its owner sees it.
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
        let Self { id, user_agent, network, created_at, last_used_at, expires_at, account_id: _ } = self;
        SessionView {
            id,
            current: Some(id) == current,
            user_agent,
            network,
            created_at,
            last_used_at,
            expires_at,
        }
    }
}

/// Sign in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    #[schema(example = "ada@example.com")]
    pub email: Email,
    pub password: Typed,
    /// For whoever has a second factor: six digits of the app, or a recovery code.
    pub code: Option<Typed>,
}

/// Exchange a refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"refresh_token": "Kq3dVd3iP0f0w2yT8cQmZr1nXb5sLh7uJg9aE4oKq3d"}))]
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
    /// Good for one exchange at `POST /v1/sessions/refresh`.
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
    Factor,
}

impl Door {
    const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Register => "register",
            Self::Reset => "reset",
            Self::Password => "password",
            Self::Factor => "factor",
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

/// The counters of one attempt. The pair of account and network is tight; the account alone is wide, so that a stranger's
/// guesses do not lock its owner out; the network stops one machine that tries many accounts. This machine itself
/// (`local`) is not counted as a network: there it stands for everybody.
pub fn buckets(door: Door, account: &str, network: &str, per_network: i32) -> Vec<Bucket> {
    // The address is personal: its digest is as good a name.
    let digest = Sha256::digest(account.as_bytes());
    let who: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    // Six digits are soon guessed from many networks, and whoever guesses at them has the password.
    let per_account = if door == Door::Factor { 20 } else { 100 };
    // At this machine itself one address stands for everybody, so nobody is known by it.
    let by_strangers = door == Door::SignIn && network != LOCAL;
    let door = door.name();
    let mut all = vec![
        Bucket { name: format!("{door}/{who}/{network}"), limit: 10, by_strangers: false },
        Bucket { name: format!("{door}/{who}"), limit: per_account, by_strangers },
    ];
    if network != LOCAL {
        all.push(Bucket { name: format!("{door}//{network}"), limit: per_network, by_strangers: false });
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
        assert_eq!(remote[2].name, "sign_in//203.0.113.7");
        assert!(remote.iter().all(|bucket| !bucket.name.contains("ada")));
        assert_eq!(buckets(Door::SignIn, "ada@example.com", "local", 100).len(), 2);
    }
}
