//! What can be wrong about a store.

use souk_access::{NoEntropy, TokenError};
use souk_api::Problem;
use souk_api::problem::{NOT_FOUND, VALIDATION};
use souk_tenancy::{DbError, TenancyError};

use super::state::{IllegalTransition, StoreState};
use crate::messages::MessageError;
use crate::operations::OperationError;
use crate::problems;

souk_api::problems! { CATALOGUE;
    HANDLE_TAKEN = 409, "handle_taken", "This name, or one that looks like it, is taken", "Choose another handle.";
    STORE_QUOTA = 409, "store_quota_reached", "The plan allows no more stores", "Delete a store, or choose a larger plan.";
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
    #[error("{0} is not the store's handle")]
    NotConfirmed(String),
    #[error("nothing is known of this country")]
    Country,
    #[error("the state does not allow it: {0}")]
    State(StoreState),
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
