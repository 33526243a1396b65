//! How working on an order fails.

use souk_api::{FieldError, Problem, problem, problems};
use souk_kernel::MoneyError;
use souk_tenancy::{DbError, TenancyError};

use super::model::AllowedAction;
use super::model::refund::Refused;
use crate::cart::CartError;
use crate::customers::CustomerError;
use crate::inventory::InventoryError;
use crate::ledger::LedgerError;
use crate::payments::PaymentError;

problems! { CATALOGUE;
    ORDER_STATE = 409, "order_state", "The order does not allow this now", "Do one of `allowed_actions`, or read the order again.";
    REFUND_EXCEEDS = 409, "refund_exceeds", "That is more than is left to give back", "`errors` says how much is left; read the order again.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// There is no such order within reach.
    #[error("no such order")]
    Unknown,
    /// The order does not allow this now.
    #[error("the order does not allow this now")]
    State(Vec<AllowedAction>),
    /// A refund that makes no sense, with its places in the request.
    #[error("the request breaks a rule")]
    Fields(Vec<FieldError>),
    /// A refund of more than is left.
    #[error("more than is left to give back")]
    RefundExceeds(Vec<FieldError>),
    /// The cart has its order, or an attempt whose outcome nobody knows yet.
    #[error("the cart has its order")]
    HasOrder,
    /// The parts of a new order do not add up: a mistake of ours.
    #[error("the parts of the order do not add up")]
    DoesNotAddUp,
    /// An amount that cannot be counted.
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    #[error(transparent)]
    Cart(#[from] CartError),
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// A statement failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<Refused> for OrderError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Fields(errors) => Self::Fields(errors),
            Refused::Exceeds(errors) => Self::RefundExceeds(errors),
            Refused::Money(error) => Self::Money(error),
        }
    }
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Unknown => Self::new(&problem::NOT_FOUND),
            OrderError::State(allowed) => {
                let allowed: Vec<&str> = allowed.into_iter().map(AllowedAction::as_str).collect();
                Self::new(&ORDER_STATE).extension("allowed_actions", allowed)
            }
            OrderError::Fields(errors) => {
                errors.into_iter().fold(Self::new(&problem::VALIDATION), Self::error)
            }
            OrderError::RefundExceeds(errors) => {
                errors.into_iter().fold(Self::new(&REFUND_EXCEEDS), Self::error)
            }
            OrderError::HasOrder => {
                Self::new(&problem::CONFLICT).detail("This cart is bought, or being bought.")
            }
            OrderError::DoesNotAddUp => Self::new(&problem::INTERNAL).source(error),
            OrderError::Money(error) => Self::new(&problem::INTERNAL).source(error),
            OrderError::Ledger(error) => error.into(),
            OrderError::Payment(error) => error.into(),
            OrderError::Inventory(error) => error.into(),
            OrderError::Cart(error) => error.into(),
            OrderError::Customer(error) => error.into(),
            OrderError::Db(error) => souk_access::database_problem(error.into()),
            OrderError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
