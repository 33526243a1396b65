//! What access answers when it says no, and how failures of the database become problems.

use chrono::{DateTime, TimeDelta, Utc};
use souk_api::problem::{
    FORBIDDEN, IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_RUNNING, INTERNAL, NOT_FOUND, UNAUTHENTICATED, UNAVAILABLE,
};
use souk_api::{Problem, problems};
use souk_tenancy::{DbError, TenancyError};

use crate::password::{HasherError, PasswordError};
use crate::policy::PolicyError;
use crate::secret::NoEntropy;
use crate::tokens::TokenError;

problems! { CATALOGUE;
    BAD_HOST = 400, "bad_host", "The Host header names no store", "Send exactly one Host header with a plain host name.";
    CREDENTIALS_IN_URL = 400, "credentials_in_url", "A URL must not carry credentials", "Send the key in `Authorization: Bearer`; revoke the one you sent, it may have been logged.";
    CREDENTIALS_AMBIGUOUS = 400, "credentials_ambiguous", "More than one credential was sent", "Send one Authorization header, and at most one publishable key beside it.";
    KEY_RESTRICTED = 403, "key_restricted", "This key may not be used from here", "Use it from one of its networks or pages, or make another key.";
    STEP_UP_REQUIRED = 401, "step_up_required", "This needs a proof of who you are from the last 15 minutes", "POST /v1/sessions/current/proof at the control plane with your password and code, or sign in again; for a store, take a new staff token then.";
    PASSWORD_BUSY = 503, "sign_in_busy", "Too many people are signing in", "Wait `retry_after` seconds.";
}

/// Why a gate could not be opened at start-up.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// A role every plane needs is missing from the role file.
    #[error("the role file has no role `{0}`")]
    Role(&'static str),
    /// The store is not in the directory, or has no data any more.
    #[error("the store is gone")]
    StoreGone,
}

/// A problem-shaped error for short handlers and actions that have no error type of their own: takes what transactions and
/// queries fail with, and turns into the [`Problem`] that is sent.
#[derive(Debug)]
pub struct Refusal(pub Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<TenancyError> for Refusal {
    fn from(error: TenancyError) -> Self {
        Self(database_problem(error))
    }
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        Self(database_problem(error.into()))
    }
}

impl From<NoEntropy> for Refusal {
    fn from(error: NoEntropy) -> Self {
        Self(Problem::new(&INTERNAL).source(error))
    }
}

impl From<TokenError> for Refusal {
    /// For issuing; a token that is not believed is refused inside the gate.
    fn from(error: TokenError) -> Self {
        Self(Problem::new(&INTERNAL).source(error))
    }
}

impl From<HasherError> for Refusal {
    fn from(error: HasherError) -> Self {
        Self(match error {
            HasherError::Busy => Problem::new(&PASSWORD_BUSY).retry_after(1),
            HasherError::Broken => Problem::new(&INTERNAL).source(error),
        })
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        refusal.0
    }
}

impl PasswordError {
    /// 422 with a complaint about this part of the body.
    pub fn problem(self, pointer: &'static str) -> Problem {
        Problem::new(&souk_api::problem::VALIDATION).field(pointer, self.code(), self.to_string())
    }
}

/// What a failed transaction is to the caller: 503 when trying again may help, 404 when the store is gone, else 500. A violated
/// constraint is a 500 here, because whoever knows what it means has to say so first.
pub fn database_problem(error: TenancyError) -> Problem {
    match error {
        TenancyError::StoreGone => Problem::new(&NOT_FOUND),
        TenancyError::Busy => Problem::new(&UNAVAILABLE).retry_after(1).source(error),
        TenancyError::Db(
            DbError::Unavailable | DbError::Timeout | DbError::Serialization | DbError::Deadlock,
        ) => Problem::new(&UNAVAILABLE).retry_after(1).source(error),
        error => Problem::new(&INTERNAL).source(error),
    }
}

/// Credentials that are not believed: always the same 401; the reason goes to the log only.
pub(crate) fn unbelieved(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Problem {
    Problem::new(&UNAUTHENTICATED).source(reason)
}

/// An expired token may say so: the client's next step differs, and whoever holds the token can read its time anyway.
pub(crate) fn token_problem(error: TokenError) -> Problem {
    let problem = unbelieved(error.to_string());
    match error {
        TokenError::Expired => problem.detail("The access token has expired.").hint("Use the refresh token."),
        _ => problem,
    }
}

/// No: 401 for somebody unknown, 403 for somebody known.
pub(crate) fn refused(anonymous: bool, permission: crate::PermissionKey) -> Problem {
    if anonymous {
        Problem::new(&UNAUTHENTICATED).source(format!("{permission} needs credentials"))
    } else {
        Problem::new(&FORBIDDEN).detail(format!("This needs the permission `{permission}`."))
    }
}

/// How long after a proof of who they are somebody may do what is dangerous.
pub const PROOF_LASTS: TimeDelta = TimeDelta::minutes(15);

/// Whether whoever is signed in proved who they are lately enough for a dangerous act.
pub fn is_lately(proved_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    proved_at.is_some_and(|at| now - at < PROOF_LASTS)
}

/// Signed in, and allowed, but too long ago (RFC 9470).
pub fn step_up() -> Problem {
    Problem::new(&STEP_UP_REQUIRED)
        .extension("max_age", PROOF_LASTS.num_seconds())
        .challenge("error=\"insufficient_user_authentication\", max_age=\"900\"")
}

/// A policy that cannot be evaluated denies.
pub(crate) fn policy_problem(error: PolicyError) -> Problem {
    tracing::error!(%error, "a policy could not be compiled; the request is refused");
    Problem::new(&FORBIDDEN).source(error)
}

/// Why a key's work did not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("the key belongs to another request")]
    Reused,
    #[error("a request with this key is still running")]
    Running,
    #[error("the claim was taken over by a later attempt")]
    Lost,
    #[error("the reply could not be kept: {0}")]
    Unkept(#[from] serde_json::Error),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<DbError> for KeyError {
    fn from(error: DbError) -> Self {
        Self::Tenancy(error.into())
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Reused => Problem::new(&IDEMPOTENCY_KEY_REUSED),
            KeyError::Running | KeyError::Lost => {
                Problem::new(&IDEMPOTENCY_RUNNING).retry_after(1).source(error)
            }
            KeyError::Unkept(_) => Problem::new(&INTERNAL).source(error),
            KeyError::Tenancy(error) => database_problem(error),
        }
    }
}
