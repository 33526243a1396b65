//! Draft orders as they are shown.

use chrono::{DateTime, Utc};
use serde::Serialize;
use souk_kernel::{
    CartLineId, Currency, CustomerId, DraftOrderId, Email, ImageId, Locale, MarketId, Money, OrderId, Ppm,
    ProductId, Quantity, VariantId,
};
use utoipa::ToSchema;

use super::{Draft, missing, name_of, standing};
use crate::cart::{
    Address, AgreedDiscount, Attributes, CartState, Off, Quote, QuotedLine, QuotedShipping, Terms,
};
use crate::drafts::queries::SummaryRow;
use crate::drafts::state::DraftOrderState;
use crate::shipping::ShippingOption;
use crate::tax::TaxLineView;

/// A draft order as staff sees it, at what it costs now: prices as agreed, tax and rates as of today.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DraftOrderView {
    pub id: DraftOrderId,
    /// As people say it.
    #[schema(example = "#D12")]
    pub name: String,
    pub state: DraftOrderState,
    /// Whether somebody is paying it: until that ends nothing can be changed.
    pub paying: bool,
    /// The order it became.
    pub order: Option<OrderId>,
    pub customer: Option<CustomerId>,
    #[schema(value_type = Option<String>, example = "ada@example.com")]
    pub email: Option<Email>,
    /// The language the buyer reads, if somebody said so.
    #[schema(value_type = Option<String>, example = "de-AT")]
    pub locale: Option<Locale>,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub note: String,
    pub attributes: Attributes,
    #[schema(example = json!(["phone"]))]
    pub tags: Vec<String>,
    pub currency: Currency,
    /// The market it is priced in, if it was made for a country.
    pub market: Option<MarketId>,
    pub lines: Vec<DraftLineView>,
    /// Lines of variants that are gone: they cost nothing and stand in the way of paying. Write `lines` without them.
    pub unavailable_lines: Vec<CartLineId>,
    /// Off all lines together.
    pub order_discount: Option<HandDiscountView>,
    /// The goods before any discount.
    pub subtotal: Money,
    /// All that is taken off.
    pub discount: Money,
    pub shipping_required: bool,
    /// Cheapest first; empty without an address, and the one by hand alone where there is one.
    pub shipping_options: Vec<ShippingOption>,
    pub shipping: Option<DraftShippingView>,
    /// By rate, delivery included.
    pub tax_lines: Vec<TaxLineView>,
    /// Inside the total when `prices_include_tax`, else part of it.
    pub tax: Money,
    pub prices_include_tax: bool,
    pub total: Money,
    /// What it needs before it can be paid: `lines`, `email`, `shipping_address`, `shipping_option`.
    #[schema(example = json!(["email"]))]
    pub missing: Vec<&'static str>,
    /// What was said in the mail with the link.
    pub message: String,
    pub valid_until: Option<DateTime<Utc>>,
    pub reserve_until: Option<DateTime<Utc>>,
    /// Who began it.
    #[schema(example = "staff:stf_01h455vb4pex5vsknk084sn02q")]
    pub created_by: String,
    pub invoice_sent_at: Option<DateTime<Utc>>,
    /// When it was completed, cancelled or expired.
    pub ended_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Grows with every change; the ETag.
    pub version: i64,
}

/// A line of a draft order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DraftLineView {
    pub id: CartLineId,
    /// Null, as the product, for a line of staff's own.
    pub variant: Option<VariantId>,
    pub product: Option<ProductId>,
    #[schema(example = "Enamel mug")]
    pub title: String,
    #[schema(example = "Blue")]
    pub variant_title: String,
    pub sku: Option<String>,
    pub image: Option<ImageId>,
    pub taxable: bool,
    pub requires_shipping: bool,
    pub quantity: Quantity,
    /// As agreed.
    pub unit_price: Money,
    /// Off this line alone, as agreed.
    pub line_discount: Option<HandDiscountView>,
    /// All that is taken off this line.
    pub discount: Money,
    /// Unit price times quantity, less the discount.
    pub total: Money,
    pub tax_lines: Vec<TaxLineView>,
}

/// A discount by hand.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HandDiscountView {
    #[schema(example = "Regular customer")]
    pub title: String,
    #[schema(value_type = Option<u32>, example = 100_000)]
    pub rate_ppm: Option<Ppm>,
    pub amount: Option<Money>,
}

/// The delivery.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DraftShippingView {
    #[schema(example = "By van")]
    pub title: String,
    /// Whether staff named its price.
    pub by_hand: bool,
    pub price: Money,
    pub tax_lines: Vec<TaxLineView>,
}

impl From<&AgreedDiscount> for HandDiscountView {
    fn from(discount: &AgreedDiscount) -> Self {
        let (rate_ppm, amount) = match discount.off {
            Off::Rate(rate) => (Some(rate), None),
            Off::Amount(amount) => (None, Some(amount)),
        };
        Self { title: discount.title.clone(), rate_ppm, amount }
    }
}

impl DraftLineView {
    fn of(line: &QuotedLine, terms: &Terms) -> Self {
        let agreed = terms.lines.iter().find(|agreed| agreed.id == line.id);
        let ware = &line.ware;
        Self {
            id: line.id,
            variant: ware.known.map(|known| known.variant),
            product: ware.known.map(|known| known.product),
            title: ware.title.clone(),
            variant_title: ware.variant_title.clone(),
            sku: ware.sku.clone(),
            image: ware.image,
            taxable: ware.taxable,
            requires_shipping: ware.requires_shipping,
            quantity: line.quantity,
            unit_price: ware.unit_price,
            line_discount: agreed.and_then(|agreed| agreed.discount.as_ref()).map(HandDiscountView::from),
            discount: line.discount,
            total: line.total,
            tax_lines: line.tax_lines.iter().map(TaxLineView::from).collect(),
        }
    }
}

fn lines_of(quote: &Quote, terms: &Terms) -> Vec<DraftLineView> {
    quote.lines.iter().map(|line| DraftLineView::of(line, terms)).collect()
}

fn delivery_of(shipping: &QuotedShipping, terms: &Terms) -> DraftShippingView {
    DraftShippingView {
        title: shipping.title.clone(),
        by_hand: terms.delivery.is_some(),
        price: shipping.price,
        tax_lines: shipping.tax_lines.iter().map(TaxLineView::from).collect(),
    }
}

impl From<Draft> for DraftOrderView {
    fn from(Draft { row, cart, quote }: Draft) -> Self {
        let (state, missing) = (standing(row.state, &cart), missing(&cart, &quote));
        let terms = cart.terms.unwrap_or_default();
        Self {
            id: row.id,
            name: name_of(row.number),
            state,
            paying: cart.state == CartState::Completing,
            order: row.order,
            customer: cart.customer,
            email: cart.email,
            locale: cart.locale,
            shipping_address: cart.shipping_address,
            billing_address: cart.billing_address,
            note: cart.note,
            attributes: cart.attributes,
            tags: row.tags,
            currency: quote.currency,
            market: cart.market,
            lines: lines_of(&quote, &terms),
            unavailable_lines: quote.unavailable.iter().map(|line| line.id).collect(),
            order_discount: terms.discount.as_ref().map(HandDiscountView::from),
            subtotal: quote.subtotal,
            discount: quote.discount,
            shipping_required: quote.shipping_required,
            shipping: quote.shipping.as_ref().map(|shipping| delivery_of(shipping, &terms)),
            shipping_options: quote.shipping_options,
            tax_lines: quote.tax_lines.iter().map(TaxLineView::from).collect(),
            tax: quote.tax,
            prices_include_tax: quote.prices_include_tax,
            total: quote.total,
            missing,
            message: row.message,
            valid_until: terms.valid_until,
            reserve_until: terms.reserve_until,
            created_by: row.created_by,
            invoice_sent_at: row.invoice_sent_at,
            ended_at: row.ended_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// A draft order as whoever has the link sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShopperDraftOrderView {
    pub id: DraftOrderId,
    #[schema(example = "#D12")]
    pub name: String,
    pub state: DraftOrderState,
    /// Whether it can be paid now.
    pub payable: bool,
    #[schema(value_type = Option<String>, example = "ada@example.com")]
    pub email: Option<Email>,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub note: String,
    pub currency: Currency,
    pub lines: Vec<DraftLineView>,
    pub subtotal: Money,
    pub discount: Money,
    pub shipping: Option<DraftShippingView>,
    pub tax_lines: Vec<TaxLineView>,
    /// Inside the total when `prices_include_tax`, else part of it.
    pub tax: Money,
    pub prices_include_tax: bool,
    /// Send it as `expected_total` with the checkout.
    pub total: Money,
    /// What the shop says.
    pub message: String,
    pub valid_until: Option<DateTime<Utc>>,
}

impl From<Draft> for ShopperDraftOrderView {
    fn from(Draft { row, cart, quote }: Draft) -> Self {
        let state = standing(row.state, &cart);
        let payable = cart.state == CartState::Active && missing(&cart, &quote).is_empty();
        let terms = cart.terms.unwrap_or_default();
        Self {
            id: row.id,
            name: name_of(row.number),
            state,
            payable,
            email: cart.email,
            shipping_address: cart.shipping_address,
            billing_address: cart.billing_address,
            note: cart.note,
            currency: quote.currency,
            lines: lines_of(&quote, &terms),
            subtotal: quote.subtotal,
            discount: quote.discount,
            shipping: quote.shipping.as_ref().map(|shipping| delivery_of(shipping, &terms)),
            tax_lines: quote.tax_lines.iter().map(TaxLineView::from).collect(),
            tax: quote.tax,
            prices_include_tax: quote.prices_include_tax,
            total: quote.total,
            message: row.message,
            valid_until: terms.valid_until,
        }
    }
}

/// A link to pay.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PaymentLinkView {
    /// A page of the storefront; it hands what stands behind the `#` to the API.
    #[schema(example = "https://shop.example/draft-orders/dft_01h455vb4pex5vsknk084sn02q#Vd3iP0f0…")]
    pub url: String,
    /// Opens the draft order: send it as `X-Draft-Order-Secret`.
    #[schema(example = "Vd3iP0f0…")]
    pub secret: String,
}

/// A draft order in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DraftOrderSummary {
    pub id: DraftOrderId,
    #[schema(example = "#D12")]
    pub name: String,
    #[schema(value_type = DraftOrderState)]
    pub state: String,
    pub customer: Option<CustomerId>,
    #[schema(example = "ada@example.com")]
    pub email: Option<String>,
    pub tags: Vec<String>,
    /// When staff changed it last.
    pub total: Money,
    pub order: Option<OrderId>,
    pub valid_until: Option<DateTime<Utc>>,
    pub invoice_sent_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl From<SummaryRow> for DraftOrderSummary {
    fn from(row: SummaryRow) -> Self {
        Self {
            id: row.id,
            name: name_of(row.number),
            state: row.state,
            customer: row.customer_id,
            email: row.email,
            tags: row.tags,
            total: Money::new(row.total_minor, row.currency),
            order: row.order_id,
            valid_until: row.valid_until,
            invoice_sent_at: row.invoice_sent_at,
            ended_at: row.ended_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
