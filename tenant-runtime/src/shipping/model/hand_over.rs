//! When a delivery is handed over and when it arrives, by the store's own days. Pure: what the clock shows where the store is comes from outside.

use std::collections::BTreeSet;

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use serde::{Deserialize, Serialize};
use souk_api::ETag;
use utoipa::ToSchema;

/// Holidays that a store may name.
const MOST_HOLIDAYS: usize = 400;
/// A store that does not work for so many days hands nothing over.
const LONGEST_REST: usize = 1000;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }

    fn of(date: NaiveDate) -> Self {
        match date.weekday() {
            Weekday::Mon => Self::Mon,
            Weekday::Tue => Self::Tue,
            Weekday::Wed => Self::Wed,
            Weekday::Thu => Self::Thu,
            Weekday::Fri => Self::Fri,
            Weekday::Sat => Self::Sat,
            Weekday::Sun => Self::Sun,
        }
    }
}

/// On which days a store works.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    days: BTreeSet<Day>,
    holidays: BTreeSet<NaiveDate>,
}

impl Calendar {
    /// From what the columns keep; words that are no day are none.
    pub fn read(days: &str, holidays: Vec<NaiveDate>) -> Self {
        let known = |word: &str| Day::ALL.into_iter().find(|day| day.as_str() == word);
        Self { days: days.split(',').filter_map(known).collect(), holidays: holidays.into_iter().collect() }
    }

    /// As the column keeps its days.
    pub fn kept_days(&self) -> String {
        self.days.iter().map(|day| day.as_str()).collect::<Vec<_>>().join(",")
    }

    /// Its holidays, in order.
    pub fn holidays(&self) -> Vec<NaiveDate> {
        self.holidays.iter().copied().collect()
    }

    fn works_on(&self, date: NaiveDate) -> bool {
        self.days.contains(&Day::of(date)) && !self.holidays.contains(&date)
    }

    /// The first working day from this day on.
    fn first_working_day(&self, date: NaiveDate) -> Option<NaiveDate> {
        date.iter_days().take(LONGEST_REST).find(|date| self.works_on(*date))
    }

    /// So many working days later.
    fn later(&self, date: NaiveDate, days: i32) -> Option<NaiveDate> {
        (0..days).try_fold(date, |date, _| self.first_working_day(date.succ_opt()?))
    }
}

/// How long a rate takes to hand over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandOver {
    pub processing_days: i32,
    pub cut_off: Option<NaiveTime>,
}

/// Days where the store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeliveryDates {
    /// When it is handed over to who delivers it, if it is ordered now; none where the rate does not say.
    #[schema(example = "2026-12-04")]
    pub ships_on: Option<NaiveDate>,
    /// When it arrives, at the earliest and at the latest.
    #[schema(example = "2026-12-07")]
    pub delivered_from: Option<NaiveDate>,
    #[schema(example = "2026-12-09")]
    pub delivered_to: Option<NaiveDate>,
}

/// The days of what is ordered at this time, as the store's clock shows it. An order counts as of its day, from the cut-off on as of the next one,
/// and on a day of rest as of the first working day after it; from there on working days are counted, on the way as well.
pub fn dates(
    ordered: NaiveDateTime,
    hand_over: HandOver,
    calendar: &Calendar,
    (min_days, max_days): (Option<i32>, Option<i32>),
) -> DeliveryDates {
    let HandOver { processing_days, cut_off } = hand_over;
    let is_late = cut_off.is_some_and(|cut_off| ordered.time() >= cut_off);
    let day = if is_late { ordered.date().succ_opt() } else { Some(ordered.date()) };
    let counts_from = day.and_then(|day| calendar.first_working_day(day));
    let ships_on = counts_from.and_then(|day| calendar.later(day, processing_days));
    let arrives = |days: Option<i32>| calendar.later(ships_on?, days?);
    DeliveryDates { ships_on, delivered_from: arrives(min_days), delivered_to: arrives(max_days) }
}

/// On which days the store works: all of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"working_days": ["mon", "tue", "wed", "thu", "fri"], "holidays": ["2026-12-25", "2027-01-01"]}))]
pub struct PutShippingSettings {
    /// At least one.
    pub working_days: Vec<Day>,
    /// Days on which nothing is handed over or delivered, at most 400.
    #[serde(default)]
    pub holidays: Vec<NaiveDate>,
}

impl PutShippingSettings {
    /// The calendar it says.
    ///
    /// # Errors
    /// Pointer, and what would have been right.
    pub fn calendar(self) -> Result<Calendar, (&'static str, &'static str)> {
        if self.working_days.is_empty() {
            return Err(("/working_days", "must name at least one day"));
        }
        if self.holidays.len() > MOST_HOLIDAYS {
            return Err(("/holidays", "must be at most 400"));
        }
        if self.holidays.iter().any(|day| !(1970..=9999).contains(&day.year())) {
            return Err(("/holidays", "must be days from 1970 to 9999"));
        }
        let days = self.working_days.into_iter().collect();
        Ok(Calendar { days, holidays: self.holidays.into_iter().collect() })
    }
}

/// The one row of settings.
#[derive(Clone, Debug)]
pub struct ShippingSettings {
    pub calendar: Calendar,
    pub version: i64,
}

impl ShippingSettings {
    /// The tag that If-Match is held against.
    pub fn etag(&self) -> ETag {
        ETag::new(self.version)
    }
}

/// On which days the store works.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShippingSettingsView {
    pub working_days: Vec<Day>,
    pub holidays: Vec<NaiveDate>,
    #[schema(example = 1)]
    pub version: i64,
}

impl From<ShippingSettings> for ShippingSettingsView {
    fn from(settings: ShippingSettings) -> Self {
        let Calendar { days, holidays } = settings.calendar;
        let (working_days, holidays) = (days.into_iter().collect(), holidays.into_iter().collect());
        Self { working_days, holidays, version: settings.version }
    }
}

#[cfg(test)]
mod rules {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn calendar(holiday: &str) -> Calendar {
        Calendar::read("mon,tue,wed,thu,fri", holiday.parse().ok().into_iter().collect())
    }

    /// Ships, arrives at the earliest and at the latest.
    fn told(ordered: &str, processing: i32, holiday: &str) -> [String; 3] {
        let hand_over = HandOver { processing_days: processing, cut_off: NaiveTime::from_hms_opt(14, 0, 0) };
        let told = dates(ordered.parse().unwrap(), hand_over, &calendar(holiday), (Some(1), Some(3)));
        [told.ships_on, told.delivered_from, told.delivered_to].map(|day| day.unwrap().to_string())
    }

    #[test]
    fn weekends_holidays_and_the_cut_off() {
        // 2026-12-21 is a Monday.
        for (ordered, processing, holiday, expected) in [
            ("2026-12-21T09:00:00", 0, "", ["2026-12-21", "2026-12-22", "2026-12-24"]),
            ("2026-12-21T13:59:59", 0, "", ["2026-12-21", "2026-12-22", "2026-12-24"]),
            ("2026-12-21T14:00:00", 0, "", ["2026-12-22", "2026-12-23", "2026-12-25"]),
            ("2026-12-21T09:00:00", 2, "", ["2026-12-23", "2026-12-24", "2026-12-28"]),
            ("2026-12-18T14:00:00", 0, "", ["2026-12-21", "2026-12-22", "2026-12-24"]),
            ("2026-12-19T09:00:00", 0, "", ["2026-12-21", "2026-12-22", "2026-12-24"]),
            ("2026-12-19T20:00:00", 1, "", ["2026-12-22", "2026-12-23", "2026-12-25"]),
            ("2026-12-24T15:00:00", 0, "2026-12-25", ["2026-12-28", "2026-12-29", "2026-12-31"]),
            ("2026-12-24T09:00:00", 1, "2026-12-25", ["2026-12-28", "2026-12-29", "2026-12-31"]),
            ("2026-12-31T09:00:00", 0, "2027-01-01", ["2026-12-31", "2027-01-04", "2027-01-06"]),
            ("2028-02-28T23:59:59", 0, "", ["2028-02-29", "2028-03-01", "2028-03-03"]),
        ] {
            assert_eq!(told(ordered, processing, holiday), expected, "{ordered} + {processing}");
        }
    }

    #[test]
    fn a_store_that_never_works_tells_no_days() {
        let never = Calendar::read("", Vec::new());
        let hand_over = HandOver { processing_days: 1, cut_off: None };
        let told = dates("2026-12-21T09:00:00".parse().unwrap(), hand_over, &never, (Some(1), Some(2)));
        assert_eq!(told, DeliveryDates::default());
    }

    proptest! {
        #[test]
        fn days_are_working_days_in_order_and_a_later_order_is_never_earlier(
            seconds in 0_i64..200_000_000, wait in 0_i64..1_000_000, processing in 0_i32..=60, cut in 0_u32..24,
            days in prop::collection::btree_set(0_usize..7, 1..=7), free in prop::collection::btree_set(0_u64..2400, 0..60),
            min in 0_i32..40, more in 0_i32..40,
        ) {
            let start = day("2026-01-01");
            let holidays = free.into_iter().map(|after| start + chrono::Days::new(after)).collect();
            let calendar = Calendar { days: days.into_iter().map(|at| Day::ALL[at]).collect(), holidays };
            prop_assert_eq!(&Calendar::read(&calendar.kept_days(), calendar.holidays()), &calendar);
            let hand_over = HandOver { processing_days: processing, cut_off: NaiveTime::from_hms_opt(cut, 0, 0) };
            let at = |seconds: i64| start.and_time(NaiveTime::MIN) + chrono::TimeDelta::seconds(seconds);
            let told = |at: NaiveDateTime| dates(at, hand_over, &calendar, (Some(min), Some(min + more)));
            let first = told(at(seconds));
            let (ships, from, to) = (first.ships_on.unwrap(), first.delivered_from.unwrap(), first.delivered_to.unwrap());
            prop_assert!(at(seconds).date() <= ships && ships <= from && from <= to);
            for day in [ships, from, to] {
                prop_assert!(calendar.works_on(day));
            }
            // Between hand-over and arrival lie as many working days as the carrier says.
            let worked = ships.iter_days().skip(1).take_while(|day| *day <= from).filter(|day| calendar.works_on(*day)).count();
            prop_assert_eq!(i32::try_from(worked).unwrap(), min);
            let second = told(at(seconds + wait));
            prop_assert!(second.ships_on.unwrap() >= ships && second.delivered_to.unwrap() >= to);
        }
    }
}
