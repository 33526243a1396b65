//! Why a person is not forgotten yet.

use souk_api::{Problem, problems};
use souk_tenancy::{DbError, TenancyError};

use crate::cart::CartError;
use crate::customers::CustomerError;
use crate::drafts::DraftError;
use crate::orders::OrderError;

problems! { CATALOGUE;
    ORDERS_UNDER_WAY = 409, "orders_under_way", "Goods of this customer are still to be delivered", "Wait for the delivery or cancel the orders; the people of the store may add `?force=true`.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    /// Their addresses are still needed.
    #[error("{0} orders are under way")]
    OrdersUnderWay(i64),
    #[error(transparent)]
    Customer(#[from] CustomerError),
    #[error(transparent)]
    Cart(#[from] CartError),
    #[error(transparent)]
    Draft(#[from] DraftError),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<DbError> for PrivacyError {
    fn from(error: DbError) -> Self {
        Self::Tenancy(error.into())
    }
}

impl From<PrivacyError> for Problem {
    fn from(error: PrivacyError) -> Self {
        match error {
            PrivacyError::OrdersUnderWay(orders) => Self::new(&ORDERS_UNDER_WAY).extension("orders", orders),
            PrivacyError::Customer(error) => error.into(),
            PrivacyError::Cart(error) => error.into(),
            PrivacyError::Draft(error) => error.into(),
            PrivacyError::Order(error) => error.into(),
            PrivacyError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
