//! The list of orders.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{Currency, CustomerId, OrderId};
use souk_tenancy::{DbError, ReadTx, sql};
use uuid::Uuid;

/// Which orders, and after which.
#[derive(Debug, Default)]
pub struct ListFilter {
    pub state: Option<&'static str>,
    pub financial_status: Option<&'static str>,
    pub fulfillment_status: Option<&'static str>,
    pub email: Option<String>,
    pub customer: Option<CustomerId>,
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
    pub id: OrderId,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub number: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = Text)]
    pub financial_status: String,
    #[diesel(sql_type = Text)]
    pub fulfillment_status: String,
    #[diesel(sql_type = Text)]
    pub email: String,
    #[diesel(sql_type = Text)]
    pub currency: Currency,
    #[diesel(sql_type = BigInt)]
    pub total_minor: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub placed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub cancelled_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    pub item_count: i64,
}

const NEWEST_FIRST: &str = concat!(
    include_str!("list.sql"),
    "AND ($8::timestamptz IS NULL OR (o.created_at, o.id) < ($8, $9::uuid)) ORDER BY o.created_at DESC, o.id DESC LIMIT $10"
);
const OLDEST_FIRST: &str = concat!(
    include_str!("list.sql"),
    "AND ($8::timestamptz IS NULL OR (o.created_at, o.id) > ($8, $9::uuid)) ORDER BY o.created_at, o.id LIMIT $10"
);

/// One page of orders.
pub async fn list(tx: &mut ReadTx<'_>, filter: ListFilter) -> Result<Vec<SummaryRow>, DbError> {
    let statement = sql(if filter.oldest_first { OLDEST_FIRST } else { NEWEST_FIRST })
        .bind::<Nullable<Text>, _>(filter.state)
        .bind::<Nullable<Text>, _>(filter.financial_status)
        .bind::<Nullable<Text>, _>(filter.fulfillment_status)
        .bind::<Nullable<Text>, _>(filter.email)
        .bind::<Nullable<Timestamptz>, _>(filter.created_from)
        .bind::<Nullable<Timestamptz>, _>(filter.created_before)
        .bind::<Nullable<Text>, _>(filter.q)
        .bind::<Nullable<Timestamptz>, _>(filter.after.map(|(at, _)| at))
        .bind::<Nullable<SqlUuid>, _>(filter.after.map(|(_, id)| id))
        .bind::<BigInt, _>(filter.fetch)
        .bind::<Nullable<SqlUuid>, _>(filter.customer);
    tx.load(statement).await
}
