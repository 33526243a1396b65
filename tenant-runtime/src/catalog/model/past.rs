//! What one piece of a variant cost everybody, and the lowest of it before it became cheaper, as Directive 98/6/EC asks for (article 6a). Pure.
//!
//! Prices are those of lists where lists had one: what counts is what people paid. Lists for groups of customers, and steps from more than one
//! piece on, are nobody's price in general and are left aside.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use souk_kernel::{Currency, Money, MoneyError, Quantity};
use uuid::Uuid;

use super::pricing::{Offer, price_of};

/// How long before a reduction its prices are looked at.
const BEFORE: TimeDelta = TimeDelta::days(30);

/// A base price from some time on.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct BaseSince {
    pub since: DateTime<Utc>,
    pub minor: i64,
}

/// A time in which a list of fixed prices had this one.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct ListedSince {
    pub list: Uuid,
    pub minor: i64,
    pub since: DateTime<Utc>,
    pub until: Option<DateTime<Utc>>,
}

/// A time in which a list was in force with these terms.
#[derive(Clone, Copy, Debug)]
pub struct Spell {
    pub list: Uuid,
    pub priority: i32,
    /// None: of a list of fixed prices.
    pub adjust_ppm: Option<i32>,
    pub since: DateTime<Utc>,
    pub until: Option<DateTime<Utc>>,
}

/// What is known of the prices of a variant in one currency and market.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    pub currency: Currency,
    /// Oldest first.
    pub bases: &'a [BaseSince],
    pub listed: &'a [ListedSince],
    pub spells: &'a [Spell],
}

fn covers(since: DateTime<Utc>, until: Option<DateTime<Utc>>, at: DateTime<Utc>) -> bool {
    since <= at && until.is_none_or(|until| at < until)
}

impl Past<'_> {
    fn price_at(&self, at: DateTime<Utc>) -> Result<Option<Money>, MoneyError> {
        let Some(base) = self.bases.iter().rfind(|base| base.since <= at) else { return Ok(None) };
        let fixed = |list: Uuid| {
            let is_it = |one: &&ListedSince| one.list == list && covers(one.since, one.until, at);
            self.listed.iter().find(is_it).map(|one| one.minor)
        };
        let offer = |spell: &Spell| {
            let amount_minor = if spell.adjust_ppm.is_some() { None } else { Some(fixed(spell.list)?) };
            Some(Offer {
                list: spell.list,
                name: String::new(),
                priority: spell.priority,
                min_quantity: 1,
                amount_minor,
                adjust_ppm: spell.adjust_ppm,
                for_groups: false,
                admitted: true,
            })
        };
        let in_force = self.spells.iter().filter(|spell| covers(spell.since, spell.until, at));
        let offers: Vec<Offer> = in_force.filter_map(offer).collect();
        let (price, _) = price_of(Money::new(base.minor, self.currency), &offers, Quantity::ONE)?;
        Ok(Some(price))
    }

    /// Every price there was, from when on, oldest first; none is the one before it.
    fn steps(&self, now: DateTime<Utc>) -> Result<Vec<(DateTime<Utc>, Money)>, MoneyError> {
        let listed = self.listed.iter().flat_map(|one| [Some(one.since), one.until]);
        let spells = self.spells.iter().flat_map(|one| [Some(one.since), one.until]);
        let mut times: Vec<_> = listed.chain(spells).flatten().collect();
        times.extend(self.bases.iter().map(|base| base.since));
        times.retain(|time| *time <= now);
        times.sort_unstable();
        times.dedup();
        let mut steps: Vec<(DateTime<Utc>, Money)> = Vec::with_capacity(times.len());
        for time in times {
            if let Some(price) = self.price_at(time)?
                && steps.last().is_none_or(|(_, last)| *last != price)
            {
                steps.push((time, price));
            }
        }
        Ok(steps)
    }

    /// The lowest price of the 30 days before the present one came, if that is a reduction; else of the last 30 days. None without a price.
    ///
    /// # Errors
    /// A price that cannot be counted.
    pub fn lowest(&self, now: DateTime<Utc>) -> Result<Option<Money>, MoneyError> {
        let steps = self.steps(now)?;
        let Some(((since, present), former)) = steps.split_last() else { return Ok(None) };
        let is_reduced = former.last().is_some_and(|(_, before)| before.minor() > present.minor());
        let end = if is_reduced { *since } else { now };
        let begin = end - BEFORE;
        // Of the former ones, those that were in force for a while of these days: each until the next one came.
        let ends = steps.iter().skip(1).map(|(next, _)| *next);
        let lately = former.iter().zip(ends).filter(|(_, end)| *end > begin).map(|((_, price), _)| *price);
        let counted = lately.chain(Some(*present).filter(|_| !is_reduced));
        Ok(counted.min_by_key(|price| price.minor()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_000;

    fn day(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(number)
    }

    fn bases(days: &[(i64, i64)]) -> Vec<BaseSince> {
        days.iter().map(|(ago, minor)| BaseSince { since: day(NOW - ago), minor: *minor }).collect()
    }

    fn spell(list: u128, adjust_ppm: Option<i32>, from: i64, until: Option<i64>) -> Spell {
        let until = until.map(|ago| day(NOW - ago));
        Spell { list: Uuid::from_u128(list), priority: 0, adjust_ppm, since: day(NOW - from), until }
    }

    fn lowest(bases: &[BaseSince], listed: &[ListedSince], spells: &[Spell]) -> Option<i64> {
        let past = Past { currency: "EUR".parse().unwrap(), bases, listed, spells };
        past.lowest(day(NOW)).unwrap().map(Money::minor)
    }

    #[test]
    fn a_reduction_is_held_against_the_days_before_it() {
        for (days, found) in [
            // It costs what it always did.
            (vec![(90, 1_000)], 1_000),
            (vec![(0, 1_000)], 1_000),
            // Reduced: the reduced price itself does not count, however long it lasts.
            (vec![(90, 1_000), (5, 800)], 1_000),
            (vec![(90, 1_000), (60, 800)], 1_000),
            // Raised shortly before.
            (vec![(90, 900), (12, 1_200), (5, 1_000)], 900),
            (vec![(90, 900), (40, 1_200), (5, 1_000)], 1_200),
            // Reduced twice: before the second time.
            (vec![(90, 1_000), (20, 900), (5, 800)], 900),
            // Raised since: the last days, today's included.
            (vec![(90, 1_000), (20, 800), (5, 1_000)], 800),
            (vec![(90, 800), (5, 1_000)], 800),
            (vec![(90, 800), (40, 1_000)], 1_000),
            // The day on which 30 days begin.
            (vec![(90, 500), (35, 1_000), (5, 900)], 1_000),
            (vec![(90, 500), (34, 1_000), (5, 900)], 500),
        ] {
            assert_eq!(lowest(&bases(&days), &[], &[]), Some(found), "{days:?}");
        }
        assert_eq!(lowest(&[], &[], &[]), None);
    }

    #[test]
    fn prices_of_lists_are_prices() {
        let base = bases(&[(90, 1_000)]);
        let tenth = |from, until| spell(1, Some(-100_000), from, until);
        // A sale that is on, one that was, one that is to come.
        assert_eq!(lowest(&base, &[], &[tenth(5, None)]), Some(1_000));
        assert_eq!(lowest(&base, &[], &[tenth(20, Some(10))]), Some(900));
        assert_eq!(lowest(&base, &[], &[tenth(60, Some(40))]), Some(1_000));
        assert_eq!(lowest(&base, &[], &[tenth(-5, None)]), Some(1_000));
        // A sale again within 30 days: what was paid in the first one.
        assert_eq!(lowest(&base, &[], &[tenth(25, Some(20)), tenth(5, None)]), Some(900));
        // Fixed prices, the former one of the same list.
        let listed = |minor, from: i64, until: Option<i64>| ListedSince {
            list: Uuid::from_u128(2),
            minor,
            since: day(NOW - from),
            until: until.map(|ago| day(NOW - ago)),
        };
        let fixed = spell(2, None, 60, None);
        assert_eq!(lowest(&base, &[listed(700, 60, Some(10)), listed(600, 10, None)], &[fixed]), Some(700));
        // A price of a list that is not in force is none.
        assert_eq!(lowest(&base, &[listed(700, 60, None)], &[]), Some(1_000));
    }

    proptest! {
        /// Whatever happened: it is a price that somebody paid, and never the reduced one.
        #[test]
        fn it_was_a_price(days in proptest::collection::vec((0_i64..120, 1_i64..50), 1..12)) {
            let mut days = days;
            days.sort_by_key(|(ago, _)| -ago);
            days.dedup_by_key(|(ago, _)| *ago);
            let found = lowest(&bases(&days), &[], &[]).unwrap();
            prop_assert!(days.iter().any(|(_, minor)| *minor == found));
            let present = days.last().unwrap().1;
            let former = days.iter().rev().find(|(_, minor)| *minor != present);
            if former.is_some_and(|(_, minor)| *minor > present) {
                prop_assert!(found >= days.iter().map(|(_, minor)| *minor).min().unwrap());
            } else {
                prop_assert!(found <= present);
            }
        }
    }
}
