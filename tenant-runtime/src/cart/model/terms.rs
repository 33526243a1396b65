//! What staff has agreed with somebody: the lines and their prices, what is taken off, what delivery costs, until when. Kept as JSON beside the
//! cart; forms only grow.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{
    CartLineId, Currency, DiscountId, Money, MoneyError, Ppm, Quantity, Rounding, ShippingRateId, VariantId,
};

use crate::discounts::{Applied, Reckoning};
use crate::shipping::ShippingOption;

/// The terms of a draft order. A cart that has them is changed by staff alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    #[serde(default)]
    pub lines: Vec<AgreedLine>,
    /// Off all lines together.
    #[serde(default)]
    pub discount: Option<AgreedDiscount>,
    /// By hand, instead of one of the store's rates.
    #[serde(default)]
    pub delivery: Option<AgreedDelivery>,
    /// It cannot be paid from then on.
    #[serde(default)]
    pub valid_until: Option<DateTime<Utc>>,
    /// Until then the stock is kept for it.
    #[serde(default)]
    pub reserve_until: Option<DateTime<Utc>>,
}

/// So many of that, at the price that was agreed when the line was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgreedLine {
    pub id: CartLineId,
    pub ware: AgreedWare,
    pub quantity: Quantity,
    pub unit_price: Money,
    /// Off this line.
    #[serde(default)]
    pub discount: Option<AgreedDiscount>,
}

/// What a line is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreedWare {
    Variant(VariantId),
    /// Something that is in no catalogue: work, a surcharge, a single piece.
    Free {
        title: String,
        sku: Option<String>,
        taxable: bool,
        requires_shipping: bool,
    },
}

/// A discount by hand. Its id names it in the order; there is no such discount elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgreedDiscount {
    pub id: DiscountId,
    pub title: String,
    pub off: Off,
}

/// How much is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Off {
    Rate(Ppm),
    Amount(Money),
}

/// A delivery by hand. Its id stands where a rate's would.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgreedDelivery {
    pub id: ShippingRateId,
    pub title: String,
    pub price: Money,
}

impl Terms {
    /// The variants that lines are of; one may be there twice.
    pub fn variants(&self) -> impl Iterator<Item = VariantId> {
        self.lines.iter().filter_map(|line| match line.ware {
            AgreedWare::Variant(variant) => Some(variant),
            AgreedWare::Free { .. } => None,
        })
    }

    /// Whether the stock stays with it when an attempt to pay it comes to nothing.
    pub fn keeps_stock(&self, now: DateTime<Utc>) -> bool {
        self.reserve_until.is_some_and(|until| until > now)
    }

    /// For how many minutes more the stock stays with it, the last one begun; none if it does not.
    pub fn minutes_kept(&self, now: DateTime<Utc>) -> Option<u32> {
        let until = self.reserve_until.filter(|until| *until > now)?;
        u32::try_from((until - now).num_minutes() + 1).ok()
    }

    /// What is taken off these lines: first each line's own, then, of what is left, what is off all of them, shared out by largest remainder.
    ///
    /// # Errors
    /// Amounts that cannot be counted.
    pub fn reckon(
        &self,
        goods: &[(CartLineId, Money)],
        currency: Currency,
        rounding: Rounding,
    ) -> Result<Reckoning, MoneyError> {
        let zero = Money::zero(currency);
        let mut left: Vec<Money> = goods.iter().map(|(_, total)| *total).collect();
        let mut applied = Vec::new();
        for (place, left) in left.iter_mut().enumerate() {
            let line = self.lines.iter().find(|line| goods.get(place).is_some_and(|(id, _)| line.id == *id));
            let Some(discount) = line.and_then(|line| line.discount.as_ref()) else { continue };
            let off = discount.of(*left, rounding)?;
            *left = left.checked_sub(off)?;
            let lines = (0..goods.len()).map(|at| if at == place { off } else { zero }).collect();
            applied.push(discount.applied(lines, zero));
        }
        if let Some(discount) = &self.discount {
            let sum = Money::sum(left.iter().copied(), currency)?;
            let weights: Vec<u64> = left.iter().map(|amount| amount.minor().unsigned_abs()).collect();
            applied.push(discount.applied(discount.of(sum, rounding)?.allocate(&weights)?, zero));
        }
        applied.retain(|one| one.lines.iter().any(|off| off.is_positive()));
        Ok(Reckoning { applied, refused: Vec::new() })
    }
}

impl AgreedDiscount {
    /// As orders keep it.
    pub const fn kind(&self) -> &'static str {
        match self.off {
            Off::Rate(_) => "percentage",
            Off::Amount(_) => "fixed_amount",
        }
    }

    /// What it takes off an amount, never more than that.
    fn of(&self, amount: Money, rounding: Rounding) -> Result<Money, MoneyError> {
        match self.off {
            Off::Rate(rate) => amount.portion(rate, rounding),
            Off::Amount(most) => Ok(Money::new(most.minor().min(amount.minor()), amount.currency())),
        }
    }

    fn applied(&self, lines: Vec<Money>, zero: Money) -> Applied {
        Applied {
            discount: self.id,
            title: self.title.clone(),
            code: None,
            kind: self.kind(),
            lines,
            shipping: zero,
        }
    }
}

impl AgreedDelivery {
    /// As one of the ways of delivery.
    pub fn option(&self) -> ShippingOption {
        ShippingOption {
            id: self.id,
            title: self.title.clone(),
            price: self.price,
            min_days: None,
            max_days: None,
        }
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    fn eur(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    fn discount(off: Off) -> AgreedDiscount {
        AgreedDiscount { id: DiscountId::new(), title: "For you".to_owned(), off }
    }

    fn line(price: i64, off: Option<Off>) -> AgreedLine {
        AgreedLine {
            id: CartLineId::new(),
            ware: AgreedWare::Variant(VariantId::new()),
            quantity: Quantity::ONE,
            unit_price: eur(price),
            discount: off.map(discount),
        }
    }

    fn shares(terms: &Terms) -> Vec<Vec<i64>> {
        let goods: Vec<_> = terms.lines.iter().map(|line| (line.id, line.unit_price)).collect();
        let reckoning = terms.reckon(&goods, eur(0).currency(), Rounding::HalfUp).unwrap();
        let minors = |one: &Applied| one.lines.iter().map(|off| off.minor()).collect();
        reckoning.applied.iter().map(minors).collect()
    }

    #[test]
    fn each_takes_of_what_the_ones_before_have_left() {
        let half = Off::Rate(Ppm::new(500_000).unwrap());
        let mut terms = Terms { lines: vec![line(1000, Some(half)), line(301, None)], ..Terms::default() };
        assert_eq!(shares(&terms), [[500, 0]]);
        terms.discount = Some(discount(Off::Amount(eur(100))));
        assert_eq!(shares(&terms), [vec![500, 0], vec![62, 38]]);
        terms.discount = Some(discount(Off::Amount(eur(1_000_000))));
        assert_eq!(shares(&terms), [vec![500, 0], vec![500, 301]], "no line falls below zero");
        terms.lines = vec![line(0, Some(half))];
        assert_eq!(shares(&terms), Vec::<Vec<i64>>::new(), "nothing of nothing is told");
    }

    #[test]
    fn terms_come_back_as_they_were_kept() {
        let free = AgreedWare::Free {
            title: "Engraving".to_owned(),
            sku: None,
            taxable: true,
            requires_shipping: false,
        };
        let lines = vec![line(1000, None), AgreedLine { ware: free, ..line(500, Some(Off::Amount(eur(5)))) }];
        let delivery = AgreedDelivery { id: ShippingRateId::new(), title: "Van".to_owned(), price: eur(900) };
        let terms = Terms { lines, delivery: Some(delivery), ..Terms::default() };
        let kept = serde_json::to_value(&terms).unwrap();
        assert_eq!(serde_json::from_value::<Terms>(kept).unwrap(), terms);
        assert_eq!(serde_json::from_str::<Terms>("{}").unwrap(), Terms::default());
    }
}
