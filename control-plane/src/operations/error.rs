//! What can be wrong about an operation.

use souk_api::Problem;
use souk_api::problem::NOT_FOUND;
use souk_kernel::OperationId;
use souk_tenancy::{DbError, TenancyError};

use crate::problems;

souk_api::problems! { CATALOGUE;
    OPERATION_RUNNING = 409, "operation_running", "The store has unfinished work", "Wait until the operation in `operation` has ended, then ask again.";
    KEYS_NOT_READY = 409, "keys_not_ready", "The operation has not succeeded yet", "Wait until its state is `succeeded`.";
    KEYS_GONE = 410, "keys_gone", "The keys were shown before, or nobody took them in time", "Make new keys in the store's own API.";
}

#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    #[error("no such operation")]
    Unknown,
    #[error("{0} is unfinished")]
    Running(OperationId),
    #[error("not succeeded yet")]
    NotReady,
    #[error("the keys are gone")]
    KeysGone,
    /// The lease ran out and another worker took over: stop.
    #[error("the lease is lost")]
    LeaseLost,
    #[error(transparent)]
    Database(#[from] TenancyError),
}

impl From<DbError> for OperationError {
    fn from(error: DbError) -> Self {
        Self::Database(error.into())
    }
}

impl From<OperationError> for Problem {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Unknown => Problem::new(&NOT_FOUND),
            OperationError::Running(id) => Problem::new(&OPERATION_RUNNING)
                .detail(format!("{id} is not finished"))
                .extension("operation", id.to_string())
                .retry_after(1),
            OperationError::NotReady => Problem::new(&KEYS_NOT_READY).retry_after(1),
            OperationError::KeysGone => Problem::new(&KEYS_GONE),
            OperationError::LeaseLost => problems::internal(error),
            OperationError::Database(cause) => problems::of_database(cause),
        }
    }
}
