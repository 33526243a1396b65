//! One order with everything that belongs to it, in one statement.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{
    BigInt, Binary, Bool, Integer, Json, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde_json::Value;
use souk_kernel::{CartId, Currency, CustomerId, Money, OrderId};
use souk_tenancy::{DbError, Document, ReadTx, sql};

use super::known;
use crate::orders::model::rows::{
    AllocationJson, CreditJson, LineJson, PaymentJson, RefundJson, ShippingJson, TaxJson, credit_views,
    discount_views, line_views, payment_views, refund_views, shipping_views,
};
use crate::orders::model::view::{AcceptedTermsView, OrderView, TimelineView};
use crate::orders::model::{CancelReason, FinancialStatus, FulfillmentStatus, Standing};
use crate::orders::state::OrderState;
use crate::tax::TaxRelief;

#[derive(QueryableByName)]
struct DetailRow {
    #[diesel(sql_type = SqlUuid)]
    id: OrderId,
    #[diesel(sql_type = SqlUuid)]
    cart_id: CartId,
    #[diesel(sql_type = Binary)]
    secret_hash: Vec<u8>,
    #[diesel(sql_type = Nullable<BigInt>)]
    number: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Text)]
    financial_status: String,
    #[diesel(sql_type = Text)]
    fulfillment_status: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    customer_id: Option<CustomerId>,
    #[diesel(sql_type = Text)]
    email: String,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Bool)]
    prices_include_tax: bool,
    #[diesel(sql_type = BigInt)]
    subtotal_minor: i64,
    #[diesel(sql_type = BigInt)]
    discount_minor: i64,
    #[diesel(sql_type = BigInt)]
    shipping_minor: i64,
    #[diesel(sql_type = BigInt)]
    tax_minor: i64,
    #[diesel(sql_type = BigInt)]
    total_minor: i64,
    #[diesel(sql_type = Nullable<Jsonb>)]
    shipping_address: Option<Value>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    billing_address: Option<Value>,
    #[diesel(sql_type = Text)]
    note: String,
    #[diesel(sql_type = Jsonb)]
    attributes: Value,
    #[diesel(sql_type = Nullable<Jsonb>)]
    tax_relief: Option<Document<TaxRelief>>,
    #[diesel(sql_type = Nullable<Integer>)]
    terms_version: Option<i32>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    terms_accepted_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    cancelled_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    cancel_reason: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    placed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Json)]
    lines: Document<Vec<LineJson>>,
    #[diesel(sql_type = Json)]
    shipping_lines: Document<Vec<ShippingJson>>,
    #[diesel(sql_type = Json)]
    tax_lines: Document<Vec<TaxJson>>,
    #[diesel(sql_type = Json)]
    allocations: Document<Vec<AllocationJson>>,
    #[diesel(sql_type = Json)]
    credits: Document<Vec<CreditJson>>,
    #[diesel(sql_type = Json)]
    payments: Document<Vec<PaymentJson>>,
    #[diesel(sql_type = Json)]
    refunds: Document<Vec<RefundJson>>,
    #[diesel(sql_type = Json)]
    timeline: Document<Vec<TimelineView>>,
}

/// An order as shown, and the digest of the secret that opens it to a guest.
pub struct Detail {
    pub view: OrderView,
    pub secret_digest: Vec<u8>,
}

impl DetailRow {
    fn read(self) -> Result<Detail, DbError> {
        let currency = self.currency;
        let money = |minor| Money::new(minor, currency);
        let (Document(taxes), Document(allocations)) = (self.tax_lines, self.allocations);
        let state = known("order state", &self.state, OrderState::parse(&self.state))?;
        let financial_status = known(
            "financial status",
            &self.financial_status,
            FinancialStatus::parse(&self.financial_status),
        )?;
        let fulfillment = FulfillmentStatus::parse(&self.fulfillment_status);
        let fulfillment_status = known("fulfillment status", &self.fulfillment_status, fulfillment)?;
        let cancel_reason = self
            .cancel_reason
            .map(|text| known("cancel reason", &text, CancelReason::parse(&text)))
            .transpose()?;
        let payments = payment_views(self.payments.0, currency);
        let refunds = refund_views(self.refunds.0, currency);
        let offline = payments.last().is_some_and(|payment| payment.provider == "manual");
        let lines =
            line_views(self.lines.0, &taxes, &allocations, &refunds, currency, state == OrderState::Open);
        let standing = Standing {
            state,
            financial: financial_status,
            fulfillment: fulfillment_status,
            unsent: lines.iter().any(|line| line.fulfillable_quantity > 0),
            offline,
            free: self.total_minor == 0,
        };
        let terms = self.terms_version.zip(self.terms_accepted_at);
        let terms = terms.map(|(version, accepted_at)| AcceptedTermsView { version, accepted_at });
        let view = OrderView {
            id: self.id,
            number: self.number,
            name: self.name,
            state,
            financial_status,
            fulfillment_status,
            cart: self.cart_id,
            customer: self.customer_id,
            email: self.email,
            prices_include_tax: self.prices_include_tax,
            subtotal: money(self.subtotal_minor),
            discount: money(self.discount_minor),
            shipping: money(self.shipping_minor),
            tax: money(self.tax_minor),
            tax_relief: self.tax_relief.map(|Document(relief)| relief),
            total: money(self.total_minor),
            discounts: discount_views(&allocations, currency),
            lines,
            shipping_lines: shipping_views(self.shipping_lines.0, &taxes, currency),
            shipping_address: self.shipping_address,
            billing_address: self.billing_address,
            note: self.note,
            attributes: self.attributes,
            terms,
            credits: credit_views(self.credits.0, currency),
            payments,
            refunds,
            timeline: self.timeline.0,
            allowed_actions: standing.allowed_actions(),
            cancel_reason,
            placed_at: self.placed_at,
            cancelled_at: self.cancelled_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        };
        Ok(Detail { view, secret_digest: self.secret_hash })
    }
}

/// The order with this id.
pub async fn find(tx: &mut ReadTx<'_>, id: OrderId) -> Result<Option<Detail>, DbError> {
    let statement = sql(concat!(include_str!("detail.sql"), "WHERE o.id = $1")).bind::<SqlUuid, _>(id);
    let row: Option<DetailRow> = tx.optional(statement).await?;
    row.map(DetailRow::read).transpose()
}

/// The order with this name (`#1001`) or number (`1001`).
pub async fn find_by_name(tx: &mut ReadTx<'_>, name: &str) -> Result<Option<Detail>, DbError> {
    let number: Option<i64> = name.trim_start_matches('#').parse().ok();
    let statement = sql(concat!(
        include_str!("detail.sql"),
        "WHERE o.id = (SELECT id FROM orders WHERE name = $1 OR number = $2 ORDER BY name = $1 DESC LIMIT 1)"
    ))
    .bind::<Text, _>(name)
    .bind::<Nullable<BigInt>, _>(number);
    let row: Option<DetailRow> = tx.optional(statement).await?;
    row.map(DetailRow::read).transpose()
}
