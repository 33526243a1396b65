//! What many variants cost one shopper: what a storefront writes beside goods that it shows from pages that are everybody's.

use serde::{Deserialize, Serialize};
use souk_api::FieldError;
use souk_kernel::{Country, Currency, MarketId, Money, MoneyError, Quantity, VariantId};
use utoipa::{IntoParams, ToSchema};

use super::pricing::{Offer, price_of};
use crate::catalog::error::CatalogError;

/// Of which variants, and where.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PricesQuestion {
    /// 1 to 100, with commas between them.
    #[param(value_type = String)]
    pub variants: Vec<VariantId>,
    /// The shopper's country; the store's own market without it.
    pub country: Option<Country>,
}

impl PricesQuestion {
    /// Most variants of one question.
    const MOST: usize = 100;

    /// Each variant once, in the order of the question.
    ///
    /// # Errors
    /// For none, or too many.
    pub fn checked(&self) -> Result<Vec<VariantId>, CatalogError> {
        if !(1..=Self::MOST).contains(&self.variants.len()) {
            let fault = FieldError::new("?variants", "out_of_range", "must be 1 to 100 variants");
            return Err(CatalogError::Invalid(vec![fault]));
        }
        let mut once = Vec::with_capacity(self.variants.len());
        for variant in &self.variants {
            if !once.contains(variant) {
                once.push(*variant);
            }
        }
        Ok(once)
    }
}

/// From so many pieces on, a piece costs so much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PriceStep {
    #[schema(example = 10)]
    pub min_quantity: u32,
    pub unit_price: Money,
}

/// What a variant costs this shopper.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VariantPrice {
    pub variant: VariantId,
    /// The price without any list.
    pub base_price: Money,
    pub compare_at: Option<Money>,
    /// The lowest price for everybody of the 30 days before the present one came, if that is a reduction (Directive 98/6/EC); else of the last 30
    /// days. In the market; lists that are for groups of customers are left aside.
    pub lowest_price_30_days: Option<Money>,
    /// What a piece costs, from one piece on; the next step where it changes. Never empty.
    pub steps: Vec<PriceStep>,
}

/// Prices of one shopper: not to be kept for others.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PricesView {
    pub market: Option<MarketId>,
    pub currency: Currency,
    /// In the order of the question. What is not for sale, or not in this currency, is missing.
    pub data: Vec<VariantPrice>,
}

/// Where the price of a piece changes with how many are bought.
///
/// # Errors
/// A price that cannot be counted.
pub fn steps_of(base: Money, offers: &[Offer]) -> Result<Vec<PriceStep>, MoneyError> {
    let mut from: Vec<u32> = offers.iter().map(|offer| offer.min_quantity).chain([1]).collect();
    from.sort_unstable();
    from.dedup();
    let mut steps: Vec<PriceStep> = Vec::with_capacity(from.len());
    for min_quantity in from {
        let Ok(quantity) = Quantity::new(min_quantity) else { continue };
        let (unit_price, _) = price_of(base, offers, quantity)?;
        if steps.last().is_none_or(|last| last.unit_price != unit_price) {
            steps.push(PriceStep { min_quantity, unit_price });
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod rules {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn offers() -> impl Strategy<Value = Vec<Offer>> {
        let offer = (0_u128..4, 0_i32..3, 1_u32..20, 0_i64..2_000, any::<bool>()).prop_map(
            |(list, priority, min_quantity, amount, admitted)| Offer {
                list: Uuid::from_u128(list),
                name: "x".to_owned(),
                priority,
                min_quantity,
                amount_minor: Some(amount),
                adjust_ppm: None,
                for_groups: !admitted,
                admitted,
            },
        );
        proptest::collection::vec(offer, 0..8)
    }

    proptest! {
        #[test]
        fn steps_say_what_any_quantity_costs(offers in offers(), pieces in 1_u32..40) {
            let base = Money::new(1_500, "EUR".parse().unwrap());
            let steps = steps_of(base, &offers).unwrap();
            prop_assert_eq!(steps.first().map(|step| step.min_quantity), Some(1));
            prop_assert!(steps.windows(2).all(|two| two[0].min_quantity < two[1].min_quantity && two[0].unit_price != two[1].unit_price));
            let (price, considered) = price_of(base, &offers, Quantity::new(pieces).unwrap()).unwrap();
            let step = steps.iter().rfind(|step| step.min_quantity <= pieces);
            prop_assert_eq!(step.map(|step| step.unit_price), Some(price));
            // What is for others is shown at most, and counts never.
            prop_assert!(considered.iter().all(|one| one.for_customer || !one.chosen));
            let own: Vec<Offer> = offers.into_iter().filter(|offer| offer.admitted).collect();
            prop_assert_eq!(steps_of(base, &own).unwrap(), steps);
        }
    }
}
