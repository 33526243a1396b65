//! A cart as the shopper sees it.

use serde::Serialize;
use souk_access::LinkSecret;
use souk_kernel::{
    CartId, CartLineId, CreditId, Currency, DiscountId, Email, ImageId, Locale, MarketId, Money, ProductId,
    Quantity, ShippingRateId, VariantId,
};
use utoipa::ToSchema;

use super::{Address, Attributes, Cart, Quote, QuotedLine, QuotedShipping};
use crate::cart::state::CartState;
use crate::credit::{CreditKind, UsableCredit};
use crate::discounts::{Applied, CodeView};
use crate::shipping::ShippingOption;
use crate::tax::{TaxLine, TaxLineView, TaxRelief};

/// A cart, what it costs, and what became of the request.
#[derive(Debug)]
pub struct Priced {
    pub cart: Cart,
    pub quote: Quote,
    pub warnings: Vec<Warning>,
    /// Only when the cart was just made.
    pub secret: Option<LinkSecret>,
}

/// Something was not as wished, and done as far as possible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Warning {
    /// `quantity_limited`.
    #[schema(example = "quantity_limited")]
    pub code: &'static str,
    #[schema(example = "Only 3 are available.")]
    pub message: String,
    pub variant: VariantId,
    /// What was asked for.
    #[schema(example = 5)]
    pub requested: u32,
    /// What is in the cart.
    #[schema(example = 3)]
    pub quantity: u32,
}

/// A cart at today's prices. Nothing is reserved before the checkout.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CartView {
    pub id: CartId,
    /// Only in the answer that makes the cart. Send it back as `X-Cart-Secret`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Vd3iP0f0mJtY1mKkq2b8n4XhRr7sTzWc5uLx9aEeGg0")]
    pub secret: Option<String>,
    pub state: CartState,
    #[schema(example = 1)]
    pub version: i64,
    pub currency: Currency,
    /// The market it is priced in, if it was made for a country.
    pub market: Option<MarketId>,
    #[schema(value_type = Option<String>, example = "ada@example.com")]
    pub email: Option<Email>,
    pub note: String,
    pub attributes: Attributes,
    /// The language the shopper reads, if they said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "de-AT")]
    pub locale: Option<Locale>,
    /// The buyer's, if they are a business and said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ATU13585627")]
    pub vat_number: Option<String>,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub lines: Vec<CartLineView>,
    /// Lines that cannot be bought any more: they cost nothing and will not be sold. Remove them.
    pub unavailable_lines: Vec<UnavailableLineView>,
    /// The goods before any discount.
    pub subtotal: Money,
    /// What is taken off the goods; what is taken off the delivery is in `shipping`.
    pub discount: Money,
    /// The discounts that apply.
    pub discounts: Vec<CartDiscountView>,
    /// What the shopper has entered, and why it does not apply if so.
    pub discount_codes: Vec<CodeView>,
    #[schema(example = true)]
    pub shipping_required: bool,
    /// Cheapest first; empty without an address.
    pub shipping_options: Vec<ShippingOption>,
    /// The chosen option, or else the cheapest.
    pub shipping: Option<CartShippingView>,
    /// By rate, delivery included.
    pub tax_lines: Vec<TaxLineView>,
    /// Inside the total when `prices_include_tax`, else part of it.
    pub tax: Money,
    /// Why the buyer owes no tax where others would, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_relief: Option<TaxRelief>,
    /// Whether tax is inside the prices; to whoever is relieved of it they may be shown without.
    #[schema(example = true)]
    pub prices_include_tax: bool,
    /// Send it as `expected_total` with the checkout.
    pub total: Money,
    /// Gift cards that were entered, in the order they pay.
    pub gift_cards: Vec<CreditId>,
    #[schema(example = false)]
    pub use_store_credit: bool,
    /// What gift cards and store credit pay of the total. One that is empty, expired or stopped by now is missing.
    pub credits: Vec<CartCreditView>,
    /// What is left to pay. Where credit pays, send it as `expected_due` with the checkout.
    pub amount_due: Money,
    /// What the checkout would still ask for: `lines`, `email`, `shipping_address`, `shipping_option`.
    #[schema(example = json!(["email"]))]
    pub missing: Vec<&'static str>,
    #[schema(example = false)]
    pub ready_for_checkout: bool,
    pub warnings: Vec<Warning>,
}

/// What a basket would cost. Nothing is made or kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuoteView {
    pub currency: Currency,
    /// The market it is priced in, if it was asked for a country.
    pub market: Option<MarketId>,
    pub lines: Vec<QuoteLineView>,
    /// The goods before any discount.
    pub subtotal: Money,
    /// What is taken off the goods.
    pub discount: Money,
    pub discounts: Vec<CartDiscountView>,
    pub discount_codes: Vec<CodeView>,
    pub shipping_required: bool,
    /// Cheapest first; empty without an address.
    pub shipping_options: Vec<ShippingOption>,
    /// The cheapest, which the total counts.
    pub shipping: Option<CartShippingView>,
    pub tax_lines: Vec<TaxLineView>,
    /// Inside the total when `prices_include_tax`, else part of it.
    pub tax: Money,
    pub prices_include_tax: bool,
    pub total: Money,
    pub warnings: Vec<Warning>,
}

/// A line of a quote.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuoteLineView {
    pub variant: VariantId,
    pub quantity: Quantity,
    pub unit_price: Money,
    pub discount: Money,
    pub total: Money,
    pub tax_lines: Vec<TaxLineView>,
}

impl From<Priced> for QuoteView {
    fn from(Priced { cart, quote, warnings, secret: _ }: Priced) -> Self {
        let line = |line: QuotedLine| {
            let variant = line.ware.known?.variant;
            Some(QuoteLineView {
                variant,
                quantity: line.quantity,
                unit_price: line.ware.unit_price,
                discount: line.discount,
                total: line.total,
                tax_lines: taxes(&line.tax_lines),
            })
        };
        Self {
            currency: quote.currency,
            market: cart.market,
            lines: quote.lines.into_iter().filter_map(line).collect(),
            subtotal: quote.subtotal,
            discount: quote.discount,
            discounts: quote.discounts.iter().map(CartDiscountView::from).collect(),
            discount_codes: quote.codes,
            shipping_required: quote.shipping_required,
            shipping_options: quote.shipping_options,
            shipping: quote.shipping.map(CartShippingView::from),
            tax_lines: taxes(&quote.tax_lines),
            tax: quote.tax,
            prices_include_tax: quote.prices_include_tax,
            total: quote.total,
            warnings,
        }
    }
}

/// A line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CartLineView {
    pub id: CartLineId,
    pub variant: VariantId,
    pub product: ProductId,
    #[schema(example = "Enamel mug")]
    pub title: String,
    #[schema(example = "Blue")]
    pub variant_title: String,
    #[schema(example = "MUG-BLUE")]
    pub sku: Option<String>,
    #[schema(value_type = Vec<Object>, example = json!([{"name": "Colour", "value": "Blue"}]))]
    pub options: serde_json::Value,
    pub image: Option<ImageId>,
    pub requires_shipping: bool,
    /// What one piece of so many costs.
    pub unit_price: Money,
    /// What it cost before, if the merchant says so.
    pub compare_at: Option<Money>,
    pub quantity: Quantity,
    /// What is taken off this line, by all discounts.
    pub discount: Money,
    pub discounts: Vec<LineDiscountView>,
    /// Unit price times quantity, less the discount.
    pub total: Money,
    pub tax_lines: Vec<TaxLineView>,
}

/// What a gift card or the store credit pays.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CartCreditView {
    pub id: CreditId,
    pub kind: CreditKind,
    #[schema(example = "3HAB")]
    pub last_characters: Option<String>,
    /// What is on it now.
    pub balance: Money,
    /// What it pays of this cart.
    pub amount: Money,
}

impl From<(UsableCredit, Money)> for CartCreditView {
    fn from((credit, amount): (UsableCredit, Money)) -> Self {
        Self {
            id: credit.id,
            kind: credit.kind,
            last_characters: credit.last_characters,
            balance: credit.balance,
            amount,
        }
    }
}

/// A discount that applies to the cart.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CartDiscountView {
    pub id: DiscountId,
    #[schema(example = "Summer sale")]
    pub title: String,
    /// `percentage`, `fixed_amount`, `buy_x_get_y` or `free_shipping`.
    #[schema(example = "percentage")]
    pub kind: &'static str,
    /// The code it was entered by; none for an automatic one.
    #[schema(example = "SUMMER")]
    pub code: Option<String>,
    /// What it takes off in all, delivery included.
    pub amount: Money,
}

/// What one discount takes off one line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LineDiscountView {
    pub discount: DiscountId,
    pub amount: Money,
}

/// A line of something that is not for sale any more.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UnavailableLineView {
    pub id: CartLineId,
    pub variant: VariantId,
    pub quantity: Quantity,
}

/// The delivery.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CartShippingView {
    pub id: ShippingRateId,
    #[schema(example = "Standard")]
    pub title: String,
    /// What is taken off it.
    pub discount: Money,
    /// What is to be paid for it.
    pub price: Money,
    pub tax_lines: Vec<TaxLineView>,
}

/// What delivers there.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShippingOptionList {
    pub data: Vec<ShippingOption>,
}

fn taxes(lines: &[TaxLine]) -> Vec<TaxLineView> {
    lines.iter().map(TaxLineView::from).collect()
}

impl CartLineView {
    /// None for what staff made up: that is in no shopper's cart.
    fn of(line: QuotedLine, discounts: Vec<LineDiscountView>) -> Option<Self> {
        let sold = line.ware;
        let known = sold.known?;
        Some(Self {
            id: line.id,
            variant: known.variant,
            product: known.product,
            title: sold.title,
            variant_title: sold.variant_title,
            sku: sold.sku,
            options: sold.options,
            image: sold.image,
            requires_shipping: sold.requires_shipping,
            unit_price: sold.unit_price,
            compare_at: sold.compare_at.filter(|before| before.minor() > sold.unit_price.minor()),
            quantity: line.quantity,
            discount: line.discount,
            discounts,
            total: line.total,
            tax_lines: taxes(&line.tax_lines),
        })
    }
}

/// What each discount takes off the line at a place.
fn line_discounts(applied: &[Applied], place: usize) -> Vec<LineDiscountView> {
    let share = |applied: &Applied| {
        let amount = applied.lines.get(place).copied().filter(|amount| amount.is_positive())?;
        Some(LineDiscountView { discount: applied.discount, amount })
    };
    applied.iter().filter_map(share).collect()
}

impl From<&Applied> for CartDiscountView {
    fn from(applied: &Applied) -> Self {
        Self {
            id: applied.discount,
            title: applied.title.clone(),
            kind: applied.kind,
            code: applied.code.clone(),
            // It was counted when the cart was priced.
            amount: applied.total().unwrap_or(applied.shipping),
        }
    }
}

impl From<QuotedShipping> for CartShippingView {
    fn from(shipping: QuotedShipping) -> Self {
        Self {
            id: shipping.rate,
            title: shipping.title,
            discount: shipping.discount,
            price: shipping.price,
            tax_lines: taxes(&shipping.tax_lines),
        }
    }
}

impl From<Priced> for CartView {
    fn from(Priced { cart, quote, warnings, secret }: Priced) -> Self {
        let missing = quote.missing(&cart);
        let lines = quote
            .lines
            .into_iter()
            .enumerate()
            .filter_map(|(place, line)| CartLineView::of(line, line_discounts(&quote.discounts, place)));
        let gone = quote.unavailable.iter().map(|line| UnavailableLineView {
            id: line.id,
            variant: line.variant,
            quantity: line.quantity,
        });
        Self {
            id: cart.id,
            secret: secret.map(|secret| secret.expose().to_owned()),
            state: cart.state,
            version: cart.version,
            currency: quote.currency,
            market: cart.market,
            email: cart.email,
            note: cart.note,
            attributes: cart.attributes,
            locale: cart.locale,
            vat_number: cart.vat_number,
            shipping_address: cart.shipping_address,
            billing_address: cart.billing_address,
            unavailable_lines: gone.collect(),
            lines: lines.collect(),
            subtotal: quote.subtotal,
            discount: quote.discount,
            discounts: quote.discounts.iter().map(CartDiscountView::from).collect(),
            discount_codes: quote.codes,
            shipping_required: quote.shipping_required,
            shipping_options: quote.shipping_options,
            shipping: quote.shipping.map(CartShippingView::from),
            tax_lines: taxes(&quote.tax_lines),
            tax: quote.tax,
            tax_relief: quote.tax_relief,
            prices_include_tax: quote.prices_include_tax,
            total: quote.total,
            gift_cards: cart.gift_cards,
            use_store_credit: cart.use_store_credit,
            credits: quote.credits.into_iter().map(CartCreditView::from).collect(),
            amount_due: quote.due,
            ready_for_checkout: missing.is_empty() && cart.state == CartState::Active,
            missing,
            warnings,
        }
    }
}
