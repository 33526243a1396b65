//! What orders tell the world, with all that a mail about it needs. Forms only grow.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_event_bus::Fact;
use souk_kernel::{Money, OrderId, RefundId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::model::{CancelReason, FinancialStatus, LockedOrder};

/// A line, as people read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventLine {
    pub title: String,
    pub variant_title: String,
    pub sku: Option<String>,
    pub quantity: u32,
    pub unit_price: Money,
    pub total: Money,
}

/// The lines of a locked order.
fn lines(order: &LockedOrder) -> Vec<EventLine> {
    let money = |minor| Money::new(minor, order.sums.total.currency());
    let line = |line: &super::model::LockedLine| EventLine {
        title: line.title.clone(),
        variant_title: line.variant_title.clone(),
        sku: line.sku.clone(),
        quantity: line.quantity,
        unit_price: money(line.unit_price_minor),
        total: money(line.total_minor),
    };
    order.lines.iter().map(line).collect()
}

/// `order.placed`: there is an order; goods are promised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderPlaced {
    pub order_id: OrderId,
    pub number: i64,
    pub name: String,
    pub email: String,
    pub lines: Vec<EventLine>,
    pub subtotal: Money,
    /// What was taken off the goods, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Money>,
    pub shipping: Money,
    pub shipping_title: Option<String>,
    pub tax: Money,
    pub total: Money,
    pub prices_include_tax: bool,
    #[schema(value_type = Option<Object>)]
    pub shipping_address: Option<serde_json::Value>,
    #[schema(value_type = Option<Object>)]
    pub billing_address: Option<serde_json::Value>,
    pub financial_status: FinancialStatus,
    /// `manual`, `test`; none for an order that costs nothing.
    pub payment_provider: Option<String>,
    pub placed_at: DateTime<Utc>,
}

impl OrderPlaced {
    /// The fact that this order was placed.
    ///
    /// # Errors
    /// Amounts that cannot be counted.
    pub fn of(
        order: &LockedOrder,
        number: i64,
        provider: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<Self, souk_kernel::MoneyError> {
        Ok(Self {
            order_id: order.id,
            number,
            name: order.title(),
            email: order.email.clone(),
            lines: lines(order),
            subtotal: order.sums.subtotal,
            discount: Some(order.sums.discount).filter(|discount| discount.is_positive()),
            shipping: order.sums.shipping,
            shipping_title: order.shipping_title.clone(),
            tax: order.sums.tax()?,
            total: order.sums.total,
            prices_include_tax: order.sums.prices_include_tax,
            shipping_address: order.shipping_address.clone(),
            billing_address: order.billing_address.clone(),
            financial_status: order.financial_status,
            payment_provider: provider.map(str::to_owned),
            placed_at: at,
        })
    }
}

/// `order.paid`: the whole amount is ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderPaid {
    pub order_id: OrderId,
    pub number: Option<i64>,
    pub name: String,
    pub email: String,
    pub amount: Money,
    pub payment_provider: Option<String>,
    /// Whether it was paid by being placed: `order.placed`, just before, says so too.
    #[serde(default)]
    pub at_once: bool,
    pub paid_at: DateTime<Utc>,
}

/// `order.partially_paid`: a part of the amount is ours, and no more is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderPartiallyPaid {
    pub order_id: OrderId,
    pub number: Option<i64>,
    pub name: String,
    /// What was taken.
    pub amount: Money,
    pub total: Money,
    pub payment_provider: Option<String>,
    pub paid_at: DateTime<Utc>,
}

/// `order.cancelled`: an order was undone. Attempts that were never placed and never paid are not told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderCancelled {
    pub order_id: OrderId,
    pub number: Option<i64>,
    pub name: String,
    pub email: String,
    pub reason: CancelReason,
    pub lines: Vec<EventLine>,
    pub total: Money,
    /// What will be given back, if anything.
    pub refund: Option<Money>,
    pub cancelled_at: DateTime<Utc>,
}

impl OrderCancelled {
    /// The fact that this order was cancelled.
    pub fn of(order: &LockedOrder, reason: CancelReason, refund: Option<Money>, at: DateTime<Utc>) -> Self {
        Self {
            order_id: order.id,
            number: order.number,
            name: order.title(),
            email: order.email.clone(),
            reason,
            lines: lines(order),
            total: order.sums.total,
            refund,
            cancelled_at: at,
        }
    }
}

/// `order.refunded`: money went back to the shopper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderRefunded {
    pub order_id: OrderId,
    pub number: Option<i64>,
    pub name: String,
    pub email: String,
    pub refund_id: RefundId,
    pub amount: Money,
    /// All that went back so far.
    pub refunded: Money,
    pub refunded_at: DateTime<Utc>,
}

macro_rules! facts {
    ($($fact:ident = $kind:literal;)+) => {
        $(impl Fact for $fact {
            const KIND: &'static str = $kind;
            const VERSION: u16 = 1;
            const AGGREGATE: &'static str = "order";
            fn aggregate_id(&self) -> Uuid {
                self.order_id.uuid()
            }
        })+
    };
}

facts! {
    OrderPlaced = "order.placed";
    OrderPaid = "order.paid";
    OrderPartiallyPaid = "order.partially_paid";
    OrderCancelled = "order.cancelled";
    OrderRefunded = "order.refunded";
}
