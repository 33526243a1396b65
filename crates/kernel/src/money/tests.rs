//! The law of money, by example and by property.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn ppm(parts: u32) -> Ppm {
    Ppm::new(parts).unwrap()
}

fn pieces(number: u32) -> Quantity {
    Quantity::new(number).unwrap()
}

/// 3 × 1.08 at 19 % is 3.86 when the line is taxed and 3.87 when the unit is.
#[test]
fn tax_by_line_and_by_unit() {
    let (unit, rate) = (eur(108), ppm(190_000));
    let line = unit.times(pieces(3)).unwrap();
    let by_line = line.checked_add(line.portion(rate, Rounding::HalfUp).unwrap()).unwrap();
    assert_eq!(by_line, eur(386));
    let gross_unit = unit.checked_add(unit.portion(rate, Rounding::HalfUp).unwrap()).unwrap();
    assert_eq!(gross_unit.times(pieces(3)).unwrap(), eur(387));
}

#[test]
fn tax_inside_a_gross_price() {
    for (gross, rate, tax) in [
        (11_900, 190_000, 1_900),
        (1_999, 190_000, 319),
        (100, 70_000, 7),
        (1, 190_000, 0),
        (0, 190_000, 0),
        (-11_900, 190_000, -1_900),
        (500, 0, 0),
        (1_100, 10_000_000, 1_000),
    ] {
        assert_eq!(eur(gross).included_portion(ppm(rate), Rounding::HalfUp), Ok(eur(tax)), "{gross} {rate}");
    }
}

#[test]
fn halves() {
    use Rounding::{HalfDown, HalfEven, HalfUp};
    let half = ppm(500_000);
    for (minor, up, even, down) in [
        (1, 1, 0, 0),
        (3, 2, 2, 1),
        (5, 3, 2, 2),
        (-1, -1, 0, 0),
        (-3, -2, -2, -1),
        (-5, -3, -2, -2),
        (4, 2, 2, 2),
    ] {
        assert_eq!(eur(minor).portion(half, HalfUp), Ok(eur(up)), "{minor} up");
        assert_eq!(eur(minor).portion(half, HalfEven), Ok(eur(even)), "{minor} even");
        assert_eq!(eur(minor).portion(half, HalfDown), Ok(eur(down)), "{minor} down");
    }
    // 10.75 % of 0.93 is 0.099975: not a half, all agree.
    for rounding in [HalfUp, HalfEven, HalfDown] {
        assert_eq!(eur(93).portion(ppm(107_500), rounding), Ok(eur(10)));
        assert_eq!(rounding.as_str().parse(), Ok(rounding));
    }
    assert_eq!("half".parse::<Rounding>(), Err(RoundingError));
}

#[test]
fn shares() {
    for (minor, weights, shares) in [
        (100, &[1, 1, 1][..], &[34, 33, 33][..]),
        (-100, &[1, 1, 1], &[-34, -33, -33]),
        (1000, &[3, 0, 7], &[300, 0, 700]),
        (5, &[1, 1, 1, 1, 1, 1], &[1, 1, 1, 1, 1, 0]),
        (10, &[1, 5, 6], &[1, 4, 5]),
        (0, &[1, 2], &[0, 0]),
        (0, &[], &[]),
        (0, &[0, 0], &[0, 0]),
        (1, &[0, 1], &[0, 1]),
        (i64::MIN, &[1], &[i64::MIN]),
        (i64::MAX, &[u64::MAX, 0], &[i64::MAX, 0]),
    ] {
        let expected: Vec<Money> = shares.iter().copied().map(eur).collect();
        assert_eq!(eur(minor).allocate(weights), Ok(expected), "{minor} over {weights:?}");
    }
    assert_eq!(eur(1).allocate(&[]), Err(MoneyError::NoWeight));
    assert_eq!(eur(1).allocate(&[0, 0]), Err(MoneyError::NoWeight));
}

#[test]
fn refunds_are_cumulative() {
    let total = eur(1_000);
    let first = refund_share(total, 1, 3, eur(0)).unwrap();
    let second = refund_share(total, 2, 3, first).unwrap();
    let third = refund_share(total, 3, 3, first.checked_add(second).unwrap()).unwrap();
    assert_eq!([first, second, third], [eur(333), eur(334), eur(333)]);
    assert_eq!(refund_share(total, 1, 3, eur(500)), Ok(eur(0)));
    assert_eq!(refund_share(total, 3, 3, eur(500)), Ok(eur(500)));
    assert_eq!(refund_share(total, 4, 3, eur(0)), Err(MoneyError::NoPart));
    assert_eq!(refund_share(total, 0, 0, eur(0)), Err(MoneyError::NoPart));
    assert!(refund_share(total, 1, 3, Money::zero(Currency::USD)).is_err());
}

#[test]
fn what_does_not_fit_is_an_error() {
    let most = eur(i64::MAX);
    let overflow = Err(MoneyError::Overflow);
    assert_eq!(most.checked_add(eur(1)), overflow);
    assert_eq!(eur(i64::MIN).checked_sub(eur(1)), overflow);
    assert_eq!(eur(i64::MIN).negated(), overflow);
    assert_eq!(most.negated(), Ok(eur(-i64::MAX)));
    assert_eq!(most.times(pieces(2)), overflow);
    assert_eq!(most.portion(ppm(Ppm::MAX), Rounding::HalfUp), overflow);
    assert_eq!(Money::sum([most, eur(1)], Currency::EUR), overflow);
    assert_eq!(Money::sum([most, eur(1), eur(-1)], Currency::EUR), Ok(most));
    assert!(Ppm::new(Ppm::MAX + 1).is_err());
}

#[test]
fn currencies_do_not_mix() {
    let (euro, yen) = (eur(1), Money::new(1, Currency::JPY));
    let mismatch = MoneyError::CurrencyMismatch(Currency::EUR, Currency::JPY);
    assert_eq!(euro.checked_add(yen), Err(mismatch));
    assert_eq!(euro.checked_sub(yen), Err(mismatch));
    assert_eq!(euro.cmp_same_currency(yen), Err(mismatch));
    assert_eq!(Money::sum([yen], Currency::EUR), Err(mismatch));
    assert_eq!(Money::sum([], Currency::JPY), Ok(Money::zero(Currency::JPY)));
    assert_eq!(euro.cmp_same_currency(eur(2)), Ok(Ordering::Less));
    assert_ne!(euro, yen);
}

#[test]
fn decimals() {
    let clf = Currency::parse("CLF").unwrap();
    for (minor, currency, text) in [
        (1234, Currency::EUR, "12.34"),
        (0, Currency::EUR, "0.00"),
        (5, Currency::EUR, "0.05"),
        (-5, Currency::EUR, "-0.05"),
        (1234, Currency::JPY, "1234"),
        (-1, Currency::JPY, "-1"),
        (1234, Currency::KWD, "1.234"),
        (1, clf, "0.0001"),
        (i64::MIN, Currency::EUR, "-92233720368547758.08"),
    ] {
        let money = Money::new(minor, currency);
        assert_eq!(money.decimal_string(), text);
        assert_eq!(Money::from_decimal(text, currency), Ok(money));
    }
    assert_eq!(eur(1234).to_string(), "12.34 EUR");
    for (text, minor) in [("12", 1200), ("12.3", 1230), ("12.000", 1200), ("0012.30", 1230), ("-0", 0)] {
        assert_eq!(Money::from_decimal(text, Currency::EUR), Ok(eur(minor)), "{text}");
    }
    assert_eq!(Money::from_decimal("20.0", Currency::JPY), Ok(Money::new(20, Currency::JPY)));
    for text in ["", ".", "-", "1.", ".5", "1.234", "1,00", "1e3", "+1", "--1", " 1", "1.2.3", "NaN", "٣"] {
        assert_eq!(Money::from_decimal(text, Currency::EUR), Err(MoneyError::Decimal(2)), "{text:?}");
    }
    assert_eq!(Money::from_decimal("92233720368547758.08", Currency::EUR), Err(MoneyError::Overflow));
    assert_eq!(Money::from_decimal(&"9".repeat(400), Currency::EUR), Err(MoneyError::Overflow));
}

#[test]
fn json() {
    let text = r#"{"amount_minor":1234,"currency":"EUR"}"#;
    assert_eq!(serde_json::to_string(&eur(1234)).unwrap(), text);
    assert_eq!(serde_json::from_str::<Money>(text).unwrap(), eur(1234));
    for refused in [
        r#"{"amount_minor":12.5,"currency":"EUR"}"#,
        r#"{"amount_minor":"1234","currency":"EUR"}"#,
        r#"{"amount_minor":9223372036854775808,"currency":"EUR"}"#,
        r#"{"amount_minor":1234}"#,
        r#"{"amount_minor":1234,"currency":"EUR","x":1}"#,
        r#"{"amount_minor":1234,"currency":"eur"}"#,
        "1234",
    ] {
        assert!(serde_json::from_str::<Money>(refused).is_err(), "{refused}");
    }
}

fn any_rounding() -> impl Strategy<Value = Rounding> {
    prop_oneof![Just(Rounding::HalfUp), Just(Rounding::HalfEven), Just(Rounding::HalfDown)]
}

fn any_rate() -> impl Strategy<Value = Ppm> {
    (0..=Ppm::MAX).prop_map(ppm)
}

proptest! {
    #[test]
    fn shares_are_the_whole(minor: i64, weights in prop::collection::vec(any::<u64>(), 1..12)) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let shares = eur(minor).allocate(&weights).unwrap();
        prop_assert_eq!(shares.len(), weights.len());
        prop_assert_eq!(Money::sum(shares.clone(), Currency::EUR), Ok(eur(minor)));
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        for (share, weight) in shares.iter().zip(&weights) {
            // Within one unit of the exact part, and never on the other side of zero.
            let exact = u128::from(minor.unsigned_abs()) * u128::from(*weight) / total;
            let given = u128::from(share.minor().unsigned_abs());
            prop_assert!(given == exact || given == exact + 1);
            prop_assert!(share.is_zero() || share.is_negative() == (minor < 0));
            prop_assert!(*weight > 0 || share.is_zero());
        }
    }

    #[test]
    fn a_heavier_line_never_gets_less(minor in 0..1_000_000_i64, weights in prop::collection::vec(0..10_000_u64, 1..12)) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let shares = eur(minor).allocate(&weights).unwrap();
        for (a, x) in weights.iter().zip(&shares) {
            for (b, y) in weights.iter().zip(&shares) {
                prop_assert!(a <= b || x.minor() >= y.minor());
            }
        }
    }

    #[test]
    fn a_portion_is_within_half_a_unit(minor in -1_000_000_000_000..1_000_000_000_000_i64, rate in any_rate(), rounding in any_rounding()) {
        let portion = eur(minor).portion(rate, rounding).unwrap();
        let error = i128::from(portion.minor()) * 1_000_000 - i128::from(minor) * i128::from(rate.get());
        prop_assert!(error.abs() * 2 <= 1_000_000);
        // A refund mirrors the sale.
        prop_assert_eq!(eur(-minor).portion(rate, rounding), portion.negated());
    }

    #[test]
    fn net_and_included_tax_are_the_gross(gross: i64, rate in any_rate(), rounding in any_rounding()) {
        let tax = eur(gross).included_portion(rate, rounding).unwrap();
        let net = eur(gross).checked_sub(tax).unwrap();
        prop_assert!(net.is_zero() || net.is_negative() == (gross < 0));
        prop_assert!(tax.is_zero() || tax.is_negative() == (gross < 0));
        // The net is the nearest amount to gross / (1 + rate).
        let error = i128::from(net.minor()) * i128::from(1_000_000 + rate.get()) - i128::from(gross) * 1_000_000;
        prop_assert!(error.abs() * 2 <= i128::from(1_000_000 + rate.get()));
    }

    #[test]
    fn tax_added_is_the_tax_included(net in 0..1_000_000_000_i64, rate in any_rate()) {
        let tax = eur(net).portion(rate, Rounding::HalfUp).unwrap();
        let gross = eur(net).checked_add(tax).unwrap();
        prop_assert_eq!(gross.included_portion(rate, Rounding::HalfUp), Ok(tax));
    }

    #[test]
    fn returning_everything_refunds_everything(total: i64, steps in prop::collection::vec(1..50_u32, 1..10)) {
        let of: u32 = steps.iter().sum();
        let mut back = 0;
        let mut already = eur(0);
        for step in steps {
            back += step;
            let due = refund_share(eur(total), back, of, already).unwrap();
            prop_assert!(due.is_zero() || due.is_negative() == (total < 0));
            already = already.checked_add(due).unwrap();
        }
        prop_assert_eq!(already, eur(total));
    }

    #[test]
    fn a_decimal_reads_back(minor: i64, code in 0..165_usize) {
        let money = Money::new(minor, Currency::all().nth(code).unwrap());
        prop_assert_eq!(Money::from_decimal(&money.decimal_string(), money.currency()), Ok(money));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,30}|-?[0-9]{0,30}\\.?[0-9]{0,5}") {
        let _ = Money::from_decimal(&text, Currency::EUR);
    }

    #[test]
    fn adding_and_taking_away_cancel(a: i64, b: i64) {
        if let Ok(sum) = eur(a).checked_add(eur(b)) {
            prop_assert_eq!(sum.checked_sub(eur(b)), Ok(eur(a)));
        }
    }
}
