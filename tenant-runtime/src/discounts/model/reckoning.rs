//! Which discounts apply, and how much they take off which line.
//!
//! Order of operations: discounts on certain goods first, then those on the whole order, then delivery; each takes from what the ones
//! before have left. A line takes one discount on goods: the one that would take off most by itself has first choice. Amounts are
//! shared out over lines by largest remainder, so that the shares are the whole and no line falls below zero.
//!
//! Discounts that do not go together: of all sets that do, grown from each discount by size, the one that takes off most counts; if two
//! take off the same, the one with more codes, and then the older.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use souk_kernel::{
    CollectionId, Country, Currency, DiscountId, Money, MoneyError, ProductId, Quantity, Rounding, VariantId,
};

use super::pieces::{Pieces, given};
use super::terms::{Class, Selection, Terms};
use super::{Discount, Refusal};

/// A line of goods as discounts see it.
#[derive(Clone, Debug)]
pub struct Goods {
    pub product: ProductId,
    pub variant: VariantId,
    pub collections: Vec<CollectionId>,
    pub quantity: Quantity,
    pub unit_price: Money,
    /// Unit price times quantity.
    pub total: Money,
}

/// The chosen delivery.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    pub price: Money,
    pub country: Country,
}

/// What is being bought.
#[derive(Clone, Debug)]
pub struct Purchase {
    pub goods: Vec<Goods>,
    pub delivery: Option<Delivery>,
    pub currency: Currency,
    pub rounding: Rounding,
    pub now: DateTime<Utc>,
}

/// A discount that applies, and what it takes off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub discount: DiscountId,
    pub title: String,
    pub code: Option<String>,
    pub kind: &'static str,
    /// Off each line, in the order of the goods; zero where it takes nothing.
    pub lines: Vec<Money>,
    /// Off the delivery.
    pub shipping: Money,
}

/// What discounts do to a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reckoning {
    /// In the order they were taken off; each takes something.
    pub applied: Vec<Applied>,
    /// The others, and why.
    pub refused: Vec<(DiscountId, Refusal)>,
}

impl Applied {
    /// All it takes off.
    ///
    /// # Errors
    /// Too much to count.
    pub fn total(&self) -> Result<Money, MoneyError> {
        Money::sum(self.lines.iter().copied().chain([self.shipping]), self.shipping.currency())
    }

    /// What it takes off each of the deliveries that cost so much, in proportion to that. All together, what it takes off the delivery.
    ///
    /// # Errors
    /// Too much to count.
    pub fn off_deliveries(&self, prices: &[Money]) -> Result<Vec<Money>, MoneyError> {
        let weights: Vec<u64> = prices.iter().map(|price| price.minor().unsigned_abs()).collect();
        self.shipping.allocate(&weights)
    }
}

impl Reckoning {
    /// What is taken off one line in all.
    ///
    /// # Errors
    /// Too much to count.
    pub fn off_line(&self, place: usize, currency: Currency) -> Result<Money, MoneyError> {
        Money::sum(self.applied.iter().filter_map(|applied| applied.lines.get(place).copied()), currency)
    }

    /// What is taken off each of the deliveries in all.
    ///
    /// # Errors
    /// Too much to count.
    pub fn off_deliveries(&self, prices: &[Money], currency: Currency) -> Result<Vec<Money>, MoneyError> {
        let mut offs = vec![Money::zero(currency); prices.len()];
        for applied in &self.applied {
            for (off, part) in offs.iter_mut().zip(applied.off_deliveries(prices)?) {
                *off = off.checked_add(part)?;
            }
        }
        Ok(offs)
    }
}

/// Works out what the candidates do to a purchase. Whatever their order, the answer is the same.
///
/// # Errors
/// Amounts that cannot be counted.
pub fn reckon(purchase: &Purchase, candidates: &[Discount]) -> Result<Reckoning, MoneyError> {
    let (mut eligible, mut refused) = (Vec::new(), Vec::new());
    for discount in candidates {
        match purchase.admits(discount)? {
            Ok(()) => {
                let alone = purchase.take_off(&[discount])?;
                eligible.push((total_of(&alone, purchase.currency)?, discount));
            }
            Err(refusal) => refused.push((discount.id, refusal)),
        }
    }
    eligible.sort_by_key(|(alone, discount)| {
        (std::cmp::Reverse(alone.minor()), discount.code.is_none(), discount.id)
    });
    let sorted: Vec<&Discount> = eligible.into_iter().map(|(_, discount)| discount).collect();
    let (chosen, applied) = purchase.best_of(&sorted)?;
    for discount in sorted {
        if applied.iter().any(|applied| applied.discount == discount.id) {
            continue;
        }
        let stronger = chosen.iter().find(|other| other.id != discount.id && !other.goes_with(discount));
        let refusal =
            stronger.map_or(Refusal::NothingLeft, |other| Refusal::NotCombinable(other.title.clone()));
        refused.push((discount.id, refusal));
    }
    Ok(Reckoning { applied, refused })
}

fn total_of(applied: &[Applied], currency: Currency) -> Result<Money, MoneyError> {
    let totals = applied.iter().map(Applied::total).collect::<Result<Vec<_>, _>>()?;
    Money::sum(totals, currency)
}

/// Discounts that go together, and what they take off.
type Choice<'d> = (Vec<&'d Discount>, Vec<Applied>);

impl Purchase {
    /// Of all sets that go together, grown from each discount, the one that takes off most.
    fn best_of<'d>(&self, sorted: &[&'d Discount]) -> Result<Choice<'d>, MoneyError> {
        let mut best: Option<((i64, usize), Choice<'d>)> = None;
        let mut tried: Vec<Vec<DiscountId>> = Vec::new();
        for seed in sorted {
            let mut set = vec![*seed];
            for other in sorted {
                if other.id != seed.id && set.iter().all(|member| member.goes_with(other)) {
                    set.push(other);
                }
            }
            let mut names: Vec<DiscountId> = set.iter().map(|discount| discount.id).collect();
            names.sort_unstable();
            if tried.contains(&names) {
                continue;
            }
            tried.push(names);
            // As sorted, whatever the seed was.
            set.sort_by_key(|member| sorted.iter().position(|discount| discount.id == member.id));
            let applied = self.take_off(&set)?;
            let codes = applied.iter().filter(|applied| applied.code.is_some()).count();
            let worth = (total_of(&applied, self.currency)?.minor(), codes);
            if best.as_ref().is_none_or(|(most, _)| worth > *most) {
                best = Some((worth, (set, applied)));
            }
        }
        Ok(best.map(|(_, choice)| choice).unwrap_or_default())
    }

    /// Whether a discount may apply by itself.
    fn admits(&self, discount: &Discount) -> Result<Result<(), Refusal>, MoneyError> {
        if let Err(refusal) = discount.stands(self.now) {
            return Ok(Err(refusal));
        }
        let amounts = [discount.terms.amount(), discount.minimum.amount];
        if amounts.iter().flatten().any(|amount| amount.currency() != self.currency) {
            return Ok(Err(Refusal::OtherCurrency));
        }
        if let Terms::FreeShipping { countries, up_to } = &discount.terms {
            let Some(delivery) = self.delivery else { return Ok(Err(Refusal::NoDelivery)) };
            let elsewhere = !countries.is_empty() && !countries.contains(&delivery.country);
            if elsewhere || up_to.is_some_and(|most| delivery.price.minor() > most.minor()) {
                return Ok(Err(Refusal::OtherDelivery));
            }
        }
        let counted: Vec<&Goods> =
            self.goods.iter().filter(|goods| goods.are_of(discount.terms.counted())).collect();
        if counted.is_empty() {
            return Ok(Err(Refusal::NothingEligible));
        }
        if let Some(least) = discount.minimum.amount {
            let missing =
                least.checked_sub(Money::sum(counted.iter().map(|goods| goods.total), self.currency)?)?;
            if missing.is_positive() {
                return Ok(Err(Refusal::MinimumAmount(missing)));
            }
        }
        let pieces: u64 = counted.iter().map(|goods| u64::from(goods.quantity.get())).sum();
        let least = match &discount.terms {
            Terms::BuyXGetY { buy, .. } => buy.quantity.get().max(discount.minimum.quantity.unwrap_or(0)),
            _ => discount.minimum.quantity.unwrap_or(0),
        };
        let missing = u64::from(least).saturating_sub(pieces);
        if missing > 0 {
            return Ok(Err(Refusal::MinimumQuantity(u32::try_from(missing).unwrap_or(u32::MAX))));
        }
        Ok(Ok(()))
    }

    /// What a set of discounts takes off; those that take nothing are left out. The set is in order of precedence.
    fn take_off(&self, set: &[&Discount]) -> Result<Vec<Applied>, MoneyError> {
        let zero = Money::zero(self.currency);
        let mut left: Vec<Money> = self.goods.iter().map(|goods| goods.total).collect();
        let mut taken = vec![false; self.goods.len()];
        let mut shipping_left = self.delivery.map_or(zero, |delivery| delivery.price);
        let mut applied = Vec::new();
        for class in [Class::Product, Class::Order, Class::Shipping] {
            for discount in set.iter().filter(|discount| discount.terms.class() == class) {
                let shipping = if class == Class::Shipping { shipping_left } else { zero };
                let lines = self.off_lines(&discount.terms, &left, &taken)?;
                shipping_left = shipping_left.checked_sub(shipping)?;
                for ((left, taken), off) in left.iter_mut().zip(&mut taken).zip(&lines) {
                    *left = left.checked_sub(*off)?;
                    *taken |= class == Class::Product && off.is_positive();
                }
                let one = Applied {
                    discount: discount.id,
                    title: discount.title.clone(),
                    code: discount.code.clone(),
                    kind: discount.terms.kind(),
                    lines,
                    shipping,
                };
                if one.total()?.is_positive() {
                    applied.push(one);
                }
            }
        }
        Ok(applied)
    }

    /// What one discount takes off each line, of what is left there.
    fn off_lines(&self, terms: &Terms, left: &[Money], taken: &[bool]) -> Result<Vec<Money>, MoneyError> {
        // On the whole order, every line has its part; on certain goods, those that no other discount on goods has taken.
        let open = |place: usize, goods: &Goods, on: Option<&Selection>| {
            on.is_none() || !taken.get(place).copied().unwrap_or(true) && goods.are_of(on)
        };
        let part = |on: Option<&Selection>| -> Vec<Money> {
            let lines = self.goods.iter().zip(left).enumerate();
            let part = lines.map(
                |(place, (goods, left))| {
                    if open(place, goods, on) { *left } else { Money::zero(self.currency) }
                },
            );
            part.collect()
        };
        match terms {
            Terms::Percentage { rate_ppm, on: Some(on) } => {
                part(Some(on)).into_iter().map(|left| left.portion(*rate_ppm, self.rounding)).collect()
            }
            Terms::Percentage { rate_ppm, on: None } => {
                let sum = Money::sum(left.iter().copied(), self.currency)?;
                sum.portion(*rate_ppm, self.rounding)?.allocate(&weights(left))
            }
            Terms::FixedAmount { amount, on: Some(on), each: true } => {
                let off = |(left, goods): (Money, &Goods)| -> Result<Money, MoneyError> {
                    // An amount too large to count is certainly more than what is left.
                    let wanted = amount.times(goods.quantity).map_or(left.minor(), Money::minor);
                    Ok(Money::new(wanted.min(left.minor()), self.currency))
                };
                part(Some(on)).into_iter().zip(&self.goods).map(off).collect()
            }
            Terms::FixedAmount { amount, on, .. } => {
                let part = part(on.as_ref());
                let sum = Money::sum(part.iter().copied(), self.currency)?;
                Money::new(amount.minor().min(sum.minor()), self.currency).allocate(&weights(&part))
            }
            Terms::BuyXGetY { buy, get, rate_ppm, most_per_order } => {
                let pieces: Vec<Pieces> = (self.goods.iter().zip(taken))
                    .map(|(goods, taken)| Pieces {
                        count: u64::from(goods.quantity.get()),
                        price: goods.unit_price.minor(),
                        buys: goods.are_of(buy.of.as_ref()),
                        gets: !taken && goods.are_of(get.of.as_ref()),
                    })
                    .collect();
                let most = most_per_order.map(u64::from);
                let shares =
                    given(&pieces, u64::from(buy.quantity.get()), u64::from(get.quantity.get()), most);
                let off = |(goods, share): (&Goods, u64)| match u32::try_from(share).map(Quantity::new) {
                    Ok(Ok(pieces)) => goods.unit_price.times(pieces)?.portion(*rate_ppm, self.rounding),
                    _ => Ok(Money::zero(self.currency)),
                };
                self.goods.iter().zip(shares).map(off).collect()
            }
            Terms::FreeShipping { .. } => Ok(vec![Money::zero(self.currency); self.goods.len()]),
        }
    }
}

impl Goods {
    fn are_of(&self, selection: Option<&Selection>) -> bool {
        selection.is_none_or(|wanted| wanted.names(self.product, self.variant, &self.collections))
    }
}

fn weights(amounts: &[Money]) -> Vec<u64> {
    amounts.iter().map(|amount| amount.minor().unsigned_abs()).collect()
}
