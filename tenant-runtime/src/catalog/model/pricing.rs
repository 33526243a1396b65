//! What a piece costs, and why: the base price, or that of a price list.
//!
//! Of the lists in force for the currency, the market and the moment, the one with the highest priority counts; of two equal ones, the
//! cheaper. In a list, the step with the most pieces that the quantity reaches. Only where no list has a price does the base price count.
//! A list that is only for groups of customers counts for those who are in one of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{
    Currency, CustomerGroupId, CustomerId, MarketId, Money, MoneyError, Ppm, PriceListId, Quantity, Rounding,
    Text, VariantId,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::catalog::error::CatalogError;
use crate::groups;
use souk_api::FieldError;

/// One step of a price list for one variant, as the statement gives it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Offer {
    pub list: Uuid,
    pub name: String,
    pub priority: i32,
    pub min_quantity: u32,
    /// A price of its own.
    pub amount_minor: Option<i64>,
    /// Or the base price, so much up or down.
    pub adjust_ppm: Option<i32>,
    /// Only for groups of customers.
    #[serde(default)]
    pub for_groups: bool,
    /// Whether it is for whoever looks.
    #[serde(default = "yes")]
    pub admitted: bool,
}

/// Whose prices are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looker {
    /// Nobody known is in no group.
    pub customer: Option<CustomerId>,
    /// Those who run the store see also what is for others, and that it is.
    pub sees_all: bool,
}

impl Looker {
    /// A shopper, who sees what is for them.
    pub const fn shopper(customer: Option<CustomerId>) -> Self {
        Self { customer, sees_all: false }
    }
}

/// A price that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Considered {
    pub price_list: PriceListId,
    #[schema(example = "Wholesale")]
    pub name: String,
    #[schema(example = 10)]
    pub priority: i32,
    /// From so many pieces on.
    #[schema(example = 1)]
    pub min_quantity: u32,
    pub unit_price: Money,
    /// Whether the quantity reaches it.
    pub reached: bool,
    /// Whether the list is only for customers of certain groups.
    pub for_customer_groups: bool,
    /// Whether it is for this customer. Only those who run the store are shown what is not.
    pub for_customer: bool,
    /// Whether it is the one that counts.
    pub chosen: bool,
}

/// What all offers say about one quantity: the price that counts, and everything that was looked at.
///
/// # Errors
/// A price that cannot be counted.
pub fn price_of(
    base: Money,
    offers: &[Offer],
    quantity: Quantity,
) -> Result<(Money, Vec<Considered>), MoneyError> {
    let mut considered = Vec::with_capacity(offers.len());
    for offer in offers {
        considered.push(Considered {
            price_list: PriceListId::from_uuid(offer.list),
            name: offer.name.clone(),
            priority: offer.priority,
            min_quantity: offer.min_quantity,
            unit_price: offer.price(base)?,
            reached: offer.min_quantity <= quantity.get(),
            for_customer_groups: offer.for_groups,
            for_customer: offer.admitted,
            chosen: false,
        });
    }
    // Of each list, the step with the most pieces.
    let most = |list: PriceListId, all: &[(PriceListId, u32)]| {
        all.iter().filter(|(id, _)| *id == list).map(|(_, least)| *least).max().unwrap_or_default()
    };
    let reached: Vec<(PriceListId, u32)> = considered
        .iter()
        .filter(|one| one.may_count())
        .map(|one| (one.price_list, one.min_quantity))
        .collect();
    let best = considered
        .iter_mut()
        .filter(|one| one.may_count())
        .filter(|one| one.min_quantity == most(one.price_list, &reached))
        .min_by_key(|one| (std::cmp::Reverse(one.priority), one.unit_price.minor(), one.price_list));
    let price = best.map_or(base, |best| {
        best.chosen = true;
        best.unit_price
    });
    Ok((price, considered))
}

impl Considered {
    const fn may_count(&self) -> bool {
        self.reached && self.for_customer
    }
}

impl Offer {
    fn price(&self, base: Money) -> Result<Money, MoneyError> {
        if let Some(minor) = self.amount_minor {
            return Ok(Money::new(minor, base.currency()));
        }
        let adjust = self.adjust_ppm.unwrap_or_default();
        let change = base.portion(Ppm::new(adjust.unsigned_abs()).unwrap_or(Ppm::ZERO), Rounding::HalfUp)?;
        if adjust < 0 { base.checked_sub(change) } else { base.checked_add(change) }
    }
}

/// A price with its reasons.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PriceExplained {
    pub variant: VariantId,
    #[schema(value_type = u32, example = 1)]
    pub quantity: Quantity,
    pub market: Option<MarketId>,
    /// Whose price it is, of somebody who is signed in or was asked about.
    pub customer: Option<CustomerId>,
    /// What one piece costs.
    pub unit_price: Money,
    /// The price without any list.
    pub base_price: Money,
    pub compare_at: Option<Money>,
    /// The lowest base price of the last 30 days, today's included.
    pub lowest_price_30_days: Option<Money>,
    /// `base` or `price_list`.
    #[schema(example = "price_list")]
    pub source: &'static str,
    /// Every step of every list in force that is for this customer, and why it counts or not.
    pub considered: Vec<Considered>,
}

/// For whom, and how many.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PriceQuestion {
    /// The shopper's country; the store's own market without it.
    pub country: Option<souk_kernel::Country>,
    /// 1 without it.
    #[param(value_type = Option<u32>)]
    pub quantity: Option<Quantity>,
    /// Whose price. Shoppers leave it out: it is theirs. For those who run the store and may see groups, who are then also shown lists that are
    /// for other groups.
    pub customer: Option<CustomerId>,
}

/// How a price list works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceListKind {
    /// Prices of its own for some variants.
    Fixed,
    /// Every base price, so much up or down.
    Percent,
}

impl PriceListKind {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Percent => "percent",
        }
    }
}

/// A price list as it shall be. A change sends all of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Wholesale", "currency": "EUR", "kind": "percent", "adjust_ppm": -100_000}))]
pub struct PutPriceList {
    #[schema(example = "Wholesale")]
    pub name: Text<120>,
    pub currency: Currency,
    /// Only for carts of this market.
    pub market: Option<MarketId>,
    /// Only for customers who are in one of these groups; for everybody when empty. At most 50.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub customer_groups: Vec<CustomerGroupId>,
    pub kind: PriceListKind,
    /// For `percent`: -1000000 (nothing is left) to 10000000; -100000 is 10 % less.
    #[schema(minimum = -1_000_000, maximum = 10_000_000, example = -100_000)]
    pub adjust_ppm: Option<i32>,
    /// For `percent`: from so many pieces of a variant on.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 9999, default = 1)]
    pub min_quantity: i32,
    /// The highest counts.
    #[serde(default)]
    #[schema(minimum = -1000, maximum = 1000)]
    pub priority: i32,
    #[serde(default = "yes")]
    pub active: bool,
    /// Now, when it is left out of a new list.
    pub starts_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
}

const fn one() -> i32 {
    1
}

const fn yes() -> bool {
    true
}

impl PutPriceList {
    /// What the types cannot say.
    pub fn check(&self, starts_at: DateTime<Utc>) -> Result<(), CatalogError> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &'static str, message: &'static str| {
            faults.push(FieldError::new(pointer, "out_of_range", message));
        };
        match (self.kind, self.adjust_ppm) {
            (PriceListKind::Percent, Some(-1_000_000..=10_000_000)) | (PriceListKind::Fixed, None) => {}
            (PriceListKind::Percent, _) => fault("/adjust_ppm", "must be -1000000 to 10000000"),
            (PriceListKind::Fixed, Some(_)) => {
                fault("/adjust_ppm", "must be left out of a list of fixed prices")
            }
        }
        if !(1..=9_999).contains(&self.min_quantity)
            || self.kind == PriceListKind::Fixed && self.min_quantity != 1
        {
            fault(
                "/min_quantity",
                "must be 1 to 9999, and 1 for a list of fixed prices: its prices have their own",
            );
        }
        if !(-1_000..=1_000).contains(&self.priority) {
            fault("/priority", "must be -1000 to 1000");
        }
        if self.ends_at.is_some_and(|end| end <= starts_at) {
            fault("/ends_at", "must be after starts_at");
        }
        faults.extend(groups::too_many(&self.customer_groups));
        if faults.is_empty() { Ok(()) } else { Err(CatalogError::Invalid(faults)) }
    }
}

/// A price list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PriceListView {
    pub id: PriceListId,
    #[schema(example = "Wholesale")]
    pub name: String,
    pub currency: Currency,
    pub market: Option<MarketId>,
    /// Only for customers who are in one of these; for everybody when empty.
    pub customer_groups: Vec<CustomerGroupId>,
    pub kind: PriceListKind,
    pub adjust_ppm: Option<i32>,
    pub min_quantity: i32,
    pub priority: i32,
    pub active: bool,
    pub starts_at: DateTime<Utc>,
    pub ends_at: Option<DateTime<Utc>>,
    /// How many prices it has of its own.
    #[schema(example = 12)]
    pub price_count: i64,
    /// Grows with every change; the ETag.
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Prices to be set in a list. All or none.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"prices": [{"variant": "var_01h455vb4pex5vsknk084sn02q", "price": {"amount_minor": 3900, "currency": "EUR"}}]}))]
pub struct SetListPrices {
    /// 1 to 1000.
    pub prices: Vec<ListPrice>,
}

/// One step of one variant.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPrice {
    pub variant: VariantId,
    /// From so many pieces on.
    #[serde(default = "single")]
    #[schema(value_type = u32, minimum = 1, maximum = 9999, default = 1)]
    pub min_quantity: Quantity,
    /// In the list's currency; `null` removes the step.
    pub price: Option<Money>,
}

const fn single() -> Quantity {
    Quantity::ONE
}

impl SetListPrices {
    /// The most prices of one request.
    pub const MOST: usize = 1_000;

    /// What the types cannot say.
    pub fn check(&self, currency: Currency) -> Result<(), CatalogError> {
        let mut faults = Vec::new();
        if !(1..=Self::MOST).contains(&self.prices.len()) {
            faults.push(FieldError::new("/prices", "out_of_range", "must be 1 to 1000 prices"));
        }
        for (place, price) in self.prices.iter().enumerate() {
            let pointer = |field: &str| format!("/prices/{place}/{field}");
            if price.price.is_some_and(|price| price.currency() != currency) {
                let error = FieldError::new(
                    pointer("price/currency"),
                    "wrong_currency",
                    "must be the list's currency",
                );
                faults.push(error.allowed([currency.code()]));
            }
            if price.price.is_some_and(|price| !(0..=1_000_000_000_000).contains(&price.minor())) {
                faults.push(FieldError::new(
                    pointer("price/amount_minor"),
                    "out_of_range",
                    "must be 0 to 1000000000000",
                ));
            }
            let same = |other: &ListPrice| {
                (other.variant, other.min_quantity) == (price.variant, price.min_quantity)
            };
            if self.prices.iter().take(place).any(same) {
                faults.push(FieldError::new(
                    pointer("min_quantity"),
                    "repeated",
                    "must be given once for a variant",
                ));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(CatalogError::Invalid(faults)) }
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    fn offer(
        list: u128,
        priority: i32,
        min_quantity: u32,
        amount: Option<i64>,
        adjust: Option<i32>,
    ) -> Offer {
        Offer {
            list: Uuid::from_u128(list),
            name: "x".into(),
            priority,
            min_quantity,
            amount_minor: amount,
            adjust_ppm: adjust,
            for_groups: false,
            admitted: true,
        }
    }

    fn price(exponent_currency: &str, base: i64, offers: &[Offer], pieces: u32) -> i64 {
        let base = Money::new(base, exponent_currency.parse().unwrap());
        price_of(base, offers, Quantity::new(pieces).unwrap()).unwrap().0.minor()
    }

    #[test]
    fn the_step_the_quantity_reaches_counts() {
        let steps = [
            offer(1, 0, 1, Some(900), None),
            offer(1, 0, 10, Some(800), None),
            offer(1, 0, 50, Some(950), None),
        ];
        for (pieces, expected) in [(1, 900), (9, 900), (10, 800), (49, 800), (50, 950)] {
            assert_eq!(price("EUR", 1000, &steps, pieces), expected, "{pieces}");
        }
        assert_eq!(price("EUR", 1000, &steps[1..2], 9), 1000);
    }

    #[test]
    fn priority_first_then_the_cheaper_list() {
        let lists = [
            offer(1, 0, 1, Some(500), None),
            offer(2, 5, 1, Some(1200), None),
            offer(3, 5, 1, Some(1100), None),
        ];
        assert_eq!(price("EUR", 1000, &lists, 1), 1100);
        let base = Money::new(1000, "EUR".parse().unwrap());
        let (_, considered) = price_of(base, &lists, Quantity::ONE).unwrap();
        assert_eq!(considered.iter().map(|one| one.chosen).collect::<Vec<_>>(), [false, false, true]);
    }

    #[test]
    fn up_or_down_is_rounded_once_in_the_currency() {
        for (currency, base, adjust, expected) in [
            ("EUR", 1999, -100_000, 1799),
            ("JPY", 105, -100_000, 94),
            ("KWD", 1_005, 100_000, 1_106),
            ("EUR", 1000, -1_000_000, 0),
            ("EUR", 5, -500_000, 2),
        ] {
            assert_eq!(
                price(currency, base, &[offer(1, 0, 1, None, Some(adjust))], 1),
                expected,
                "{currency} {base}"
            );
        }
    }
}
