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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    pub to: Country,
    /// As the address names it.
    pub province: Option<String>,
    /// As the address writes it.
    pub postal_code: String,
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
    #[schema(example = json!(["US-CA"]))]
    pub provinces: Vec<String>,
    pub postal_codes: Vec<PostalCodes>,
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
    /// The whole of them, but for what a more specific zone takes.
    #[serde(default)]
    pub countries: Vec<Country>,
    /// Provinces as `US-CA`: the country, a hyphen, and what addresses write; capitals make no difference. At most 200.
    #[serde(default)]
    #[schema(example = json!(["US-CA"]))]
    pub provinces: Vec<Text<63>>,
    /// At most 500. They win over provinces, provinces over countries.
    #[serde(default)]
    pub postal_codes: Vec<PostalCodes>,
    /// It takes whatever no other zone takes.
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
    /// All of them anew, as when the zone is made.
    #[schema(example = json!(["US-CA"]))]
    pub provinces: Option<Vec<Text<63>>>,
    /// All of them anew.
    pub postal_codes: Option<Vec<PostalCodes>>,
    pub rest_of_world: Option<bool>,
}

/// Postal codes of a country from one to another, both included, compared from their beginnings: `35` to `35` is all that begin with 35.
/// Where ranges of two zones meet, the one of longer codes wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostalCodes {
    pub country: Country,
    /// 1 to 12 letters and digits; capitals make no difference.
    #[schema(example = "10000")]
    pub from: String,
    /// As many letters and digits as in `from`.
    #[schema(example = "14199")]
    pub to: String,
}

impl PostalCodes {
    /// As the column keeps them; none if they cannot be.
    fn kept(&self) -> Option<String> {
        let (from, to) = (self.from.to_ascii_uppercase(), self.to.to_ascii_uppercase());
        let written = |code: &str| code.bytes().all(|letter| letter.is_ascii_alphanumeric());
        let sound = (1..=12).contains(&from.len()) && from.len() == to.len() && from <= to;
        (sound && written(&from) && written(&to)).then(|| format!("{}:{from}:{to}", self.country.code()))
    }

    /// From what the column keeps.
    pub fn read(kept: &str) -> Option<Self> {
        let (country, codes) = kept.split_once(':')?;
        let (from, to) = codes.split_once(':')?;
        Some(Self { country: Country::parse(country).ok()?, from: from.to_owned(), to: to.to_owned() })
    }
}

/// A province as zones keep it.
pub fn province(country: Country, name: &str) -> String {
    format!("{}-{}", country.code(), name.trim().to_uppercase())
}

/// What another zone takes already. All empty: the rest of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub countries: Vec<String>,
    /// Provinces and postal codes.
    pub places: Vec<String>,
}

/// Where a zone delivers to, as its columns keep it.
#[derive(Clone, Debug)]
pub struct Places {
    pub countries: Vec<&'static str>,
    pub provinces: Vec<String>,
    pub postal_codes: Vec<String>,
    pub rest_of_world: bool,
}

impl Places {
    /// # Errors
    /// Pointer, and what would have been right.
    pub fn of(
        countries: &[Country],
        provinces: &[Text<63>],
        postal_codes: &[PostalCodes],
        rest_of_world: bool,
    ) -> Result<Self, (&'static str, &'static str)> {
        if provinces.len() > 200 {
            return Err(("/provinces", "must be at most 200"));
        }
        if postal_codes.len() > 500 {
            return Err(("/postal_codes", "must be at most 500"));
        }
        let named = |text: &Text<63>| {
            let (country, name) = text.as_str().split_once('-')?;
            let name = Some(name).filter(|name| !name.trim().is_empty())?;
            Some(province(Country::parse(country).ok()?, name))
        };
        let provinces: Option<Vec<String>> = provinces.iter().map(named).collect();
        let postal_codes: Option<Vec<String>> = postal_codes.iter().map(PostalCodes::kept).collect();
        Ok(Self {
            countries: countries.iter().map(|country| country.code()).collect(),
            provinces: provinces
                .ok_or(("/provinces", "must each be a country and a province, such as US-CA"))?,
            postal_codes: postal_codes.ok_or((
                "/postal_codes",
                "must be 1 to 12 letters and digits, as many at either end, and not end before they begin",
            ))?,
            rest_of_world,
        })
    }
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
    use proptest::prelude::*;

    use super::*;

    fn codes(from: &str, to: &str) -> PostalCodes {
        PostalCodes { country: Country::DE, from: from.to_owned(), to: to.to_owned() }
    }

    proptest! {
        #[test]
        fn what_is_kept_of_postal_codes_is_read_again(from in "[0-9A-Z]{1,12}", to in "[0-9A-Z]{1,12}") {
            let written = codes(&from, &to);
            let sound = from.len() == to.len() && from <= to;
            let read = written.kept().and_then(|kept| PostalCodes::read(&kept));
            prop_assert_eq!(read, sound.then_some(written));
        }
    }

    #[test]
    fn places_are_written_as_they_are_compared() {
        let of = |province: &str, range: PostalCodes| {
            Places::of(&[Country::FR], &[Text::parse(province).unwrap()], &[range], false)
        };
        let places = of("DE-Baden-Württemberg", codes("ab1", "ab9")).unwrap();
        assert_eq!(places.provinces, ["DE-BADEN-WÜRTTEMBERG"]);
        assert_eq!((places.countries, places.postal_codes), (vec!["FR"], vec!["DE:AB1:AB9".to_owned()]));
        for wrong in ["DE", "DE-", "XX-BY", "de-BY"] {
            assert_eq!(of(wrong, codes("1", "1")).unwrap_err().0, "/provinces", "{wrong}");
        }
        for (from, to) in [("", ""), ("1", "12"), ("2", "1"), ("1 0", "1 1"), ("1:0", "1:1"), ("é", "é")] {
            assert_eq!(of("DE-BY", codes(from, to)).unwrap_err().0, "/postal_codes", "{from}");
        }
    }

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
