//! An order as it is shown.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{
    CartId, CreditId, CustomerId, DiscountId, ImageId, Money, OrderId, OrderLineId, PaymentSessionId,
    PaymentTransactionId, ProductId, RefundId, ShippingLineId, TaxRateId, VariantId,
};
use utoipa::ToSchema;

use super::{AllowedAction, CancelReason, FinancialStatus, FulfillmentStatus, StockChoice};
use crate::catalog::ComponentView;
use crate::credit::CreditKind;
use crate::orders::state::OrderState;
use crate::tax::TaxRelief;

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
    pub cart: CartId,
    pub customer: Option<CustomerId>,
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
    /// Why the buyer owed none, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_relief: Option<TaxRelief>,
    pub total: Money,
    pub lines: Vec<OrderLineView>,
    pub shipping_lines: Vec<OrderShippingLineView>,
    #[schema(value_type = Option<Object>)]
    pub shipping_address: Option<serde_json::Value>,
    #[schema(value_type = Option<Object>)]
    pub billing_address: Option<serde_json::Value>,
    pub note: String,
    /// Names and words, as the cart had them.
    #[schema(value_type = Object, example = json!({ "gift_wrap": "yes" }))]
    pub attributes: serde_json::Value,
    /// What the buyer agreed to, if they said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<AcceptedTermsView>,
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

/// The terms that a buyer agreed to. `GET /store/v1/policies/terms?version=` reads them for good.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct AcceptedTermsView {
    #[schema(example = 3)]
    pub version: i32,
    pub accepted_at: DateTime<Utc>,
}

/// A line as agreed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderLineView {
    pub id: OrderLineId,
    /// Null, as the variant, for a line that staff made up in a draft order.
    pub product: Option<ProductId>,
    pub variant: Option<VariantId>,
    #[schema(example = "Enamel mug")]
    pub title: String,
    #[schema(example = "Blue")]
    pub variant_title: String,
    pub sku: Option<String>,
    #[schema(value_type = Vec<Object>)]
    pub options: serde_json::Value,
    pub image: Option<ImageId>,
    pub requires_shipping: bool,
    #[schema(example = 2)]
    pub quantity: i32,
    /// Of these, pieces whose money went back or is on its way.
    #[schema(example = 0)]
    pub refunded_quantity: i32,
    /// Of these, pieces that were sent.
    #[schema(example = 0)]
    pub fulfilled_quantity: i32,
    /// Of these, pieces that are still to be sent.
    #[schema(example = 2)]
    pub fulfillable_quantity: i32,
    pub unit_price: Money,
    /// What was taken off the line.
    pub discount: Money,
    pub discounts: Vec<OrderLineDiscountView>,
    /// Unit price times quantity, less the discount.
    pub total: Money,
    pub tax_lines: Vec<OrderTaxLineView>,
    /// What one piece was made of when it was bought; missing unless it is a bundle.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentView>,
}

/// A discount as it was given.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderDiscountView {
    pub discount: DiscountId,
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

/// What one discount took off one line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderLineDiscountView {
    pub discount: DiscountId,
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
    /// The version of the rate; null where nothing was owed for another reason than a rate, and on older orders.
    pub tax_rate: Option<TaxRateId>,
    #[schema(example = "VAT")]
    pub name: String,
    #[schema(example = "DE")]
    pub jurisdiction: String,
    /// Parts per million: 190000 is 19 %.
    #[schema(example = 190_000)]
    pub rate_ppm: i32,
    /// Counted on the price and the taxes that are not compound.
    #[schema(example = false)]
    pub compound: bool,
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
    /// What it gives back; empty when it is all that was paid.
    pub lines: Vec<RefundLineView>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a refund gives back of one line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RefundLineView {
    /// Null for the delivery.
    pub line: Option<OrderLineId>,
    /// Zero for a gesture: the pieces stay sold.
    #[schema(example = 1)]
    pub quantity: i32,
    /// What the shopper gets, tax included.
    pub amount: Money,
    /// The tax inside it.
    pub tax: Money,
    pub stock: StockChoice,
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
    /// Why you owed none, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_relief: Option<TaxRelief>,
    pub total: Money,
    pub lines: Vec<OrderLineView>,
    pub shipping_lines: Vec<OrderShippingLineView>,
    #[schema(value_type = Option<Object>)]
    pub shipping_address: Option<serde_json::Value>,
    #[schema(value_type = Option<Object>)]
    pub billing_address: Option<serde_json::Value>,
    /// Names and words, as the cart had them.
    #[schema(value_type = Object, example = json!({ "gift_wrap": "yes" }))]
    pub attributes: serde_json::Value,
    /// What you agreed to, if you said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<AcceptedTermsView>,
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
            tax_relief: order.tax_relief,
            total: order.total,
            lines: order.lines,
            shipping_lines: order.shipping_lines,
            shipping_address: order.shipping_address,
            billing_address: order.billing_address,
            attributes: order.attributes,
            terms: order.terms,
            credits: order.credits,
            payment,
            cancel_reason: order.cancel_reason,
            placed_at: order.placed_at,
            cancelled_at: order.cancelled_at,
            created_at: order.created_at,
        }
    }
}
