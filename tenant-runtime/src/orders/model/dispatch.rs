//! What of an order is still to be sent, and the status that follows from it. Pure.

use souk_kernel::{InventoryItemId, OrderLineId};

use super::FulfillmentStatus;
use crate::catalog::{self, Component};

/// A line of an order, as far as sending goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenLine {
    pub line: OrderLineId,
    /// None for a line that staff made up: it is sent, but leaves no shelf.
    pub item: Option<InventoryItemId>,
    /// What one piece was made of; none unless it is a bundle.
    pub components: Vec<Component>,
    pub title: String,
    pub variant_title: String,
    pub sku: Option<String>,
    /// Pieces that were bought.
    pub quantity: u32,
    /// Pieces that left the house.
    pub sent: u32,
    /// Pieces that are still to leave: neither sent, nor given up by a refund.
    pub left: u32,
}

impl OpenLine {
    /// What one piece takes off the shelves.
    pub fn takes(&self) -> Vec<(InventoryItemId, u32)> {
        self.item.map(|item| catalog::made_of(item, &self.components)).unwrap_or_default()
    }
}

/// How much of an order has left.
pub fn fulfillment_status(lines: &[OpenLine]) -> FulfillmentStatus {
    if lines.iter().all(|line| line.sent == 0) {
        FulfillmentStatus::Unfulfilled
    } else if lines.iter().any(|line| line.left > 0) {
        FulfillmentStatus::PartiallyFulfilled
    } else {
        FulfillmentStatus::Fulfilled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(quantity: u32, sent: u32, left: u32) -> OpenLine {
        let (line, item) = (OrderLineId::new(), Some(InventoryItemId::new()));
        OpenLine {
            line,
            item,
            components: Vec::new(),
            title: String::new(),
            variant_title: String::new(),
            sku: None,
            quantity,
            sent,
            left,
        }
    }

    #[test]
    fn what_is_sent_and_what_is_left_tell_the_status() {
        use FulfillmentStatus as F;
        assert_eq!(fulfillment_status(&[line(2, 0, 2), line(1, 0, 1)]), F::Unfulfilled);
        assert_eq!(fulfillment_status(&[line(2, 0, 0)]), F::Unfulfilled, "all of it was given up");
        assert_eq!(fulfillment_status(&[line(2, 2, 0), line(1, 0, 1)]), F::PartiallyFulfilled);
        assert_eq!(fulfillment_status(&[line(2, 2, 0), line(1, 0, 0)]), F::Fulfilled);
        assert_eq!(fulfillment_status(&[line(3, 2, 0)]), F::Fulfilled, "the third was given up");
    }
}
