//! From rules and amounts to tax lines. Pure; the law is that of the money: round late, lose nothing.

use souk_kernel::{Money, MoneyError, Ppm, Quantity, Rounding};

use super::{ShippingTax, TaxLine, TaxReason, TaxRule, TaxRules, Taxable, summed};
use crate::settings::TaxLevel;

/// A price in parts that are small enough for a rate on a rate: parts per million, of parts per million.
const WHOLE: i64 = 1_000_000_000_000;

/// The taxes of goods, in their order, and of their delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleTaxes {
    /// Each never empty.
    pub goods: Vec<Vec<TaxLine>>,
    /// Of each delivery; never empty.
    pub shipping: Vec<Vec<TaxLine>>,
}

/// The taxes of a sale, where `shipping` is what is paid for each delivery: taxed as goods of a class of its own, or in parts as all the goods are.
///
/// # Errors
/// Overflow; two currencies.
pub fn of_sale(
    rules: &TaxRules,
    goods: &[Taxable<'_>],
    shipping: &[Money],
    inclusive: bool,
    level: TaxLevel,
    rounding: Rounding,
) -> Result<SaleTaxes, MoneyError> {
    let mut all = goods.to_vec();
    let mut parts = Vec::with_capacity(shipping.len());
    for price in shipping {
        let delivery = delivery(rules, goods, *price)?;
        parts.push(delivery.len());
        all.extend(delivery);
    }
    let mut taxes = lines(rules, &all, inclusive, level, rounding)?;
    let deliveries = taxes.split_off(goods.len());
    let mut left = deliveries.as_slice();
    let mut shipping = Vec::with_capacity(parts.len());
    for parts in parts {
        let (delivery, others) = left.split_at(parts);
        shipping.push(summed(delivery.iter().flatten())?);
        left = others;
    }
    Ok(SaleTaxes { goods: taxes, shipping })
}

/// The delivery as something that is taxed: once, or in a part for each sort of goods, in proportion to what they cost.
fn delivery<'c>(
    rules: &'c TaxRules,
    goods: &[Taxable<'c>],
    price: Money,
) -> Result<Vec<Taxable<'c>>, MoneyError> {
    let whole = |class: Option<&'c str>| Taxable {
        base: price,
        quantity: Quantity::ONE,
        taxable: true,
        class,
        shipped: true,
    };
    if let ShippingTax::Class(class) = &rules.shipping {
        return Ok(vec![whole(class.as_deref())]);
    }
    let mut sorts: Vec<(Taxable<'c>, u64)> = Vec::new();
    for good in goods {
        let weight = good.base.minor().unsigned_abs();
        let same =
            |(sort, _): &&mut (Taxable<'c>, u64)| (sort.taxable, sort.class) == (good.taxable, good.class);
        match sorts.iter_mut().find(same) {
            Some((_, sum)) => *sum = sum.saturating_add(weight),
            None => sorts.push((Taxable { taxable: good.taxable, ..whole(good.class) }, weight)),
        }
    }
    sorts.retain(|(_, weight)| *weight > 0);
    if sorts.is_empty() {
        return Ok(vec![whole(None)]);
    }
    let weights: Vec<u64> = sorts.iter().map(|(_, weight)| *weight).collect();
    let parts = price.allocate(&weights)?;
    Ok(sorts.into_iter().zip(parts).map(|((sort, _), base)| Taxable { base, ..sort }).collect())
}

/// A price without the tax that is inside it, were it not relieved of it. The net is what is rounded.
///
/// # Errors
/// Overflow.
pub fn without_tax(
    rules: &TaxRules,
    price: Money,
    class: Option<&str>,
    rounding: Rounding,
) -> Result<Money, MoneyError> {
    Means::new(rules.of_class(class), true, rounding).net_of(price)
}

/// The same of what delivery costs; where it follows the goods, as if it delivered goods of no class.
///
/// # Errors
/// Overflow.
pub fn delivery_without_tax(rules: &TaxRules, price: Money, rounding: Rounding) -> Result<Money, MoneyError> {
    let class = match &rules.shipping {
        ShippingTax::Class(class) => class.as_deref(),
        ShippingTax::Goods => None,
    };
    without_tax(rules, price, class, rounding)
}

/// The tax lines of each `taxable`, in the same order; never an empty list: what is not taxed has one line of zero that says why.
///
/// Exclusive: tax comes on top of the base. Inclusive: the base is the gross and does not move; the tax inside is worked out with the
/// sum of all rates and split over them by largest remainder. A compound rate counts on the base and the taxes that are not compound.
/// On the level of the document, goods that have the same rates are counted together.
///
/// # Errors
/// Overflow; two currencies.
pub fn lines(
    rules: &TaxRules,
    taxables: &[Taxable<'_>],
    inclusive: bool,
    level: TaxLevel,
    rounding: Rounding,
) -> Result<Vec<Vec<TaxLine>>, MoneyError> {
    // Few classes, many lines: which rates a class has is worked out once.
    let mut sets: Vec<Means> = Vec::new();
    let mut classes: Vec<(Option<&str>, usize)> = Vec::new();
    let mut places: Vec<Option<usize>> = Vec::with_capacity(taxables.len());
    for taxable in taxables {
        let known = classes.iter().find(|(class, _)| *class == taxable.class).map(|(_, place)| *place);
        let place = known.unwrap_or_else(|| {
            let set = rules.of_class(taxable.class);
            let place = sets.iter().position(|known| known.rules == set).unwrap_or(sets.len());
            if place == sets.len() {
                sets.push(Means::new(set, inclusive, rounding));
            }
            classes.push((taxable.class, place));
            place
        });
        let owed = taxable.taxable && sets.get(place).is_some_and(|set| !set.rules.is_empty());
        places.push(owed.then_some(place));
    }
    let mut shares = Vec::with_capacity(sets.len());
    for (place, set) in sets.iter().enumerate() {
        let is_of = |(_, at): &(&Taxable<'_>, &Option<usize>)| rules.relief.is_none() && **at == Some(place);
        let members: Vec<Taxable<'_>> =
            taxables.iter().zip(&places).filter(is_of).map(|(one, _)| *one).collect();
        shares.push(set.amounts(&members, level)?.into_iter());
    }
    let mut written = Vec::with_capacity(taxables.len());
    for (taxable, place) in taxables.iter().zip(&places) {
        let share = place.and_then(|place| Some((sets.get(place)?, shares.get_mut(place)?.next()?)));
        written.push(match share {
            Some((set, amounts)) => set.written(taxable.base, &amounts)?,
            None => vec![untaxed(rules, taxable, place.is_some())],
        });
    }
    Ok(written)
}

/// The line of what is not taxed, though it might be `owed`.
fn untaxed(rules: &TaxRules, taxable: &Taxable<'_>, owed: bool) -> TaxLine {
    let (name, reason) = match &rules.relief {
        _ if !taxable.taxable => ("Exempt", TaxReason::ProductExempt),
        Some(relief) if owed => relief.on(taxable.shipped),
        Some(_) | None => ("Not collecting", TaxReason::NotCollecting),
    };
    TaxLine {
        rate_id: None,
        name: name.to_owned(),
        jurisdiction: rules.jurisdiction.clone(),
        rate: Ppm::ZERO,
        compound: false,
        reason,
        taxable: taxable.base,
        amount: Money::zero(taxable.base.currency()),
    }
}

struct Means {
    rules: Vec<TaxRule>,
    /// What each rule is of the net, of [`WHOLE`].
    weights: Vec<u64>,
    /// Their sum.
    sum: i64,
    inclusive: bool,
    rounding: Rounding,
}

impl Means {
    fn new(rules: Vec<TaxRule>, inclusive: bool, rounding: Rounding) -> Self {
        let million = u64::from(Ppm::WHOLE.get());
        let plain = rules.iter().filter(|rule| !rule.compound);
        let plain: u64 = plain.map(|rule| u64::from(rule.rate.get())).sum();
        let weight = |rule: &TaxRule| {
            let on = if rule.compound { million.saturating_add(plain) } else { million };
            u64::from(rule.rate.get()).saturating_mul(on)
        };
        let weights: Vec<u64> = rules.iter().map(weight).collect();
        let sum = weights.iter().fold(0_u64, |sum, weight| sum.saturating_add(*weight));
        // A region has few rates, and none is above the whole.
        let sum = i64::try_from(sum).unwrap_or(i64::MAX - WHOLE);
        Self { rules, weights, sum, inclusive, rounding }
    }

    fn net_of(&self, gross: Money) -> Result<Money, MoneyError> {
        gross.fraction(WHOLE, WHOLE.saturating_add(self.sum), self.rounding)
    }

    fn amounts(&self, taxed: &[Taxable<'_>], level: TaxLevel) -> Result<Vec<Vec<Money>>, MoneyError> {
        match level {
            TaxLevel::Line => taxed.iter().map(|taxable| self.on(taxable.base)).collect(),
            TaxLevel::Unit => taxed.iter().map(|taxable| self.by_unit(taxable)).collect(),
            TaxLevel::Document => self.over_all(taxed),
        }
    }

    /// The tax per rate on one amount, rounded here and nowhere else.
    fn on(&self, base: Money) -> Result<Vec<Money>, MoneyError> {
        if !self.inclusive {
            let tax = |weight: &u64| {
                base.fraction(i64::try_from(*weight).unwrap_or(i64::MAX), WHOLE, self.rounding)
            };
            return self.weights.iter().map(tax).collect();
        }
        base.checked_sub(self.net_of(base)?)?.allocate(&self.weights)
    }

    /// The tax on one piece times the pieces. A base that a discount made indivisible is pieces of two prices, one minor unit apart.
    fn by_unit(&self, taxable: &Taxable<'_>) -> Result<Vec<Money>, MoneyError> {
        let pieces = i64::from(taxable.quantity.get());
        let minor = taxable.base.minor();
        let dear = u32::try_from(minor.rem_euclid(pieces)).unwrap_or_default();
        let cheap = taxable.quantity.get() - dear;
        let price = minor.div_euclid(pieces);
        let part = |minor: i64, pieces: u32| -> Result<Option<Vec<Money>>, MoneyError> {
            let Ok(quantity) = Quantity::new(pieces) else { return Ok(None) };
            let each = self.on(Money::new(minor, taxable.base.currency()))?;
            each.into_iter().map(|tax| tax.times(quantity)).collect::<Result<_, _>>().map(Some)
        };
        match (part(price, cheap)?, part(price.saturating_add(1), dear)?) {
            (Some(some), Some(more)) => some.into_iter().zip(more).map(|(a, b)| a.checked_add(b)).collect(),
            (Some(all), None) | (None, Some(all)) => Ok(all),
            (None, None) => self.on(taxable.base),
        }
    }

    /// The tax on the sum, shared out over the lines in proportion to their bases. What is inside is shared out whole and split over the rates
    /// after that: rate by rate, a line of a cent could be given more tax than it costs.
    fn over_all(&self, taxed: &[Taxable<'_>]) -> Result<Vec<Vec<Money>>, MoneyError> {
        let Some(first) = taxed.first() else { return Ok(Vec::new()) };
        let sum = Money::sum(taxed.iter().map(|taxable| taxable.base), first.base.currency())?;
        let weights: Vec<u64> = taxed.iter().map(|taxable| taxable.base.minor().unsigned_abs()).collect();
        if self.inclusive {
            let inside = sum.checked_sub(self.net_of(sum)?)?.allocate(&weights)?;
            return inside.into_iter().map(|share| share.allocate(&self.weights)).collect();
        }
        let mut lines = vec![Vec::with_capacity(self.rules.len()); taxed.len()];
        for tax in self.on(sum)? {
            for (line, share) in lines.iter_mut().zip(tax.allocate(&weights)?) {
                line.push(share);
            }
        }
        Ok(lines)
    }

    fn written(&self, base: Money, amounts: &[Money]) -> Result<Vec<TaxLine>, MoneyError> {
        let inside = Money::sum(amounts.iter().copied(), base.currency())?;
        let net = if self.inclusive { base.checked_sub(inside)? } else { base };
        let line = |(rule, amount): (&TaxRule, &Money)| TaxLine {
            rate_id: rule.id,
            name: rule.name.clone(),
            jurisdiction: rule.jurisdiction.clone(),
            rate: rule.rate,
            compound: rule.compound,
            reason: rule.reason,
            taxable: net,
            amount: *amount,
        };
        Ok(self.rules.iter().zip(amounts).map(line).collect())
    }
}
