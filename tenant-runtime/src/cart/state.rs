//! Where a cart stands.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// `active → completing → completed`, `completing → active`, `active → merged`, `active → expired`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CartState {
    /// It may be changed.
    Active,
    /// A checkout has it: nothing may change.
    Completing,
    /// It is bought.
    Completed,
    /// It went into another one.
    Merged,
    /// Nobody came back for it.
    Expired,
}

impl CartState {
    /// As in the column. What is not known is expired: nothing can be done with it.
    pub(super) fn stored(text: &str) -> Self {
        match text {
            "active" => Self::Active,
            "completing" => Self::Completing,
            "completed" => Self::Completed,
            "merged" => Self::Merged,
            _ => Self::Expired,
        }
    }

    /// The state that counts: a checkout whose lease has run out has no hold on the cart any more.
    pub(super) fn effective(self, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        match self {
            Self::Completing if until.is_some_and(|until| until <= now) => Self::Active,
            state => state,
        }
    }
}

impl CartState {
    /// The state of a draft order, which ends by itself unless a checkout has it.
    pub(super) fn while_valid(self, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        match self {
            Self::Active if until.is_some_and(|until| until <= now) => Self::Expired,
            state => state,
        }
    }
}

#[cfg(test)]
mod rules {
    use chrono::TimeDelta;
    use souk_kernel::Clock;

    use super::*;

    #[test]
    fn a_lease_that_ran_out_frees_the_cart() {
        let now = Clock::system().now();
        let until = Some(now + TimeDelta::minutes(5));
        assert_eq!(CartState::Completing.effective(until, now), CartState::Completing);
        assert_eq!(CartState::Completing.effective(until, now + TimeDelta::minutes(5)), CartState::Active);
        assert_eq!(CartState::Completed.effective(Some(now), now), CartState::Completed);
    }

    #[test]
    fn what_is_being_paid_does_not_run_out() {
        let now = Clock::system().now();
        assert_eq!(CartState::Active.while_valid(Some(now), now), CartState::Expired);
        assert_eq!(CartState::Active.while_valid(Some(now + TimeDelta::minutes(1)), now), CartState::Active);
        assert_eq!(CartState::Active.while_valid(None, now), CartState::Active);
        assert_eq!(CartState::Completing.while_valid(Some(now), now), CartState::Completing);
    }
}
