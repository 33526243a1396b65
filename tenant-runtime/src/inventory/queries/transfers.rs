//! Goods between locations.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::Deserialize;
use souk_kernel::{InventoryItemId, LocationId, StockTransferId, VariantId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use crate::inventory::model::{
    CreateTransfer, EditTransfer, NewTransferLine, TransferFilter, TransferLineView, TransferView,
};
use crate::inventory::state::TransferState;

#[derive(QueryableByName)]
struct TransferRow {
    #[diesel(sql_type = SqlUuid)]
    id: StockTransferId,
    #[diesel(sql_type = SqlUuid)]
    origin_id: LocationId,
    #[diesel(sql_type = SqlUuid)]
    destination_id: LocationId,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Text>)]
    reference: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    note: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    expected_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    sent_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Jsonb)]
    lines: serde_json::Value,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

/// A line as the statement writes it: ids as the database has them.
#[derive(Deserialize)]
struct LineJson {
    item: Uuid,
    variant: Option<Uuid>,
    sku: Option<String>,
    quantity: i64,
    received: i64,
    lost: i64,
    returned: i64,
}

impl LineJson {
    fn view(self, state: TransferState) -> TransferLineView {
        let rest = self.quantity - self.received - self.lost - self.returned;
        TransferLineView {
            item: InventoryItemId::from_uuid(self.item),
            variant: self.variant.map(VariantId::from_uuid),
            sku: self.sku,
            quantity: self.quantity,
            received: self.received,
            lost: self.lost,
            returned: self.returned,
            incoming: if state.is_under_way() { rest } else { 0 },
        }
    }
}

fn view(row: TransferRow) -> Result<TransferView, DbError> {
    let unreadable = |text: &str| DbError::Other(format!("unreadable: {text}").into());
    let state = TransferState::parse(&row.state).ok_or_else(|| unreadable(&row.state))?;
    let lines: Vec<LineJson> =
        serde_json::from_value(row.lines).map_err(|error| DbError::Other(Box::new(error)))?;
    Ok(TransferView {
        id: row.id,
        origin: row.origin_id,
        destination: row.destination_id,
        state,
        reference: row.reference,
        note: row.note,
        expected_at: row.expected_at,
        sent_at: row.sent_at,
        ended_at: row.ended_at,
        lines: lines.into_iter().map(|line| line.view(state)).collect(),
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// Transfers, newest first. One statement.
pub async fn transfers(
    tx: &mut ReadTx<'_>,
    filter: &TransferFilter,
    before: Option<StockTransferId>,
    limit: i64,
) -> Result<Vec<TransferView>, DbError> {
    page(tx, None, filter, before, limit).await
}

/// One. One statement.
pub async fn transfer(tx: &mut ReadTx<'_>, id: StockTransferId) -> Result<Option<TransferView>, DbError> {
    Ok(page(tx, Some(id), &TransferFilter::default(), None, 1).await?.pop())
}

async fn page(
    tx: &mut ReadTx<'_>,
    id: Option<StockTransferId>,
    filter: &TransferFilter,
    before: Option<StockTransferId>,
    limit: i64,
) -> Result<Vec<TransferView>, DbError> {
    let query = sql(include_str!("transfers.sql"))
        .bind::<Nullable<SqlUuid>, _>(id)
        .bind::<Nullable<Text>, _>(filter.state.map(TransferState::as_str))
        .bind::<Nullable<SqlUuid>, _>(filter.origin)
        .bind::<Nullable<SqlUuid>, _>(filter.destination)
        .bind::<Nullable<SqlUuid>, _>(filter.item)
        .bind::<Nullable<SqlUuid>, _>(before)
        .bind::<BigInt, _>(limit);
    let rows: Vec<TransferRow> = tx.load(query).await?;
    rows.into_iter().map(view).collect()
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: StockTransferId,
}

/// Locks a transfer, before any level. Whether there is one.
pub async fn lock_transfer(tx: &mut WriteTx<'_>, id: StockTransferId) -> Result<bool, DbError> {
    let query = sql("SELECT id FROM stock_transfers WHERE id = $1 FOR NO KEY UPDATE").bind::<SqlUuid, _>(id);
    let row: Option<IdRow> = tx.optional(query).await?;
    Ok(row.is_some_and(|row| row.id == id))
}

/// Makes a draft without lines; false where one of the two is no active location. They are locked against being taken out of service.
pub async fn create_transfer(
    tx: &mut WriteTx<'_>,
    id: StockTransferId,
    wish: &CreateTransfer,
) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql("WITH places AS (SELECT id FROM locations WHERE id IN ($2, $3) AND active AND bucket_of IS NULL ORDER BY id FOR SHARE) \
         INSERT INTO stock_transfers (id, origin_id, destination_id, state, reference, note, expected_at, created_at, updated_at) \
         SELECT $1, $2, $3, 'draft', $4, $5, $6, $7, $7 WHERE (SELECT count(*) FROM places) = 2")
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(wish.origin)
    .bind::<SqlUuid, _>(wish.destination)
    .bind::<Nullable<Text>, _>(wish.reference.as_ref().map(|text| text.as_str().to_owned()))
    .bind::<Nullable<Text>, _>(wish.note.as_ref().map(|text| text.as_str().to_owned()))
    .bind::<Nullable<Timestamptz>, _>(wish.expected_at)
    .bind::<Timestamptz, _>(now);
    Ok(tx.execute(query).await? == 1)
}

/// What is left out stays.
pub async fn edit_transfer(
    tx: &mut WriteTx<'_>,
    id: StockTransferId,
    wish: &EditTransfer,
) -> Result<(), DbError> {
    let now = tx.now();
    let query =
        sql("UPDATE stock_transfers SET reference = coalesce($2, reference), note = coalesce($3, note), \
         expected_at = coalesce($4, expected_at), version = version + 1, updated_at = $5 WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Nullable<Text>, _>(wish.reference.as_ref().map(|text| text.as_str().to_owned()))
        .bind::<Nullable<Text>, _>(wish.note.as_ref().map(|text| text.as_str().to_owned()))
        .bind::<Nullable<Timestamptz>, _>(wish.expected_at)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// These lines and no others; how many of their items there are. Two statements.
pub async fn put_lines(
    tx: &mut WriteTx<'_>,
    id: StockTransferId,
    lines: &[NewTransferLine],
) -> Result<usize, DbError> {
    let gone = sql("DELETE FROM stock_transfer_lines WHERE transfer_id = $1").bind::<SqlUuid, _>(id);
    tx.execute(gone).await?;
    let query = sql("INSERT INTO stock_transfer_lines (transfer_id, item_id, quantity) \
         SELECT $1, w.item_id, w.quantity FROM unnest($2::uuid[], $3::bigint[]) AS w (item_id, quantity) \
         JOIN inventory_items i ON i.id = w.item_id")
    .bind::<SqlUuid, _>(id)
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.item.uuid()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(lines.iter().map(|line| line.quantity).collect::<Vec<_>>());
    tx.execute(query).await
}

/// The transfer is in another state now: sent when it leaves the draft, ended when it is over.
pub async fn set_state(
    tx: &mut WriteTx<'_>,
    id: StockTransferId,
    from: TransferState,
    to: TransferState,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE stock_transfers SET state = $3, version = version + 1, updated_at = $4, \
             sent_at = CASE WHEN $5 THEN $4 ELSE sent_at END, ended_at = CASE WHEN $6 THEN $4 END \
         WHERE id = $1 AND state = $2")
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(from.as_str())
    .bind::<Text, _>(to.as_str())
    .bind::<Timestamptz, _>(now)
    .bind::<Bool, _>(to == TransferState::InTransit)
    .bind::<Bool, _>(matches!(to, TransferState::Received | TransferState::Cancelled));
    tx.execute(query).await.map(drop)
}

/// What became of pieces of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came {
    pub item: InventoryItemId,
    pub received: i64,
    pub lost: i64,
    pub returned: i64,
}

/// Adds to what became of the lines.
pub async fn note_lines(tx: &mut WriteTx<'_>, id: StockTransferId, came: &[Came]) -> Result<(), DbError> {
    let query = sql("UPDATE stock_transfer_lines t SET received = t.received + c.received, lost = t.lost + c.lost, \
             returned = t.returned + c.returned \
         FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[]) AS c (item_id, received, lost, returned) \
         WHERE t.transfer_id = $1 AND t.item_id = c.item_id")
    .bind::<SqlUuid, _>(id)
    .bind::<Array<SqlUuid>, _>(came.iter().map(|one| one.item.uuid()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(came.iter().map(|one| one.received).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(came.iter().map(|one| one.lost).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(came.iter().map(|one| one.returned).collect::<Vec<_>>());
    tx.execute(query).await.map(drop)
}
