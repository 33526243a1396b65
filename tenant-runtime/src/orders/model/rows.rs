//! What the statement that reads a whole order gives as JSON, and how it becomes what is shown.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use souk_kernel::{
    CreditId, Currency, DiscountId, ImageId, Money, OrderLineId, PaymentSessionId, PaymentTransactionId,
    ProductId, RefundId, ShippingLineId, TaxRateId, VariantId,
};
use uuid::Uuid;

use super::StockChoice;
use super::view::{
    OrderCreditView, OrderDiscountView, OrderLineDiscountView, OrderLineView, OrderShippingLineView,
    OrderTaxLineView, PaymentView, RefundLineView, RefundView, TransactionView,
};

use crate::catalog::{Component, ComponentView};
use crate::credit::CreditKind;

/// A row of `order_lines` as JSON.
#[derive(Deserialize)]
pub struct LineJson {
    pub id: Uuid,
    product_id: Option<Uuid>,
    variant_id: Option<Uuid>,
    title: String,
    variant_title: String,
    sku: Option<String>,
    options: serde_json::Value,
    image_id: Option<Uuid>,
    requires_shipping: bool,
    quantity: i32,
    #[serde(default)]
    fulfilled_quantity: i32,
    unit_price_minor: i64,
    discount_minor: i64,
    total_minor: i64,
    #[serde(default)]
    components: Option<Vec<Component>>,
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
    rate_id: Option<Uuid>,
    compound: bool,
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
    lines: Vec<RefundLineJson>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A row of `refund_lines` as JSON.
#[derive(Deserialize)]
struct RefundLineJson {
    line: Option<Uuid>,
    quantity: i32,
    amount_minor: i64,
    tax_minor: i64,
    stock: StockChoice,
}

fn tax_view(tax: &TaxJson, currency: Currency) -> OrderTaxLineView {
    OrderTaxLineView {
        tax_rate: tax.rate_id.map(TaxRateId::from_uuid),
        compound: tax.compound,
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
        match views.iter_mut().find(|view| view.discount == id) {
            Some(view) => {
                view.amount = Money::new(view.amount.minor().saturating_add(row.amount_minor), currency);
            }
            None => views.push(OrderDiscountView {
                discount: id,
                title: row.title.clone(),
                code: row.code.clone(),
                kind: row.kind.clone(),
                amount: Money::new(row.amount_minor, currency),
            }),
        }
    }
    views
}

/// Lines with their taxes and discounts; `open`: what was not sent yet is still to be.
pub fn line_views(
    lines: Vec<LineJson>,
    taxes: &[TaxJson],
    allocations: &[AllocationJson],
    refunds: &[RefundView],
    currency: Currency,
    open: bool,
) -> Vec<OrderLineView> {
    let of_line = |id: Uuid| {
        let lines = refunds.iter().flat_map(|refund| &refund.lines);
        lines.filter(move |line| line.line == Some(OrderLineId::from_uuid(id)))
    };
    let refunded = |id| of_line(id).map(|line| line.quantity).sum();
    let unsent = |line: &LineJson| {
        let given_up = of_line(line.id).filter(|one| one.stock != StockChoice::Keep);
        let gone = line.fulfilled_quantity + given_up.map(|one| one.quantity).sum::<i32>();
        if open { (line.quantity - gone).max(0) } else { 0 }
    };
    let money = |minor| Money::new(minor, currency);
    let share = |row: &AllocationJson| OrderLineDiscountView {
        discount: DiscountId::from_uuid(row.discount_id),
        amount: money(row.amount_minor),
    };
    let view = |line: LineJson| OrderLineView {
        discounts: (allocations.iter().filter(|row| row.order_line_id == Some(line.id)).map(share)).collect(),
        tax_lines: taxes
            .iter()
            .filter(|tax| tax.order_line_id == Some(line.id))
            .map(|tax| tax_view(tax, currency))
            .collect(),
        fulfilled_quantity: line.fulfilled_quantity,
        fulfillable_quantity: unsent(&line),
        refunded_quantity: refunded(line.id),
        id: OrderLineId::from_uuid(line.id),
        product: line.product_id.map(ProductId::from_uuid),
        variant: line.variant_id.map(VariantId::from_uuid),
        title: line.title,
        variant_title: line.variant_title,
        sku: line.sku,
        options: line.options,
        image: line.image_id.map(ImageId::from_uuid),
        requires_shipping: line.requires_shipping,
        quantity: line.quantity,
        unit_price: money(line.unit_price_minor),
        discount: money(line.discount_minor),
        total: money(line.total_minor),
        components: line.components.unwrap_or_default().into_iter().map(ComponentView::from).collect(),
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
    let line = |one: RefundLineJson| RefundLineView {
        line: one.line.map(OrderLineId::from_uuid),
        quantity: one.quantity,
        amount: Money::new(one.amount_minor, currency),
        tax: Money::new(one.tax_minor, currency),
        stock: one.stock,
    };
    let view = |one: RefundJson| RefundView {
        id: RefundId::from_uuid(one.id),
        amount: Money::new(one.amount_minor, currency),
        reason: one.reason,
        state: one.state,
        failure_message: one.failure_message,
        lines: one.lines.into_iter().map(line).collect(),
        created_at: one.created_at,
        updated_at: one.updated_at,
    };
    refunds.into_iter().map(view).collect()
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
