//! Cycle counts: what somebody found in the shelves.

use serde::{Deserialize, Serialize};
use souk_kernel::{InventoryItemId, LocationId, Text};
use utoipa::ToSchema;

use crate::inventory::error::InventoryError;
use crate::inventory::model::{MOST, StockChange};

/// Most lines of one count.
const MOST_LINES: usize = 200;

/// What was counted at one location. All of it is applied or none.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"location": "loc_01h455vb4pex5vsknk084sn02q",
    "lines": [{"item": "iit_01h455vb4pex5vsknk084sn02q", "seen": 12, "counted": 11}]}))]
pub struct StockCount {
    pub location: LocationId,
    /// 1 to 200, each of another item.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<Counted>,
    /// Why it was counted: `counted` when left out.
    #[schema(example = "counted")]
    pub reason: Option<Text<80>>,
}

/// One item of a count.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    pub item: InventoryItemId,
    /// `on_hand` as it was shown to whoever went to count. If something left or came meanwhile, the count is refused.
    #[schema(example = 12, minimum = 0)]
    pub seen: i64,
    /// Pieces that lie there.
    #[schema(example = 11, minimum = 0)]
    pub counted: i64,
}

impl StockCount {
    /// The items in the order in which levels are locked.
    pub fn in_order(&self) -> Result<Vec<Counted>, InventoryError> {
        let invalid = |message| Err(InventoryError::Invalid { pointer: "/lines", message });
        if !(1..=MOST_LINES).contains(&self.lines.len()) {
            return invalid("must be 1 to 200 lines");
        }
        let within = |pieces: i64| (0..=MOST).contains(&pieces);
        if self.lines.iter().any(|line| !within(line.seen) || !within(line.counted)) {
            return invalid("must have seen and counted from 0 to 999999999");
        }
        let mut lines = self.lines.clone();
        lines.sort_by_key(|line| line.item);
        if lines.windows(2).any(|pair| matches!(pair, [one, next] if one.item == next.item)) {
            return invalid("must name each item once");
        }
        Ok(lines)
    }
}

/// What a count made of the shelves.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StockCountView {
    pub location: LocationId,
    /// Lines counted.
    #[schema(example = 1)]
    pub counted: usize,
    /// Of these, those that were not as shown.
    pub changes: Vec<StockChange>,
}
