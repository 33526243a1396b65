//! How working with stock fails.

use souk_api::{Problem, problem, problems};
use souk_kernel::InventoryItemId;
use souk_tenancy::{DbError, TenancyError};

use super::state::IllegalTransition;

problems! { CATALOGUE;
    OUT_OF_STOCK = 409, "out_of_stock", "Not enough stock", "Lower the quantities as `shortages` says, or take the lines out.";
    LOCATION_IN_USE = 409, "location_in_use", "Goods lie at this location, are promised from it or on their way", "Move them to another location (POST /admin/v1/stock-transfers) or count them out, and end its transfers; `items` and `transfers` say what there is.";
    LAST_LOCATION = 409, "last_location", "It is the last location that serves checkouts", "Open another location first.";
    LOCATION_NAME_TAKEN = 409, "location_name_taken", "Another location has this name", "Choose another name.";
    STOCK_MOVED = 409, "stock_moved", "The stock moved since it was looked at", "Look again: `lines` says what is on hand now.";
    TRANSFER_STATE = 409, "transfer_state", "The transfer cannot do that where it stands", "Read it again: `state` says where it stands.";
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
    /// The resource of the path is not there.
    #[error("there is no such thing")]
    Missing,
    /// Other pieces lie there than whoever counts was shown: item, seen, on hand.
    #[error("the stock moved meanwhile")]
    Moved(Vec<(InventoryItemId, i64, i64)>),
    /// A location is not empty, or something goes to or from it.
    #[error("the location is in use")]
    LocationInUse {
        /// Items that lie there or are promised from there.
        items: Vec<InventoryItemId>,
        /// Transfers that are not over.
        transfers: i64,
    },
    /// Nothing would serve checkouts.
    #[error("it is the last location")]
    LastLocation,
    /// Locations have different names.
    #[error("the name is taken")]
    NameTaken,
    /// The transfer cannot do that.
    #[error(transparent)]
    Transfer(#[from] IllegalTransition),
    /// The caller saw something else: an earlier version, or a preview that is stale.
    #[error("{0}")]
    Outdated(Problem),
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
            DbError::Unique { constraint } if constraint == "locations_name_key" => Self::NameTaken,
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
            InventoryError::Missing => Self::new(&problem::NOT_FOUND),
            InventoryError::Moved(lines) => {
                let list: Vec<_> = lines.iter().map(moved).collect();
                Self::new(&STOCK_MOVED).extension("lines", list)
            }
            InventoryError::LocationInUse { items, transfers } => {
                let items: Vec<_> = items.iter().map(ToString::to_string).collect();
                Self::new(&LOCATION_IN_USE).extension("items", items).extension("transfers", transfers)
            }
            InventoryError::LastLocation => Self::new(&LAST_LOCATION),
            InventoryError::NameTaken => {
                Self::new(&LOCATION_NAME_TAKEN).field("/name", "taken", "must be another name")
            }
            InventoryError::Transfer(refusal) => {
                Self::new(&TRANSFER_STATE).extension("state", refusal.from.as_str())
            }
            InventoryError::Outdated(problem) => problem,
            InventoryError::InUse => Self::new(&STOCK_IN_USE),
            InventoryError::Invalid { pointer, message } => {
                Self::new(&problem::VALIDATION).field(pointer, "invalid", message)
            }
            InventoryError::Db(error) => souk_access::database_problem(error.into()),
            InventoryError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}

fn moved((item, seen, on_hand): &(InventoryItemId, i64, i64)) -> serde_json::Value {
    serde_json::json!({ "item": item, "seen": seen, "on_hand": on_hand })
}

fn shortage(shortage: &Shortage) -> serde_json::Value {
    serde_json::json!({ "item": shortage.item, "wanted": shortage.wanted, "available": shortage.available })
}
