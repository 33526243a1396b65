//! What a cart costs. Pure; the law of the order's table is the law here: total = subtotal − discount + shipping, and tax when it is not
//! inside.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use souk_kernel::{
    CartLineId, CollectionId, Currency, DiscountId, Money, MoneyError, ProductId, Quantity, ShippingRateId,
    VariantId,
};

use super::{Cart, CartLine};
use crate::catalog::{self, Sellable};
use crate::credit::UsableCredit;
use crate::discounts::{Applied, CodeView, Delivery, Goods, Purchase, Reckoning, Refusal};
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
    /// The lines before any discount.
    pub subtotal: Money,
    /// What is taken off the goods.
    pub discount: Money,
    /// The discounts that apply, in the order they were taken off.
    pub discounts: Vec<Applied>,
    /// What the shopper has entered, and whether it applies.
    pub codes: Vec<CodeView>,
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
    /// What gift cards and store credit pay of it, in that order.
    pub credits: Vec<(UsableCredit, Money)>,
    /// What is left to pay.
    pub due: Money,
}

/// A line with its price.
#[derive(Debug)]
pub struct QuotedLine {
    pub id: CartLineId,
    pub sellable: Sellable,
    pub quantity: Quantity,
    /// What is taken off.
    pub discount: Money,
    /// Unit price times pieces, without the discount.
    pub total: Money,
    /// Never empty.
    pub tax_lines: Vec<TaxLine>,
}

/// The delivery that was chosen.
#[derive(Debug)]
pub struct QuotedShipping {
    pub rate: ShippingRateId,
    pub title: String,
    /// What is taken off.
    pub discount: Money,
    /// What is to be paid for it.
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
                Some(mut sellable) => {
                    (sellable.unit_price, _) =
                        catalog::price_of(sellable.unit_price, &sellable.offers, line.quantity)?;
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

    /// The products, each once.
    pub fn products(&self) -> Vec<ProductId> {
        let mut products: Vec<ProductId> = self.goods.iter().map(|(_, sold, _)| sold.product).collect();
        products.sort_unstable();
        products.dedup();
        products
    }

    /// The goods and their delivery as discounts see them.
    pub fn purchase(
        &self,
        delivery: Option<Delivery>,
        collections: &HashMap<ProductId, Vec<CollectionId>>,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Purchase {
        let goods = self.goods.iter().map(|(line, sold, total)| Goods {
            product: sold.product,
            variant: sold.variant,
            collections: collections.get(&sold.product).cloned().unwrap_or_default(),
            quantity: line.quantity,
            unit_price: sold.unit_price,
            total: *total,
        });
        let currency = self.subtotal.currency();
        Purchase { goods: goods.collect(), delivery, currency, rounding: settings.tax_rounding, now }
    }
}

/// The option the shopper chose, if it is still one of them; else the cheapest.
pub fn chosen<'o>(cart: &Cart, options: &'o [ShippingOption]) -> Option<&'o ShippingOption> {
    options.iter().find(|option| Some(option.id) == cart.shipping_rate).or(options.first())
}

/// What prices depend on besides the basket.
#[derive(Debug)]
pub struct Pricing<'p> {
    pub settings: &'p Settings,
    pub rules: &'p TaxRules,
    /// Those that fit the destination and the subtotal, cheapest first.
    pub options: Vec<ShippingOption>,
    pub reckoning: Reckoning,
    /// The discounts that codes name.
    pub named: HashMap<String, DiscountId>,
}

impl Quote {
    /// Works the price out.
    pub fn of(cart: &Cart, basket: Basket, pricing: Pricing<'_>) -> Result<Self, MoneyError> {
        let Pricing { settings, rules, options, reckoning, named } = pricing;
        let currency = cart.currency;
        let off = |place| reckoning.off_line(place, currency);
        let offs = (0..basket.goods.len()).map(off).collect::<Result<Vec<_>, _>>()?;
        let off_shipping = reckoning.off_shipping(currency)?;
        let to_pay = |(_, _, total): &(CartLine, Sellable, Money), off: &Money| total.checked_sub(*off);
        let totals = basket.goods.iter().zip(&offs).map(|(goods, off)| to_pay(goods, off));
        let totals = totals.collect::<Result<Vec<_>, _>>()?;
        let option = chosen(cart, &options);
        let price =
            option.map_or(Ok(Money::zero(currency)), |option| option.price.checked_sub(off_shipping))?;
        let mut taxables: Vec<Taxable> = basket.goods.iter().zip(&totals).map(taxable).collect();
        taxables.extend(option.map(|_| Taxable { base: price, quantity: Quantity::ONE, taxable: true }));
        let inclusive = cart.prices_include_tax.unwrap_or(settings.prices_include_tax);
        let taxes = tax::lines(rules, &taxables, inclusive, settings.tax_level, settings.tax_rounding)?;
        let (tax_lines, tax) = summed(&taxes, currency)?;
        let mut taxes = taxes.into_iter();
        let lines =
            basket.goods.into_iter().zip(totals).zip(&offs).map(|(((line, sellable, _), total), off)| {
                QuotedLine {
                    id: line.id,
                    sellable,
                    quantity: line.quantity,
                    discount: *off,
                    total,
                    tax_lines: taxes.next().unwrap_or_default(),
                }
            });
        let lines = lines.collect();
        let shipping = option.map(|option| QuotedShipping {
            rate: option.id,
            title: option.title.clone(),
            discount: off_shipping,
            price,
            tax_lines: taxes.next().unwrap_or_default(),
        });
        let discount = Money::sum(offs, currency)?;
        let before_tax = basket.subtotal.checked_sub(discount)?.checked_add(price)?;
        let total = if inclusive { before_tax } else { before_tax.checked_add(tax)? };
        Ok(Self {
            currency,
            prices_include_tax: inclusive,
            lines,
            unavailable: basket.unavailable,
            subtotal: basket.subtotal,
            discount,
            codes: cart.discount_codes.iter().map(|code| code_view(code, &reckoning, &named)).collect(),
            discounts: reckoning.applied,
            shipping_required: basket.shipping_required,
            shipping,
            shipping_options: options,
            tax_lines,
            tax,
            total,
            credits: Vec::new(),
            due: total,
        })
    }

    /// The same, paid in part or in whole by credit.
    pub fn paid_by(mut self, credits: Vec<(UsableCredit, Money)>) -> Result<Self, MoneyError> {
        let paid = Money::sum(credits.iter().map(|(_, part)| *part), self.currency)?;
        self.due = self.total.checked_sub(paid)?;
        self.credits = credits;
        Ok(self)
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

fn taxable(((line, sellable, _), total): (&(CartLine, Sellable, Money), &Money)) -> Taxable {
    Taxable { base: *total, quantity: line.quantity, taxable: sellable.taxable }
}

/// What became of a code.
fn code_view(code: &str, reckoning: &Reckoning, named: &HashMap<String, DiscountId>) -> CodeView {
    let id = named.get(code);
    let applied = reckoning.applied.iter().find(|applied| Some(&applied.discount) == id);
    let refused = reckoning.refused.iter().find(|(discount, _)| Some(discount) == id);
    let refusal = match (applied, refused) {
        (Some(applied), _) if applied.code.as_ref().is_some_and(|by| by.eq_ignore_ascii_case(code)) => None,
        // Another code of the same discount came first.
        (Some(applied), _) => Some(Refusal::NotCombinable(applied.title.clone())),
        (None, Some((_, refusal))) => Some(refusal.clone()),
        (None, None) if id.is_some() => Some(Refusal::NothingEligible),
        (None, None) => Some(Refusal::Unknown),
    };
    CodeView::of(code.to_owned(), refusal.as_ref())
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
