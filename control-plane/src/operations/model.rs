//! An operation, its steps, and how long it is tried.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use souk_kernel::{AccountId, OperationId, OrganizationId, StoreId};
use utoipa::ToSchema;

use super::state::OperationState;
use crate::schema::{operation_steps, operations};
use crate::text_enum::text_enum;

/// How long a claimed row is left to its worker without a sign of life; so long a killed worker's work waits.
pub const LEASE: TimeDelta = TimeDelta::seconds(15);
/// How long keys that nobody took are kept.
pub const KEYS_KEPT: TimeDelta = TimeDelta::hours(24);

text_enum! {
    /// What an operation does.
    pub enum OperationKind {
        OpenStore = "open_store",
        UpdateStore = "update_store",
        SuspendStore = "suspend_store",
        ResumeStore = "resume_store",
        DeleteStore = "delete_store",
        RestoreStore = "restore_store",
        PurgeStore = "purge_store",
        /// The control plane's word counts from now on, also for fields that others own.
        TakeOverStore = "take_over_store",
        /// The cluster's word counts from now on.
        HandOverStore = "hand_over_store",
    }
}

impl OperationKind {
    /// Its steps, in order. The first of `open_store` is done when the request is accepted.
    pub const fn steps(self) -> &'static [&'static str] {
        match self {
            Self::OpenStore => &["reserve_name", "make_keys", "provision", "open"],
            Self::UpdateStore
            | Self::SuspendStore
            | Self::ResumeStore
            | Self::DeleteStore
            | Self::RestoreStore
            | Self::PurgeStore
            | Self::TakeOverStore
            | Self::HandOverStore => &["apply", "record"],
        }
    }
}

/// What is to be done, when it is put into the queue.
#[derive(Clone, Debug)]
pub struct NewOperation {
    pub id: OperationId,
    pub kind: OperationKind,
    pub organization: OrganizationId,
    /// The store's row: the operation that opened it.
    pub store_request: OperationId,
    pub requested_by: Option<AccountId>,
    pub input: Value,
}

/// A claimed row.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = operations)]
pub struct Operation {
    pub id: OperationId,
    pub kind: OperationKind,
    pub organization_id: OrganizationId,
    pub store_request_id: OperationId,
    pub requested_by: Option<AccountId>,
    pub state: OperationState,
    pub input: Value,
    pub attempts: i32,
    pub error: Option<Value>,
    pub result_secret: Option<Value>,
    pub secret_ends_at: Option<DateTime<Utc>>,
    pub secret_revealed_at: Option<DateTime<Utc>>,
    pub traceparent: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub version: i64,
}

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = operation_steps)]
pub struct Step {
    pub name: String,
    pub state: StepState,
    pub attempts: i32,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub cause: Option<String>,
    pub detail: Option<String>,
}

text_enum! {
    /// Where a step is.
    pub enum StepState {
        Pending = "pending",
        Running = "running",
        Done = "done",
        Failed = "failed",
    }
}

/// A step as it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepView {
    #[schema(example = "provision")]
    pub name: String,
    pub state: StepState,
    /// How often it was begun.
    pub attempts: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 12)]
    pub duration_ms: Option<i64>,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "RolloutInProgress: 0 of 1 pods serve, 1 are new")]
    pub detail: Option<String>,
}

/// Whether the keys of a new store can still be taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeysView {
    pub state: KeysState,
    /// Until when they wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeysState {
    /// Take them once at `POST /v1/operations/{operation}/keys`.
    Waiting,
    /// Somebody took them.
    Revealed,
    /// Nobody took them in time; make new ones in the store.
    Expired,
}

/// Why an operation was given up, in the words of a problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    #[schema(example = "provisioning_failed")]
    pub code: String,
    pub detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Work under way, or done.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperationView {
    pub id: OperationId,
    pub kind: OperationKind,
    pub state: OperationState,
    pub organization: OrganizationId,
    /// The store, as soon as it has an id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreId>,
    /// Where the store answers, once the operation has succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "http://analytical-engines.localhost:8081")]
    pub store_url: Option<String>,
    pub steps: Vec<StepView>,
    pub attempts: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// Only for `open_store`, once it has succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeysView>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
}

/// The keys of a new store, in plain text: kept only until they are taken.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Keys {
    /// For browsers and apps: says which storefront calls.
    #[schema(example = "pk_test_…")]
    pub publishable_key: String,
    /// For servers: acts for the store. Keep it secret; it is not shown again.
    #[schema(example = "sk_test_…")]
    pub secret_key: String,
}

/// A row with its steps and what its store is called, read in one transaction.
pub struct Whole {
    pub operation: Operation,
    pub steps: Vec<Step>,
    pub store: Option<StoreId>,
    pub handle: String,
}

impl Whole {
    /// As shown; `url` makes an address of a handle.
    pub fn view(self, now: DateTime<Utc>, url: impl Fn(&str) -> String) -> OperationView {
        let Self { operation: it, steps, store, handle } = self;
        let succeeded = it.state == OperationState::Succeeded;
        let keys = (succeeded && it.kind == OperationKind::OpenStore).then(|| keys(&it, now));
        let shows_store =
            succeeded && !matches!(it.kind, OperationKind::DeleteStore | OperationKind::PurgeStore);
        OperationView {
            id: it.id,
            kind: it.kind,
            state: it.state,
            organization: it.organization_id,
            store,
            store_url: shows_store.then(|| url(&handle)),
            steps: steps.into_iter().map(StepView::from).collect(),
            attempts: it.attempts,
            error: it.error.and_then(|error| serde_json::from_value(error).ok()),
            keys,
            created_at: it.created_at,
            updated_at: it.updated_at,
            finished_at: it.finished_at,
        }
    }
}

fn keys(it: &Operation, now: DateTime<Utc>) -> KeysView {
    let waiting = it.result_secret.is_some() && it.secret_ends_at.is_some_and(|end| end > now);
    let state = match (it.secret_revealed_at, waiting) {
        (Some(_), _) => KeysState::Revealed,
        (None, true) => KeysState::Waiting,
        (None, false) => KeysState::Expired,
    };
    KeysView { state, until: it.secret_ends_at.filter(|_| state == KeysState::Waiting) }
}

impl From<Step> for StepView {
    fn from(step: Step) -> Self {
        let Step { name, state, attempts, started_at, finished_at, cause, detail } = step;
        let duration_ms = started_at.zip(finished_at).map(|(start, end)| (end - start).num_milliseconds());
        Self { name, state, attempts, started_at, finished_at, duration_ms, cause, detail }
    }
}

/// How long to wait before the next attempt; `None`: given up, about ten minutes after the first.
pub fn backoff(attempts: i32) -> Option<TimeDelta> {
    match attempts {
        ..=0 => Some(TimeDelta::milliseconds(200)),
        1..=8 => Some(TimeDelta::milliseconds(200 << attempts)),
        9..=16 => Some(TimeDelta::seconds(60)),
        17.. => None,
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn an_operation_is_tried_for_about_ten_minutes() {
        let waits: Vec<_> = (1..).map_while(backoff).collect();
        assert!(waits.is_sorted());
        let whole: TimeDelta = waits.into_iter().sum();
        assert!((540..=660).contains(&whole.num_seconds()), "{whole}");
    }
}
