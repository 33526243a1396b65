//! Transfers as people send and see them.

use std::collections::HashSet;

use chrono::{DateTime, Datelike as _, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{InventoryItemId, LocationId, LongText, StockTransferId, Text, VariantId};
use utoipa::{IntoParams, ToSchema};

use crate::inventory::error::InventoryError;
use crate::inventory::model::MOST;
use crate::inventory::state::TransferState;

/// Most lines of one transfer.
const MOST_LINES: usize = 200;

/// Goods that go from one location to another.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TransferView {
    pub id: StockTransferId,
    pub origin: LocationId,
    pub destination: LocationId,
    pub state: TransferState,
    #[schema(example = "TR-17")]
    pub reference: Option<String>,
    pub note: Option<String>,
    pub expected_at: Option<DateTime<Utc>>,
    pub sent_at: Option<DateTime<Utc>>,
    /// When all of it was received, or it was cancelled.
    pub ended_at: Option<DateTime<Utc>>,
    pub lines: Vec<TransferLineView>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// One item of a transfer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TransferLineView {
    pub item: InventoryItemId,
    pub variant: Option<VariantId>,
    pub sku: Option<String>,
    #[schema(example = 10)]
    pub quantity: i64,
    /// Pieces that lie at the destination.
    pub received: i64,
    /// Pieces that never came, or came broken.
    pub lost: i64,
    /// Pieces that went back to the origin.
    pub returned: i64,
    /// Pieces still on their way.
    pub incoming: i64,
}

/// A transfer that is being put together.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"origin": "loc_01h455vb4pex5vsknk084sn02q", "destination": "loc_01h455vb4pex5vsknk084sn02r",
    "lines": [{"item": "iit_01h455vb4pex5vsknk084sn02q", "quantity": 1}], "reference": "TR-17"}))]
pub struct CreateTransfer {
    pub origin: LocationId,
    pub destination: LocationId,
    /// 1 to 200, each of another item.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<NewTransferLine>,
    pub reference: Option<Text<80>>,
    pub note: Option<LongText<2000>>,
    /// When it should be there.
    pub expected_at: Option<DateTime<Utc>>,
}

/// So many of an item.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTransferLine {
    pub item: InventoryItemId,
    #[schema(example = 10, minimum = 1, maximum = 999999999)]
    pub quantity: i64,
}

impl CreateTransfer {
    pub fn check(&self) -> Result<(), InventoryError> {
        if self.origin == self.destination {
            return Err(InventoryError::Invalid {
                pointer: "/destination",
                message: "must be another location than the origin",
            });
        }
        soon(self.expected_at)?;
        whole(&self.lines)
    }
}

/// What changes about a draft; what is left out stays. `lines` replaces all of them.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reference": "TR-18", "note": "By the morning van"}))]
pub struct EditTransfer {
    pub lines: Option<Vec<NewTransferLine>>,
    pub reference: Option<Text<80>>,
    pub note: Option<LongText<2000>>,
    pub expected_at: Option<DateTime<Utc>>,
}

impl EditTransfer {
    pub fn check(&self) -> Result<(), InventoryError> {
        soon(self.expected_at)?;
        self.lines.as_deref().map_or(Ok(()), whole)
    }
}

fn soon(at: Option<DateTime<Utc>>) -> Result<(), InventoryError> {
    if at.is_none_or(|at| (2000..=2999).contains(&at.year())) {
        return Ok(());
    }
    Err(InventoryError::Invalid { pointer: "/expected_at", message: "must be from the year 2000 to 2999" })
}

fn whole(lines: &[NewTransferLine]) -> Result<(), InventoryError> {
    let invalid = |message| Err(InventoryError::Invalid { pointer: "/lines", message });
    if !(1..=MOST_LINES).contains(&lines.len()) {
        return invalid("must be 1 to 200 lines");
    }
    if lines.iter().any(|line| !(1..=MOST).contains(&line.quantity)) {
        return invalid("must have quantities from 1 to 999999999");
    }
    let items: HashSet<_> = lines.iter().map(|line| line.item).collect();
    if items.len() < lines.len() {
        return invalid("must name each item once");
    }
    Ok(())
}

/// What came of a transfer. Without lines: everything that is still on its way.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct ReceiveTransfer {
    pub lines: Option<Vec<ReceivedLine>>,
}

/// What came of one item.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceivedLine {
    pub item: InventoryItemId,
    /// Pieces to be put on the shelf.
    #[schema(example = 8, minimum = 0)]
    pub received: i64,
    /// Pieces that will not come, or came broken.
    #[serde(default)]
    #[schema(example = 0, minimum = 0)]
    pub lost: i64,
}

impl ReceiveTransfer {
    /// What each line of the transfer takes of it, in the order of items: received, lost.
    pub fn of(&self, lines: &[TransferLineView]) -> Result<Vec<ReceivedLine>, InventoryError> {
        let invalid = |message| Err(InventoryError::Invalid { pointer: "/lines", message });
        let Some(wish) = &self.lines else {
            let rest =
                |line: &TransferLineView| ReceivedLine { item: line.item, received: line.incoming, lost: 0 };
            return Ok(lines.iter().filter(|line| line.incoming > 0).map(rest).collect());
        };
        let items: HashSet<_> = wish.iter().map(|line| line.item).collect();
        if wish.is_empty() || items.len() < wish.len() {
            return invalid("must name at least one item, and each once");
        }
        for line in wish {
            let Some(known) = lines.iter().find(|known| known.item == line.item) else {
                return invalid("must name items of the transfer");
            };
            let within = |pieces: i64| (0..=MOST).contains(&pieces);
            if !within(line.received) || !within(line.lost) || line.received + line.lost == 0 {
                return invalid("must have received or lost from 1 to 999999999");
            }
            if line.received + line.lost > known.incoming {
                return invalid("must not be more than is still on its way");
            }
        }
        let mut wish = wish.clone();
        wish.sort_by_key(|line| line.item);
        Ok(wish)
    }
}

/// Which transfers.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TransferFilter {
    /// Only in this state.
    pub state: Option<TransferState>,
    /// Only from there.
    pub origin: Option<LocationId>,
    /// Only to there.
    pub destination: Option<LocationId>,
    /// Only with this item.
    pub item: Option<InventoryItemId>,
}
