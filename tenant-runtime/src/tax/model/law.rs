//! The law of tax: the golden tables, and a million carts.

use proptest::prelude::*;
use souk_kernel::{Currency, Money, Ppm, Quantity, Rounding, refund_share};

use super::arithmetic::{SaleTaxes, lines, of_sale, without_tax};
use super::relief::{RelievedPay, ShippingTax, TaxRelief};
use super::{RegionRule, TaxLine, TaxReason, TaxRule, TaxRules, Taxable};
use crate::settings::TaxLevel;

const LEVELS: [TaxLevel; 3] = [TaxLevel::Line, TaxLevel::Unit, TaxLevel::Document];
const ROUNDINGS: [Rounding; 3] = [Rounding::HalfUp, Rounding::HalfEven, Rounding::HalfDown];
/// Exponents 2, 0 and 3.
const CURRENCIES: [&str; 3] = ["EUR", "JPY", "KWD"];

fn rule(rate: u32, component: &str, class: Option<&str>, compound: bool) -> RegionRule {
    let reason = if rate == 0 { TaxReason::ZeroRated } else { TaxReason::StandardRated };
    RegionRule {
        component: component.to_owned(),
        class: class.map(str::to_owned),
        rule: TaxRule {
            id: None,
            name: "VAT".into(),
            jurisdiction: "DE".into(),
            rate: Ppm::new(rate).unwrap(),
            reason,
            compound,
        },
    }
}

fn of(regions: Vec<Vec<RegionRule>>) -> TaxRules {
    TaxRules { regions, ..TaxRules::none("DE".parse().unwrap()) }
}

/// These rates beside each other.
fn rules(rates: &[u32]) -> TaxRules {
    TaxRules::beside(&rates.iter().map(|rate| Ppm::new(*rate).unwrap()).collect::<Vec<_>>())
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn taxable(minor: i64, quantity: u32) -> Taxable<'static> {
    let quantity = Quantity::new(quantity).unwrap();
    Taxable { base: eur(minor), quantity, taxable: true, class: None, shipped: true }
}

fn amounts(lines: &[TaxLine]) -> Vec<i64> {
    lines.iter().map(|line| line.amount.minor()).collect()
}

fn tax(rates: &[u32], of: &[Taxable<'_>], inclusive: bool, level: TaxLevel) -> i64 {
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

/// Base, rates, inclusive, tax of each rate: what the state's own examples come to.
#[test]
fn the_golden_table() {
    let table: [(i64, &[u32], bool, &[i64]); 10] = [
        // Germany, standard and reduced, either way.
        (10_000, &[190_000], false, &[1900]),
        (11_900, &[190_000], true, &[1900]),
        (1990, &[190_000], true, &[318]),
        (10_700, &[70_000], true, &[700]),
        // France 5.5 %, Switzerland 8.1 %.
        (10_550, &[55_000], true, &[550]),
        (10_810, &[81_000], true, &[810]),
        // New York City: state 4 %, city 4.5 %, transport 0.375 %.
        (10_000, &[40_000, 45_000, 3_750], false, &[400, 450, 38]),
        // Québec: GST 5 % and QST 9.975 %, beside each other since 2013.
        (10_000, &[50_000, 99_750], false, &[500, 998]),
        (10_000, &[50_000, 99_750], true, &[435, 867]),
        // Nothing, and a rate of nothing.
        (10_000, &[0], true, &[0]),
    ];
    for (base, rates, inclusive, expected) in table {
        let lines =
            lines(&rules(rates), &[taxable(base, 1)], inclusive, TaxLevel::Line, Rounding::HalfUp).unwrap();
        assert_eq!(amounts(&lines[0]), expected, "{base} {rates:?} {inclusive}");
        let inside: i64 = if inclusive { expected.iter().sum() } else { 0 };
        assert!(lines[0].iter().all(|line| line.taxable == eur(base - inside)));
    }
}

/// Québec until 2012: QST 9.5 % on the price and the GST of 5 %. Counted on what the GST is, not on what it was rounded to.
#[test]
fn a_compound_rate_counts_on_the_other_taxes() {
    let quebec = of(vec![vec![rule(50_000, "gst", None, false)], vec![rule(95_000, "qst", None, true)]]);
    for (base, inclusive, expected) in [
        (10_000, false, [500, 998]),
        (11_498, true, [500, 998]),
        (10, false, [1, 1]),
        (1999, false, [100, 199]),
    ] {
        let goods = [taxable(base, 1)];
        let lines = lines(&quebec, &goods, inclusive, TaxLevel::Line, Rounding::HalfUp).unwrap();
        assert_eq!(amounts(&lines[0]), expected, "{base} {inclusive}");
        assert_eq!(lines[0].iter().map(|line| line.compound).collect::<Vec<_>>(), [false, true]);
    }
}

#[test]
fn halves_go_as_the_store_says() {
    // 0.50 at 19 % is 9.5 cents, 1.50 is 28.5.
    for (rounding, expected) in
        [(Rounding::HalfUp, [10, 29]), (Rounding::HalfEven, [10, 28]), (Rounding::HalfDown, [9, 28])]
    {
        let both = [taxable(50, 1), taxable(150, 1)];
        let lines = lines(&rules(&[190_000]), &both, false, TaxLevel::Line, rounding).unwrap();
        assert_eq!([lines[0][0].amount.minor(), lines[1][0].amount.minor()], expected, "{rounding}");
    }
}

#[test]
fn yen_have_no_cents_and_dinars_three() {
    for (currency, base, inclusive, expected) in [
        ("JPY", 1_080, true, 98),
        ("JPY", 999, false, 100),
        ("KWD", 12_345, false, 1_235),
        ("KWD", 10, true, 1),
    ] {
        let good = Taxable { base: Money::new(base, currency.parse().unwrap()), ..taxable(0, 1) };
        let lines = lines(&rules(&[100_000]), &[good], inclusive, TaxLevel::Line, Rounding::HalfUp).unwrap();
        assert_eq!(amounts(&lines[0]), [expected], "{base} {currency}");
    }
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
fn an_indivisible_base_is_two_prices() {
    // 1.00 for 3 pieces: 0.34 + 0.33 + 0.33, 19 % of each is 0.06.
    assert_eq!(tax(&[190_000], &[taxable(100, 3)], false, TaxLevel::Unit), 18);
}

/// A country, a province with two rates, of which one has another rate for books.
fn books() -> TaxRules {
    let province = vec![
        rule(60_000, "state", None, false),
        rule(10_000, "county", None, false),
        rule(0, "state", Some("books"), false),
    ];
    of(vec![vec![rule(50_000, "federal", None, false)], province])
}

#[test]
fn a_class_has_its_own_rate_where_there_is_one() {
    let goods = |class| Taxable { class, ..taxable(10_000, 1) };
    let all = [goods(None), goods(Some("books")), goods(Some("unheard-of"))];
    let lines = lines(&books(), &all, false, TaxLevel::Line, Rounding::HalfUp).unwrap();
    assert_eq!(
        lines.iter().map(|line| amounts(line)).collect::<Vec<_>>(),
        [vec![500, 600, 100], vec![500, 100, 0], vec![500, 600, 100],]
    );
    assert_eq!(lines[1][2].reason, TaxReason::ZeroRated);
}

#[test]
fn delivery_is_a_class_or_follows_the_goods() {
    let goods = [
        taxable(7500, 3),
        Taxable { class: Some("books"), ..taxable(2500, 1) },
        Taxable { taxable: false, ..taxable(0, 1) },
    ];
    let taxes = |shipping: ShippingTax| {
        let rules = TaxRules { shipping, ..books() };
        let sale = of_sale(&rules, &goods, &[eur(1000)], false, TaxLevel::Line, Rounding::HalfUp).unwrap();
        sale.shipping[0].iter().map(|line| (line.taxable.minor(), line.amount.minor())).collect::<Vec<_>>()
    };
    assert_eq!(taxes(ShippingTax::Class(None)), [(1000, 50), (1000, 60), (1000, 10)]);
    assert_eq!(taxes(ShippingTax::Class(Some("books".into()))), [(1000, 50), (1000, 10), (1000, 0)]);
    // 7.50 as most goods, 2.50 as books: 0.375 + 0.125 and 0.45 and 0.075 + 0.025, each part rounded.
    assert_eq!(taxes(ShippingTax::Goods), [(1000, 51), (750, 45), (1000, 11), (250, 0)]);
    // Where goods cost nothing, there is nothing to follow.
    let rules = TaxRules { shipping: ShippingTax::Goods, ..rules(&[190_000]) };
    let free = of_sale(&rules, &[taxable(0, 1)], &[eur(500)], true, TaxLevel::Line, Rounding::HalfUp);
    assert_eq!(amounts(&free.unwrap().shipping[0]), [80]);
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
    assert!(lines(&rules(&[190_000]), &[], true, TaxLevel::Document, Rounding::HalfUp).unwrap().is_empty());
}

#[test]
fn whoever_is_relieved_owes_nothing_and_the_line_says_why() {
    let number = TaxRelief::reverse_charge("ATU13585627".into(), None);
    let rules = TaxRules { relief: Some(number), relieved_pay: RelievedPay::Net, ..rules(&[190_000]) };
    let goods = [
        taxable(1190, 1),
        Taxable { shipped: false, ..taxable(1190, 1) },
        Taxable { taxable: false, ..taxable(1190, 1) },
    ];
    let sale = of_sale(&rules, &goods, &[eur(490)], false, TaxLevel::Document, Rounding::HalfUp).unwrap();
    let reasons: Vec<_> = sale.goods.iter().chain(&sale.shipping).flatten().map(|line| line.reason).collect();
    assert_eq!(
        reasons,
        [
            TaxReason::IntraCommunitySupply,
            TaxReason::ReverseCharge,
            TaxReason::ProductExempt,
            TaxReason::IntraCommunitySupply
        ]
    );
    assert!(sale.goods.iter().chain(&sale.shipping).flatten().all(|line| line.amount == eur(0)));
    assert_eq!(without_tax(&rules, eur(1190), None, Rounding::HalfUp), Ok(eur(1000)));
    assert!(rules.sells_net());
}

/// A cart of the property, made from one number so that a million of them take seconds.
struct Dice(u64);

impl Dice {
    /// Xorshift: below `end`.
    fn roll(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.roll(from.len() as u64)).unwrap()]
    }

    fn rules(&mut self) -> TaxRules {
        let rate = |dice: &mut Self| u32::try_from(dice.roll(300_001)).unwrap();
        let mut regions = Vec::new();
        for depth in 0..self.roll(3) {
            let mut region = vec![rule(rate(self), &format!("a{depth}"), None, false)];
            if self.roll(3) == 0 {
                region.push(rule(rate(self), &format!("a{depth}"), Some("books"), false));
            }
            if self.roll(3) == 0 {
                region.push(rule(rate(self), &format!("b{depth}"), None, true));
            }
            regions.push(region);
        }
        let shipping = match self.roll(3) {
            0 => ShippingTax::Goods,
            1 => ShippingTax::Class(None),
            _ => ShippingTax::Class(Some("books".into())),
        };
        TaxRules { shipping, ..of(regions) }
    }

    fn goods(&mut self, currency: Currency) -> Vec<Taxable<'static>> {
        let lines = self.roll(3);
        let line = |_| {
            let quantity = u32::try_from(1 + self.roll(9)).unwrap();
            // After a discount, a price need not be a multiple of the pieces.
            let minor = i64::try_from(self.roll(100_000)).unwrap();
            Taxable {
                base: Money::new(minor, currency),
                taxable: self.roll(8) > 0,
                class: if self.roll(3) == 0 { Some("books") } else { None },
                ..taxable(0, quantity)
            }
        };
        (0..lines).map(line).collect()
    }
}

/// What must hold of one cart.
fn holds(goods: &[Taxable<'_>], shipping: &[Money], sale: &SaleTaxes, inclusive: bool, dice: &mut Dice) {
    let priced = goods.iter().map(|good| good.base).chain(shipping.iter().copied());
    let mut sum = 0;
    for (base, taxes) in priced.zip(sale.goods.iter().chain(&sale.shipping)) {
        assert!(!taxes.is_empty());
        let inside: i64 = taxes.iter().map(|line| line.amount.minor()).sum();
        sum += inside;
        assert!(
            taxes.iter().all(|line| !line.amount.is_negative() && line.amount.currency() == base.currency())
        );
        // Inside a gross price, net and tax are the price; no part of it is taxed twice by the same rate.
        assert!(!inclusive || inside <= base.minor());
        let net = if inclusive { base.minor() - inside } else { base.minor() };
        assert!(taxes.iter().all(|line| line.taxable.minor() <= net.max(base.minor())));
        // Pieces that come back one after another bring back all of it, and all of its tax.
        let pieces = 1 + u32::try_from(dice.roll(9)).unwrap();
        let gross = if inclusive { base.minor() } else { base.minor() + inside };
        let (mut back, mut tax_back) = (0, 0);
        let mut returned = 0;
        while returned < pieces {
            returned = pieces.min(returned + 1 + u32::try_from(dice.roll(3)).unwrap());
            let money = |minor| Money::new(minor, base.currency());
            back += refund_share(money(gross), returned, pieces, money(back)).unwrap().minor();
            let of_tax = money(inside).fraction(back, gross, Rounding::HalfUp).unwrap().minor();
            assert!(of_tax >= tax_back && of_tax <= inside && back <= gross);
            tax_back = of_tax;
        }
        assert_eq!((back, tax_back), (gross, if gross == 0 { 0 } else { inside }));
    }
    let all = super::summed(sale.goods.iter().chain(&sale.shipping).flatten()).unwrap();
    assert_eq!(all.iter().map(|line| line.amount.minor()).sum::<i64>(), sum);
}

/// A million carts, in seconds: sums are exact, a gross price does not move, and returns add up to the whole, in yen, euros and dinars.
#[test]
fn a_million_carts() {
    // Each on a thread of its own, with a share of the carts.
    let share = |seed: u64| {
        let mut dice = Dice(seed);
        for _ in 0..2_500 {
            let rules = dice.rules();
            for _ in 0..100 {
                let currency: Currency = dice.pick(&CURRENCIES).parse().unwrap();
                let goods = dice.goods(currency);
                let deliveries = dice.roll(4);
                let price = |_| Money::new(i64::try_from(dice.roll(2_000)).unwrap(), currency);
                let shipping: Vec<Money> = (0..deliveries).map(price).collect();
                let (inclusive, level, rounding) =
                    (dice.roll(2) == 0, dice.pick(&LEVELS), dice.pick(&ROUNDINGS));
                let sale = of_sale(&rules, &goods, &shipping, inclusive, level, rounding).unwrap();
                holds(&goods, &shipping, &sale, inclusive, &mut dice);
            }
        }
    };
    std::thread::scope(|scope| {
        for seed in [0x5eed_0f50, 0x7a8e_5000, 0x00ca_1275, 0x0a11_00fe] {
            scope.spawn(move || share(seed));
        }
    });
}

proptest! {
    #[test]
    fn gross_is_net_and_tax(
        rates in prop::collection::vec(0_u32..=400_000, 0..3),
        goods in prop::collection::vec((0_i64..=1_000_000, 1_u32..=9_999, any::<bool>()), 0..12),
        inclusive: bool, level in 0_usize..3, rounding in 0_usize..3,
    ) {
        let goods: Vec<Taxable<'_>> = goods.into_iter()
            .map(|(unit, quantity, taxed)| Taxable { taxable: taxed, ..taxable(unit * i64::from(quantity), quantity) })
            .collect();
        let rounding = ROUNDINGS[rounding];
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
