//! How working on a cart fails.

use souk_access::NoEntropy;
use souk_api::{FieldError, Problem, problem, problems};
use souk_kernel::MoneyError;
use souk_tenancy::{DbError, TenancyError};

use crate::catalog::CatalogError;
use crate::credit::CreditError;
use crate::customers::CustomerError;
use crate::discounts::DiscountError;
use crate::inventory::InventoryError;
use crate::settings::SettingsError;
use crate::tax::TaxError;

problems! { CATALOGUE;
    CART_LOCKED = 409, "cart_locked", "A checkout of this cart is under way", "Wait for it, or read the cart again in a moment.";
    CART_FINISHED = 409, "cart_finished", "This cart cannot be changed any more", "Make a new cart.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CartError {
    /// There is no such cart or line, or the secret is another's.
    #[error("no such cart")]
    Unknown,
    /// A checkout has it.
    #[error("the cart is being bought")]
    Locked,
    /// It is bought, merged or expired.
    #[error("the cart is finished")]
    Finished,
    /// Parts of the request that cannot be had.
    #[error("the request breaks a rule")]
    Fields(Vec<FieldError>),
    /// A total that cannot be counted: prices beyond reason.
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Customer(#[from] CustomerError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Credit(#[from] CreditError),
    #[error(transparent)]
    Discount(#[from] DiscountError),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    #[error(transparent)]
    Tax(#[from] TaxError),
    /// A statement failed.
    #[error(transparent)]
    Db(DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl CartError {
    /// One complaint.
    pub(super) fn field(pointer: impl Into<String>, code: &'static str, message: &'static str) -> Self {
        Self::Fields(vec![FieldError::new(pointer.into(), code, message)])
    }
}

impl From<DbError> for CartError {
    fn from(error: DbError) -> Self {
        match error {
            // The only foreign key a request reaches: a variant that went while we looked.
            DbError::Foreign { .. } => Self::field("/variant", "unknown", "must be a variant of this store"),
            error => Self::Db(error),
        }
    }
}

impl From<CartError> for Problem {
    fn from(error: CartError) -> Self {
        match error {
            CartError::Unknown => Self::new(&problem::NOT_FOUND),
            CartError::Locked => Self::new(&CART_LOCKED).retry_after(5),
            CartError::Finished => Self::new(&CART_FINISHED),
            CartError::Fields(errors) => {
                errors.into_iter().fold(Self::new(&problem::VALIDATION), Self::error)
            }
            CartError::Money(error) => Self::new(&problem::VALIDATION)
                .field("/lines", "out_of_range", "must cost less in all")
                .source(error),
            CartError::Entropy(error) => Self::new(&problem::INTERNAL).source(error),
            CartError::Settings(error) => error.into(),
            CartError::Customer(error) => error.into(),
            CartError::Catalog(error) => error.into(),
            CartError::Credit(error) => error.into(),
            CartError::Discount(error) => error.into(),
            CartError::Inventory(error) => error.into(),
            CartError::Tax(error) => error.into(),
            CartError::Db(error) => souk_access::database_problem(error.into()),
            CartError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
