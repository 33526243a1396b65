//! What stock tells the world. How much there is, is nobody's event: `variant.low_on_stock` and `variant.back_in_stock` are stated by
//! `subscriptions`, which adds up.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_event_bus::Fact;
use souk_kernel::{InventoryItemId, LocationId, StockTransferId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::model::{TransferLineView, TransferView};
use super::state::TransferState;

/// `stock_transfer.moved`: a transfer left, came, came in part, or was cancelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StockTransferMoved {
    pub transfer_id: StockTransferId,
    pub origin: LocationId,
    pub destination: LocationId,
    /// Where it stands now.
    pub state: TransferState,
    pub reference: Option<String>,
    pub lines: Vec<TransferredLine>,
    pub at: DateTime<Utc>,
}

/// One item of a transfer, and what became of it until now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferredLine {
    pub item: InventoryItemId,
    pub sku: Option<String>,
    pub quantity: i64,
    pub received: i64,
    pub lost: i64,
    /// Back at the origin.
    pub returned: i64,
}

impl StockTransferMoved {
    /// Of a transfer as it is now.
    pub fn of(transfer: &TransferView) -> Self {
        let line = |line: &TransferLineView| TransferredLine {
            item: line.item,
            sku: line.sku.clone(),
            quantity: line.quantity,
            received: line.received,
            lost: line.lost,
            returned: line.returned,
        };
        Self {
            transfer_id: transfer.id,
            origin: transfer.origin,
            destination: transfer.destination,
            state: transfer.state,
            reference: transfer.reference.clone(),
            lines: transfer.lines.iter().map(line).collect(),
            at: transfer.updated_at,
        }
    }
}

impl Fact for StockTransferMoved {
    const KIND: &'static str = "stock_transfer.moved";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "stock_transfer";
    fn aggregate_id(&self) -> Uuid {
        self.transfer_id.uuid()
    }
}
