//! The statements of orders.

pub mod day;
mod detail;
mod dispatch;
mod list;
pub mod owner;
mod refund;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Integer, Json, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde_json::{Value, json};
use souk_kernel::{CartId, Currency, CustomerId, Money, OrderId, PaymentSessionId};
use souk_tenancy::{DbError, Document, ReadTx, WriteTx, sql};
use uuid::Uuid;

pub use detail::{find, find_by_name};
pub use dispatch::{count_sent, open_lines, set_fulfillment};
pub use list::{ListFilter, SummaryRow, list};
pub use owner::{Reader, forget, placed_by, reader, under_way};
pub use refund::{Bundles, insert_refund_lines, parts, parts_and_bundles};

use super::model::{
    CancelReason, FinancialStatus, FulfillmentStatus, LockedLine, LockedOrder, NewOrder, NewTax, Note, Sums,
};
use super::state::OrderState;
use crate::discounts::Applied;

/// A stored text that is not of the closed list: a mistake in a migration, never of a caller.
fn known<T>(what: &'static str, text: &str, value: Option<T>) -> Result<T, DbError> {
    value.ok_or_else(|| DbError::Other(format!("{what} `{text}` is not known").into()))
}

fn tax_json(tax: &NewTax, line: Option<Uuid>, shipping: Option<Uuid>) -> Value {
    json!({
        "id": souk_kernel::TaxLineId::new().uuid(), "order_line_id": line, "shipping_line_id": shipping, "name": tax.name,
        "jurisdiction": tax.jurisdiction, "rate_ppm": tax.rate_ppm, "reason": tax.reason, "taxable_minor": tax.taxable.minor(),
        "amount_minor": tax.amount.minor(),
        "rate_id": tax.rate.map(souk_kernel::TaxRateId::uuid), "compound": tax.compound,
    })
}

fn lines_json(order: &NewOrder) -> Value {
    let line = |(position, line): (usize, &super::model::NewLine)| {
        json!({
            "id": line.id.uuid(), "position": position, "variant_id": line.variant.map(souk_kernel::VariantId::uuid),
            "product_id": line.product.map(souk_kernel::ProductId::uuid),
            "inventory_item_id": line.item.map(souk_kernel::InventoryItemId::uuid), "location_id": line.location.map(souk_kernel::LocationId::uuid), "title": line.title,
            "variant_title": line.variant_title, "sku": line.sku, "options": line.options,
            "image_id": line.image.map(souk_kernel::ImageId::uuid), "requires_shipping": line.requires_shipping,
            "quantity": line.quantity.get(), "unit_price_minor": line.unit_price.minor(), "discount_minor": line.discount.minor(),
            "total_minor": line.total.minor(), "components": Some(&line.components).filter(|components| !components.is_empty()),
        })
    };
    order.lines.iter().enumerate().map(line).collect()
}

/// What each discount takes off each line.
fn allocations_json(order: &NewOrder) -> Value {
    let share = |applied: &Applied, line: Option<Uuid>, shipping: Option<Uuid>, amount: Money| {
        json!({
            "id": souk_kernel::DiscountAllocationId::new().uuid(), "order_line_id": line, "shipping_line_id": shipping,
            "discount_id": applied.discount.uuid(), "title": applied.title, "code": applied.code, "kind": applied.kind,
            "amount_minor": amount.minor(),
        })
    };
    let shares = order.discounts.iter().flat_map(|applied| {
        let lines = order
            .lines
            .iter()
            .zip(&applied.lines)
            .map(|(line, amount)| (Some(line.id.uuid()), None, *amount));
        let shipping = order.shipping_line.iter().map(|line| (None, Some(line.id.uuid()), applied.shipping));
        let taken = lines.chain(shipping).filter(|(_, _, amount)| amount.is_positive());
        taken.map(|(line, shipping, amount)| share(applied, line, shipping, amount)).collect::<Vec<_>>()
    });
    shares.collect()
}

/// Inserts an attempt with its lines, delivery, taxes, discounts and first timeline entry.
pub async fn insert(tx: &mut WriteTx<'_>, order: &NewOrder, actor: &str) -> Result<(), DbError> {
    let now = tx.now();
    let shipping: Value = order
        .shipping_line
        .iter()
        .map(|line| {
            json!({ "id": line.id.uuid(), "shipping_rate_id": line.rate.map(souk_kernel::ShippingRateId::uuid), "title": line.title,
                "discount_minor": line.discount.minor(), "amount_minor": line.amount.minor() })
        })
        .collect();
    let on_lines = order
        .lines
        .iter()
        .flat_map(|line| line.taxes.iter().map(|tax| tax_json(tax, Some(line.id.uuid()), None)));
    let on_shipping = order
        .shipping_line
        .iter()
        .flat_map(|line| line.taxes.iter().map(|tax| tax_json(tax, None, Some(line.id.uuid()))));
    let taxes: Value = on_lines.chain(on_shipping).collect();
    let statement = sql(include_str!("insert.sql"))
        .bind::<SqlUuid, _>(order.id)
        .bind::<SqlUuid, _>(order.cart)
        .bind::<Binary, _>(order.secret_digest.as_slice())
        .bind::<Nullable<SqlUuid>, _>(order.customer)
        .bind::<Text, _>(order.email.as_str())
        .bind::<Text, _>(order.currency)
        .bind::<Bool, _>(order.prices_include_tax)
        .bind::<BigInt, _>(order.subtotal.minor())
        .bind::<BigInt, _>(order.shipping.minor())
        .bind::<BigInt, _>(order.tax.minor())
        .bind::<BigInt, _>(order.total.minor())
        .bind::<Nullable<Jsonb>, _>(order.shipping_address.as_ref())
        .bind::<Nullable<Jsonb>, _>(order.billing_address.as_ref())
        .bind::<Text, _>(order.note.as_str())
        .bind::<Timestamptz, _>(now)
        .bind::<Jsonb, _>(lines_json(order))
        .bind::<Jsonb, _>(shipping)
        .bind::<Jsonb, _>(taxes)
        .bind::<SqlUuid, _>(Uuid::now_v7())
        .bind::<Text, _>(actor)
        .bind::<BigInt, _>(order.discount.minor())
        .bind::<Jsonb, _>(allocations_json(order))
        .bind::<Jsonb, _>(&order.attributes)
        .bind::<Nullable<Jsonb>, _>(order.tax_relief.as_ref().map(|relief| json!(relief)))
        .bind::<Nullable<Integer>, _>(order.terms.as_ref().map(|terms| terms.version))
        .bind::<Nullable<Timestamptz>, _>(order.terms.as_ref().map(|terms| terms.at))
        .bind::<Nullable<Binary>, _>(order.terms.as_ref().map(|terms| terms.network.as_slice()));
    tx.execute(statement).await.map(drop)
}

#[derive(QueryableByName)]
struct LockedRow {
    #[diesel(sql_type = SqlUuid)]
    id: OrderId,
    #[diesel(sql_type = SqlUuid)]
    cart_id: CartId,
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
    shipping_discount_minor: i64,
    #[diesel(sql_type = BigInt)]
    total_minor: i64,
    #[diesel(sql_type = BigInt)]
    credit_minor: i64,
    #[diesel(sql_type = Nullable<Jsonb>)]
    shipping_address: Option<Value>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    billing_address: Option<Value>,
    #[diesel(sql_type = BigInt)]
    goods_tax_minor: i64,
    #[diesel(sql_type = BigInt)]
    shipping_tax_minor: i64,
    #[diesel(sql_type = Nullable<Text>)]
    shipping_title: Option<String>,
    #[diesel(sql_type = Json)]
    lines: Document<Vec<LockedLine>>,
}

impl LockedRow {
    fn read(self) -> Result<LockedOrder, DbError> {
        let money = |minor| Money::new(minor, self.currency);
        let fulfillment = FulfillmentStatus::parse(&self.fulfillment_status);
        Ok(LockedOrder {
            id: self.id,
            cart: self.cart_id,
            number: self.number,
            name: self.name,
            state: known("order state", &self.state, OrderState::parse(&self.state))?,
            financial_status: known(
                "financial status",
                &self.financial_status,
                FinancialStatus::parse(&self.financial_status),
            )?,
            fulfillment_status: known("fulfillment status", &self.fulfillment_status, fulfillment)?,
            email: self.email,
            sums: Sums {
                subtotal: money(self.subtotal_minor),
                discount: money(self.discount_minor),
                shipping: money(self.shipping_minor),
                shipping_discount: money(self.shipping_discount_minor),
                goods_tax: money(self.goods_tax_minor),
                shipping_tax: money(self.shipping_tax_minor),
                total: money(self.total_minor),
                credit: money(self.credit_minor),
                prices_include_tax: self.prices_include_tax,
            },
            shipping_title: self.shipping_title,
            shipping_address: self.shipping_address,
            billing_address: self.billing_address,
            lines: self.lines.0,
        })
    }
}

/// Locks an order, named by its id or by one of its payment sessions.
pub async fn lock(
    tx: &mut WriteTx<'_>,
    order: Option<OrderId>,
    session: Option<PaymentSessionId>,
) -> Result<Option<LockedOrder>, DbError> {
    let statement = sql(include_str!("lock.sql"))
        .bind::<Nullable<SqlUuid>, _>(order)
        .bind::<Nullable<SqlUuid>, _>(session);
    let row: Option<LockedRow> = tx.optional(statement).await?;
    row.map(LockedRow::read).transpose()
}

#[derive(QueryableByName)]
struct AttemptRow {
    #[diesel(sql_type = SqlUuid)]
    id: OrderId,
}

/// The order of a cart, unless it is an attempt that is over.
pub async fn of_cart(tx: &mut ReadTx<'_>, cart: CartId) -> Result<Option<OrderId>, DbError> {
    let text = "SELECT id FROM orders WHERE cart_id = $1 AND (state <> 'cancelled' OR number IS NOT NULL)";
    let row: Option<AttemptRow> = tx.optional(sql(text).bind::<SqlUuid, _>(cart)).await?;
    Ok(row.map(|row| row.id))
}

#[derive(QueryableByName)]
struct StateRow {
    #[diesel(sql_type = Text)]
    state: String,
}

/// Where an order stands.
pub async fn state_of(tx: &mut ReadTx<'_>, id: OrderId) -> Result<Option<OrderState>, DbError> {
    let text = "SELECT state FROM orders WHERE id = $1";
    let row: Option<StateRow> = tx.optional(sql(text).bind::<SqlUuid, _>(id)).await?;
    row.map(|row| known("order state", &row.state, OrderState::parse(&row.state))).transpose()
}

#[derive(QueryableByName)]
pub struct Placed {
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub customer_id: Option<CustomerId>,
}

/// Gives an attempt its number and its state: `open`, or `cancelled` with a reason.
pub async fn place(
    tx: &mut WriteTx<'_>,
    id: OrderId,
    state: OrderState,
    financial: FinancialStatus,
    reason: Option<CancelReason>,
) -> Result<Placed, DbError> {
    let now = tx.now();
    let statement = sql(include_str!("place.sql"))
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(state.as_str())
        .bind::<Text, _>(financial.as_str())
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<Text>, _>(reason.map(CancelReason::as_str));
    tx.one(statement).await
}

/// Cancels an order that stands at `from`; false if it does not.
pub async fn cancel(
    tx: &mut WriteTx<'_>,
    id: OrderId,
    from: OrderState,
    financial: FinancialStatus,
    reason: CancelReason,
) -> Result<bool, DbError> {
    let now = tx.now();
    let text = "UPDATE orders SET state = 'cancelled', financial_status = $3, cancel_reason = $4, cancelled_at = $5, \
            version = version + 1, updated_at = $5 WHERE id = $1 AND state = $2";
    let statement = sql(text)
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(from.as_str())
        .bind::<Text, _>(financial.as_str())
        .bind::<Text, _>(reason.as_str())
        .bind::<Timestamptz, _>(now);
    Ok(tx.execute(statement).await? == 1)
}

/// Writes where the money stands.
pub async fn set_financial(
    tx: &mut WriteTx<'_>,
    id: OrderId,
    status: FinancialStatus,
) -> Result<(), DbError> {
    let now = tx.now();
    let text =
        "UPDATE orders SET financial_status = $2, version = version + 1, updated_at = $3 WHERE id = $1";
    let statement =
        sql(text).bind::<SqlUuid, _>(id).bind::<Text, _>(status.as_str()).bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

/// Appends to an order's timeline.
pub async fn insert_notes(tx: &mut WriteTx<'_>, order: OrderId, notes: &[Note]) -> Result<(), DbError> {
    let ids: Vec<Uuid> = notes.iter().map(|_| Uuid::now_v7()).collect();
    let statement = sql(include_str!("notes.sql"))
        .bind::<SqlUuid, _>(order)
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<Text>, _>(notes.iter().map(|note| note.kind).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(notes.iter().map(|note| note.actor.as_str()).collect::<Vec<_>>())
        .bind::<Array<Jsonb>, _>(notes.iter().map(|note| note.details.clone()).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(notes.iter().map(|note| note.at).collect::<Vec<DateTime<Utc>>>());
    tx.execute(statement).await.map(drop)
}
