//! What of an order can be given back, and what was.

use std::collections::HashMap;

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{Currency, InventoryItemId, Money, OrderId, OrderLineId, RefundId};
use souk_tenancy::{DbError, Document, ReadTx, WriteTx, sql};
use uuid::Uuid;

use crate::catalog::Component;
use crate::orders::model::refund::{Part, Share};

#[derive(QueryableByName)]
struct PartRow {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    line_id: Option<OrderLineId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    item_id: Option<InventoryItemId>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    components: Option<Document<Vec<Component>>>,
    #[diesel(sql_type = Integer)]
    quantity: i32,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = BigInt)]
    gross_minor: i64,
    #[diesel(sql_type = BigInt)]
    tax_minor: i64,
    #[diesel(sql_type = BigInt)]
    returned: i64,
    #[diesel(sql_type = BigInt)]
    refunded_minor: i64,
    #[diesel(sql_type = BigInt)]
    refunded_tax_minor: i64,
}

impl From<PartRow> for Part {
    fn from(row: PartRow) -> Self {
        let money = |minor| Money::new(minor, row.currency);
        Self {
            line: row.line_id,
            item: row.item_id,
            // CHECKs hold both between nothing and a quantity.
            pieces: u32::try_from(row.quantity).unwrap_or_default(),
            returned: u32::try_from(row.returned).unwrap_or(u32::MAX),
            gross: money(row.gross_minor),
            tax: money(row.tax_minor),
            refunded: money(row.refunded_minor),
            refunded_tax: money(row.refunded_tax_minor),
        }
    }
}

/// The lines of an order and, if it cost something, its delivery. Lock the order first to rely on what went back. One statement.
pub async fn parts(tx: &mut ReadTx<'_>, order: OrderId) -> Result<Vec<Part>, DbError> {
    Ok(parts_and_bundles(tx, order).await?.0)
}

/// What the bundles among the lines of an order were made of.
pub type Bundles = HashMap<OrderLineId, Vec<Component>>;

/// The same, and what its bundles were made of. One statement.
pub async fn parts_and_bundles(tx: &mut ReadTx<'_>, order: OrderId) -> Result<(Vec<Part>, Bundles), DbError> {
    let statement = sql(include_str!("refundable.sql")).bind::<SqlUuid, _>(order);
    let mut rows: Vec<PartRow> = tx.load(statement).await?;
    let bundle = |row: &mut PartRow| Some((row.line_id?, row.components.take()?.0));
    let bundles = rows.iter_mut().filter_map(bundle).collect();
    Ok((rows.into_iter().map(Part::from).collect(), bundles))
}

/// Writes what a refund gives back.
pub async fn insert_refund_lines(
    tx: &mut WriteTx<'_>,
    order: OrderId,
    refund: RefundId,
    shares: &[Share],
) -> Result<(), DbError> {
    let now = tx.now();
    let text = "INSERT INTO refund_lines (id, refund_id, order_id, order_line_id, quantity, amount_minor, tax_minor, stock, created_at) \
        SELECT s.id, $1, $2, s.line, s.quantity, s.amount, s.tax, s.stock, $3 \
        FROM unnest($4::uuid[], $5::uuid[], $6::integer[], $7::bigint[], $8::bigint[], $9::text[]) AS s (id, line, quantity, amount, tax, stock)";
    let pieces = |share: &Share| i32::try_from(share.pieces).unwrap_or(i32::MAX);
    let statement = sql(text)
        .bind::<SqlUuid, _>(refund)
        .bind::<SqlUuid, _>(order)
        .bind::<Timestamptz, _>(now)
        .bind::<Array<SqlUuid>, _>(shares.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(
            shares.iter().map(|share| share.line.map(OrderLineId::uuid)).collect::<Vec<_>>(),
        )
        .bind::<Array<Integer>, _>(shares.iter().map(pieces).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(shares.iter().map(|share| share.amount.minor()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(shares.iter().map(|share| share.tax.minor()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(shares.iter().map(|share| share.stock.as_str()).collect::<Vec<_>>());
    tx.execute(statement).await.map(drop)
}
