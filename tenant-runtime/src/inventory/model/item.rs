//! What an item asks of its stock, at whichever location.

use serde::{Deserialize, Serialize};
use souk_kernel::{InventoryItemId, VariantId};
use utoipa::ToSchema;

use crate::inventory::error::InventoryError;
use crate::inventory::model::MOST;

/// Most pieces of a threshold.
const MOST_LOW: i64 = 1_000_000;
/// Buckets that are worth the name, and those that a location has room for.
const BUCKETS: std::ops::RangeInclusive<i32> = 2..=64;

/// An item and its terms.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InventoryItemView {
    pub id: InventoryItemId,
    pub sku: Option<String>,
    /// The variant it is the stock of; null when that is gone.
    pub variant: Option<VariantId>,
    /// Whether the variant is sold beyond its stock (`inventory_policy` of the variant).
    pub backorders: bool,
    /// How many may be promised beyond the stock; null for any number.
    pub backorder_limit: Option<i64>,
    /// Pieces that checkouts leave at each location.
    pub safety_stock: i64,
    /// Staff is told when what is left at all locations falls to it; null for the store's own.
    pub low_stock_threshold: Option<i64>,
    /// Parts that its stock at each location is dealt into; 0 for one row.
    pub buckets: i32,
    /// Pieces in the shelves of all locations.
    #[schema(example = 40)]
    pub on_hand: i64,
    /// Pieces on their way between locations.
    pub incoming: i64,
    pub version: i64,
}

/// The terms of an item, written anew.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"safety_stock": 2, "backorder_limit": 20, "low_stock_threshold": 10, "buckets": 0}))]
pub struct PutInventoryItem {
    /// 0 when left out.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 999999999)]
    pub safety_stock: i64,
    /// Any number when left out. Whether it is sold beyond the stock at all, its variant says (`inventory_policy`).
    #[schema(minimum = 1, maximum = 999999999)]
    pub backorder_limit: Option<i64>,
    /// The store's when left out.
    #[schema(minimum = 0, maximum = 1000000)]
    pub low_stock_threshold: Option<i64>,
    /// For what many buy at the same moment: 2 to 64. One row when 0 or left out.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 64)]
    pub buckets: i32,
}

impl PutInventoryItem {
    pub fn check(&self) -> Result<(), InventoryError> {
        let invalid = |pointer, message| Err(InventoryError::Invalid { pointer, message });
        if !(0..=MOST).contains(&self.safety_stock) {
            return invalid("/safety_stock", "must be 0 to 999999999");
        }
        if self.backorder_limit.is_some_and(|limit| !(1..=MOST).contains(&limit)) {
            return invalid("/backorder_limit", "must be 1 to 999999999");
        }
        if self.low_stock_threshold.is_some_and(|low| !(0..=MOST_LOW).contains(&low)) {
            return invalid("/low_stock_threshold", "must be 0 to 1000000");
        }
        if self.buckets != 0 && !BUCKETS.contains(&self.buckets) {
            return invalid("/buckets", "must be 0, or 2 to 64");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_have_bounds() {
        let fine = PutInventoryItem {
            safety_stock: 0,
            backorder_limit: None,
            low_stock_threshold: None,
            buckets: 0,
        };
        assert!(fine.check().is_ok());
        assert!(PutInventoryItem { buckets: 64, ..fine.clone() }.check().is_ok());
        for broken in [
            PutInventoryItem { safety_stock: -1, ..fine.clone() },
            PutInventoryItem { backorder_limit: Some(0), ..fine.clone() },
            PutInventoryItem { low_stock_threshold: Some(-1), ..fine.clone() },
            PutInventoryItem { buckets: 1, ..fine.clone() },
            PutInventoryItem { buckets: 65, ..fine.clone() },
        ] {
            assert!(broken.check().is_err(), "{broken:?}");
        }
    }
}
