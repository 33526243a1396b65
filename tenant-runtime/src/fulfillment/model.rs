//! What a fulfillment consists of, and which pieces a wish comes to. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_api::FieldError;
use souk_kernel::{FulfillmentId, InventoryItemId, OrderId, OrderLineId, Quantity, Text};
use utoipa::ToSchema;

use super::state::FulfillmentState;
use crate::inventory::{CameBack, Shipped};
use crate::orders::OpenLine;

/// What to send.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "tracking": { "company": "DHL", "number": "00340434161094042557",
    "url": "https://www.dhl.de/track?piececode=00340434161094042557" } }))]
pub struct NewFulfillment {
    /// Everything that is left when absent or empty.
    #[serde(default)]
    pub lines: Vec<LineWish>,
    #[serde(default, deserialize_with = "souk_api::json::object")]
    pub tracking: Tracking,
    /// Tell the shopper, and whoever follows the order, by mail.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub notify: bool,
}

const fn yes() -> bool {
    true
}

/// How to follow it from now on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "tracking": { "company": "DHL", "number": "00340434161094042557" } }))]
pub struct EditFulfillment {
    /// In place of what was known.
    #[serde(deserialize_with = "souk_api::json::object")]
    pub tracking: Tracking,
    /// Tell the shopper, by the same mail again.
    #[serde(default)]
    #[schema(default = false)]
    pub notify: bool,
}

/// Pieces of a line.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineWish {
    pub line: OrderLineId,
    /// All that are left when absent.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, example = 1)]
    pub quantity: Option<Quantity>,
}

/// How to follow it on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tracking {
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "DHL")]
    pub company: Option<Text<80>>,
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "00340434161094042557")]
    pub number: Option<Text<100>>,
    /// Where it is shown on a map: `https`, or `http`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "https://www.dhl.de/track?piececode=00340434161094042557")]
    pub url: Option<Text<2000>>,
}

impl Tracking {
    /// What is wrong about it, if anything.
    pub fn mistake(&self) -> Option<FieldError> {
        let url = url::Url::parse(self.url.as_ref()?.as_str());
        let fine = url.is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
        let message = "must be an address that begins with https:// or http://";
        (!fine).then(|| FieldError::new("/tracking/url", "invalid", message))
    }
}

/// Pieces of one line that leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub line: OrderLineId,
    /// What one piece takes off the shelves; nothing for what is in no stock.
    pub takes: Vec<(InventoryItemId, u32)>,
    pub title: String,
    pub variant_title: String,
    pub sku: Option<String>,
    pub pieces: u32,
}

impl Part {
    fn of(line: &OpenLine, pieces: u32) -> Self {
        Self {
            line: line.line,
            takes: line.takes(),
            title: line.title.clone(),
            variant_title: line.variant_title.clone(),
            sku: line.sku.clone(),
            pieces,
        }
    }
}

/// Why a wish cannot be granted.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// It makes no sense, whatever was sent so far.
    Fields(Vec<FieldError>),
    /// More than is left.
    Exceeds(Vec<FieldError>),
    /// Nothing is left at all.
    Nothing,
}

/// What a wish comes to, line by line, in the order's order.
///
/// # Errors
/// See [`Refused`]; every complaint names its place in the request.
pub fn plan(open: &[OpenLine], wishes: &[LineWish]) -> Result<Vec<Part>, Refused> {
    let left = open.iter().filter(|line| line.left > 0);
    if wishes.is_empty() {
        let all: Vec<_> = left.map(|line| Part::of(line, line.left)).collect();
        return if all.is_empty() { Err(Refused::Nothing) } else { Ok(all) };
    }
    let (mut parts, mut wrong, mut exceeds) = (Vec::new(), Vec::new(), Vec::new());
    for (place, wish) in wishes.iter().enumerate() {
        let at = format!("/lines/{place}");
        let twice = wishes.iter().take(place).any(|earlier| earlier.line == wish.line);
        let complain = |code, message| FieldError::new(format!("{at}/line"), code, message);
        match open.iter().position(|line| line.line == wish.line) {
            _ if twice => wrong.push(complain("duplicate", "must be named once")),
            None => wrong.push(complain("unknown", "must be a line of this order")),
            Some(position) => {
                let line = &open[position];
                let pieces = wish.quantity.map_or(line.left, Quantity::get);
                if pieces == 0 || pieces > line.left {
                    let message = match line.left {
                        0 => "must be left out: nothing of it is left to send".to_owned(),
                        left => format!("must be at most {left}"),
                    };
                    exceeds.push(FieldError::new(format!("{at}/quantity"), "exceeds", message));
                } else {
                    parts.push((position, Part::of(line, pieces)));
                }
            }
        }
    }
    if !wrong.is_empty() {
        return Err(Refused::Fields(wrong));
    }
    if !exceeds.is_empty() {
        return Err(Refused::Exceeds(exceeds));
    }
    parts.sort_unstable_by_key(|(position, _)| *position);
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

/// The same by item, as far as it is in stock: two lines may be of one thing.
pub fn by_item<'p>(parts: impl IntoIterator<Item = &'p Part>) -> Vec<(InventoryItemId, i64)> {
    let mut items = BTreeMap::new();
    for part in parts {
        for (item, each) in &part.takes {
            *items.entry(*item).or_insert(0) += i64::from(part.pieces) * i64::from(*each);
        }
    }
    items.into_iter().collect()
}

/// Which of the pieces that come back the order still wants: as many of each item as its lines have left more than before.
pub fn come_back(shipped: &[Shipped], before: &[OpenLine], after: &[OpenLine]) -> Vec<CameBack> {
    let left = |lines: &[OpenLine], item: InventoryItemId| {
        let takes = |line: &OpenLine| {
            let of_item = line.takes().into_iter().filter(|(taken, _)| *taken == item);
            of_item.map(|(_, each)| i64::from(line.left) * i64::from(each)).sum::<i64>()
        };
        lines.iter().map(takes).sum::<i64>()
    };
    let mut wanted: BTreeMap<InventoryItemId, i64> = BTreeMap::new();
    let pieces = |one: &Shipped| {
        let rest = wanted.entry(one.item).or_insert_with(|| left(after, one.item) - left(before, one.item));
        let wanted = one.pieces.min(*rest).max(0);
        *rest -= wanted;
        CameBack { shipped: *one, wanted }
    };
    shipped.iter().map(pieces).collect()
}

/// What left the house together.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FulfillmentView {
    pub id: FulfillmentId,
    pub order: OrderId,
    #[schema(example = "#1001-F1")]
    pub name: String,
    pub state: FulfillmentState,
    pub lines: Vec<FulfillmentLineView>,
    pub tracking: Tracking,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub cancelled_at: Option<DateTime<Utc>>,
    /// Grows with every change; the ETag.
    pub version: i64,
}

/// Pieces of one line of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FulfillmentLineView {
    /// The order's line.
    pub line: OrderLineId,
    #[schema(example = "Enamel mug")]
    pub title: String,
    #[schema(example = "Blue")]
    pub variant_title: String,
    pub sku: Option<String>,
    #[schema(example = 2)]
    pub quantity: i32,
}

#[cfg(test)]
mod tests {
    use souk_kernel::LocationId;

    use super::*;

    fn line(left: u32) -> OpenLine {
        let (line, item) = (OrderLineId::new(), Some(InventoryItemId::new()));
        let (title, variant_title) = ("Mug".to_owned(), String::new());
        let components = Vec::new();
        OpenLine {
            line,
            item,
            components,
            title,
            variant_title,
            sku: None,
            quantity: 5,
            sent: 5 - left,
            left,
        }
    }

    fn wish(line: &OpenLine, quantity: Option<u32>) -> LineWish {
        LineWish { line: line.line, quantity: quantity.map(|number| Quantity::new(number).unwrap()) }
    }

    fn pieces(outcome: Result<Vec<Part>, Refused>) -> Vec<u32> {
        outcome.unwrap().iter().map(|part| part.pieces).collect()
    }

    #[test]
    fn everything_that_is_left_unless_it_says_otherwise() {
        let open = [line(2), line(0), line(3)];
        assert_eq!(pieces(plan(&open, &[])), [2, 3]);
        assert_eq!(pieces(plan(&open, &[wish(&open[2], None), wish(&open[0], Some(1))])), [1, 3]);
        assert_eq!(plan(&open[1..2], &[]), Err(Refused::Nothing));
    }

    #[test]
    fn what_makes_no_sense_is_said_where_it_stands() {
        let open = [line(2), line(0)];
        let pointer = |wishes: &[LineWish]| match plan(&open, wishes) {
            Err(Refused::Fields(errors) | Refused::Exceeds(errors)) => errors[0].pointer.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(pointer(&[wish(&line(1), None)]), "/lines/0/line");
        assert_eq!(pointer(&[wish(&open[0], Some(1)), wish(&open[0], Some(1))]), "/lines/1/line");
        assert_eq!(pointer(&[wish(&open[0], Some(3))]), "/lines/0/quantity");
        assert_eq!(pointer(&[wish(&open[1], None)]), "/lines/0/quantity");
    }

    #[test]
    fn what_the_order_does_not_want_any_more_goes_on_sale() {
        let (before, mut after) = (line(0), line(0));
        after.item = before.item;
        after.left = 2;
        let item = before.item.unwrap();
        let shipped = |pieces| Shipped { item, location: LocationId::new(), pieces };
        let back = come_back(&[shipped(1), shipped(2)], std::slice::from_ref(&before), &[after]);
        assert_eq!(back.iter().map(|one| one.wanted).collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn a_link_leads_somewhere() {
        let tracking = |url: &str| Tracking { url: Text::parse(url).ok(), ..Tracking::default() };
        assert_eq!(tracking("https://dhl.example/1").mistake(), None);
        for wrong in ["javascript:alert(1)", "dhl.example/1", "mailto:a@example.com"] {
            assert!(tracking(wrong).mistake().is_some(), "{wrong}");
        }
    }
}
