//! Which location serves a demand.

use std::collections::BTreeMap;

use souk_kernel::{InventoryItemId, LocationId};

use crate::inventory::error::Shortage;
use crate::inventory::model::Demand;

/// A locked level: of a location, or of one of its buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Of what.
    pub item: InventoryItemId,
    /// Where.
    pub location: LocationId,
    /// The location as people know it: itself, or whose bucket it is.
    pub main: LocationId,
    /// Pieces free, below zero when on backorder.
    pub available: i64,
    /// Of these, pieces that checkouts leave.
    pub safety: i64,
    /// How far below zero it may go.
    pub backorderable: i64,
    /// Lower serves first.
    pub priority: i32,
    /// Whether it serves at all.
    pub active: bool,
}

impl Level {
    /// Pieces in the shelf that may be sold.
    pub fn stock(&self) -> i64 {
        if self.active { (self.available - self.safety).max(0) } else { 0 }
    }

    /// The same with those that may be promised beyond it.
    fn room(&self) -> i64 {
        match (self.active, self.backorderable) {
            (false, _) => 0,
            (true, 0) => self.stock(),
            (true, beyond) => (self.available + beyond).max(0),
        }
    }
}

/// Demands of the same item become one; in the order of ids.
pub fn merged(demands: &[Demand]) -> BTreeMap<InventoryItemId, i64> {
    let mut wanted = BTreeMap::new();
    for demand in demands {
        *wanted.entry(demand.item).or_insert(0) += i64::from(demand.quantity.get());
    }
    wanted
}

/// Which row gives how much. By priority, then id: the first location that has everything; else several, each as much as it has; and only
/// what no location has is promised beyond the stock, all of it at one location if that may be.
pub fn plan(
    wanted: &BTreeMap<InventoryItemId, i64>,
    levels: &[Level],
) -> Result<Vec<(InventoryItemId, LocationId, i64)>, Vec<Shortage>> {
    let (mut taken, mut short) = (Vec::new(), Vec::new());
    for (&item, &quantity) in wanted {
        let mut of_item: Vec<_> = levels.iter().filter(|level| level.item == item).collect();
        of_item
            .sort_by_key(|level| (level.priority, level.main, level.location != level.main, level.location));
        let (parts, rest) = shares(&of_item, quantity);
        taken.extend(parts.into_iter().map(|(location, pieces)| (item, location, pieces)));
        if rest > 0 {
            short.push(Shortage { item, wanted: quantity, available: quantity - rest });
        }
    }
    if short.is_empty() { Ok(taken) } else { Err(short) }
}

/// The parts of one item, and what nobody has.
fn shares(levels: &[&Level], quantity: i64) -> (Vec<(LocationId, i64)>, i64) {
    for place in levels.chunk_by(|one, next| one.main == next.main) {
        if let Some(whole) = place.iter().find(|level| level.stock() >= quantity) {
            return (vec![(whole.location, quantity)], 0);
        }
        let (parts, rest) = split(place, quantity, Level::stock);
        if rest == 0 {
            return (parts, 0);
        }
    }
    let (parts, rest) = split(levels, quantity, Level::stock);
    if rest == 0 {
        return (parts, 0);
    }
    match levels.iter().find(|level| level.room() >= quantity) {
        Some(whole) => (vec![(whole.location, quantity)], 0),
        None => split(levels, quantity, Level::room),
    }
}

fn split(levels: &[&Level], quantity: i64, has: impl Fn(&Level) -> i64) -> (Vec<(LocationId, i64)>, i64) {
    let (mut parts, mut rest) = (Vec::new(), quantity);
    for &level in levels {
        let part = has(level).min(rest);
        if part > 0 {
            parts.push((level.location, part));
            rest -= part;
        }
    }
    (parts, rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::inventory::model::UNBOUNDED;

    fn level(item: InventoryItemId, priority: i32, available: i64, backorderable: i64) -> Level {
        let location = LocationId::new();
        Level { item, location, main: location, available, safety: 0, backorderable, priority, active: true }
    }

    #[test]
    fn one_location_that_has_everything_comes_before_splitting() {
        let item = InventoryItemId::new();
        let levels = [level(item, 0, 2, 0), level(item, 1, 9, 0)];
        let wanted = BTreeMap::from([(item, 5)]);
        assert_eq!(plan(&wanted, &levels), Ok(vec![(item, levels[1].location, 5)]));
        let wanted = BTreeMap::from([(item, 10)]);
        let split = vec![(item, levels[0].location, 2), (item, levels[1].location, 8)];
        assert_eq!(plan(&wanted, &levels), Ok(split));
    }

    #[test]
    fn too_little_says_how_much_there_is() {
        let item = InventoryItemId::new();
        let short = plan(&BTreeMap::from([(item, 5)]), &[level(item, 0, 3, 0)]);
        assert_eq!(short, Err(vec![Shortage { item, wanted: 5, available: 3 }]));
        let none = plan(&BTreeMap::from([(item, 1)]), &[]);
        assert_eq!(none, Err(vec![Shortage { item, wanted: 1, available: 0 }]));
    }

    #[test]
    fn backorders_go_below_zero_and_closed_locations_give_nothing() {
        let item = InventoryItemId::new();
        let wanted = BTreeMap::from([(item, 5)]);
        assert!(plan(&wanted, &[level(item, 0, -3, UNBOUNDED)]).is_ok());
        let closed = Level { active: false, ..level(item, 0, 50, 0) };
        assert!(plan(&wanted, &[closed]).is_err());
    }

    #[test]
    fn what_lies_somewhere_is_sold_before_anything_is_promised_and_up_to_the_limit_only() {
        let item = InventoryItemId::new();
        let levels = [level(item, 0, 0, 3), level(item, 1, 4, 0)];
        let asks = |pieces| plan(&BTreeMap::from([(item, pieces)]), &levels);
        assert_eq!(asks(4), Ok(vec![(item, levels[1].location, 4)]));
        let both = vec![(item, levels[0].location, 3), (item, levels[1].location, 4)];
        assert_eq!(asks(7), Ok(both));
        assert_eq!(asks(8), Err(vec![Shortage { item, wanted: 8, available: 7 }]));
    }

    #[test]
    fn the_safety_stock_stays_in_the_shelf() {
        let item = InventoryItemId::new();
        let kept = Level { safety: 2, ..level(item, 0, 5, 0) };
        let asks = |pieces| plan(&BTreeMap::from([(item, pieces)]), &[kept]);
        assert_eq!(asks(3), Ok(vec![(item, kept.location, 3)]));
        assert_eq!(asks(4), Err(vec![Shortage { item, wanted: 4, available: 3 }]));
    }

    #[test]
    fn the_buckets_of_a_location_are_the_location() {
        let item = InventoryItemId::new();
        let main = level(item, 0, 1, 0);
        let bucket = |available| Level { main: main.location, available, ..level(item, 0, 0, 0) };
        let levels = [main, bucket(2), bucket(2), level(item, 1, 3, 0)];
        // Five lie at the first location; the second has three of them whole, and is not asked.
        let parts = plan(&BTreeMap::from([(item, 3)]), &levels).unwrap();
        assert_eq!(parts.iter().map(|part| part.2).sum::<i64>(), 3);
        assert!(parts.iter().all(|part| part.1 != levels[3].location));
    }

    proptest! {
        /// Nobody gives more than there is, nobody is refused what there is, and the order of the rows does not matter.
        #[test]
        fn plans_are_whole(rows in prop::collection::vec((0_i32..3, -5_i64..20, 0_i64..5, 0_i64..4, any::<bool>()), 0..6), wants in 1_i64..60) {
            let item = InventoryItemId::new();
            let made = |&(priority, available, beyond, safety, active): &(i32, i64, i64, i64, bool)| {
                Level { safety, active, ..level(item, priority, available, beyond) }
            };
            let levels: Vec<_> = rows.iter().map(made).collect();
            let wanted = BTreeMap::from([(item, wants)]);
            let room: i64 = levels.iter().map(Level::room).sum();
            match plan(&wanted, &levels) {
                Ok(parts) => {
                    prop_assert_eq!(parts.iter().map(|part| part.2).sum::<i64>(), wants);
                    for (_, location, pieces) in &parts {
                        let level = levels.iter().find(|level| level.location == *location).unwrap();
                        prop_assert!(*pieces > 0 && *pieces <= level.room().max(level.stock()));
                    }
                }
                Err(short) => {
                    prop_assert!(room < wants);
                    prop_assert_eq!(short, vec![Shortage { item, wanted: wants, available: room }]);
                }
            }
            let backwards: Vec<_> = levels.iter().rev().copied().collect();
            prop_assert_eq!(plan(&wanted, &levels), plan(&wanted, &backwards));
        }
    }
}
