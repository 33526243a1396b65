//! The plans of `policy/plans.json`.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text_enum::text_enum;

text_enum! {
    /// A plan's name.
    pub enum PlanId {
        Free = "free",
        Growth = "growth",
    }
}

/// A plan.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub id: PlanId,
    #[schema(example = "Free")]
    pub name: String,
    pub description: String,
    /// How many open stores of this plan an organization may have.
    #[schema(example = 3)]
    pub max_stores: i64,
    /// How many members an organization may have whose largest plan this is.
    #[schema(example = 5)]
    pub max_members: i64,
    pub limits: Limits,
}

/// What one store may use; handed to the runtimes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    #[schema(example = 1000)]
    pub products: u32,
    #[schema(example = 3)]
    pub staff: u32,
    #[schema(example = 50)]
    pub requests_per_second: u32,
    #[schema(example = 8)]
    pub concurrent_transactions: u32,
}

#[derive(Deserialize)]
struct File {
    plans: Vec<Plan>,
}

/// A committed file: one that does not read leaves no plans, and the tests fail.
static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| {
    let file: Result<File, _> = serde_json::from_str(include_str!("../../policy/plans.json"));
    file.map(|file| file.plans).unwrap_or_else(|error| {
        tracing::error!(%error, "policy/plans.json does not read");
        Vec::new()
    })
});

impl Plan {
    /// Every plan, the smallest first.
    pub fn all() -> &'static [Self] {
        &PLANS
    }

    pub fn of(id: PlanId) -> Option<&'static Self> {
        PLANS.iter().find(|plan| plan.id == id)
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn every_plan_is_committed_and_none_shrinks() {
        for id in PlanId::ALL {
            assert!(Plan::of(*id).is_some(), "{id}");
        }
        assert!(Plan::all().windows(2).all(|pair| pair[0].max_stores < pair[1].max_stores));
    }
}
