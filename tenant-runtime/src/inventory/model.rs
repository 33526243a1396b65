//! The words of stock.

mod allocation;
mod count;
mod item;
mod place;
mod transfer;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{
    CartId, InventoryItemId, LocationId, OrderId, ProductId, Quantity, StockMovementId, StockTransferId,
    Text, VariantId,
};
use utoipa::{IntoParams, ToSchema};

pub use allocation::{Level, merged, plan};
pub use count::{Counted, StockCount, StockCountView};
pub use item::{InventoryItemView, PutInventoryItem};
pub use place::{CreateLocation, EditLocation, LocationView};
pub use transfer::{
    CreateTransfer, EditTransfer, NewTransferLine, ReceiveTransfer, ReceivedLine, TransferFilter,
    TransferLineView, TransferView,
};

use super::error::InventoryError;

/// Backorders a level takes when its variant is sold without regard to stock.
pub const UNBOUNDED: i64 = 999_999_999;
/// Most pieces on hand.
pub const MOST: i64 = 999_999_999;

/// What happens when there is no stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// It cannot be bought.
    #[default]
    Deny,
    /// It can be bought; it follows later.
    Continue,
}

impl Policy {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Continue => "continue",
        }
    }

    /// How far below zero the level may go.
    pub const fn backorderable(self) -> i64 {
        match self {
            Self::Deny => 0,
            Self::Continue => UNBOUNDED,
        }
    }

    /// The policy of a word; what is unknown denies.
    pub fn of(word: &str) -> Self {
        if word == "continue" { Self::Continue } else { Self::Deny }
    }
}

/// Why a level changed, as `stock_movements.kind` keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovementKind {
    /// New goods came.
    Received,
    /// Somebody counted or corrected.
    Adjusted,
    /// They left for another location, or came back before they got there.
    Sent,
    /// They came from another location.
    Arrived,
}

impl MovementKind {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Adjusted => "adjusted",
            Self::Sent => "sent",
            Self::Arrived => "arrived",
        }
    }
}

/// An item to be made, with its level at the first active location.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// Its id.
    pub id: InventoryItemId,
    /// Its variant's SKU.
    pub sku: Option<String>,
    /// Pieces there are.
    pub on_hand: i64,
    /// What happens when there are none.
    pub policy: Policy,
}

/// What lies at the first active location: where whoever names no location means.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    /// None when no location is active.
    pub location: Option<LocationId>,
    /// Pieces of each item; those without a level there are missing.
    pub on_hand: HashMap<InventoryItemId, i64>,
}

/// What a checkout wants. The policy is the caller's knowledge; the level's own `backorderable` decides.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    /// Of what.
    pub item: InventoryItemId,
    /// How much.
    pub quantity: Quantity,
    /// What the variant says.
    pub policy: Policy,
}

/// Stock that is kept for a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Of what.
    pub item: InventoryItemId,
    /// Where.
    pub location: LocationId,
    /// How much.
    pub quantity: Quantity,
}

/// Pieces that a placed order gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// Of what.
    pub item: InventoryItemId,
    /// How many.
    pub pieces: i64,
    /// Whether they go back on sale; else they are out of the books.
    pub restock: bool,
}

/// Pieces that left a shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// Of what.
    pub item: InventoryItemId,
    /// From where.
    pub location: LocationId,
    /// How many.
    pub pieces: i64,
}

/// Pieces that are put back on the shelf they came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CameBack {
    pub shipped: Shipped,
    /// Of these, pieces that the order still wants; the others are on sale again.
    pub wanted: i64,
}

/// Whether what a checkout had reserved became the order's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commitment {
    /// All of it is the order's.
    Committed,
    /// It ran out and somebody else has it; nothing is held for the cart any more.
    Gone,
}

/// How much there is of one item at one location.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LevelView {
    pub item: InventoryItemId,
    pub location: LocationId,
    /// The variant it is the stock of; null when that is gone.
    pub variant: Option<VariantId>,
    pub product: Option<ProductId>,
    #[schema(example = "Linen shirt")]
    pub product_title: Option<String>,
    #[schema(example = "L / White")]
    pub variant_title: Option<String>,
    #[schema(example = "SHIRT-L-W")]
    pub sku: Option<String>,
    /// Pieces in the shelf.
    #[schema(example = 12)]
    pub on_hand: i64,
    /// Of these, damaged or set aside.
    pub unavailable: i64,
    /// Of these, sold and not yet sent.
    pub committed: i64,
    /// Of these, kept for running checkouts.
    pub reserved: i64,
    /// What is left; below zero on backorder.
    #[schema(example = 9)]
    pub available: i64,
    /// Of what is left, pieces that checkouts do not sell.
    pub safety_stock: i64,
    /// Pieces on their way here by transfers.
    pub incoming: i64,
    /// Whether it is sold beyond what there is.
    pub backorders: bool,
    pub version: i64,
    pub updated_at: DateTime<Utc>,
}

/// The four numbers of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Counts {
    #[schema(example = 12)]
    pub on_hand: i64,
    pub unavailable: i64,
    pub committed: i64,
    pub reserved: i64,
}

/// A level that is not the sum of its movements.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LevelDifference {
    pub item: InventoryItemId,
    pub location: LocationId,
    pub level: Counts,
    pub movements: Counts,
}

/// All levels held against their movements.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LevelCheck {
    /// Levels looked at.
    #[schema(example = 120)]
    pub levels: i64,
    /// Levels that differ.
    #[schema(example = 0)]
    pub different: i64,
    /// The first hundred of them.
    pub differences: Vec<LevelDifference>,
}

/// Which levels.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LevelFilter {
    /// Only of this variant.
    pub variant: Option<VariantId>,
    /// Only of this item.
    pub item: Option<InventoryItemId>,
    /// Only there.
    pub location: Option<LocationId>,
    /// Only with at most so many available.
    pub available_at_most: Option<i64>,
}

/// Change what is on hand: by a difference or to a number.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"variant": "var_01h455vb4pex5vsknk084sn02q", "delta": 5, "reason": "received"}))]
pub struct AdjustStock {
    /// Either this …
    pub variant: Option<VariantId>,
    /// … or this.
    pub item: Option<InventoryItemId>,
    /// The first active location when left out.
    pub location: Option<LocationId>,
    /// Pieces more, or fewer when negative. Either this …
    #[schema(example = 5)]
    pub delta: Option<i64>,
    /// … or the number of pieces in the shelf.
    #[schema(example = 40)]
    pub set: Option<i64>,
    /// Why: `received`, `counted`, `damaged`, `lost`, `returned`, or words of your own.
    #[schema(example = "received")]
    pub reason: Text<80>,
}

/// The part of an adjustment that can be checked without looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// So many more.
    By(i64),
    /// So many altogether.
    To(i64),
}

impl AdjustStock {
    /// Exactly one of `delta` and `set`, within bounds.
    pub fn change(&self) -> Result<Change, InventoryError> {
        let invalid = |pointer, message| Err(InventoryError::Invalid { pointer, message });
        match (self.delta, self.set) {
            (Some(delta), None) if delta != 0 && (-MOST..=MOST).contains(&delta) => Ok(Change::By(delta)),
            (Some(_), None) => invalid("/delta", "must be -999999999 to 999999999 and not 0"),
            (None, Some(set)) if (0..=MOST).contains(&set) => Ok(Change::To(set)),
            (None, Some(_)) => invalid("/set", "must be 0 to 999999999"),
            _ => invalid("/delta", "give either delta or set"),
        }
    }
}

/// What an adjustment, a count or a transfer makes of what is on hand somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StockChange {
    pub item: InventoryItemId,
    pub location: LocationId,
    #[schema(example = 12)]
    pub before: i64,
    #[schema(example = 10)]
    pub after: i64,
}

/// One change of one level. Never edited.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MovementView {
    pub id: StockMovementId,
    pub item: InventoryItemId,
    pub location: LocationId,
    pub variant: Option<VariantId>,
    pub sku: Option<String>,
    /// `received`, `reserved`, `unreserved`, `committed`, `released`, `shipped`, `restocked`, `adjusted`, `sent` or `arrived`.
    #[schema(example = "reserved")]
    pub kind: String,
    pub on_hand_delta: i64,
    pub unavailable_delta: i64,
    pub committed_delta: i64,
    #[schema(example = 2)]
    pub reserved_delta: i64,
    pub reason: Option<String>,
    /// The checkout it was for.
    pub cart: Option<CartId>,
    /// The order it was for.
    pub order: Option<OrderId>,
    /// The transfer it belongs to.
    pub transfer: Option<StockTransferId>,
    /// Who did it.
    #[schema(example = "staff:stf_01h455vb4pex5vsknk084sn02q")]
    pub actor: String,
    pub at: DateTime<Utc>,
}

/// Which movements.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MovementFilter {
    /// Only of this variant.
    pub variant: Option<VariantId>,
    /// Only of this item.
    pub item: Option<InventoryItemId>,
    /// Only there.
    pub location: Option<LocationId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adjustment_is_a_difference_or_a_number() {
        let wish = |delta, set| {
            let reason = Text::parse("counted").unwrap();
            AdjustStock { variant: None, item: None, location: None, delta, set, reason }.change()
        };
        assert!(matches!(wish(Some(-4), None), Ok(Change::By(-4))));
        assert!(matches!(wish(None, Some(0)), Ok(Change::To(0))));
        assert!(wish(None, None).is_err());
        assert!(wish(Some(1), Some(1)).is_err());
        assert!(wish(Some(0), None).is_err());
        assert!(wish(None, Some(-1)).is_err());
        assert!(wish(Some(i64::MIN + 1), None).is_err());
    }
}
