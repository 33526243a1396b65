//! Discounts as wishes.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use souk_api::FieldError;
use souk_kernel::{CustomerGroupId, Ppm, Text};
use utoipa::ToSchema;

use super::terms::{Class, Code, Method, Minimum, Terms};
use crate::groups;

/// Most codes of one discount.
const MOST_CODES: usize = 500;
/// Most uses anybody may set.
const MOST_USES: i64 = 1_000_000_000;

/// A discount as it shall be. A change sends all of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Summer sale", "method": "code", "codes": ["SUMMER"], "terms": {"kind": "percentage", "rate_ppm": 150_000}}))]
pub struct PutDiscount {
    /// What shoppers read.
    #[schema(example = "Summer sale")]
    pub title: Text<120>,
    pub method: Method,
    /// For method `code`: 1 to 500 codes, each 1 to 64 letters, digits, hyphens, underscores and points. Capitals make no difference.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["SUMMER"]))]
    pub codes: Vec<Code>,
    pub terms: Terms,
    #[serde(default)]
    pub minimum: Minimum,
    /// The classes of other discounts it may be combined with; both sides must allow it.
    #[serde(default)]
    #[schema(example = json!(["shipping"]))]
    pub combines_with: Vec<Class>,
    /// Only for customers who are in one of these groups, and signed in; for everybody when empty. At most 50.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub customer_groups: Vec<CustomerGroupId>,
    /// How many orders in all.
    #[schema(minimum = 1, example = 100)]
    pub usage_limit: Option<i64>,
    /// How many orders of one e-mail address.
    #[schema(minimum = 1, example = 1)]
    pub per_customer_limit: Option<i64>,
    #[serde(default)]
    pub paused: bool,
    /// Now, when it is left out of a new discount.
    pub starts_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
}

impl PutDiscount {
    /// What the types cannot say.
    ///
    /// # Errors
    /// Every fault, with its pointer.
    pub fn check(&self, starts_at: DateTime<Utc>) -> Result<(), Vec<FieldError>> {
        let mut faults = self.check_terms();
        let mut fault = |pointer: &'static str, code: &'static str, message: &'static str| {
            faults.push(FieldError::new(pointer, code, message));
        };
        match (self.method, self.codes.len()) {
            (Method::Code, 1..=MOST_CODES) | (Method::Automatic, 0) => {}
            (Method::Code, _) => fault("/codes", "out_of_range", "must be 1 to 500 codes"),
            (Method::Automatic, _) => {
                fault("/codes", "not_allowed", "must be empty for an automatic discount")
            }
        }
        let keys: HashSet<String> = self.codes.iter().map(Code::key).collect();
        if keys.len() < self.codes.len() {
            fault("/codes", "repeated", "must be different from each other");
        }
        for (limit, pointer) in
            [(self.usage_limit, "/usage_limit"), (self.per_customer_limit, "/per_customer_limit")]
        {
            if limit.is_some_and(|limit| !(1..=MOST_USES).contains(&limit)) {
                fault(pointer, "out_of_range", "must be 1 to 1000000000");
            }
        }
        if self.ends_at.is_some_and(|end| end <= starts_at) {
            fault("/ends_at", "out_of_range", "must be after starts_at");
        }
        if self.minimum.quantity == Some(0) {
            fault("/minimum/quantity", "out_of_range", "must be at least 1");
        }
        let amounts = [self.minimum.amount, self.terms.amount()];
        if self.minimum.amount.is_some_and(|amount| !amount.is_positive()) {
            fault("/minimum/amount", "out_of_range", "must be above zero");
        }
        if let [Some(least), Some(amount)] = amounts
            && least.currency() != amount.currency()
        {
            fault("/minimum/amount", "currency", "must be in the currency of the terms");
        }
        faults.extend(groups::too_many(&self.customer_groups));
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn check_terms(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &'static str, code: &'static str, message: &'static str| {
            faults.push(FieldError::new(pointer, code, message));
        };
        let rate = |rate: Ppm| !(1..=Ppm::WHOLE.get()).contains(&rate.get());
        match &self.terms {
            Terms::Percentage { rate_ppm, .. } if rate(*rate_ppm) => {
                fault("/terms/rate_ppm", "out_of_range", "must be 1 to 1000000");
            }
            Terms::FixedAmount { amount, on, each } => {
                if !amount.is_positive() {
                    fault("/terms/amount", "out_of_range", "must be above zero");
                }
                if *each && on.is_none() {
                    fault("/terms/each", "not_allowed", "must be false unless `on` names goods");
                }
            }
            Terms::BuyXGetY { rate_ppm, most_per_order, .. } => {
                if rate(*rate_ppm) {
                    fault("/terms/rate_ppm", "out_of_range", "must be 1 to 1000000");
                }
                if most_per_order.is_some_and(|most| most == 0) {
                    fault("/terms/most_per_order", "out_of_range", "must be at least 1");
                }
            }
            Terms::FreeShipping { countries, up_to } => {
                if up_to.is_some_and(souk_kernel::Money::is_negative) {
                    fault("/terms/up_to", "out_of_range", "must not be negative");
                }
                if countries.len() > 250 {
                    fault("/terms/countries", "too_many", "must be at most 250");
                }
            }
            Terms::Percentage { .. } => {}
        }
        for selection in self.terms.selections() {
            if let Some(message) = selection.fault() {
                fault("/terms", "selection", message);
            }
        }
        faults
    }
}
