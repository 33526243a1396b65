//! The statements of fulfillments.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Json, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::Deserialize;
use souk_kernel::{FulfillmentId, InventoryItemId, LocationId, OrderId, OrderLineId};
use souk_tenancy::{DbError, Document, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::model::{FulfillmentLineView, FulfillmentView, Part, Tracking};
use super::state::FulfillmentState;
use crate::inventory::Shipped;

/// A fulfillment about to be written.
pub struct New<'n> {
    pub id: FulfillmentId,
    pub order: OrderId,
    /// What the order is called.
    pub order_name: &'n str,
    pub tracking: &'n Tracking,
    pub parts: &'n [Part],
    pub shipped: &'n [Shipped],
}

/// Writes one with its lines and pieces, under the order's next number. The order is locked.
pub async fn insert(tx: &mut WriteTx<'_>, new: &New<'_>) -> Result<(), DbError> {
    let text = "WITH made AS (
            INSERT INTO fulfillments (id, order_id, number, name, state, tracking_company, tracking_number, tracking_url, created_at, updated_at)
            SELECT $1, $2, n.number, $3 || '-F' || n.number, 'success', $4, $5, $6, $7, $7
            FROM (SELECT count(*)::integer + 1 AS number FROM fulfillments WHERE order_id = $2) n
            RETURNING id
        ), lines AS (
            INSERT INTO fulfillment_lines (fulfillment_id, order_line_id, quantity)
            SELECT made.id, l.line, l.quantity FROM made, unnest($8::uuid[], $9::integer[]) AS l (line, quantity)
        )
        INSERT INTO fulfillment_pieces (fulfillment_id, item_id, location_id, quantity)
        SELECT made.id, p.item, p.location, p.quantity
        FROM made, unnest($10::uuid[], $11::uuid[], $12::bigint[]) AS p (item, location, quantity)";
    let now = tx.now();
    let pieces = |part: &Part| i32::try_from(part.pieces).unwrap_or(i32::MAX);
    let statement = sql(text)
        .bind::<SqlUuid, _>(new.id)
        .bind::<SqlUuid, _>(new.order)
        .bind::<Text, _>(new.order_name)
        .bind::<Nullable<Text>, _>(new.tracking.company.as_ref().map(souk_kernel::Text::as_str))
        .bind::<Nullable<Text>, _>(new.tracking.number.as_ref().map(souk_kernel::Text::as_str))
        .bind::<Nullable<Text>, _>(new.tracking.url.as_ref().map(souk_kernel::Text::as_str))
        .bind::<Timestamptz, _>(now)
        .bind::<Array<SqlUuid>, _>(new.parts.iter().map(|part| part.line.uuid()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(new.parts.iter().map(pieces).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(new.shipped.iter().map(|one| one.item.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(new.shipped.iter().map(|one| one.location.uuid()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(new.shipped.iter().map(|one| one.pieces).collect::<Vec<_>>());
    tx.execute(statement).await.map(drop)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: FulfillmentId,
    #[diesel(sql_type = SqlUuid)]
    order_id: OrderId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Json)]
    lines: Document<Vec<LineJson>>,
    #[diesel(sql_type = Json)]
    tracking: Document<Tracking>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    cancelled_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

/// A line as JSON.
#[derive(Deserialize)]
struct LineJson {
    line: Uuid,
    title: String,
    variant_title: String,
    sku: Option<String>,
    quantity: i32,
}

impl From<LineJson> for FulfillmentLineView {
    fn from(json: LineJson) -> Self {
        let LineJson { line, title, variant_title, sku, quantity } = json;
        Self { line: OrderLineId::from_uuid(line), title, variant_title, sku, quantity }
    }
}

impl Row {
    fn read(self) -> Result<FulfillmentView, DbError> {
        let state = FulfillmentState::parse(&self.state).ok_or_else(|| {
            DbError::Other(format!("fulfillment state `{}` is not known", self.state).into())
        })?;
        Ok(FulfillmentView {
            id: self.id,
            order: self.order_id,
            name: self.name,
            state,
            lines: self.lines.0.into_iter().map(FulfillmentLineView::from).collect(),
            tracking: self.tracking.0,
            created_at: self.created_at,
            updated_at: self.updated_at,
            cancelled_at: self.cancelled_at,
            version: self.version,
        })
    }
}

macro_rules! shown {
    ($which:literal) => {
        concat!("SELECT f.id, f.order_id, f.name, f.state, f.created_at, f.updated_at, f.cancelled_at, f.version,
        json_build_object('company', f.tracking_company, 'number', f.tracking_number, 'url', f.tracking_url) AS tracking,
        coalesce((SELECT json_agg(json_build_object('line', l.id, 'title', l.title, 'variant_title', l.variant_title,
                'sku', l.sku, 'quantity', x.quantity) ORDER BY l.position)
            FROM fulfillment_lines x JOIN order_lines l ON l.id = x.order_line_id WHERE x.fulfillment_id = f.id), '[]') AS lines
    FROM fulfillments f ", $which)
    };
}

/// One of them.
pub async fn one(tx: &mut ReadTx<'_>, id: FulfillmentId) -> Result<Option<FulfillmentView>, DbError> {
    let row: Option<Row> = tx.optional(sql(shown!("WHERE f.id = $1")).bind::<SqlUuid, _>(id)).await?;
    row.map(Row::read).transpose()
}

/// Those of an order, oldest first.
pub async fn of_order(tx: &mut ReadTx<'_>, order: OrderId) -> Result<Vec<FulfillmentView>, DbError> {
    let text = shown!("WHERE f.order_id = $1 ORDER BY f.number");
    let rows: Vec<Row> = tx.load(sql(text).bind::<SqlUuid, _>(order)).await?;
    rows.into_iter().map(Row::read).collect()
}

#[derive(QueryableByName)]
struct PieceRow {
    #[diesel(sql_type = SqlUuid)]
    item_id: InventoryItemId,
    #[diesel(sql_type = SqlUuid)]
    location_id: LocationId,
    #[diesel(sql_type = BigInt)]
    quantity: i64,
}

/// Where its pieces came from.
pub async fn pieces(tx: &mut ReadTx<'_>, id: FulfillmentId) -> Result<Vec<Shipped>, DbError> {
    let text = "SELECT item_id, location_id, quantity FROM fulfillment_pieces WHERE fulfillment_id = $1 ORDER BY item_id, location_id";
    let rows: Vec<PieceRow> = tx.load(sql(text).bind::<SqlUuid, _>(id)).await?;
    let shipped =
        |row: PieceRow| Shipped { item: row.item_id, location: row.location_id, pieces: row.quantity };
    Ok(rows.into_iter().map(shipped).collect())
}

/// How to follow it from now on.
pub async fn track(tx: &mut WriteTx<'_>, id: FulfillmentId, tracking: &Tracking) -> Result<(), DbError> {
    let now = tx.now();
    let text = "UPDATE fulfillments SET tracking_company = $2, tracking_number = $3, tracking_url = $4, updated_at = $5, version = version + 1
        WHERE id = $1";
    let statement = sql(text)
        .bind::<SqlUuid, _>(id)
        .bind::<Nullable<Text>, _>(tracking.company.as_ref().map(souk_kernel::Text::as_str))
        .bind::<Nullable<Text>, _>(tracking.number.as_ref().map(souk_kernel::Text::as_str))
        .bind::<Nullable<Text>, _>(tracking.url.as_ref().map(souk_kernel::Text::as_str))
        .bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

/// It did not leave after all; false if that is known.
pub async fn cancel(tx: &mut WriteTx<'_>, id: FulfillmentId) -> Result<bool, DbError> {
    let now = tx.now();
    let text = "UPDATE fulfillments SET state = 'cancelled', cancelled_at = $2, updated_at = $2, version = version + 1
        WHERE id = $1 AND state = 'success'";
    let statement = sql(text).bind::<SqlUuid, _>(id).bind::<Timestamptz, _>(now);
    Ok(tx.execute(statement).await? == 1)
}
