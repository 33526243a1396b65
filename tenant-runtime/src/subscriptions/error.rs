//! What can be wrong about wanting to be told.

use souk_api::{Problem, problem, problems};
use souk_tenancy::{DbError, TenancyError};

problems! { CATALOGUE;
    STILL_IN_STOCK = 409, "still_in_stock", "It can be bought right now", "Put it into a cart.";
    NOT_OFFERED = 409, "notice_not_offered", "The store does not offer this", "";
    SUBSCRIPTION_LINK_UNUSABLE = 410, "subscription_link_unusable", "The link does not work", "It may have been used or be older than three days. Ask again.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    #[error("no such thing")]
    Unknown,
    #[error("it can be bought right now")]
    InStock,
    #[error("the store does not offer this")]
    NotOffered,
    #[error("the link does not work")]
    LinkUnusable,
    #[error("no random bytes")]
    Random,
    /// Pointer and what would have been right.
    #[error("{0} {1}")]
    Field(&'static str, &'static str),
    #[error("{0}")]
    Precondition(Problem),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
    #[error(transparent)]
    Settings(#[from] crate::settings::SettingsError),
    #[error(transparent)]
    Inventory(#[from] crate::inventory::InventoryError),
    #[error(transparent)]
    Cart(#[from] crate::cart::CartError),
}

impl From<SubscriptionError> for Problem {
    fn from(error: SubscriptionError) -> Self {
        match error {
            SubscriptionError::Unknown => Self::new(&problem::NOT_FOUND),
            SubscriptionError::InStock => Self::new(&STILL_IN_STOCK),
            SubscriptionError::NotOffered => Self::new(&NOT_OFFERED),
            SubscriptionError::LinkUnusable => Self::new(&SUBSCRIPTION_LINK_UNUSABLE),
            SubscriptionError::Random => Self::new(&problem::INTERNAL).source(error),
            SubscriptionError::Field(pointer, message) => {
                Self::new(&problem::VALIDATION).field(pointer, "invalid", message)
            }
            SubscriptionError::Precondition(problem) => problem,
            SubscriptionError::Db(error) => souk_access::database_problem(error.into()),
            SubscriptionError::Tenancy(error) => souk_access::database_problem(error),
            SubscriptionError::Settings(error) => error.into(),
            SubscriptionError::Inventory(error) => error.into(),
            SubscriptionError::Cart(error) => error.into(),
        }
    }
}
