//! The law of discounts, by example and by property.

use chrono::TimeDelta;
use proptest::prelude::*;
use souk_kernel::Ppm;

use super::*;
use crate::discounts::model::Audience;
use crate::discounts::model::terms::{Minimum, Part};
use crate::settings::TaxLevel;
use crate::tax::{self, TaxRules, Taxable};

fn currency(exponent: u32) -> Currency {
    let code = ["JPY", "", "EUR", "KWD"].get(exponent as usize).copied().unwrap_or("EUR");
    code.parse().unwrap()
}

fn eur(minor: i64) -> Money {
    Money::new(minor, currency(2))
}

fn ppm(parts: u32) -> Ppm {
    Ppm::new(parts).unwrap()
}

/// Lines of (unit price, pieces), each a product of its own.
fn purchase(currency: Currency, lines: &[(i64, u32)]) -> Purchase {
    let goods = lines.iter().map(|(price, pieces)| {
        let (unit_price, quantity) = (Money::new(*price, currency), Quantity::new(*pieces).unwrap());
        Goods {
            product: ProductId::new(),
            variant: VariantId::new(),
            collections: Vec::new(),
            quantity,
            unit_price,
            total: unit_price.times(quantity).unwrap(),
        }
    });
    Purchase {
        goods: goods.collect(),
        delivery: Some(Delivery { price: Money::new(490, currency), country: "DE".parse().unwrap() }),
        currency,
        rounding: Rounding::HalfUp,
        now: DateTime::UNIX_EPOCH,
    }
}

fn discount(terms: Terms) -> Discount {
    Discount {
        id: DiscountId::new(),
        title: terms.kind().to_owned(),
        terms,
        minimum: Minimum::default(),
        combines: Vec::new(),
        code: None,
        usage_limit: None,
        used: 0,
        per_customer_limit: None,
        used_by_customer: 0,
        audience: Audience::Admitted,
        paused: false,
        starts_at: DateTime::UNIX_EPOCH,
        ends_at: None,
    }
}

fn percentage(rate: u32) -> Terms {
    Terms::Percentage { rate_ppm: ppm(rate), on: None }
}

fn fixed(minor: i64) -> Terms {
    Terms::FixedAmount { amount: eur(minor), on: None, each: false }
}

fn only(purchase: &Purchase, place: usize) -> Option<Selection> {
    Some(Selection { products: vec![purchase.goods[place].product], ..Selection::default() })
}

fn all_together(discounts: Vec<Discount>) -> Vec<Discount> {
    let combines = vec![Class::Product, Class::Order, Class::Shipping];
    discounts.into_iter().map(|discount| Discount { combines: combines.clone(), ..discount }).collect()
}

fn minors(money: &[Money]) -> Vec<i64> {
    money.iter().map(|money| money.minor()).collect()
}

/// What each applied discount takes off each line, in order.
fn offs(reckoning: &Reckoning) -> Vec<Vec<i64>> {
    reckoning.applied.iter().map(|applied| minors(&applied.lines)).collect()
}

fn why(reckoning: &Reckoning, discount: &Discount) -> Option<Refusal> {
    reckoning.refused.iter().find(|(id, _)| *id == discount.id).map(|(_, refusal)| refusal.clone())
}

#[test]
fn an_order_discount_is_shared_out_by_largest_remainder() {
    // 10 % of 1000 in three thirds, one of them a cent short: 99.9 → 100 = 34 + 33 + 33.
    for (lines, terms, expected) in [
        (&[(333, 1), (333, 1), (334, 1)][..], percentage(100_000), &[33, 33, 34][..]),
        (&[(100, 1), (100, 1), (100, 1)], fixed(100), &[34, 33, 33]),
        (&[(1999, 1), (1, 1)], fixed(5000), &[1999, 1]),
        (&[(150, 1), (50, 3)], percentage(333_333), &[50, 50]),
        (&[(1, 1), (1, 1), (1, 1)], percentage(500_000), &[1, 1, 0]),
        (&[(0, 1), (7, 1)], fixed(3), &[0, 3]),
    ] {
        let reckoning = reckon(&purchase(currency(2), lines), &[discount(terms)]).unwrap();
        assert_eq!(offs(&reckoning), [expected.to_vec()], "{lines:?}");
    }
}

#[test]
fn goods_first_then_the_order_then_delivery() {
    let purchase = purchase(currency(2), &[(1000, 2), (500, 1)]);
    let mugs = discount(Terms::Percentage { rate_ppm: ppm(500_000), on: only(&purchase, 0) });
    let order = discount(percentage(100_000));
    let delivery = discount(Terms::FreeShipping { countries: Vec::new(), up_to: None });
    // Given in the wrong order on purpose.
    let candidates = all_together(vec![delivery, order, mugs]);
    let reckoning = reckon(&purchase, &candidates).unwrap();
    assert_eq!(offs(&reckoning), [vec![1000, 0], vec![100, 50], vec![0, 0]]);
    assert_eq!(reckoning.off_deliveries(&[eur(490)], currency(2)).unwrap(), [eur(490)]);
    assert_eq!(reckoning.off_line(0, currency(2)).unwrap(), eur(1100));
    assert_eq!(reckoning.refused, []);
}

#[test]
fn of_what_does_not_go_together_the_better_one_counts() {
    let purchase = purchase(currency(2), &[(1000, 1)]);
    let (ten, three) = (discount(percentage(100_000)), discount(fixed(300)));
    let reckoning = reckon(&purchase, &[ten.clone(), three.clone()]).unwrap();
    assert_eq!(offs(&reckoning), [vec![300]]);
    assert_eq!(why(&reckoning, &ten), Some(Refusal::NotCombinable(three.title.clone())));
    // Both sides have to allow it.
    let willing = Discount { combines: vec![Class::Order], ..ten.clone() };
    assert_eq!(offs(&reckon(&purchase, &[willing.clone(), three.clone()]).unwrap()), [vec![300]]);
    let both = all_together(vec![ten, three]);
    // The larger by itself goes first: 300, then 10 % of 700.
    assert_eq!(offs(&reckon(&purchase, &both).unwrap()), [vec![300], vec![70]]);
    // Two small ones that go together beat a larger one that goes with none.
    let four = discount(fixed(350));
    let mut candidates = both;
    candidates.push(four.clone());
    let reckoning = reckon(&purchase, &candidates).unwrap();
    assert_eq!(offs(&reckoning), [vec![300], vec![70]]);
    assert!(matches!(why(&reckoning, &four), Some(Refusal::NotCombinable(_))));
}

#[test]
fn a_line_takes_one_discount_on_goods() {
    let purchase = purchase(currency(2), &[(1000, 1), (1000, 1)]);
    let half = discount(Terms::Percentage { rate_ppm: ppm(500_000), on: only(&purchase, 0) });
    let both = Selection {
        products: purchase.goods.iter().map(|goods| goods.product).collect(),
        ..Selection::default()
    };
    let tenth = discount(Terms::Percentage { rate_ppm: ppm(100_000), on: Some(both) });
    let reckoning = reckon(&purchase, &all_together(vec![tenth, half])).unwrap();
    assert_eq!(offs(&reckoning), [vec![500, 0], vec![0, 100]]);
}

#[test]
fn so_much_off_each_piece_or_once() {
    let purchase = purchase(currency(2), &[(250, 3), (1000, 1)]);
    let off = |each, minor| {
        let terms = Terms::FixedAmount { amount: eur(minor), on: only(&purchase, 0), each };
        offs(&reckon(&purchase, &[discount(terms)]).unwrap())
    };
    assert_eq!(off(true, 100), [vec![300, 0]]);
    assert_eq!(off(false, 100), [vec![100, 0]]);
    assert_eq!(off(true, i64::MAX), [vec![750, 0]]);
    assert_eq!(off(false, i64::MAX), [vec![750, 0]]);
}

#[test]
fn buy_two_get_one_for_half() {
    let purchase = purchase(currency(2), &[(1000, 2), (400, 2)]);
    let part = |quantity, of| Part { quantity: Quantity::new(quantity).unwrap(), of };
    let terms = |most_per_order| Terms::BuyXGetY {
        buy: part(2, only(&purchase, 0)),
        get: part(1, only(&purchase, 1)),
        rate_ppm: ppm(500_000),
        most_per_order,
    };
    let reckoning = reckon(&purchase, &[discount(terms(None))]).unwrap();
    assert_eq!(offs(&reckoning), [vec![0, 200]]);
    let wants_three = Terms::BuyXGetY {
        buy: part(3, only(&purchase, 0)),
        get: part(1, None),
        rate_ppm: Ppm::WHOLE,
        most_per_order: Some(1),
    };
    let wanting = discount(wants_three);
    let reckoning = reckon(&purchase, std::slice::from_ref(&wanting)).unwrap();
    assert_eq!((offs(&reckoning).len(), why(&reckoning, &wanting)), (0, Some(Refusal::MinimumQuantity(1))));
}

#[test]
fn why_it_does_not_apply() {
    let purchase = purchase(currency(2), &[(1000, 1)]);
    let base = || discount(percentage(100_000));
    let hour = TimeDelta::hours(1);
    let other = Selection { variants: vec![VariantId::new()], ..Selection::default() };
    let free = |countries: &[&str], up_to| {
        let countries = countries.iter().map(|country| country.parse().unwrap()).collect();
        discount(Terms::FreeShipping { countries, up_to })
    };
    let cases = [
        (Discount { paused: true, ..base() }, Refusal::Paused),
        (Discount { starts_at: purchase.now + hour, ..base() }, Refusal::NotStarted(purchase.now + hour)),
        (Discount { starts_at: purchase.now - hour, ends_at: Some(purchase.now), ..base() }, Refusal::Ended),
        (Discount { audience: Audience::Unknown, ..base() }, Refusal::SignInFirst),
        (Discount { audience: Audience::Others, used: 3, ..base() }, Refusal::OtherCustomers),
        (Discount { usage_limit: Some(3), used: 3, ..base() }, Refusal::UsedUp),
        (Discount { per_customer_limit: Some(1), used_by_customer: 1, ..base() }, Refusal::UsedByCustomer),
        (
            Discount { minimum: Minimum { amount: Some(eur(1250)), quantity: None }, ..base() },
            Refusal::MinimumAmount(eur(250)),
        ),
        (
            Discount { minimum: Minimum { amount: None, quantity: Some(3) }, ..base() },
            Refusal::MinimumQuantity(2),
        ),
        (
            discount(Terms::FixedAmount { amount: Money::new(1, currency(0)), on: None, each: false }),
            Refusal::OtherCurrency,
        ),
        (discount(Terms::Percentage { rate_ppm: ppm(1), on: Some(other) }), Refusal::NothingEligible),
        (discount(percentage(1)), Refusal::NothingLeft),
        (free(&["FR"], None), Refusal::OtherDelivery),
        (free(&[], Some(eur(489))), Refusal::OtherDelivery),
    ];
    for (discount, refusal) in cases {
        let reckoning = reckon(&purchase, std::slice::from_ref(&discount)).unwrap();
        assert_eq!((offs(&reckoning).len(), why(&reckoning, &discount)), (0, Some(refusal)));
    }
    let nowhere = Purchase { delivery: None, ..purchase };
    let free = free(&[], None);
    assert_eq!(
        why(&reckon(&nowhere, std::slice::from_ref(&free)).unwrap(), &free),
        Some(Refusal::NoDelivery)
    );
}

/// A rule by number, on lines of the purchase by number.
fn some_terms(purchase: &Purchase, kind: u8, value: u32, place: usize) -> Terms {
    let currency = purchase.currency;
    let on = only(purchase, place % purchase.goods.len());
    let part = |of| Part { quantity: Quantity::new(value % 3 + 1).unwrap(), of };
    let rate_ppm = ppm(value % 1_000_000 + 1);
    let amount = Money::new(i64::from(value % 50_000) + 1, currency);
    match kind % 7 {
        0 => Terms::Percentage { rate_ppm, on: None },
        1 => Terms::Percentage { rate_ppm, on },
        2 => Terms::FixedAmount { amount, on: None, each: false },
        3 => Terms::FixedAmount { amount, on, each: false },
        4 => Terms::FixedAmount { amount, on, each: true },
        5 => Terms::BuyXGetY { buy: part(None), get: part(on), rate_ppm, most_per_order: None },
        _ => Terms::FreeShipping { countries: Vec::new(), up_to: None },
    }
}

proptest! {
    #[test]
    fn what_is_off_several_deliveries_adds_up(
        prices in prop::collection::vec(0_i64..=1_000_000, 1..6), percent in 0_i64..=100,
    ) {
        let prices: Vec<Money> = prices.into_iter().map(eur).collect();
        let whole = Money::sum(prices.iter().copied(), currency(2)).unwrap();
        let shipping = eur(whole.minor() * percent / 100);
        let applied = Applied {
            discount: DiscountId::new(),
            title: String::new(),
            code: None,
            kind: "free_shipping",
            lines: Vec::new(),
            shipping,
        };
        let offs = applied.off_deliveries(&prices).unwrap();
        prop_assert_eq!(Money::sum(offs.iter().copied(), currency(2)).unwrap(), shipping);
        prop_assert!(offs.iter().zip(&prices).all(|(off, price)| off.minor() <= price.minor()));
        if percent == 100 {
            prop_assert_eq!(offs, prices);
        }
    }

    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever the discounts, the currency and the tax: no line falls below zero, the sums are exact, with prices that include tax the
    /// gross is what was asked, and returning piece by piece gives back exactly what was paid.
    #[test]
    fn discounts_take_and_lose_nothing(
        exponent in prop::sample::select(vec![0_u32, 2, 3]),
        lines in prop::collection::vec((0_i64..20_000, 1_u32..9), 1..7),
        wishes in prop::collection::vec((any::<u8>(), any::<u32>(), any::<usize>(), any::<bool>()), 0..6),
        rates in prop::collection::vec(0_u32..300_000, 0..3),
        inclusive: bool,
        level in prop::sample::select(vec![TaxLevel::Line, TaxLevel::Unit, TaxLevel::Document]),
    ) {
        let currency = currency(exponent);
        let purchase = purchase(currency, &lines);
        let candidates: Vec<Discount> = wishes.iter().map(|(kind, value, place, open)| {
            let combines = if *open { vec![Class::Product, Class::Order, Class::Shipping] } else { Vec::new() };
            Discount { combines, ..discount(some_terms(&purchase, *kind, *value, *place)) }
        }).collect();
        let reckoning = reckon(&purchase, &candidates).unwrap();
        prop_assert_eq!(reckoning.applied.len() + reckoning.refused.len(), candidates.len());
        let mut backwards = candidates.clone();
        backwards.reverse();
        prop_assert_eq!(&reckon(&purchase, &backwards).unwrap().applied, &reckoning.applied);
        for (place, one) in reckoning.applied.iter().enumerate() {
            let chosen = candidates.iter().find(|known| known.id == one.discount).unwrap();
            for other in &reckoning.applied[place + 1..] {
                let other = candidates.iter().find(|known| known.id == other.discount).unwrap();
                prop_assert!(chosen.goes_with(other));
            }
        }
        let mut totals = Vec::new();
        for (place, goods) in purchase.goods.iter().enumerate() {
            let off = reckoning.off_line(place, currency).unwrap();
            prop_assert!(!off.is_negative() && off.minor() <= goods.total.minor());
            totals.push(goods.total.checked_sub(off).unwrap());
        }
        let rules = TaxRules::beside(&rates.iter().map(|rate| ppm(*rate)).collect::<Vec<_>>());
        let taxables: Vec<Taxable<'_>> = (purchase.goods.iter().zip(&totals))
            .map(|(goods, base)| Taxable { base: *base, quantity: goods.quantity, taxable: true, class: None, shipped: true })
            .collect();
        let taxes = tax::of_sale(&rules, &taxables, &[], inclusive, level, Rounding::HalfUp).unwrap().goods;
        for ((goods, total), taxes) in purchase.goods.iter().zip(&totals).zip(taxes) {
            let tax = Money::sum(taxes.iter().map(|tax| tax.amount), currency).unwrap();
            let paid = if inclusive { *total } else { total.checked_add(tax).unwrap() };
            if inclusive {
                prop_assert!(!tax.is_negative() && tax.minor() <= total.minor());
            }
            let mut back = Money::zero(currency);
            for pieces in 1..=goods.quantity.get() {
                let share = souk_kernel::refund_share(paid, pieces, goods.quantity.get(), back).unwrap();
                prop_assert!(!share.is_negative());
                back = back.checked_add(share).unwrap();
            }
            prop_assert_eq!(back, paid);
        }
    }
}
