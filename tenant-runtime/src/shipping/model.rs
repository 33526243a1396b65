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
    /// Working days until it arrives, at least and at most, if the merchant says so.
    #[schema(example = 2)]
    pub min_days: Option<i32>,
    #[schema(example = 4)]
    pub max_days: Option<i32>,
}

/// What is to be delivered, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parcel {
    pub to: Country,
    /// What the goods cost before any discount, those that need no delivery included.
    pub merchandise_total: Money,
    /// Of what has to be delivered.
    pub weight_grams: i64,
    /// Of what has to be delivered.
    pub pieces: i64,
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
    pub min_weight_grams: Option<i64>,
    pub max_weight_grams: Option<i64>,
    pub per_piece: Money,
    pub per_kilogram: Money,
    pub free_from: Option<Money>,
    pub min_days: Option<i32>,
    pub max_days: Option<i32>,
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
    /// Offered from this weight on.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub min_weight_grams: Option<i64>,
    /// Offered up to this weight.
    #[schema(minimum = 0, maximum = 1_000_000_000, example = 31_500)]
    pub max_weight_grams: Option<i64>,
    /// On top of the price, for each piece that has to be delivered.
    pub per_piece: Option<Money>,
    /// On top of the price, for each kilogram that is begun.
    pub per_kilogram: Option<Money>,
    /// From this merchandise total on it costs nothing.
    pub free_from: Option<Money>,
    /// Working days until it arrives, at least.
    #[schema(minimum = 0, maximum = 365)]
    pub min_days: Option<i32>,
    /// Working days until it arrives, at most.
    #[schema(minimum = 0, maximum = 365)]
    pub max_days: Option<i32>,
    #[serde(default)]
    pub position: i32,
    #[serde(default = "yes")]
    pub active: bool,
}

const fn yes() -> bool {
    true
}

/// More than any parcel weighs.
const MOST_GRAMS: i64 = 1_000_000_000;
/// Times the pieces of a cart it can still be counted.
const MOST_SURCHARGE: i64 = 1_000_000_000;
/// More than any delivery costs.
const MOST_PRICE: i64 = 1_000_000_000_000;

impl NewShippingRate {
    /// What the types cannot say: pointer and what would have been right.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.price.is_negative() {
            return Err(("/price", "must not be negative"));
        }
        if self.price.minor() > MOST_PRICE {
            return Err(("/price", "must be at most 1000000000000"));
        }
        for (surcharge, pointer) in [(self.per_piece, "/per_piece"), (self.per_kilogram, "/per_kilogram")] {
            if surcharge.is_some_and(|amount| amount.minor() > MOST_SURCHARGE) {
                return Err((pointer, "must be at most 1000000000"));
            }
        }
        for (grams, pointer) in
            [(self.min_weight_grams, "/min_weight_grams"), (self.max_weight_grams, "/max_weight_grams")]
        {
            if grams.is_some_and(|grams| !(0..=MOST_GRAMS).contains(&grams)) {
                return Err((pointer, "must be 0 to 1000000000"));
            }
        }
        if self.min_weight_grams.zip(self.max_weight_grams).is_some_and(|(least, most)| least > most) {
            return Err(("/max_weight_grams", "must not be below min_weight_grams"));
        }
        for (days, pointer) in [(self.min_days, "/min_days"), (self.max_days, "/max_days")] {
            if days.is_some_and(|days| !(0..=365).contains(&days)) {
                return Err((pointer, "must be 0 to 365"));
            }
        }
        if self.min_days.zip(self.max_days).is_some_and(|(least, most)| least > most) {
            return Err(("/max_days", "must not be below min_days"));
        }
        let amounts = [
            (self.min_total, "/min_total"),
            (self.max_total, "/max_total"),
            (self.per_piece, "/per_piece"),
            (self.per_kilogram, "/per_kilogram"),
            (self.free_from, "/free_from"),
        ];
        for (bound, pointer) in amounts {
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
