//! How sending fails.

use souk_api::{FieldError, Problem, problem, problems};
use souk_tenancy::{DbError, TenancyError};

use super::model::Refused;
use super::state::IllegalTransition;
use crate::inventory::InventoryError;
use crate::orders::OrderError;

problems! { CATALOGUE;
    FULFILLMENT_EXCEEDS = 409, "fulfillment_exceeds", "That is more than is left to send", "`errors` says how much is left; read the order again.";
    NOTHING_TO_FULFILL = 409, "nothing_to_fulfill", "Nothing of the order is left to send", "Read the order again: everything was sent, or given back.";
    NOT_ON_HAND = 409, "not_on_hand", "So many are not on hand", "They were sold on backorder: receive them first (POST /admin/v1/inventory-levels:adjust), or send fewer.";
    FULFILLMENT_STATE = 409, "fulfillment_state", "It was cancelled already", "Send what is left with a new fulfillment.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum FulfillmentError {
    /// There is no such order or fulfillment within reach.
    #[error("no such thing")]
    Unknown,
    /// A wish that makes no sense, with its places in the request.
    #[error("the request breaks a rule")]
    Fields(Vec<FieldError>),
    /// More than is left.
    #[error("more than is left to send")]
    Exceeds(Vec<FieldError>),
    /// Nothing is left.
    #[error("nothing is left to send")]
    Nothing,
    /// They were sold without being there.
    #[error("so many are not on hand")]
    NotOnHand,
    #[error(transparent)]
    State(#[from] IllegalTransition),
    #[error("{0}")]
    Precondition(Problem),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Inventory(InventoryError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<Refused> for FulfillmentError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Fields(errors) => Self::Fields(errors),
            Refused::Exceeds(errors) => Self::Exceeds(errors),
            Refused::Nothing => Self::Nothing,
        }
    }
}

impl From<InventoryError> for FulfillmentError {
    fn from(error: InventoryError) -> Self {
        match error {
            InventoryError::InUse => Self::NotOnHand,
            error => Self::Inventory(error),
        }
    }
}

impl From<FulfillmentError> for Problem {
    fn from(error: FulfillmentError) -> Self {
        let told = |kind, errors: Vec<FieldError>| errors.into_iter().fold(Self::new(kind), Self::error);
        match error {
            FulfillmentError::Unknown => Self::new(&problem::NOT_FOUND),
            FulfillmentError::Fields(errors) => told(&problem::VALIDATION, errors),
            FulfillmentError::Exceeds(errors) => told(&FULFILLMENT_EXCEEDS, errors),
            FulfillmentError::Nothing => Self::new(&NOTHING_TO_FULFILL),
            FulfillmentError::NotOnHand => Self::new(&NOT_ON_HAND),
            FulfillmentError::State(_) => Self::new(&FULFILLMENT_STATE),
            FulfillmentError::Precondition(problem) => problem,
            FulfillmentError::Order(error) => error.into(),
            FulfillmentError::Inventory(error) => error.into(),
            FulfillmentError::Db(error) => souk_access::database_problem(error.into()),
            FulfillmentError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
