//! Many prices changed at once, and what a change of prices does. Pure.

use serde::{Deserialize, Serialize};
use souk_api::FieldError;
use souk_kernel::{CollectionId, Currency, Money, ProductId, Quantity, Text, VariantId};
use utoipa::ToSchema;

use crate::catalog::error::CatalogError;

/// The highest price there is.
const HIGHEST: i128 = 1_000_000_000_000;

/// What becomes of one price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PriceChange {
    pub variant: VariantId,
    /// From so many pieces on; 1 for a base price.
    #[schema(value_type = u32, example = 1)]
    pub min_quantity: Quantity,
    /// Null where there was none.
    pub before: Option<Money>,
    /// Null where there is none then.
    pub after: Option<Money>,
    pub compare_at_before: Option<Money>,
    pub compare_at_after: Option<Money>,
}

impl PriceChange {
    /// Whether anything is another.
    pub fn is_one(&self) -> bool {
        (self.before, self.compare_at_before) != (self.after, self.compare_at_after)
    }
}

/// A base price as it stands.
#[derive(Clone, Copy, Debug)]
pub struct BasePrice {
    pub product: ProductId,
    pub variant: VariantId,
    pub price: Money,
    pub compare_at: Option<Money>,
}

/// What becomes of the price that is struck through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompareAt {
    /// It stays.
    #[default]
    Keep,
    /// It is the price before, unless it is higher already: a sale begins.
    Before,
    /// There is none: a sale is over.
    Clear,
}

/// Which prices. What is given must all hold; something must be given.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PricesOf {
    pub collection: Option<CollectionId>,
    /// At most 1000.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub products: Vec<ProductId>,
    pub tag: Option<Text<64>>,
    pub vendor: Option<Text<255>>,
    pub product_type: Option<Text<255>>,
}

/// Many base prices changed at once: by a percentage, by an amount, or to an amount; exactly one of them.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"on": {"tag": "mugs"}, "currency": "EUR", "percent_ppm": -100_000, "round_to_minor": 10, "compare_at": "before"}))]
pub struct AdjustPrices {
    pub on: PricesOf,
    /// Whose prices; those in other currencies stay.
    pub currency: Currency,
    /// In millionths: -100000 is ten percent off.
    #[schema(minimum = -1_000_000, maximum = 10_000_000)]
    pub percent_ppm: Option<i32>,
    /// So much more, or less.
    pub add_minor: Option<i64>,
    /// So much.
    #[schema(minimum = 0)]
    pub set_minor: Option<i64>,
    /// The nearest multiple of it, halves up: 100 makes whole euros. 1 when left out.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub round_to_minor: Option<u32>,
    #[serde(default)]
    #[schema(value_type = Option<CompareAt>)]
    pub compare_at: CompareAt,
}

/// Prices that were changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PricesAdjusted {
    pub changes: Vec<PriceChange>,
}

impl AdjustPrices {
    /// The most prices of one request.
    pub const MOST: usize = 1_000;

    /// What the types cannot say.
    pub fn check(&self) -> Result<(), CatalogError> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &'static str, code: &'static str, message: &'static str| {
            faults.push(FieldError::new(pointer, code, message));
        };
        let on = &self.on;
        let words =
            [on.tag.is_some(), on.vendor.is_some(), on.product_type.is_some(), on.collection.is_some()];
        if on.products.is_empty() && !words.contains(&true) {
            fault(
                "/on",
                "required",
                "must say which: a collection, products, a tag, a vendor or a product type",
            );
        }
        if on.products.len() > Self::MOST {
            fault("/on/products", "too_many", "must be at most 1000");
        }
        let ways = [self.percent_ppm.is_some(), self.add_minor.is_some(), self.set_minor.is_some()];
        if ways.into_iter().filter(|given| *given).count() != 1 {
            fault(
                "/percent_ppm",
                "required",
                "must be given, or `add_minor`, or `set_minor`: exactly one of them",
            );
        }
        if self.percent_ppm.is_some_and(|ppm| !(-1_000_000..=10_000_000).contains(&ppm)) {
            fault("/percent_ppm", "out_of_range", "must be -1000000 to 10000000");
        }
        if self.round_to_minor.is_some_and(|step| !(1..=1_000_000).contains(&step)) {
            fault("/round_to_minor", "out_of_range", "must be 1 to 1000000");
        }
        if faults.is_empty() { Ok(()) } else { Err(CatalogError::Invalid(faults)) }
    }

    /// What becomes of a price of so much; none where no price may be so high or so low.
    fn adjusted(&self, before: i64) -> Option<i64> {
        let before = i128::from(before);
        let exact = match (self.percent_ppm, self.add_minor, self.set_minor) {
            (Some(ppm), _, _) => (before * (1_000_000 + i128::from(ppm)) + 500_000).div_euclid(1_000_000),
            (None, Some(add), _) => before + i128::from(add),
            (None, None, Some(set)) => i128::from(set),
            (None, None, None) => before,
        };
        let step = i128::from(self.round_to_minor.unwrap_or(1)).max(1);
        let rounded = (exact + step / 2).div_euclid(step) * step;
        i64::try_from(rounded).ok().filter(|_| exact >= 0 && (0..=HIGHEST).contains(&rounded))
    }

    /// What becomes of these prices: those that are another then, in the order they came.
    ///
    /// # Errors
    /// A price that would be below zero or beyond reason, with its variant.
    pub fn changes(&self, prices: &[BasePrice]) -> Result<Vec<PriceChange>, CatalogError> {
        let mut changes = Vec::with_capacity(prices.len());
        for now in prices {
            let Some(minor) = self.adjusted(now.price.minor()) else {
                let message =
                    format!("must leave every price at zero or more: {} costs {}", now.variant, now.price);
                let pointer = match (self.percent_ppm, self.add_minor) {
                    (Some(_), _) => "/percent_ppm",
                    (None, Some(_)) => "/add_minor",
                    (None, None) => "/set_minor",
                };
                return Err(CatalogError::Invalid(vec![FieldError::new(pointer, "out_of_range", message)]));
            };
            let after = Money::new(minor, now.price.currency());
            let struck = match self.compare_at {
                CompareAt::Keep => now.compare_at,
                CompareAt::Before => {
                    Some(now.compare_at.filter(|at| at.minor() > now.price.minor()).unwrap_or(now.price))
                }
                CompareAt::Clear => None,
            };
            let change = PriceChange {
                variant: now.variant,
                min_quantity: Quantity::ONE,
                before: Some(now.price),
                after: Some(after),
                compare_at_before: now.compare_at,
                compare_at_after: struck,
            };
            if change.is_one() {
                changes.push(change);
            }
        }
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wish(text: &str) -> AdjustPrices {
        serde_json::from_str(&format!(r#"{{"on":{{"tag":"mugs"}},"currency":"EUR",{text}}}"#)).unwrap()
    }

    #[test]
    fn prices_are_adjusted_to_the_minor_unit_and_rounded() {
        for (text, before, after) in [
            (r#""percent_ppm":-100000"#, 1995, Some(1796)),
            (r#""percent_ppm":-100000,"round_to_minor":10"#, 1995, Some(1800)),
            (r#""percent_ppm":-1000000"#, 1995, Some(0)),
            (r#""add_minor":-1995"#, 1995, Some(0)),
            (r#""add_minor":-1996"#, 1995, None),
            (r#""set_minor":1249,"round_to_minor":100"#, 7, Some(1200)),
            (r#""set_minor":1250,"round_to_minor":100"#, 7, Some(1300)),
            (r#""percent_ppm":10000000"#, 1_000_000_000_000, None),
        ] {
            assert_eq!(wish(text).adjusted(before), after, "{text}");
        }
        assert!(wish(r#""set_minor":1,"add_minor":1"#).check().is_err());
        assert!(wish(r#""set_minor":1"#).check().is_ok());
    }

    proptest! {
        /// Never below zero, never more than a step away from the exact percentage.
        #[test]
        fn a_percentage_is_near(before in 0_i64..=1_000_000_000, ppm in -1_000_000_i32..=1_000_000, step in 1_u32..=500) {
            let adjust = wish(&format!(r#""percent_ppm":{ppm},"round_to_minor":{step}"#));
            let after = adjust.adjusted(before).unwrap();
            let exact = i128::from(before) * (1_000_000 + i128::from(ppm));
            let away = (i128::from(after) * 1_000_000 - exact).abs();
            prop_assert!(after >= 0 && away <= (i128::from(step) + 1) * 1_000_000);
        }
    }
}
