//! What of an order has left and what is still to leave.

use diesel::QueryableByName;
use diesel::sql_types::{Array, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{InventoryItemId, OrderId, OrderLineId};
use souk_tenancy::{DbError, Document, ReadTx, WriteTx, sql};

use crate::catalog::Component;
use crate::orders::model::FulfillmentStatus;
use crate::orders::model::dispatch::OpenLine;

#[derive(QueryableByName)]
struct OpenRow {
    #[diesel(sql_type = SqlUuid)]
    id: OrderLineId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    inventory_item_id: Option<InventoryItemId>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    components: Option<Document<Vec<Component>>>,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    variant_title: String,
    #[diesel(sql_type = Nullable<Text>)]
    sku: Option<String>,
    #[diesel(sql_type = Integer)]
    quantity: i32,
    #[diesel(sql_type = Integer)]
    fulfilled_quantity: i32,
    #[diesel(sql_type = Integer)]
    given_up: i32,
}

/// The lines of an order. Lock the order first to rely on it.
pub async fn open_lines(tx: &mut ReadTx<'_>, order: OrderId) -> Result<Vec<OpenLine>, DbError> {
    let text = "SELECT l.id, l.inventory_item_id, l.components, l.title, l.variant_title, l.sku, l.quantity, l.fulfilled_quantity,
            coalesce((SELECT sum(r.quantity) FROM refund_lines r WHERE r.order_line_id = l.id AND r.stock <> 'keep'), 0)::integer AS given_up
        FROM order_lines l WHERE l.order_id = $1 ORDER BY l.position";
    let rows: Vec<OpenRow> = tx.load(sql(text).bind::<SqlUuid, _>(order)).await?;
    // CHECKs hold them all between nothing and a quantity.
    let count = |number: i32| u32::try_from(number).unwrap_or_default();
    let line = |row: OpenRow| OpenLine {
        line: row.id,
        item: row.inventory_item_id,
        components: row.components.map(|Document(components)| components).unwrap_or_default(),
        title: row.title,
        variant_title: row.variant_title,
        sku: row.sku,
        quantity: count(row.quantity),
        sent: count(row.fulfilled_quantity),
        left: count(row.quantity - row.fulfilled_quantity - row.given_up),
    };
    Ok(rows.into_iter().map(line).collect())
}

/// Counts pieces of lines as sent, or, below zero, as not sent after all.
pub async fn count_sent(
    tx: &mut WriteTx<'_>,
    order: OrderId,
    pieces: &[(OrderLineId, i32)],
) -> Result<(), DbError> {
    let text = "UPDATE order_lines l SET fulfilled_quantity = l.fulfilled_quantity + w.pieces
        FROM unnest($2::uuid[], $3::integer[]) AS w (line, pieces) WHERE l.order_id = $1 AND l.id = w.line";
    let statement = sql(text)
        .bind::<SqlUuid, _>(order)
        .bind::<Array<SqlUuid>, _>(pieces.iter().map(|(line, _)| line.uuid()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(pieces.iter().map(|(_, pieces)| *pieces).collect::<Vec<_>>());
    tx.execute(statement).await.map(drop)
}

/// Writes how much of it has left.
pub async fn set_fulfillment(
    tx: &mut WriteTx<'_>,
    order: OrderId,
    status: FulfillmentStatus,
) -> Result<(), DbError> {
    let now = tx.now();
    let text =
        "UPDATE orders SET fulfillment_status = $2, version = version + 1, updated_at = $3 WHERE id = $1";
    let statement =
        sql(text).bind::<SqlUuid, _>(order).bind::<Text, _>(status.as_str()).bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}
