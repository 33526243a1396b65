//! Discounts as they are shown.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{CustomerGroupId, DiscountId, Money};
use utoipa::{IntoParams, ToSchema};

use super::Refusal;
use super::terms::{Class, Method, Minimum, Terms};

/// Where a discount stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiscountStatus {
    /// It has not begun.
    Scheduled,
    Active,
    /// Somebody has stopped it for now.
    Paused,
    /// All uses are taken.
    UsedUp,
    Ended,
}

impl DiscountStatus {
    /// As compared in the list's filter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::UsedUp => "used_up",
            Self::Ended => "ended",
        }
    }
}

/// A discount.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DiscountView {
    pub id: DiscountId,
    #[schema(example = "Summer sale")]
    pub title: String,
    pub method: Method,
    /// `product`, `order` or `shipping`: what it takes from.
    pub class: Class,
    #[schema(example = json!(["SUMMER"]))]
    pub codes: Vec<String>,
    pub terms: Terms,
    pub minimum: Minimum,
    pub combines_with: Vec<Class>,
    /// Only for customers who are in one of these; for everybody when empty.
    pub customer_groups: Vec<CustomerGroupId>,
    pub usage_limit: Option<i64>,
    pub per_customer_limit: Option<i64>,
    /// Orders that stand on it, checkouts under way included.
    #[schema(example = 17)]
    pub used: i64,
    pub status: DiscountStatus,
    pub paused: bool,
    pub starts_at: DateTime<Utc>,
    pub ends_at: Option<DateTime<Utc>>,
    /// Grows with every change; the ETag.
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl DiscountView {
    /// Where it stands at a time.
    pub fn standing(&self, now: DateTime<Utc>) -> DiscountStatus {
        if self.ends_at.is_some_and(|end| end <= now) {
            DiscountStatus::Ended
        } else if self.paused {
            DiscountStatus::Paused
        } else if self.starts_at > now {
            DiscountStatus::Scheduled
        } else if self.usage_limit.is_some_and(|limit| self.used >= limit) {
            DiscountStatus::UsedUp
        } else {
            DiscountStatus::Active
        }
    }
}

/// Which discounts.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DiscountFilter {
    pub status: Option<DiscountStatus>,
    pub method: Option<Method>,
    /// Part of the title, or a code.
    pub q: Option<String>,
}

/// A code of a cart: whether it takes something off now, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CodeView {
    #[schema(example = "SUMMER")]
    pub code: String,
    pub applies: bool,
    /// `sign_in_first`, `other_customers`, `used_up`, `used_by_customer`, `ended`, `paused`, `not_started`, `unknown_code`, `other_currency`,
    /// `nothing_eligible`, `minimum_amount`, `minimum_quantity`, `no_delivery`, `other_delivery`, `not_combinable` or `nothing_left`.
    #[schema(example = "minimum_amount")]
    pub reason: Option<&'static str>,
    #[schema(example = "5.00 EUR are missing for this offer.")]
    pub message: Option<String>,
    /// With `minimum_amount`: how much more is needed.
    pub missing_amount: Option<Money>,
    /// With `minimum_quantity`: how many more pieces are needed.
    pub missing_quantity: Option<u32>,
}

impl CodeView {
    /// A code, and why it does not apply.
    pub fn of(code: String, refusal: Option<&Refusal>) -> Self {
        let missing_amount = match refusal {
            Some(Refusal::MinimumAmount(missing)) => Some(*missing),
            _ => None,
        };
        let missing_quantity = match refusal {
            Some(Refusal::MinimumQuantity(missing)) => Some(*missing),
            _ => None,
        };
        Self {
            code,
            applies: refusal.is_none(),
            reason: refusal.map(Refusal::as_str),
            message: refusal.map(Refusal::message),
            missing_amount,
            missing_quantity,
        }
    }
}
