//! What a cart costs. Pure; the law of the order's table is the law here: total = subtotal + shipping, and tax when it is not inside.

use std::collections::HashMap;

use souk_kernel::{CartLineId, Currency, Money, MoneyError, Quantity, ShippingRateId, VariantId};

use super::{Cart, CartLine};
use crate::catalog::Sellable;
use crate::settings::Settings;
use crate::shipping::ShippingOption;
use crate::tax::{self, TaxLine, TaxRules, Taxable};

/// The goods of a cart at today's prices.
#[derive(Debug)]
pub struct Basket {
    goods: Vec<(CartLine, Sellable, Money)>,
    unavailable: Vec<CartLine>,
    pub subtotal: Money,
    pub shipping_required: bool,
}

/// What a cart costs as of this transaction.
#[derive(Debug)]
pub struct Quote {
    pub currency: Currency,
    pub prices_include_tax: bool,
    /// What can be bought.
    pub lines: Vec<QuotedLine>,
    /// What cannot be bought any more; it costs nothing and will not be sold.
    pub unavailable: Vec<CartLine>,
    pub subtotal: Money,
    /// Whether anything has to be delivered.
    pub shipping_required: bool,
    /// Cheapest first; empty without an address.
    pub shipping_options: Vec<ShippingOption>,
    /// The chosen option if it still fits, else the cheapest.
    pub shipping: Option<QuotedShipping>,
    /// The tax lines of goods and delivery, summed by rate.
    pub tax_lines: Vec<TaxLine>,
    /// Their sum; inside the total when prices include tax.
    pub tax: Money,
    pub total: Money,
}

/// A line with its price.
#[derive(Debug)]
pub struct QuotedLine {
    pub id: CartLineId,
    pub sellable: Sellable,
    pub quantity: Quantity,
    /// Unit price times pieces.
    pub total: Money,
    /// Never empty.
    pub tax_lines: Vec<TaxLine>,
}

/// The delivery that was chosen.
#[derive(Debug)]
pub struct QuotedShipping {
    pub rate: ShippingRateId,
    pub title: String,
    pub price: Money,
    /// Never empty.
    pub tax_lines: Vec<TaxLine>,
}

impl Basket {
    /// Puts prices to the lines; what is not for sale, or not in this currency, is unavailable.
    pub fn of(cart: &Cart, sold: Vec<Sellable>) -> Result<Self, MoneyError> {
        let mut sold: HashMap<VariantId, Sellable> =
            sold.into_iter().filter(|sold| sold.live).map(|sold| (sold.variant, sold)).collect();
        let (mut goods, mut unavailable) = (Vec::with_capacity(cart.lines.len()), Vec::new());
        for line in &cart.lines {
            match sold.remove(&line.variant) {
                Some(sellable) => {
                    let total = sellable.unit_price.times(line.quantity)?;
                    goods.push((*line, sellable, total));
                }
                None => unavailable.push(*line),
            }
        }
        let subtotal = Money::sum(goods.iter().map(|(_, _, total)| *total), cart.currency)?;
        let shipping_required = goods.iter().any(|(_, sellable, _)| sellable.requires_shipping);
        Ok(Self { goods, unavailable, subtotal, shipping_required })
    }

    /// Whether there is nothing to buy.
    pub fn is_empty(&self) -> bool {
        self.goods.is_empty()
    }
}

impl Quote {
    /// Works the price out. `options` are those that fit the destination and the subtotal, cheapest first.
    pub fn of(
        cart: &Cart,
        basket: Basket,
        settings: &Settings,
        rules: &TaxRules,
        options: Vec<ShippingOption>,
    ) -> Result<Self, MoneyError> {
        let chosen = options.iter().find(|option| Some(option.id) == cart.shipping_rate).or(options.first());
        let mut taxables: Vec<Taxable> = basket.goods.iter().map(taxable).collect();
        taxables.extend(chosen.map(|option| Taxable {
            base: option.price,
            quantity: Quantity::ONE,
            taxable: true,
        }));
        let inclusive = settings.prices_include_tax;
        let taxes = tax::lines(rules, &taxables, inclusive, settings.tax_level, settings.tax_rounding)?;
        let (tax_lines, tax) = summed(&taxes, cart.currency)?;
        let mut taxes = taxes.into_iter();
        let lines = basket.goods.into_iter().map(|(line, sellable, total)| QuotedLine {
            id: line.id,
            sellable,
            quantity: line.quantity,
            total,
            tax_lines: taxes.next().unwrap_or_default(),
        });
        let lines = lines.collect();
        let shipping = chosen.map(|option| QuotedShipping {
            rate: option.id,
            title: option.title.clone(),
            price: option.price,
            tax_lines: taxes.next().unwrap_or_default(),
        });
        let price = shipping.as_ref().map_or(Money::zero(cart.currency), |shipping| shipping.price);
        let before_tax = basket.subtotal.checked_add(price)?;
        Ok(Self {
            currency: cart.currency,
            prices_include_tax: inclusive,
            lines,
            unavailable: basket.unavailable,
            subtotal: basket.subtotal,
            shipping_required: basket.shipping_required,
            shipping,
            shipping_options: options,
            tax_lines,
            tax,
            total: if inclusive { before_tax } else { before_tax.checked_add(tax)? },
        })
    }

    /// What a checkout would still ask for.
    pub fn missing(&self, cart: &Cart) -> Vec<&'static str> {
        let no_address = cart.shipping_address.is_none();
        let asks = [
            (self.lines.is_empty(), "lines"),
            (cart.email.is_none(), "email"),
            (self.shipping_required && no_address, "shipping_address"),
            (self.shipping_required && !no_address && self.shipping.is_none(), "shipping_option"),
        ];
        asks.into_iter().filter_map(|(missing, name)| missing.then_some(name)).collect()
    }
}

fn taxable((line, sellable, total): &(CartLine, Sellable, Money)) -> Taxable {
    Taxable { base: *total, quantity: line.quantity, taxable: sellable.taxable }
}

/// One line per rate and reason, in order of appearance, and the sum of all.
fn summed(taxes: &[Vec<TaxLine>], currency: Currency) -> Result<(Vec<TaxLine>, Money), MoneyError> {
    let mut sums: Vec<TaxLine> = Vec::new();
    for tax in taxes.iter().flatten() {
        let same = |sum: &&mut TaxLine| {
            (&sum.name, &sum.jurisdiction, sum.rate, sum.reason)
                == (&tax.name, &tax.jurisdiction, tax.rate, tax.reason)
        };
        match sums.iter_mut().find(same) {
            Some(sum) => {
                sum.taxable = sum.taxable.checked_add(tax.taxable)?;
                sum.amount = sum.amount.checked_add(tax.amount)?;
            }
            None => sums.push(tax.clone()),
        }
    }
    let whole = Money::sum(sums.iter().map(|sum| sum.amount), currency)?;
    Ok((sums, whole))
}
