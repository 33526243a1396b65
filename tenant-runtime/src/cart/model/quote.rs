//! What a cart costs. Pure; the law of the order's table is the law here: total = subtotal − discount + shipping, and tax when it is not
//! inside.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use souk_kernel::{
    CartLineId, CollectionId, Currency, DiscountId, ImageId, InventoryItemId, Money, MoneyError, ProductId,
    Quantity, Rounding, ShippingRateId, VariantId,
};

use super::terms::{AgreedLine, AgreedWare, Terms};
use super::{Address, Cart, CartLine};
use crate::catalog::{self, Component, Sellable};
use crate::credit::UsableCredit;
use crate::discounts::{Applied, CodeView, Delivery, Goods, Purchase, Reckoning, Refusal};
use crate::inventory::{Demand, Policy};
use crate::settings::Settings;
use crate::shipping::{Parcel, ShippingOption};
use crate::tax::{self, TaxLine, TaxRelief, TaxRules, Taxable};

/// More than anything weighs that is sent; what is heavier counts as this.
const MOST_GRAMS: i64 = 1_000_000_000_000;

/// What a line is of, as an order copies it.
#[derive(Clone, Debug)]
pub struct Ware {
    /// None for what staff made up.
    pub known: Option<Known>,
    pub title: String,
    pub variant_title: String,
    pub sku: Option<String>,
    /// `[{"name", "value"}]` in option order.
    pub options: serde_json::Value,
    pub image: Option<ImageId>,
    /// What one piece of so many costs.
    pub unit_price: Money,
    pub compare_at: Option<Money>,
    pub weight_grams: i64,
    pub requires_shipping: bool,
    pub taxable: bool,
    /// What it is to the state, if it is something special.
    pub tax_class: Option<String>,
    /// What one piece takes from the stock; of itself where there are none.
    pub components: Vec<Component>,
}

/// What the catalogue and the stock know a line's ware by.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub variant: VariantId,
    pub product: ProductId,
    pub item: InventoryItemId,
    pub policy: Policy,
}

impl From<Sellable> for Ware {
    fn from(sold: Sellable) -> Self {
        let Sellable { variant, product, item, policy, .. } = sold;
        Self {
            known: Some(Known { variant, product, item, policy }),
            title: sold.title,
            variant_title: sold.variant_title,
            sku: sold.sku,
            options: sold.options,
            image: sold.image,
            unit_price: sold.unit_price,
            compare_at: sold.compare_at,
            weight_grams: sold.weight_grams,
            requires_shipping: sold.requires_shipping,
            taxable: sold.taxable,
            tax_class: sold.tax_class,
            components: sold.components,
        }
    }
}

impl Ware {
    /// What staff agreed about a line; none for a variant that is not there any more. Whether its product is for sale is for staff to say.
    fn agreed(line: &AgreedLine, sold: &HashMap<VariantId, Sellable>) -> Option<Self> {
        let unit_price = line.unit_price;
        match &line.ware {
            AgreedWare::Variant(variant) => {
                let known = Self::from(sold.get(variant)?.clone());
                Some(Self { unit_price, compare_at: None, ..known })
            }
            AgreedWare::Free { title, sku, taxable, requires_shipping } => Some(Self {
                known: None,
                title: title.clone(),
                variant_title: String::new(),
                sku: sku.clone(),
                options: serde_json::json!([]),
                image: None,
                unit_price,
                compare_at: None,
                weight_grams: 0,
                requires_shipping: *requires_shipping,
                taxable: *taxable,
                tax_class: None,
                components: Vec::new(),
            }),
        }
    }
}

/// A line of a basket.
#[derive(Debug)]
struct Good {
    id: CartLineId,
    quantity: Quantity,
    ware: Ware,
    /// Unit price times pieces.
    total: Money,
}

/// The goods of a cart at today's prices, or at those that staff agreed.
#[derive(Debug)]
pub struct Basket {
    goods: Vec<Good>,
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
    /// Why the buyer owes none where others would, if so.
    pub tax_relief: Option<TaxRelief>,
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
    pub ware: Ware,
    pub quantity: Quantity,
    /// What is taken off.
    pub discount: Money,
    /// Unit price times pieces, less the discount.
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
        let sold = sold.into_iter().map(|sold| (sold.variant, sold));
        if let Some(terms) = &cart.terms {
            return Self::agreed(terms, &sold.collect(), cart.currency);
        }
        let mut sold: HashMap<VariantId, Sellable> = sold.filter(|(_, sold)| sold.live).collect();
        let (mut goods, mut unavailable) = (Vec::with_capacity(cart.lines.len()), Vec::new());
        for line in &cart.lines {
            match sold.remove(&line.variant) {
                Some(mut sellable) => {
                    (sellable.unit_price, _) =
                        catalog::price_of(sellable.unit_price, &sellable.offers, line.quantity)?;
                    let total = sellable.unit_price.times(line.quantity)?;
                    goods.push(Good { id: line.id, quantity: line.quantity, ware: sellable.into(), total });
                }
                None => unavailable.push(*line),
            }
        }
        Self::whole(goods, unavailable, cart.currency)
    }

    /// The lines at their agreed prices.
    fn agreed(
        terms: &Terms,
        sold: &HashMap<VariantId, Sellable>,
        currency: Currency,
    ) -> Result<Self, MoneyError> {
        let (mut goods, mut unavailable) = (Vec::with_capacity(terms.lines.len()), Vec::new());
        for line in &terms.lines {
            let (id, quantity) = (line.id, line.quantity);
            match (Ware::agreed(line, sold), &line.ware) {
                (Some(ware), _) => {
                    let total = ware.unit_price.times(quantity)?;
                    goods.push(Good { id, quantity, ware, total });
                }
                (None, AgreedWare::Variant(variant)) => {
                    unavailable.push(CartLine { id, variant: *variant, quantity, position: 0 });
                }
                // What staff made up is there.
                (None, AgreedWare::Free { .. }) => {}
            }
        }
        Self::whole(goods, unavailable, currency)
    }

    fn whole(goods: Vec<Good>, unavailable: Vec<CartLine>, currency: Currency) -> Result<Self, MoneyError> {
        let subtotal = Money::sum(goods.iter().map(|good| good.total), currency)?;
        let shipping_required = goods.iter().any(|good| good.ware.requires_shipping);
        Ok(Self { goods, unavailable, subtotal, shipping_required })
    }

    /// The lines and what each costs before any discount.
    pub fn totals(&self) -> Vec<(CartLineId, Money)> {
        self.goods.iter().map(|good| (good.id, good.total)).collect()
    }

    /// Takes out of each price the tax that would be inside it; what is not taxed keeps its price.
    pub fn take_out_tax(&mut self, rules: &TaxRules, rounding: Rounding) -> Result<(), MoneyError> {
        for good in self.goods.iter_mut().filter(|good| good.ware.taxable) {
            let class = good.ware.tax_class.as_deref();
            let net = |price: Money| tax::without_tax(rules, price, class, rounding);
            let (price, before) = (net(good.ware.unit_price)?, good.ware.compare_at.map(net).transpose()?);
            good.ware.unit_price = price;
            good.ware.compare_at = before;
            good.total = price.times(good.quantity)?;
        }
        self.subtotal = Money::sum(self.goods.iter().map(|good| good.total), self.subtotal.currency())?;
        Ok(())
    }

    /// Whether there is nothing to buy.
    pub fn is_empty(&self) -> bool {
        self.goods.is_empty()
    }

    /// What has to be delivered there.
    pub fn parcel(&self, to: &Address) -> Parcel {
        let sent = || self.goods.iter().filter(|good| good.ware.requires_shipping);
        let pieces = |good: &Good| i64::from(good.quantity.get());
        Parcel {
            to: to.country,
            province: to.province.as_ref().map(|province| province.as_str().to_owned()),
            postal_code: to.postal_code.as_ref().map(|code| code.as_str().to_owned()).unwrap_or_default(),
            merchandise_total: self.subtotal,
            weight_grams: sent()
                .fold(0_i64, |sum, good| {
                    sum.saturating_add(good.ware.weight_grams.saturating_mul(pieces(good)))
                })
                .min(MOST_GRAMS),
            pieces: sent().map(pieces).sum(),
        }
    }

    /// The products, each once.
    pub fn products(&self) -> Vec<ProductId> {
        let known = self.goods.iter().filter_map(|good| good.ware.known);
        let mut products: Vec<ProductId> = known.map(|known| known.product).collect();
        products.sort_unstable();
        products.dedup();
        products
    }

    /// The goods and their delivery as discounts see them. All are of the catalogue: what staff made up is in drafts only, and those have
    /// discounts by hand.
    pub fn purchase(
        &self,
        delivery: Option<Delivery>,
        collections: &HashMap<ProductId, Vec<CollectionId>>,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Purchase {
        let known = self.goods.iter().filter_map(|good| Some((good, good.ware.known?)));
        let goods = known.map(|(good, known)| Goods {
            product: known.product,
            variant: known.variant,
            collections: collections.get(&known.product).cloned().unwrap_or_default(),
            quantity: good.quantity,
            unit_price: good.ware.unit_price,
            total: good.total,
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
    /// Whether tax is inside the prices.
    pub inclusive: bool,
}

impl Quote {
    /// Works the price out.
    pub fn of(cart: &Cart, basket: Basket, pricing: Pricing<'_>) -> Result<Self, MoneyError> {
        let Pricing { settings, rules, options, reckoning, named, inclusive } = pricing;
        let currency = cart.currency;
        let off = |place| reckoning.off_line(place, currency);
        let offs = (0..basket.goods.len()).map(off).collect::<Result<Vec<_>, _>>()?;
        let off_shipping = reckoning.off_shipping(currency)?;
        let totals = basket.goods.iter().zip(&offs).map(|(good, off)| good.total.checked_sub(*off));
        let totals = totals.collect::<Result<Vec<_>, _>>()?;
        let option = chosen(cart, &options);
        let price =
            option.map_or(Ok(Money::zero(currency)), |option| option.price.checked_sub(off_shipping))?;
        let taxables: Vec<Taxable<'_>> = basket.goods.iter().zip(&totals).map(taxable).collect();
        let (delivered, level, rounding) = (option.map(|_| price), settings.tax_level, settings.tax_rounding);
        let taxes = tax::of_sale(rules, &taxables, delivered, inclusive, level, rounding)?;
        let tax_lines = tax::summed(taxes.goods.iter().flatten().chain(&taxes.shipping))?;
        let tax = Money::sum(tax_lines.iter().map(|line| line.amount), currency)?;
        let is_relieved = tax_lines.iter().any(|line| line.reason.is_relief());
        let of_shipping = taxes.shipping;
        let mut taxes = taxes.goods.into_iter();
        let lines = basket.goods.into_iter().zip(totals).zip(&offs).map(|((good, total), off)| QuotedLine {
            id: good.id,
            ware: good.ware,
            quantity: good.quantity,
            discount: *off,
            total,
            tax_lines: taxes.next().unwrap_or_default(),
        });
        let lines = lines.collect();
        let shipping = option.map(|option| QuotedShipping {
            rate: option.id,
            title: option.title.clone(),
            discount: off_shipping,
            price,
            tax_lines: of_shipping,
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
            tax_relief: rules.relief.clone().filter(|_| is_relieved),
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

    /// What has to be in stock: a demand for each line that is of the catalogue, or for each of the components of its bundle.
    pub fn demands(&self) -> Vec<Demand> {
        let mut demands = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let Some(Known { item, policy, .. }) = line.ware.known else { continue };
            for (item, each) in catalog::made_of(item, &line.ware.components) {
                match Quantity::new(line.quantity.get().saturating_mul(each)) {
                    Ok(quantity) => demands.push(Demand { item, quantity, policy }),
                    // More than one demand may be for; all of an item are added up.
                    Err(_) => {
                        let demand = |_| Demand { item, quantity: line.quantity, policy };
                        demands.extend((0..each).map(demand));
                    }
                }
            }
        }
        demands
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

fn taxable<'g>((good, total): (&'g Good, &Money)) -> Taxable<'g> {
    Taxable {
        base: *total,
        quantity: good.quantity,
        taxable: good.ware.taxable,
        class: good.ware.tax_class.as_deref(),
        shipped: good.ware.requires_shipping,
    }
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
