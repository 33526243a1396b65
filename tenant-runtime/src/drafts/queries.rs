//! The statements of draft orders; those of their carts are the cart's.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{Currency, CustomerId, DraftOrderId, Money, OrderId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::state::DraftOrderState;

/// A draft order without its cart.
#[derive(Clone, Debug)]
pub struct DraftRow {
    pub id: DraftOrderId,
    pub number: i64,
    pub state: DraftOrderState,
    pub tags: Vec<String>,
    pub message: String,
    pub order: Option<OrderId>,
    pub created_by: String,
    /// The language its buyer reads, if they said so or their account does.
    pub reads: Option<String>,
    pub invoice_sent_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: DraftOrderId,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Array<Text>)]
    tags: Vec<String>,
    #[diesel(sql_type = Text)]
    message: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    order_id: Option<OrderId>,
    #[diesel(sql_type = Text)]
    created_by: String,
    #[diesel(sql_type = Nullable<Text>)]
    reads: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    invoice_sent_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl Row {
    fn read(self) -> Result<DraftRow, DbError> {
        let state = DraftOrderState::parse(&self.state).ok_or_else(|| {
            DbError::Other(format!("draft order state `{}` is not known", self.state).into())
        })?;
        Ok(DraftRow {
            id: self.id,
            number: self.number,
            state,
            tags: self.tags,
            message: self.message,
            order: self.order_id,
            created_by: self.created_by,
            reads: self.reads,
            invoice_sent_at: self.invoice_sent_at,
            ended_at: self.ended_at,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// A draft order. Whoever holds its cart's lock reads it as it stays. One statement.
pub async fn find(tx: &mut ReadTx<'_>, id: DraftOrderId) -> Result<Option<DraftRow>, DbError> {
    let query = sql(
        "SELECT d.id, d.number, d.state, d.tags, d.message, d.order_id, d.created_by, d.invoice_sent_at, d.ended_at, d.version, \
         d.created_at, d.updated_at, coalesce(c.locale, (SELECT m.locale FROM customers m WHERE m.id = c.customer_id)) AS reads \
         FROM draft_orders d JOIN carts c ON c.id = d.id WHERE d.id = $1",
    );
    let row: Option<Row> = tx.optional(query.bind::<SqlUuid, _>(id)).await?;
    row.map(Row::read).transpose()
}

/// Writes a new one. One statement.
pub async fn insert(
    tx: &mut WriteTx<'_>,
    id: DraftOrderId,
    total: Money,
    ends_at: Option<DateTime<Utc>>,
    tags: &[String],
    actor: &str,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO draft_orders (id, state, tags, total_minor, created_by, next_attempt_at, created_at, updated_at) \
         VALUES ($1, 'open', $2, $3, $4, $5, $6, $6)")
    .bind::<SqlUuid, _>(id)
    .bind::<Array<Text>, _>(tags.to_vec())
    .bind::<BigInt, _>(total.minor())
    .bind::<Text, _>(actor.to_owned())
    .bind::<Nullable<Timestamptz>, _>(ends_at)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Writes what staff changed, and counts the version up. The cart is locked. One statement.
pub async fn update(
    tx: &mut WriteTx<'_>,
    id: DraftOrderId,
    total: Money,
    ends_at: Option<DateTime<Utc>>,
    tags: Option<Vec<String>>,
) -> Result<(), DbError> {
    let now = tx.now();
    let query =
        sql("UPDATE draft_orders SET tags = coalesce($2, tags), total_minor = $3, next_attempt_at = $4, \
         version = version + 1, updated_at = $5 WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Nullable<Array<Text>>, _>(tags)
        .bind::<BigInt, _>(total.minor())
        .bind::<Nullable<Timestamptz>, _>(ends_at)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Writes that its link is mailed, and with which words. The cart is locked. One statement.
pub async fn sent(
    tx: &mut WriteTx<'_>,
    id: DraftOrderId,
    total: Money,
    message: &str,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE draft_orders SET state = 'invoice_sent', message = $2, total_minor = $3, invoice_sent_at = $4, \
         version = version + 1, updated_at = $4 WHERE id = $1")
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(message.to_owned())
    .bind::<BigInt, _>(total.minor())
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// Ends one that is not over; gives its number, none if it was over. The cart is locked. One statement.
pub async fn end(
    tx: &mut WriteTx<'_>,
    id: DraftOrderId,
    state: DraftOrderState,
    order: Option<OrderId>,
) -> Result<Option<i64>, DbError> {
    let now = tx.now();
    let query = sql("UPDATE draft_orders SET state = $2, order_id = $3, ended_at = $4, next_attempt_at = NULL, version = version + 1, \
         updated_at = $4 WHERE id = $1 AND state IN ('open', 'invoice_sent') RETURNING number")
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(state.as_str())
    .bind::<Nullable<SqlUuid>, _>(order)
    .bind::<Timestamptz, _>(now);
    let row: Option<Number> = tx.optional(query).await?;
    Ok(row.map(|row| row.number))
}

/// Has the clock look at it then. Nothing that anybody sees changes. One statement.
pub async fn look_again(
    tx: &mut WriteTx<'_>,
    id: DraftOrderId,
    at: Option<DateTime<Utc>>,
) -> Result<(), DbError> {
    let query = sql(
        "UPDATE draft_orders SET next_attempt_at = $2 WHERE id = $1 AND state IN ('open', 'invoice_sent')",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<Timestamptz>, _>(at);
    tx.execute(query).await.map(drop)
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: DraftOrderId,
}

/// Those whose time is over, the longest first. One statement.
pub async fn due(tx: &mut ReadTx<'_>, most: i64) -> Result<Vec<DraftOrderId>, DbError> {
    let now = tx.now();
    let query =
        sql("SELECT id FROM draft_orders WHERE next_attempt_at <= $1 ORDER BY next_attempt_at, id LIMIT $2")
            .bind::<Timestamptz, _>(now)
            .bind::<BigInt, _>(most);
    let rows: Vec<Found> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

#[derive(QueryableByName)]
struct Forgotten {
    #[diesel(sql_type = SqlUuid)]
    id: DraftOrderId,
    #[diesel(sql_type = Bool)]
    idle: bool,
}

/// Takes what was said to a person out of their draft orders, also those of this mailbox, and ends those that nobody is paying; gives those that
/// nobody is paying. Locks their carts first.
pub async fn forget(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    mailbox: Option<&str>,
) -> Result<Vec<DraftOrderId>, DbError> {
    let now = tx.now();
    let query = sql("WITH mine AS ( \
             SELECT c.id, c.state <> 'completing' AS idle FROM carts c WHERE c.terms IS NOT NULL \
             AND (c.customer_id = $1 OR (c.customer_id IS NULL AND lower(c.email) = lower($2))) ORDER BY c.id FOR UPDATE) \
         UPDATE draft_orders d SET message = '', tags = '{}', version = d.version + 1, updated_at = $3, \
         state = CASE WHEN d.ended_at IS NULL AND m.idle THEN 'cancelled' ELSE d.state END, \
         ended_at = CASE WHEN d.ended_at IS NULL AND m.idle THEN $3 ELSE d.ended_at END, \
         next_attempt_at = CASE WHEN d.ended_at IS NULL AND m.idle THEN NULL ELSE d.next_attempt_at END \
         FROM mine m WHERE m.id = d.id RETURNING d.id, m.idle")
    .bind::<SqlUuid, _>(customer)
    .bind::<Nullable<Text>, _>(mailbox.map(str::to_owned))
    .bind::<Timestamptz, _>(now);
    let rows: Vec<Forgotten> = tx.load(query).await?;
    Ok(rows.into_iter().filter(|row| row.idle).map(|row| row.id).collect())
}

/// Which draft orders, and after which.
#[derive(Debug, Default)]
pub struct ListFilter {
    pub state: Option<&'static str>,
    pub email: Option<String>,
    pub customer: Option<CustomerId>,
    pub tag: Option<String>,
    pub created_from: Option<DateTime<Utc>>,
    pub created_before: Option<DateTime<Utc>>,
    pub q: Option<String>,
    pub oldest_first: bool,
    pub after: Option<(DateTime<Utc>, Uuid)>,
    pub fetch: i64,
}

#[derive(QueryableByName)]
pub struct SummaryRow {
    #[diesel(sql_type = SqlUuid)]
    pub id: DraftOrderId,
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub customer_id: Option<CustomerId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    pub tags: Vec<String>,
    #[diesel(sql_type = Text)]
    pub currency: Currency,
    #[diesel(sql_type = BigInt)]
    pub total_minor: i64,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub order_id: Option<OrderId>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub valid_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub invoice_sent_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub ended_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

const NEWEST_FIRST: &str = concat!(
    include_str!("queries/list.sql"),
    "AND ($8::timestamptz IS NULL OR (d.created_at, d.id) < ($8, $9::uuid)) ORDER BY d.created_at DESC, d.id DESC LIMIT $10"
);
const OLDEST_FIRST: &str = concat!(
    include_str!("queries/list.sql"),
    "AND ($8::timestamptz IS NULL OR (d.created_at, d.id) > ($8, $9::uuid)) ORDER BY d.created_at, d.id LIMIT $10"
);

/// One page. One statement.
pub async fn list(tx: &mut ReadTx<'_>, filter: ListFilter) -> Result<Vec<SummaryRow>, DbError> {
    let statement = sql(if filter.oldest_first { OLDEST_FIRST } else { NEWEST_FIRST })
        .bind::<Nullable<Text>, _>(filter.state)
        .bind::<Nullable<Text>, _>(filter.email)
        .bind::<Nullable<SqlUuid>, _>(filter.customer)
        .bind::<Nullable<Text>, _>(filter.tag)
        .bind::<Nullable<Timestamptz>, _>(filter.created_from)
        .bind::<Nullable<Timestamptz>, _>(filter.created_before)
        .bind::<Nullable<Text>, _>(filter.q)
        .bind::<Nullable<Timestamptz>, _>(filter.after.map(|(at, _)| at))
        .bind::<Nullable<SqlUuid>, _>(filter.after.map(|(_, id)| id))
        .bind::<BigInt, _>(filter.fetch);
    tx.load(statement).await
}
