//! From rules and amounts to tax lines. Pure; the law is that of the money: round late, lose nothing.

use souk_kernel::{Money, MoneyError, Ppm, Quantity, Rounding};

use super::{TaxLine, TaxReason, TaxRule, TaxRules, Taxable};
use crate::settings::TaxLevel;

/// The tax lines of each `taxable`, in the same order; never an empty list: what is not taxed has one line of zero that says why.
///
/// Exclusive: tax comes on top of the base. Inclusive: the base is the gross and does not move; the tax inside is worked out with the
/// sum of all rates and split over them by largest remainder. Pass shipping as one more taxable, so that document level sees it.
///
/// # Errors
/// Overflow; two currencies.
pub fn lines(
    rules: &TaxRules,
    taxables: &[Taxable],
    inclusive: bool,
    level: TaxLevel,
    rounding: Rounding,
) -> Result<Vec<Vec<TaxLine>>, MoneyError> {
    let owed = |taxable: &Taxable| taxable.taxable && !rules.rules.is_empty();
    let taxed: Vec<Taxable> = taxables.iter().copied().filter(owed).collect();
    let means = Means { rules: &rules.rules, whole: whole_rate(&rules.rules)?, inclusive, rounding };
    let mut amounts = match level {
        TaxLevel::Line => {
            taxed.iter().map(|taxable| means.on(taxable.base)).collect::<Result<Vec<_>, _>>()?
        }
        TaxLevel::Unit => {
            taxed.iter().map(|taxable| means.by_unit(taxable)).collect::<Result<Vec<_>, _>>()?
        }
        TaxLevel::Document => means.over_all(&taxed)?,
    }
    .into_iter();
    let line = |taxable: &Taxable| match amounts.next_if_owed(owed(taxable)) {
        Some(amounts) => means.written(taxable.base, &amounts),
        None => Ok(vec![untaxed(rules, taxable)]),
    };
    taxables.iter().map(line).collect()
}

/// Takes the next only when there is one for it.
trait NextIfOwed: Iterator {
    fn next_if_owed(&mut self, owed: bool) -> Option<Self::Item> {
        if owed { self.next() } else { None }
    }
}

impl<I: Iterator> NextIfOwed for I {}

fn whole_rate(rules: &[TaxRule]) -> Result<Ppm, MoneyError> {
    rules.iter().try_fold(Ppm::ZERO, |sum, rule| sum.checked_add(rule.rate)).map_err(|_| MoneyError::Overflow)
}

/// The line of what is not taxed.
fn untaxed(rules: &TaxRules, taxable: &Taxable) -> TaxLine {
    let (name, reason) = if taxable.taxable {
        ("Not collecting", TaxReason::NotCollecting)
    } else {
        ("Exempt", TaxReason::ProductExempt)
    };
    TaxLine {
        name: name.to_owned(),
        jurisdiction: rules.jurisdiction.clone(),
        rate: Ppm::ZERO,
        reason,
        taxable: taxable.base,
        amount: Money::zero(taxable.base.currency()),
    }
}

struct Means<'r> {
    rules: &'r [TaxRule],
    whole: Ppm,
    inclusive: bool,
    rounding: Rounding,
}

impl Means<'_> {
    /// The tax per rate on one amount, rounded here and nowhere else.
    fn on(&self, base: Money) -> Result<Vec<Money>, MoneyError> {
        if !self.inclusive {
            return self.rules.iter().map(|rule| base.portion(rule.rate, self.rounding)).collect();
        }
        let inside = base.included_portion(self.whole, self.rounding)?;
        let weights: Vec<u64> = self.rules.iter().map(|rule| u64::from(rule.rate.get())).collect();
        inside.allocate(&weights)
    }

    /// The tax on one piece times the pieces. A base that a discount made indivisible is pieces of two prices, one minor unit apart.
    fn by_unit(&self, taxable: &Taxable) -> Result<Vec<Money>, MoneyError> {
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

    /// The tax on the sum, shared out over the lines in proportion to their bases.
    fn over_all(&self, taxed: &[Taxable]) -> Result<Vec<Vec<Money>>, MoneyError> {
        let Some(first) = taxed.first() else { return Ok(Vec::new()) };
        let sum = Money::sum(taxed.iter().map(|taxable| taxable.base), first.base.currency())?;
        let weights: Vec<u64> = taxed.iter().map(|taxable| taxable.base.minor().unsigned_abs()).collect();
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
            name: rule.name.clone(),
            jurisdiction: rule.jurisdiction.clone(),
            rate: rule.rate,
            reason: rule.reason,
            taxable: net,
            amount: *amount,
        };
        Ok(self.rules.iter().zip(amounts).map(line).collect())
    }
}

#[cfg(test)]
mod law {
    use proptest::prelude::*;
    use souk_kernel::Currency;

    use super::*;

    const LEVELS: [TaxLevel; 3] = [TaxLevel::Line, TaxLevel::Unit, TaxLevel::Document];

    fn rules(rates: &[u32]) -> TaxRules {
        let rule = |rate: &u32| TaxRule {
            name: "VAT".into(),
            jurisdiction: "DE".into(),
            rate: Ppm::new(*rate).unwrap(),
            reason: TaxReason::StandardRated,
        };
        TaxRules { jurisdiction: "DE".into(), rules: rates.iter().map(rule).collect() }
    }

    fn eur(minor: i64) -> Money {
        Money::new(minor, Currency::EUR)
    }

    fn taxable(minor: i64, quantity: u32) -> Taxable {
        Taxable { base: eur(minor), quantity: Quantity::new(quantity).unwrap(), taxable: true }
    }

    fn tax(rates: &[u32], of: &[Taxable], inclusive: bool, level: TaxLevel) -> i64 {
        let lines = lines(&rules(rates), of, inclusive, level, Rounding::HalfUp).unwrap();
        lines.iter().flatten().map(|line| line.amount.minor()).sum()
    }

    #[test]
    fn three_at_one_euro_and_eight_cents() {
        let mugs = [taxable(324, 3)];
        assert_eq!(324 + tax(&[190_000], &mugs, false, TaxLevel::Line), 386);
        assert_eq!(324 + tax(&[190_000], &mugs, false, TaxLevel::Unit), 387);
        assert_eq!(324 + tax(&[190_000], &mugs, false, TaxLevel::Document), 386);
    }

    #[test]
    fn the_document_rounds_once() {
        let three = [taxable(108, 1), taxable(108, 1), taxable(108, 1)];
        assert_eq!(tax(&[190_000], &three, false, TaxLevel::Line), 63);
        assert_eq!(tax(&[190_000], &three, false, TaxLevel::Document), 62);
        let shares = lines(&rules(&[190_000]), &three, false, TaxLevel::Document, Rounding::HalfUp).unwrap();
        assert_eq!(shares.iter().map(|line| line[0].amount.minor()).collect::<Vec<_>>(), [21, 21, 20]);
    }

    #[test]
    fn a_gross_price_stays() {
        let lines =
            lines(&rules(&[190_000]), &[taxable(1990, 1)], true, TaxLevel::Line, Rounding::HalfUp).unwrap();
        assert_eq!((lines[0][0].taxable, lines[0][0].amount), (eur(1672), eur(318)));
    }

    #[test]
    fn two_rates_share_the_tax_inside() {
        let lines =
            lines(&rules(&[50_000, 99_750]), &[taxable(10_000, 1)], true, TaxLevel::Line, Rounding::HalfUp)
                .unwrap();
        // 100.00 / 1.14975 = 86.98; 13.02 in the proportion 5 to 9.975.
        assert_eq!(lines[0].iter().map(|line| line.amount.minor()).collect::<Vec<_>>(), [435, 867]);
        assert!(lines[0].iter().all(|line| line.taxable == eur(8698)));
    }

    #[test]
    fn an_indivisible_base_is_two_prices() {
        // 1.00 for 3 pieces: 0.34 + 0.33 + 0.33, 19 % of each is 0.06.
        assert_eq!(tax(&[190_000], &[taxable(100, 3)], false, TaxLevel::Unit), 18);
    }

    #[test]
    fn every_line_says_why() {
        let exempt = Taxable { taxable: false, ..taxable(500, 1) };
        for level in LEVELS {
            let both =
                lines(&rules(&[190_000]), &[exempt, taxable(500, 1)], true, level, Rounding::HalfUp).unwrap();
            assert_eq!((both[0][0].reason, both[0][0].amount), (TaxReason::ProductExempt, eur(0)));
            assert_eq!(both[1][0].amount, eur(80));
            let none = lines(&rules(&[]), &[taxable(500, 1)], true, level, Rounding::HalfUp).unwrap();
            assert_eq!((none[0][0].reason, none[0][0].taxable), (TaxReason::NotCollecting, eur(500)));
        }
        assert!(
            lines(&rules(&[190_000]), &[], true, TaxLevel::Document, Rounding::HalfUp).unwrap().is_empty()
        );
    }

    proptest! {
        #[test]
        fn gross_is_net_and_tax(
            rates in prop::collection::vec(0_u32..=400_000, 0..3),
            goods in prop::collection::vec((0_i64..=1_000_000, 1_u32..=9_999, any::<bool>()), 0..12),
            inclusive: bool, level in 0_usize..3, rounding in 0_usize..3,
        ) {
            let goods: Vec<Taxable> = goods.into_iter()
                .map(|(unit, quantity, taxed)| Taxable { taxable: taxed, ..taxable(unit * i64::from(quantity), quantity) })
                .collect();
            let rounding = [Rounding::HalfUp, Rounding::HalfEven, Rounding::HalfDown][rounding];
            let lines = lines(&rules(&rates), &goods, inclusive, LEVELS[level], rounding).unwrap();
            prop_assert_eq!(lines.len(), goods.len());
            for (good, taxes) in goods.iter().zip(&lines) {
                prop_assert!(!taxes.is_empty());
                let inside: i64 = taxes.iter().map(|tax| tax.amount.minor()).sum();
                for tax in taxes {
                    prop_assert!(!tax.amount.is_negative());
                    let net = if inclusive { good.base.minor() - inside } else { good.base.minor() };
                    prop_assert_eq!(tax.taxable.minor(), net);
                }
            }
            if LEVELS[level] == TaxLevel::Document && !inclusive && !rates.is_empty() {
                let sum: i64 = goods.iter().filter(|good| good.taxable).map(|good| good.base.minor()).sum();
                let whole: i64 = rates.iter().map(|rate| eur(sum).portion(Ppm::new(*rate).unwrap(), rounding).unwrap().minor()).sum();
                prop_assert_eq!(lines.iter().flatten().map(|tax| tax.amount.minor()).sum::<i64>(), whole);
            }
        }
    }
}
