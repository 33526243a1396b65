//! The plans as they are shown, and their names as a column.

use serde::Serialize;
use souk_kernel::{Limits, plan};
use utoipa::ToSchema;

use crate::text_enum::text_enum;

text_enum! {
    /// A plan's name.
    pub enum PlanId {
        Free = "free",
        Growth = "growth",
    }
}

impl PlanId {
    /// What it stands for.
    pub const fn plan(self) -> plan::Plan {
        match self {
            Self::Free => plan::Plan::FREE,
            Self::Growth => plan::Plan::GROWTH,
        }
    }
}

/// A plan.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Plan {
    pub id: PlanId,
    #[schema(example = "Free")]
    pub name: &'static str,
    pub description: &'static str,
    /// How many open stores of this plan an organization may have.
    #[schema(example = 3)]
    pub max_stores: i64,
    /// How many members an organization may have whose largest plan this is.
    #[schema(example = 5)]
    pub max_members: i64,
    pub limits: Limits,
}

impl Plan {
    /// Every plan, the smallest first.
    pub fn all() -> Vec<Self> {
        PlanId::ALL.iter().map(|id| Self::of(*id)).collect()
    }

    fn of(id: PlanId) -> Self {
        let plan::Plan { name, description, max_stores, max_members, limits, .. } = id.plan();
        Self { id, name, description, max_stores, max_members, limits }
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn every_plan_there_is_can_be_chosen() {
        let known: Vec<_> = PlanId::ALL.iter().map(|id| (id.as_str(), id.plan())).collect();
        assert_eq!(known, plan::Plan::ALL.map(|plan| (plan.id, plan)));
    }
}
