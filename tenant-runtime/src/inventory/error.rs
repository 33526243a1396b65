//! How working with stock fails.

use souk_api::{Problem, problem, problems};
use souk_kernel::InventoryItemId;
use souk_tenancy::{DbError, TenancyError};

problems! { CATALOGUE;
    OUT_OF_STOCK = 409, "out_of_stock", "Not enough stock", "Lower the quantities as `shortages` says, or take the lines out.";
    STOCK_IN_USE = 409, "stock_in_use", "So much cannot be taken away", "Part of it is promised to orders and checkouts; set a higher number.";
}

/// An item of which there is less than wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The item.
    pub item: InventoryItemId,
    /// Pieces wanted.
    pub wanted: i64,
    /// Pieces there are, never negative.
    pub available: i64,
}

/// Roll back: part of the work may have been done.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// There is less than wanted.
    #[error("out of stock")]
    OutOfStock(Vec<Shortage>),
    /// Nothing here has this id.
    #[error("no such {what}")]
    Unknown {
        /// The field of the request: `variant`, `item`, `location`.
        what: &'static str,
    },
    /// The level would fall below what is promised.
    #[error("the stock is promised to somebody")]
    InUse,
    /// What is asked for contradicts itself.
    #[error("{message}")]
    Invalid {
        /// JSON pointer.
        pointer: &'static str,
        /// What it must be.
        message: &'static str,
    },
    /// A statement failed.
    #[error(transparent)]
    Db(DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<DbError> for InventoryError {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Check { constraint } if constraint.starts_with("inventory_levels_") => Self::InUse,
            _ => Self::Db(error),
        }
    }
}

impl From<InventoryError> for Problem {
    fn from(error: InventoryError) -> Self {
        match error {
            InventoryError::OutOfStock(shortages) => {
                let list: Vec<_> = shortages.iter().map(shortage).collect();
                Self::new(&OUT_OF_STOCK).extension("shortages", list)
            }
            InventoryError::Unknown { what } => Self::new(&problem::VALIDATION).field(
                format!("/{what}"),
                "unknown",
                "there is no such thing in this store",
            ),
            InventoryError::InUse => Self::new(&STOCK_IN_USE),
            InventoryError::Invalid { pointer, message } => {
                Self::new(&problem::VALIDATION).field(pointer, "invalid", message)
            }
            InventoryError::Db(error) => souk_access::database_problem(error.into()),
            InventoryError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}

fn shortage(shortage: &Shortage) -> serde_json::Value {
    serde_json::json!({ "item": shortage.item, "wanted": shortage.wanted, "available": shortage.available })
}
