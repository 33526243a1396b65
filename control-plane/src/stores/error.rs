//! What can be wrong about a store.

use souk_access::{NoEntropy, Permission as _, TokenError};
use souk_api::Problem;
use souk_api::problem::{FORBIDDEN, NOT_FOUND, VALIDATION};
use souk_tenancy::{DbError, TenancyError};

use super::permissions;
use super::state::{IllegalTransition, StoreState};
use crate::cluster::ClusterError;
use crate::messages::MessageError;
use crate::operations::OperationError;
use crate::problems;

souk_api::problems! { CATALOGUE;
    HANDLE_TAKEN = 409, "handle_taken", "This name, or one that looks like it, is taken", "Choose another handle.";
    STORE_QUOTA = 409, "store_quota_reached", "The plan allows no more stores", "Delete a store, or choose a larger plan: `plan` of POST /v1/stores and PATCH /v1/stores/{store}.";
    MANAGED_IN_CLUSTER = 409, "managed_in_cluster", "The store is managed in its Kubernetes cluster", "Change its Store object there, or take the store over first.";
    NOT_IN_CLUSTER = 409, "not_in_cluster", "The store has no Store object to take over or hand over", "Nothing needs to be done: its changes are asked for here.";
    STORE_STATE = 409, "store_state", "The store's state does not allow this", "See `allowed_actions` of the store.";
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("no such store")]
    Unknown,
    #[error("no such organization")]
    UnknownOrganization,
    #[error("several organizations")]
    WhichOrganization,
    #[error("the handle is taken")]
    HandleTaken,
    #[error("at most {limit} {plan} stores")]
    Quota { plan: &'static str, limit: i64 },
    #[error("the plan is not theirs to choose")]
    PlanNotTheirs,
    #[error("{0} is not the store's handle")]
    NotConfirmed(String),
    #[error("nothing is known of this country")]
    Country,
    #[error("the state does not allow it: {0}")]
    State(StoreState),
    #[error("the store is managed in the cluster")]
    ManagedInCluster,
    #[error("the store has no object in a cluster")]
    NotInCluster,
    /// Not an error: what is waited for has not come yet.
    #[error("waiting: {0}")]
    Waiting(String),
    /// What was waited for did not come in time.
    #[error("too late: {0}")]
    Late(String),
    #[error("this process has no cluster")]
    NoCluster,
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Operation(#[from] OperationError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Provision(#[from] souk_provisioner::ProvisionError),
    #[error(transparent)]
    Database(#[from] TenancyError),
}

impl From<DbError> for StoreError {
    fn from(error: DbError) -> Self {
        Self::Database(error.into())
    }
}

impl From<IllegalTransition> for StoreError {
    fn from(error: IllegalTransition) -> Self {
        Self::State(error.state)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unknown => Problem::new(&NOT_FOUND),
            StoreError::UnknownOrganization => Problem::new(&VALIDATION).field(
                "/organization",
                "unknown",
                "must be one of your organizations",
            ),
            StoreError::WhichOrganization => Problem::new(&VALIDATION).field(
                "/organization",
                "required",
                "must be given: you have several",
            ),
            StoreError::HandleTaken => {
                Problem::new(&HANDLE_TAKEN).field("/handle", "taken", "is taken, or looks like one that is")
            }
            StoreError::Quota { plan, limit } => Problem::new(&STORE_QUOTA)
                .detail(format!("the plan {plan} allows {limit} open stores an organization"))
                .extension("limit", limit),
            StoreError::PlanNotTheirs => Problem::new(&FORBIDDEN)
                .detail(format!("This needs the permission `{}`.", permissions::ChoosePlan::KEY))
                .hint("Ask an owner of the organization to choose the plan."),
            StoreError::NotConfirmed(handle) => Problem::new(&VALIDATION).field(
                "?confirm",
                "wrong",
                format!("must be the store's handle, {handle}"),
            ),
            StoreError::Country => {
                Problem::new(&VALIDATION).field("/country", "unknown", "is not sold to yet")
            }
            StoreError::State(state) => Problem::new(&STORE_STATE)
                .detail(format!("the store is {state}"))
                .extension("state", state.as_str())
                .extension("allowed_actions", state.allowed_actions().to_vec()),
            StoreError::ManagedInCluster => Problem::new(&MANAGED_IN_CLUSTER),
            StoreError::NotInCluster => Problem::new(&NOT_IN_CLUSTER),
            StoreError::Waiting(_) | StoreError::Late(_) | StoreError::NoCluster | StoreError::Cluster(_) => {
                problems::internal(error)
            }
            StoreError::Problem(problem) => problem,
            StoreError::Operation(cause) => cause.into(),
            StoreError::Message(cause) => problems::internal(cause),
            StoreError::Entropy(cause) => problems::internal(cause),
            StoreError::Token(cause) => problems::internal(cause),
            StoreError::Json(cause) => problems::internal(cause),
            StoreError::Provision(cause) => problems::internal(cause),
            StoreError::Database(cause) => problems::of_database(cause),
        }
    }
}
