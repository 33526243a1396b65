//! How working on a draft order fails.

use souk_access::NoEntropy;
use souk_api::{FieldError, Problem, problem, problems};
use souk_tenancy::{DbError, TenancyError};

use super::state::DraftOrderState;
use crate::cart::CartError;
use crate::customers::CustomerError;
use crate::inventory::InventoryError;
use crate::settings::SettingsError;

problems! { CATALOGUE;
    DRAFT_ORDER_STATE = 409, "draft_order_state", "The draft order does not allow this any more", "`state` says why. What was completed is an order now; else make a new draft order.";
    DRAFT_ORDER_PAYING = 409, "draft_order_paying", "Somebody is paying this draft order", "Wait for the payment to end, and read the draft order again.";
    DRAFT_ORDER_INCOMPLETE = 422, "draft_order_incomplete", "Something is missing before this draft order can be paid", "`errors` says what.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// There is no such draft order, or the secret is another's.
    #[error("no such draft order")]
    Unknown,
    /// It is over.
    #[error("the draft order is {}", .0.as_str())]
    State(DraftOrderState),
    /// A checkout has it.
    #[error("the draft order is being paid")]
    Paying,
    /// Parts of the request that cannot be had.
    #[error("the request breaks a rule")]
    Fields(Vec<FieldError>),
    /// Parts that are missing before it can be paid, by the draft's own members.
    #[error("the draft order is incomplete")]
    Incomplete(Vec<&'static str>),
    /// The caller saw an earlier version.
    #[error("the precondition failed")]
    Precondition(Problem),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Cart(#[from] CartError),
    #[error(transparent)]
    Customer(#[from] CustomerError),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A statement failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<FieldError> for DraftError {
    fn from(error: FieldError) -> Self {
        Self::Fields(vec![error])
    }
}

impl From<DraftError> for Problem {
    fn from(error: DraftError) -> Self {
        match error {
            DraftError::Unknown => Self::new(&problem::NOT_FOUND),
            DraftError::State(state) => Self::new(&DRAFT_ORDER_STATE).extension("state", state.as_str()),
            DraftError::Paying => Self::new(&DRAFT_ORDER_PAYING).retry_after(5),
            DraftError::Fields(errors) => {
                errors.into_iter().fold(Self::new(&problem::VALIDATION), Self::error)
            }
            DraftError::Incomplete(missing) => {
                missing.into_iter().fold(Self::new(&DRAFT_ORDER_INCOMPLETE), |problem, name| {
                    problem.field(
                        format!("/{name}"),
                        "required",
                        "must be there, and for sale, before it can be paid",
                    )
                })
            }
            DraftError::Precondition(problem) => problem,
            DraftError::Entropy(error) => Self::new(&problem::INTERNAL).source(error),
            DraftError::Cart(error) => error.into(),
            DraftError::Customer(error) => error.into(),
            DraftError::Inventory(error) => error.into(),
            DraftError::Settings(error) => error.into(),
            DraftError::Db(error) => souk_access::database_problem(error.into()),
            DraftError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
