//! Plans: how many stores and members an organization may have, and what one store may use. Quotas, committed as data, for every plane.

use serde::{Deserialize, Serialize};

/// A plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Its name in the ledger, in Store objects and in requests; kept for ever.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// How many open stores of this plan an organization may have.
    pub max_stores: i64,
    /// How many members an organization may have whose largest plan this is.
    pub max_members: i64,
    /// What one store may use.
    pub limits: Limits,
}

/// What one store may use; kept by the runtimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// How many products it may have, whatever their status.
    pub products: u32,
    /// How many people may work there, owners among them.
    pub staff: u32,
    /// How many megabytes (of 1,000,000 bytes) its pictures may have together, their sizes not counted.
    pub media_mb: u32,
    /// How many requests all its callers together may send, over a minute, to one process.
    pub requests_per_second: u32,
    /// How many of its transactions may be open or wait for a connection at once, in one process.
    pub concurrent_transactions: u32,
}

impl Plan {
    /// What everybody has who did not choose another.
    pub const FREE: Self = Self {
        id: "free",
        name: "Free",
        description: "Everything a store needs to sell, on shared machines.",
        max_stores: 3,
        max_members: 5,
        limits: Limits {
            products: 1000,
            staff: 3,
            media_mb: 2000,
            requests_per_second: 200,
            concurrent_transactions: 8,
        },
    };
    /// For businesses that grow.
    pub const GROWTH: Self = Self {
        id: "growth",
        name: "Growth",
        description: "More stores, more people, more room.",
        max_stores: 25,
        max_members: 50,
        limits: Limits {
            products: 100_000,
            staff: 50,
            media_mb: 100_000,
            requests_per_second: 1000,
            concurrent_transactions: 16,
        },
    };
    /// Every plan, the smallest first.
    pub const ALL: [Self; 2] = [Self::FREE, Self::GROWTH];
    /// Whose limits hold where none that is known is named: the smallest plan's.
    pub const DEFAULT: Self = Self::FREE;

    /// The plan of this name.
    pub fn find(id: &str) -> Option<&'static Self> {
        const ALL: &[Plan] = &Plan::ALL;
        ALL.iter().find(|plan| plan.id == id)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Plan::DEFAULT.limits
    }
}

impl Limits {
    /// The limits of a store whose ledger row names this plan, with these limits beside the name. A name that is known decides, so that
    /// what is published holds for every store, whenever its row was written. Of a plan that only another build knows, the limits beside
    /// the name hold; of one that says none, those of [`Plan::DEFAULT`].
    pub fn of(id: Option<&str>, beside: Option<Self>) -> Self {
        id.and_then(Plan::find).map(|plan| plan.limits).or(beside).unwrap_or_default()
    }

    /// How many requests all callers of the store may send in a minute.
    pub const fn requests_per_minute(&self) -> u32 {
        self.requests_per_second.saturating_mul(60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_has_a_name_of_its_own_and_more_than_the_one_before() {
        for pair in Plan::ALL.windows(2) {
            let (less, more) = (pair[0], pair[1]);
            assert!(less.max_stores < more.max_stores && less.max_members < more.max_members);
            let (less, more) = (less.limits, more.limits);
            assert!(less.products < more.products && less.staff < more.staff);
            assert!(less.media_mb < more.media_mb);
            assert!(less.requests_per_second < more.requests_per_second);
            assert!(less.concurrent_transactions < more.concurrent_transactions);
        }
        for plan in Plan::ALL {
            assert_eq!(Plan::find(plan.id), Some(&plan));
        }
        assert_eq!(Plan::find("gold"), None);
    }

    #[test]
    fn a_known_name_decides_and_an_unknown_one_is_believed_what_it_says() {
        let few = Limits { products: 7, ..Limits::default() };
        assert_eq!(Limits::of(Some("growth"), Some(few)), Plan::GROWTH.limits);
        assert_eq!(Limits::of(Some("of tomorrow"), Some(few)), few);
        for id in [Some("of tomorrow"), None] {
            assert_eq!(Limits::of(id, None), Plan::FREE.limits);
        }
        // What is not said is the smallest plan's; what this build does not know is nothing to it.
        let partly: Limits = serde_json::from_str("{\"products\": 7, \"robots\": 9}").unwrap();
        assert_eq!(partly, few);
        assert_eq!(Plan::GROWTH.limits.requests_per_minute(), 60_000);
        assert_eq!(Limits { requests_per_second: u32::MAX, ..few }.requests_per_minute(), u32::MAX);
    }
}
