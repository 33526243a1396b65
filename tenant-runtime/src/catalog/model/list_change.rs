//! What becomes of a price list when it is made, written anew or deleted. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use souk_kernel::{Currency, CustomerGroupId, MarketId, Money, MoneyError, PriceListId, Quantity, VariantId};
use utoipa::ToSchema;

use super::pricing::{PriceListKind, PriceListView, PutPriceList, adjusted};
use super::repricing::{BasePrice, PriceChange};

/// Most prices that a preview shows.
const MOST: usize = 1_000;

/// A price list without its prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PriceListTerms {
    #[schema(example = "Wholesale")]
    pub name: String,
    pub currency: Currency,
    pub market: Option<MarketId>,
    pub customer_groups: Vec<CustomerGroupId>,
    pub kind: PriceListKind,
    pub adjust_ppm: Option<i32>,
    pub min_quantity: i32,
    pub priority: i32,
    pub active: bool,
    /// Null: from when it is made.
    pub starts_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
}

/// What becomes of a price list, and of what it says of variants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PriceListChange {
    /// Null where it is new.
    pub price_list: Option<PriceListId>,
    /// Which version of it; any other makes the preview stale.
    pub version: Option<i64>,
    /// Null where there was none.
    pub before: Option<PriceListTerms>,
    /// Null where there is none then.
    pub after: Option<PriceListTerms>,
    /// What the list's own prices become while it is in force: the first 1000 of them, by variant.
    pub prices: Vec<PriceChange>,
    /// Whether more prices change than are shown.
    pub more_prices: bool,
}

/// What a list says of a variant from so many pieces on.
pub type Listed = (VariantId, Quantity, Money);

impl PriceListTerms {
    /// What the list says, if it goes by the base prices.
    ///
    /// # Errors
    /// A price that cannot be counted.
    pub fn of_bases(&self, bases: &[BasePrice]) -> Result<Vec<Listed>, MoneyError> {
        let from = u32::try_from(self.min_quantity).ok().and_then(|least| Quantity::new(least).ok());
        let from = from.unwrap_or(Quantity::ONE);
        let Some(adjust) = self.adjust_ppm else { return Ok(Vec::new()) };
        let listed = |base: &BasePrice| -> Result<Listed, MoneyError> {
            Ok((base.variant, from, adjusted(base.price, adjust)?))
        };
        bases.iter().map(listed).collect()
    }
}

impl From<&PriceListView> for PriceListTerms {
    fn from(view: &PriceListView) -> Self {
        Self {
            name: view.name.clone(),
            currency: view.currency,
            market: view.market,
            customer_groups: view.customer_groups.clone(),
            kind: view.kind,
            adjust_ppm: view.adjust_ppm,
            min_quantity: view.min_quantity,
            priority: view.priority,
            active: view.active,
            starts_at: Some(view.starts_at),
            ends_at: view.ends_at,
        }
    }
}

impl From<&PutPriceList> for PriceListTerms {
    fn from(wish: &PutPriceList) -> Self {
        let mut customer_groups = wish.customer_groups.clone();
        customer_groups.sort_unstable();
        customer_groups.dedup();
        Self {
            name: wish.name.to_string(),
            currency: wish.currency,
            market: wish.market,
            customer_groups,
            kind: wish.kind,
            adjust_ppm: wish.adjust_ppm,
            min_quantity: wish.min_quantity,
            priority: wish.priority,
            active: wish.active,
            starts_at: wish.starts_at,
            ends_at: wish.ends_at,
        }
    }
}

impl PriceListChange {
    /// From what the list is and says to what it shall be and say; none where that is the same.
    pub fn between(
        now: Option<&PriceListView>,
        after: Option<PriceListTerms>,
        listed: [Vec<Listed>; 2],
    ) -> Option<Self> {
        let before = now.map(PriceListTerms::from);
        if before == after {
            return None;
        }
        let [was, will_be] = listed;
        let mut prices: BTreeMap<(VariantId, Quantity), (Option<Money>, Option<Money>)> = BTreeMap::new();
        for (variant, from, price) in was {
            prices.entry((variant, from)).or_default().0 = Some(price);
        }
        for (variant, from, price) in will_be {
            prices.entry((variant, from)).or_default().1 = Some(price);
        }
        let change = |((variant, min_quantity), (before, after))| PriceChange {
            variant,
            min_quantity,
            before,
            after,
            compare_at_before: None,
            compare_at_after: None,
        };
        let mut prices: Vec<_> = prices.into_iter().map(change).filter(PriceChange::is_one).collect();
        let more_prices = prices.len() > MOST;
        prices.truncate(MOST);
        let (price_list, version) = (now.map(|now| now.id), now.map(|now| now.version));
        Some(Self { price_list, version, before, after, prices, more_prices })
    }

    /// How many prices to look at, so that it is known whether there are more than are shown.
    pub fn enough() -> i64 {
        i64::try_from(MOST).unwrap_or(i64::MAX).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(ppm: Option<i32>, min_quantity: i32) -> PriceListTerms {
        let kind = if ppm.is_some() { "percent" } else { "fixed" };
        let text = format!(
            r#"{{"name":"x","currency":"EUR","kind":"{kind}","adjust_ppm":{},"min_quantity":{min_quantity}}}"#,
            ppm.map_or("null".to_owned(), |ppm| ppm.to_string())
        );
        PriceListTerms::from(&serde_json::from_str::<PutPriceList>(&text).unwrap())
    }

    #[test]
    fn a_percentage_says_something_of_every_base_price() {
        let eur = |minor| Money::new(minor, "EUR".parse().unwrap());
        let bases = [1_000, 1_995].map(|minor| BasePrice {
            product: souk_kernel::ProductId::new(),
            variant: VariantId::new(),
            price: eur(minor),
            compare_at: None,
        });
        let was = terms(Some(-100_000), 1).of_bases(&bases).unwrap();
        let will_be = terms(Some(-200_000), 1).of_bases(&bases).unwrap();
        let later = terms(Some(-100_000), 10).of_bases(&bases).unwrap();
        assert!(terms(None, 1).of_bases(&bases).unwrap().is_empty());
        let seen = |listed| PriceListChange::between(None, Some(terms(Some(-200_000), 1)), listed).unwrap();
        let prices = seen([was.clone(), will_be]).prices;
        let line = |change: &PriceChange| (change.before.map(Money::minor), change.after.map(Money::minor));
        let mut lines: Vec<_> = prices.iter().map(line).collect();
        lines.sort_unstable();
        assert_eq!(lines, [(Some(900), Some(800)), (Some(1_795), Some(1_596))]);
        // From more pieces on: the step goes, and another comes.
        assert_eq!(seen([was.clone(), later]).prices.len(), 4);
        assert!(seen([was.clone(), was]).prices.is_empty());
    }
}
