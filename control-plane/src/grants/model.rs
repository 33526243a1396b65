//! A grant and how it is told.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_api::Problem;
use souk_api::problem::VALIDATION;
use souk_kernel::{AccountId, StoreGrantId, StoreId, Text};
use utoipa::ToSchema;

use super::error::GrantError;

/// The longest that one reason is good for, minutes.
const LONGEST: i64 = 60;
/// Shorter reasons say nothing.
const WORDS: usize = 10;

#[derive(Clone, Debug, QueryableByName)]
pub struct Grant {
    #[diesel(sql_type = SqlUuid)]
    pub id: StoreGrantId,
    #[diesel(sql_type = SqlUuid)]
    pub store_id: StoreId,
    #[diesel(sql_type = SqlUuid)]
    pub account_id: AccountId,
    #[diesel(sql_type = SqlText)]
    pub holder: String,
    #[diesel(sql_type = SqlText)]
    pub reason: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub expires_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub withdrawn_at: Option<DateTime<Utc>>,
}

impl Grant {
    /// How much longer it is good; none when it is over.
    pub fn rest(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let rest = self.expires_at - now;
        (self.withdrawn_at.is_none() && rest > TimeDelta::zero()).then_some(rest)
    }
}

/// Ask to look at a store.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"store": "sto_01h455vb4pex5vsknk084sn02q", "reason": "Ticket 4711: an order is missing", "minutes": 30}))]
pub struct NewGrant {
    pub store: StoreId,
    /// Why; the owner reads it. At least 10 characters.
    #[schema(example = "Ticket 4711: an order is missing")]
    pub reason: Text<300>,
    /// For how long, 1 to 60.
    #[schema(example = 30, minimum = 1, maximum = 60)]
    pub minutes: i64,
}

impl NewGrant {
    pub fn check(&self) -> Result<(), GrantError> {
        let mut problem = Problem::new(&VALIDATION);
        let mut wrong = false;
        if self.reason.as_str().chars().count() < WORDS {
            wrong = true;
            problem = problem.field("/reason", "too_short", "must say why, in at least 10 characters");
        }
        if !(1..=LONGEST).contains(&self.minutes) {
            wrong = true;
            problem = problem.field("/minutes", "out_of_range", "must be from 1 to 60");
        }
        if wrong { Err(problem.into()) } else { Ok(()) }
    }
}

/// A grant as its holder and the store's owner see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantView {
    pub id: StoreGrantId,
    pub store: StoreId,
    pub account: AccountId,
    /// Their address.
    #[schema(example = "support@souk.example")]
    pub holder: String,
    #[schema(example = "Ticket 4711: an order is missing")]
    pub reason: String,
    /// Whether it is good now.
    pub open: bool,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub withdrawn_at: Option<DateTime<Utc>>,
}

impl GrantView {
    pub fn of(grant: Grant, now: DateTime<Utc>) -> Self {
        Self {
            id: grant.id,
            store: grant.store_id,
            account: grant.account_id,
            open: grant.rest(now).is_some(),
            holder: grant.holder,
            reason: grant.reason,
            created_at: grant.created_at,
            expires_at: grant.expires_at,
            withdrawn_at: grant.withdrawn_at,
        }
    }
}
