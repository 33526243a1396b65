//! Who a principal is right now, remembered for less than a second.
//!
//! A lowered role, a removed member of staff, a revoked key, an ended session or a raised epoch is therefore refused within a second without any
//! message between processes, and a busy principal costs one statement a second, not one a request. The store's fence is part
//! of the name, so a store that changes hands starts from nothing. Unknown principals are remembered too.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use moka::future::Cache;
use souk_api::Problem;
use souk_kernel::{
    AccountId, ApiKeyId, AppId, CustomerId, SalesChannelId, SessionId, StaffId, StoreGrantId, StoreId,
};
use souk_tenancy::{DbError, StatementCount, StoreScope, TenancyError};

use crate::api_key::{KeyKind, KeyMode};
use crate::error::{database_problem, policy_problem};
use crate::key_limits::KeyLimits;
use crate::policy::{Grant, PermissionSet, Policy, PolicyError};
use crate::queries;
use crate::secret::SecretDigest;

/// Below a second, with room for the statement itself.
pub(crate) const FRESH: Duration = Duration::from_millis(900);
const REMEMBERED: u64 = 100_000;
/// A key's `last_used_at` is this coarse, so that using a key is not a write per request.
const TOUCHED_EVERY: TimeDelta = TimeDelta::minutes(10);

/// Whom to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Staff(AccountId, Option<SessionId>),
    Customer(CustomerId, Option<SessionId>),
    Key([u8; 32]),
    Colleague(StaffId, Option<SessionId>),
    App(AppId),
    Grant(StoreGrantId, Option<SessionId>),
    /// At the control plane.
    Session(SessionId),
}

/// What the store says about them.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    Unknown,
    /// The session was not ended.
    Session,
    Staff {
        id: StaffId,
        role: Arc<str>,
        set: Arc<PermissionSet>,
    },
    Customer {
        epoch: i64,
    },
    Colleague {
        account: Option<AccountId>,
        epoch: i64,
        role: Arc<str>,
        set: Arc<PermissionSet>,
    },
    App {
        epoch: i64,
    },
    Platform {
        account: AccountId,
        reason: Arc<str>,
        expires_at: DateTime<Utc>,
        set: Arc<PermissionSet>,
    },
    Key {
        id: ApiKeyId,
        kind: KeyKind,
        mode: KeyMode,
        scopes: Arc<[String]>,
        set: Arc<PermissionSet>,
        limits: Arc<KeyLimits>,
        channel: Option<SalesChannelId>,
    },
}

#[derive(Debug, thiserror::Error)]
enum LookUpError {
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl From<DbError> for LookUpError {
    fn from(error: DbError) -> Self {
        Self::Tenancy(error.into())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name {
    store: StoreId,
    fence: i64,
    who: Who,
}

/// The cache of one gate. Concurrent askers for the same principal share one look-up.
pub(crate) struct Principals(Cache<Name, Standing>);

impl Principals {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(REMEMBERED).time_to_live(FRESH).build())
    }

    /// At most one statement, none when fresh. It is not counted against the request that happens to ask first.
    pub(crate) async fn find(
        &self,
        scope: &StoreScope,
        policy: &Policy,
        who: Who,
    ) -> Result<Standing, Problem> {
        let name = Name { store: scope.store(), fence: scope.entry().fence, who };
        let apart = StatementCount::new();
        let asking = apart.scope(look_up(scope, policy, who));
        self.0.try_get_with(name, asking).await.map_err(problem)
    }
}

fn problem(error: Arc<LookUpError>) -> Problem {
    match Arc::try_unwrap(error) {
        Ok(LookUpError::Tenancy(error)) => database_problem(error),
        Ok(LookUpError::Policy(error)) => policy_problem(error),
        // Shared with other askers: "try again" or "no", by the same rules.
        Err(shared) => match &*shared {
            LookUpError::Tenancy(_) => database_problem(TenancyError::Busy),
            LookUpError::Policy(error) => policy_problem(PolicyError::Refused(error.to_string())),
        },
    }
}

async fn look_up(scope: &StoreScope, policy: &Policy, who: Who) -> Result<Standing, LookUpError> {
    match who {
        Who::Staff(account, session) => {
            let row = scope
                .read("access.staff", async |tx| {
                    Ok::<_, LookUpError>(queries::staff(tx, account, session).await?)
                })
                .await?;
            let Some(row) = row else { return Ok(Standing::Unknown) };
            let set = policy.compile(&grants(&row.grants)).await?;
            Ok(Standing::Staff { id: row.id, role: row.role.into(), set })
        }
        Who::Customer(id, session) => {
            let row = scope
                .read("access.customer", async |tx| {
                    Ok::<_, LookUpError>(queries::customer(tx, id, session).await?)
                })
                .await?;
            Ok(row.map_or(Standing::Unknown, |row| Standing::Customer { epoch: row.epoch }))
        }
        Who::Colleague(id, session) => {
            let row = scope
                .read("access.colleague", async |tx| {
                    Ok::<_, LookUpError>(queries::colleague(tx, id, session).await?)
                })
                .await?;
            let Some(row) = row else { return Ok(Standing::Unknown) };
            let set = policy.compile(&grants(&row.staff.grants)).await?;
            let (account, epoch, role) = (row.account_id, row.epoch, row.staff.role.into());
            Ok(Standing::Colleague { account, epoch, role, set })
        }
        Who::App(id) => {
            let row = scope
                .read("access.app", async |tx| Ok::<_, LookUpError>(queries::app(tx, id).await?))
                .await?;
            Ok(row.map_or(Standing::Unknown, |row| Standing::App { epoch: row.epoch }))
        }
        Who::Session(id) => {
            let row = scope
                .read("access.session", async |tx| Ok::<_, LookUpError>(queries::session(tx, id).await?))
                .await?;
            Ok(if row.ended { Standing::Unknown } else { Standing::Session })
        }
        Who::Grant(id, session) => {
            let row = scope
                .read("access.grant", async |tx| Ok::<_, LookUpError>(queries::grant(tx, id, session).await?))
                .await?;
            let Some(row) = row else { return Ok(Standing::Unknown) };
            let set = policy.compile(&everything_to_see(policy)).await?;
            let (account, reason) = (row.account_id, row.reason.into());
            Ok(Standing::Platform { account, reason, expires_at: row.expires_at, set })
        }
        Who::Key(hash) => {
            let row = scope
                .read("access.key", async |tx| Ok::<_, LookUpError>(queries::key(tx, &hash).await?))
                .await?;
            match row {
                Some(row) => key_standing(scope, policy, &hash, row).await,
                None => Ok(Standing::Unknown),
            }
        }
    }
}

async fn key_standing(
    scope: &StoreScope,
    policy: &Policy,
    hash: &[u8; 32],
    row: queries::KeyRow,
) -> Result<Standing, LookUpError> {
    let kind = [KeyKind::Publishable, KeyKind::Secret].into_iter().find(|kind| kind.as_str() == row.kind);
    let mode = [KeyMode::Test, KeyMode::Live].into_iter().find(|mode| mode.as_str() == row.mode);
    let (Some(kind), Some(mode)) = (kind, mode) else { return Ok(Standing::Unknown) };
    if !SecretDigest::from_bytes(*hash).matches(&row.hash) {
        return Ok(Standing::Unknown);
    }
    let set = match kind {
        KeyKind::Publishable => policy.built_in("shopper").unwrap_or_default(),
        KeyKind::Secret => policy.compile(&grants(&row.scopes)).await?,
    };
    let stale = scope.clock().now() - TOUCHED_EVERY;
    if row.last_used_at.is_none_or(|at| at < stale) {
        touch(scope.clone(), row.id, stale);
    }
    let limits = Arc::new(KeyLimits::new(row.allowed_origins, &row.allowed_networks));
    let channel = row.channel_id;
    Ok(Standing::Key { id: row.id, kind, mode, scopes: row.scopes.into(), set, limits, channel })
}

/// What people of the platform may do in a store: look.
fn everything_to_see(policy: &Policy) -> Vec<Grant> {
    let keys = policy.catalogue().keys().iter().filter(|key| key.action == "view");
    keys.filter_map(|key| key.to_string().parse().ok()).collect()
}

/// Beside the request, because nobody waits for it; losing it loses a minute of a display.
fn touch(scope: StoreScope, id: ApiKeyId, stale: DateTime<Utc>) {
    tokio::spawn(async move {
        let noted = scope
            .write("access.touch_key", async |tx| {
                Ok::<_, LookUpError>(queries::touch_key(tx, id, stale).await?)
            })
            .await;
        if let Err(error) = noted {
            tracing::debug!(%error, "a key's last use was not noted");
        }
    });
}

/// A grant this build cannot read grants nothing.
pub(crate) fn grants(texts: &[String]) -> Vec<Grant> {
    let read = |text: &String| {
        text.parse::<Grant>()
            .inspect_err(|_| tracing::warn!(grant = %text, "a grant cannot be read and grants nothing"))
            .ok()
    };
    texts.iter().filter_map(read).collect()
}
