//! Zones, rates and what they offer.

use serde::{Deserialize, Serialize};
use souk_kernel::{Country, Money, ShippingRateId, ShippingZoneId, Text};
use utoipa::ToSchema;

/// A way of delivery that fits a destination and a basket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShippingOption {
    pub id: ShippingRateId,
    #[schema(example = "Standard")]
    pub title: String,
    pub price: Money,
}

/// A zone with its rates.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShippingZoneView {
    pub id: ShippingZoneId,
    #[schema(example = "Germany")]
    pub name: String,
    #[schema(example = json!(["DE"]))]
    pub countries: Vec<String>,
    pub rest_of_world: bool,
    pub rates: Vec<ShippingRateView>,
}

/// A rate.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShippingRateView {
    pub id: ShippingRateId,
    #[schema(example = "Standard")]
    pub name: String,
    pub price: Money,
    pub min_total: Option<Money>,
    pub max_total: Option<Money>,
    pub position: i32,
    pub active: bool,
}

/// All zones.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShippingZoneList {
    pub data: Vec<ShippingZoneView>,
}

/// A new zone.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Switzerland", "countries": ["CH"], "rates": [{"name": "Standard", "price": {"amount_minor": 990, "currency": "EUR"}}]}))]
pub struct NewShippingZone {
    pub name: Text<60>,
    #[serde(default)]
    pub countries: Vec<Country>,
    /// It takes every country that no zone names.
    #[serde(default)]
    pub rest_of_world: bool,
    /// At most 50.
    #[serde(default)]
    pub rates: Vec<NewShippingRate>,
}

/// What to change of a zone; what is left out stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "At home"}))]
pub struct EditShippingZone {
    pub name: Option<Text<60>>,
    pub countries: Option<Vec<Country>>,
    pub rest_of_world: Option<bool>,
}

/// A rate as it shall be. A change sends all of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Express", "price": {"amount_minor": 990, "currency": "EUR"}}))]
pub struct NewShippingRate {
    pub name: Text<60>,
    pub price: Money,
    /// Offered from this merchandise total on.
    pub min_total: Option<Money>,
    /// Offered up to this merchandise total.
    pub max_total: Option<Money>,
    #[serde(default)]
    pub position: i32,
    #[serde(default = "yes")]
    pub active: bool,
}

const fn yes() -> bool {
    true
}

impl NewShippingRate {
    /// What the types cannot say: pointer and what would have been right.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.price.is_negative() {
            return Err(("/price", "must not be negative"));
        }
        for (bound, pointer) in [(self.min_total, "/min_total"), (self.max_total, "/max_total")] {
            let Some(bound) = bound else { continue };
            if bound.currency() != self.price.currency() || bound.is_negative() {
                return Err((pointer, "must not be negative, and in the currency of the price"));
            }
        }
        match (self.min_total, self.max_total) {
            (Some(min), Some(max)) if min.minor() > max.minor() => {
                Err(("/max_total", "must not be below min_total"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn bounds_are_of_one_currency_and_in_order() {
        let rate = |json: &str| serde_json::from_str::<NewShippingRate>(json).unwrap().check();
        let price = r#""name":"Standard","price":{"amount_minor":490,"currency":"EUR"}"#;
        assert!(rate(&format!("{{{price}}}")).is_ok());
        let bound = |name: &str, minor: i64, currency: &str| {
            format!(r#","{name}":{{"amount_minor":{minor},"currency":"{currency}"}}"#)
        };
        assert!(rate(&format!("{{{price}{}}}", bound("min_total", 5000, "EUR"))).is_ok());
        assert!(rate(&format!("{{{price}{}}}", bound("min_total", 5000, "USD"))).is_err());
        let wrong = format!("{}{}", bound("min_total", 2, "EUR"), bound("max_total", 1, "EUR"));
        assert!(rate(&format!("{{{price}{wrong}}}")).is_err());
    }
}
