//! An order as it is shown.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{
    CartId, CreditId, Currency, CustomerId, DiscountId, ImageId, Money, OrderId, OrderLineId,
    PaymentSessionId, PaymentTransactionId, ProductId, RefundId, ShippingLineId, VariantId,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{AllowedAction, CancelReason, FinancialStatus, FulfillmentStatus};
use crate::credit::CreditKind;
use crate::orders::state::OrderState;

/// An order as the store sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderView {
    pub id: OrderId,
    /// None until the order is placed.
    #[schema(example = 1001)]
    pub number: Option<i64>,
    /// The number as people say it.
    #[schema(example = "#1001")]
    pub name: Option<String>,
    pub state: OrderState,
    pub financial_status: FinancialStatus,
    pub fulfillment_status: FulfillmentStatus,
    pub cart_id: CartId,
    pub customer_id: Option<CustomerId>,
    #[schema(example = "ada@example.com")]
    pub email: String,
    pub prices_include_tax: bool,
    /// The goods before any discount.
    pub subtotal: Money,
    /// What was taken off the goods.
    pub discount: Money,
    pub discounts: Vec<OrderDiscountView>,
    pub shipping: Money,
    /// Included in the prices if `prices_include_tax`, else added to them.
    pub tax: Money,
    pub total: Money,
    pub lines: Vec<OrderLineView>,
    pub shipping_lines: Vec<OrderShippingLineView>,
    #[schema(value_type = Option<Object>)]
    pub shipping_address: Option<serde_json::Value>,
    #[schema(value_type = Option<Object>)]
    pub billing_address: Option<serde_json::Value>,
    pub note: String,
    /// What gift cards and store credit pay of the total.
    pub credits: Vec<OrderCreditView>,
    pub payments: Vec<PaymentView>,
    pub refunds: Vec<RefundView>,
    pub timeline: Vec<TimelineView>,
    /// What may be done with it now.
    pub allowed_actions: Vec<AllowedAction>,
    pub cancel_reason: Option<CancelReason>,
    pub placed_at: Option<DateTime<Utc>>,
    pub cancelled_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Grows with every change; the ETag.
    pub version: i64,
}

/// A line as agreed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderLineView {
    pub id: OrderLineId,
    pub product_id: ProductId,
    pub variant_id: VariantId,
    #[schema(example = "Enamel mug")]
    pub title: String,
    #[schema(example = "Blue")]
    pub variant_title: String,
    pub sku: Option<String>,
    #[schema(value_type = Vec<Object>)]
    pub options: serde_json::Value,
    pub image_id: Option<ImageId>,
    pub requires_shipping: bool,
    #[schema(example = 2)]
    pub quantity: i32,
    pub unit_price: Money,
    /// What was taken off the line.
    pub discount: Money,
    pub discounts: Vec<OrderLineDiscountView>,
    /// Unit price times quantity, without the discount.
    pub total: Money,
    pub tax_lines: Vec<OrderTaxLineView>,
}

/// A discount as it was given.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderDiscountView {
    pub discount_id: DiscountId,
    #[schema(example = "Summer sale")]
    pub title: String,
    #[schema(example = "SUMMER")]
    pub code: Option<String>,
    /// `percentage`, `fixed_amount`, `buy_x_get_y` or `free_shipping`.
    #[schema(example = "percentage")]
    pub kind: String,
    /// What it took off in all, delivery included.
    pub amount: Money,
}

/// What a gift card or store credit pays of an order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderCreditView {
    pub credit: CreditId,
    pub kind: CreditKind,
    #[schema(example = "3HAB")]
    pub last_characters: Option<String>,
    pub amount: Money,
    /// `held` while the order is not placed, `spent`, `released` (it never was) or `returned` (it was cancelled).
    #[schema(example = "spent")]
    pub state: String,
}

/// A row of `order_credits` as JSON.
#[derive(Deserialize)]
pub struct CreditJson {
    id: Uuid,
    kind: CreditKind,
    last_characters: Option<String>,
    amount_minor: i64,
    state: String,
}

/// Gift cards and store credit.
pub fn credit_views(credits: Vec<CreditJson>, currency: Currency) -> Vec<OrderCreditView> {
    let view = |one: CreditJson| OrderCreditView {
        credit: CreditId::from_uuid(one.id),
        kind: one.kind,
        last_characters: one.last_characters,
        amount: Money::new(one.amount_minor, currency),
        state: one.state,
    };
    credits.into_iter().map(view).collect()
}

/// What one discount took off one line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderLineDiscountView {
    pub discount_id: DiscountId,
    pub amount: Money,
}

/// Delivery as agreed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderShippingLineView {
    pub id: ShippingLineId,
    #[schema(example = "Standard")]
    pub title: String,
    /// What was taken off it.
    pub discount: Money,
    /// What was to be paid for it.
    pub price: Money,
    pub tax_lines: Vec<OrderTaxLineView>,
}

/// One rate on one line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderTaxLineView {
    #[schema(example = "VAT")]
    pub name: String,
    #[schema(example = "DE")]
    pub jurisdiction: String,
    /// Parts per million: 190000 is 19 %.
    #[schema(example = 190_000)]
    pub rate_ppm: i32,
    /// Why this rate.
    #[schema(example = "standard_rated")]
    pub reason: String,
    pub taxable: Money,
    pub amount: Money,
}

/// One attempt to pay and the money it moved.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PaymentView {
    /// The payment session.
    pub id: PaymentSessionId,
    #[schema(example = "test")]
    pub provider: String,
    /// `pending`, `requires_action`, `authorized`, `captured`, `failed` or `canceled`.
    #[schema(example = "captured")]
    pub state: String,
    pub amount: Money,
    pub authorized: Money,
    pub captured: Money,
    pub refunded: Money,
    /// The provider's name for it.
    pub reference: Option<String>,
    /// Where the shopper has to go, while `requires_action`.
    pub redirect_url: Option<String>,
    pub failure_code: Option<String>,
    pub failure_message: Option<String>,
    pub transactions: Vec<TransactionView>,
    pub created_at: DateTime<Utc>,
}

/// One movement of money.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TransactionView {
    pub id: PaymentTransactionId,
    /// `authorization`, `capture`, `void` or `refund`.
    #[schema(example = "capture")]
    pub kind: String,
    #[schema(example = "success")]
    pub state: String,
    pub amount: Money,
    pub at: DateTime<Utc>,
}

/// Money going back.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RefundView {
    pub id: RefundId,
    pub amount: Money,
    pub reason: String,
    /// `pending`, `succeeded` or `failed`.
    #[schema(example = "pending")]
    pub state: String,
    pub failure_message: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What happened, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TimelineView {
    #[schema(example = "order.placed")]
    pub kind: String,
    #[schema(example = "anonymous")]
    pub actor: String,
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
    pub at: DateTime<Utc>,
}

/// An order as its shopper sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShopperOrderView {
    pub id: OrderId,
    pub number: Option<i64>,
    #[schema(example = "#1001")]
    pub name: Option<String>,
    pub state: OrderState,
    pub financial_status: FinancialStatus,
    pub fulfillment_status: FulfillmentStatus,
    pub email: String,
    pub prices_include_tax: bool,
    pub subtotal: Money,
    pub discount: Money,
    pub discounts: Vec<OrderDiscountView>,
    pub shipping: Money,
    pub tax: Money,
    pub total: Money,
    pub lines: Vec<OrderLineView>,
    pub shipping_lines: Vec<OrderShippingLineView>,
    #[schema(value_type = Option<Object>)]
    pub shipping_address: Option<serde_json::Value>,
    #[schema(value_type = Option<Object>)]
    pub billing_address: Option<serde_json::Value>,
    /// What gift cards and store credit pay of the total.
    pub credits: Vec<OrderCreditView>,
    pub payment: Option<ShopperPaymentView>,
    pub cancel_reason: Option<CancelReason>,
    pub placed_at: Option<DateTime<Utc>>,
    pub cancelled_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// How the order is paid, as its shopper sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShopperPaymentView {
    #[schema(example = "test")]
    pub provider: String,
    #[schema(example = "captured")]
    pub state: String,
    pub captured: Money,
    pub refunded: Money,
    /// Where to go to finish the payment, while `requires_action`.
    pub redirect_url: Option<String>,
    /// Why the payment failed, if it did.
    pub failure_code: Option<String>,
}

impl From<OrderView> for ShopperOrderView {
    fn from(order: OrderView) -> Self {
        let payment = order.payments.into_iter().next_back().map(|payment| ShopperPaymentView {
            redirect_url: payment.redirect_url.filter(|_| payment.state == "requires_action"),
            provider: payment.provider,
            state: payment.state,
            captured: payment.captured,
            refunded: payment.refunded,
            failure_code: payment.failure_code,
        });
        Self {
            id: order.id,
            number: order.number,
            name: order.name,
            state: order.state,
            financial_status: order.financial_status,
            fulfillment_status: order.fulfillment_status,
            email: order.email,
            prices_include_tax: order.prices_include_tax,
            subtotal: order.subtotal,
            discount: order.discount,
            discounts: order.discounts,
            shipping: order.shipping,
            tax: order.tax,
            total: order.total,
            lines: order.lines,
            shipping_lines: order.shipping_lines,
            shipping_address: order.shipping_address,
            billing_address: order.billing_address,
            credits: order.credits,
            payment,
            cancel_reason: order.cancel_reason,
            placed_at: order.placed_at,
            cancelled_at: order.cancelled_at,
            created_at: order.created_at,
        }
    }
}

/// A row of `order_lines` as JSON.
#[derive(Deserialize)]
pub struct LineJson {
    pub id: Uuid,
    product_id: Uuid,
    variant_id: Uuid,
    title: String,
    variant_title: String,
    sku: Option<String>,
    options: serde_json::Value,
    image_id: Option<Uuid>,
    requires_shipping: bool,
    quantity: i32,
    unit_price_minor: i64,
    discount_minor: i64,
    total_minor: i64,
}

/// A row of `shipping_lines` as JSON.
#[derive(Deserialize)]
pub struct ShippingJson {
    id: Uuid,
    title: String,
    discount_minor: i64,
    amount_minor: i64,
}

/// A row of `discount_allocations` as JSON.
#[derive(Deserialize)]
pub struct AllocationJson {
    order_line_id: Option<Uuid>,
    discount_id: Uuid,
    title: String,
    code: Option<String>,
    kind: String,
    amount_minor: i64,
}

/// A row of `tax_lines` as JSON.
#[derive(Deserialize)]
pub struct TaxJson {
    order_line_id: Option<Uuid>,
    shipping_line_id: Option<Uuid>,
    name: String,
    jurisdiction: String,
    rate_ppm: i32,
    reason: String,
    taxable_minor: i64,
    amount_minor: i64,
}

/// A session with its payment as JSON.
#[derive(Deserialize)]
pub struct PaymentJson {
    id: Uuid,
    provider: String,
    state: String,
    amount_minor: i64,
    authorized_minor: i64,
    captured_minor: i64,
    refunded_minor: i64,
    reference: Option<String>,
    redirect_url: Option<String>,
    failure_code: Option<String>,
    failure_message: Option<String>,
    transactions: Vec<TransactionJson>,
    created_at: DateTime<Utc>,
}

/// A transaction as JSON.
#[derive(Deserialize)]
struct TransactionJson {
    id: Uuid,
    kind: String,
    state: String,
    amount_minor: i64,
    at: DateTime<Utc>,
}

/// A refund as JSON.
#[derive(Deserialize)]
pub struct RefundJson {
    id: Uuid,
    amount_minor: i64,
    reason: String,
    state: String,
    failure_message: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

fn tax_view(tax: &TaxJson, currency: Currency) -> OrderTaxLineView {
    OrderTaxLineView {
        name: tax.name.clone(),
        jurisdiction: tax.jurisdiction.clone(),
        rate_ppm: tax.rate_ppm,
        reason: tax.reason.clone(),
        taxable: Money::new(tax.taxable_minor, currency),
        amount: Money::new(tax.amount_minor, currency),
    }
}

/// The discounts of an order, each with all that it took off. The sums are of rows that were counted when they were written.
pub fn discount_views(allocations: &[AllocationJson], currency: Currency) -> Vec<OrderDiscountView> {
    let mut views: Vec<OrderDiscountView> = Vec::new();
    for row in allocations {
        let id = DiscountId::from_uuid(row.discount_id);
        match views.iter_mut().find(|view| view.discount_id == id) {
            Some(view) => {
                view.amount = Money::new(view.amount.minor().saturating_add(row.amount_minor), currency);
            }
            None => views.push(OrderDiscountView {
                discount_id: id,
                title: row.title.clone(),
                code: row.code.clone(),
                kind: row.kind.clone(),
                amount: Money::new(row.amount_minor, currency),
            }),
        }
    }
    views
}

/// Lines with their taxes and discounts.
pub fn line_views(
    lines: Vec<LineJson>,
    taxes: &[TaxJson],
    allocations: &[AllocationJson],
    currency: Currency,
) -> Vec<OrderLineView> {
    let money = |minor| Money::new(minor, currency);
    let share = |row: &AllocationJson| OrderLineDiscountView {
        discount_id: DiscountId::from_uuid(row.discount_id),
        amount: money(row.amount_minor),
    };
    let view = |line: LineJson| OrderLineView {
        discounts: (allocations.iter().filter(|row| row.order_line_id == Some(line.id)).map(share)).collect(),
        tax_lines: taxes
            .iter()
            .filter(|tax| tax.order_line_id == Some(line.id))
            .map(|tax| tax_view(tax, currency))
            .collect(),
        id: OrderLineId::from_uuid(line.id),
        product_id: ProductId::from_uuid(line.product_id),
        variant_id: VariantId::from_uuid(line.variant_id),
        title: line.title,
        variant_title: line.variant_title,
        sku: line.sku,
        options: line.options,
        image_id: line.image_id.map(ImageId::from_uuid),
        requires_shipping: line.requires_shipping,
        quantity: line.quantity,
        unit_price: money(line.unit_price_minor),
        discount: money(line.discount_minor),
        total: money(line.total_minor),
    };
    lines.into_iter().map(view).collect()
}

/// Delivery with its taxes.
pub fn shipping_views(
    lines: Vec<ShippingJson>,
    taxes: &[TaxJson],
    currency: Currency,
) -> Vec<OrderShippingLineView> {
    let view = |line: ShippingJson| OrderShippingLineView {
        tax_lines: taxes
            .iter()
            .filter(|tax| tax.shipping_line_id == Some(line.id))
            .map(|tax| tax_view(tax, currency))
            .collect(),
        id: ShippingLineId::from_uuid(line.id),
        title: line.title,
        discount: Money::new(line.discount_minor, currency),
        price: Money::new(line.amount_minor, currency),
    };
    lines.into_iter().map(view).collect()
}

/// Attempts to pay.
pub fn payment_views(payments: Vec<PaymentJson>, currency: Currency) -> Vec<PaymentView> {
    let money = |minor| Money::new(minor, currency);
    let movement = |one: TransactionJson| TransactionView {
        id: PaymentTransactionId::from_uuid(one.id),
        kind: one.kind,
        state: one.state,
        amount: money(one.amount_minor),
        at: one.at,
    };
    let view = |one: PaymentJson| PaymentView {
        id: PaymentSessionId::from_uuid(one.id),
        provider: one.provider,
        state: one.state,
        amount: money(one.amount_minor),
        authorized: money(one.authorized_minor),
        captured: money(one.captured_minor),
        refunded: money(one.refunded_minor),
        reference: one.reference,
        redirect_url: one.redirect_url,
        failure_code: one.failure_code,
        failure_message: one.failure_message,
        transactions: one.transactions.into_iter().map(movement).collect(),
        created_at: one.created_at,
    };
    payments.into_iter().map(view).collect()
}

/// Money going back.
pub fn refund_views(refunds: Vec<RefundJson>, currency: Currency) -> Vec<RefundView> {
    let view = |one: RefundJson| RefundView {
        id: RefundId::from_uuid(one.id),
        amount: Money::new(one.amount_minor, currency),
        reason: one.reason,
        state: one.state,
        failure_message: one.failure_message,
        created_at: one.created_at,
        updated_at: one.updated_at,
    };
    refunds.into_iter().map(view).collect()
}
