//! The statements of discounts.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::de::DeserializeOwned;
use serde_json::Value;
use souk_kernel::{CustomerGroupId, CustomerId, DiscountId, Email, OrderId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::model::{
    Audience, Class, Code, Discount, DiscountFilter, DiscountStatus, DiscountView, Method, PutDiscount,
};

#[derive(QueryableByName)]
struct CandidateRow {
    #[diesel(sql_type = SqlUuid)]
    id: DiscountId,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Jsonb)]
    terms: Value,
    #[diesel(sql_type = Jsonb)]
    minimum: Value,
    #[diesel(sql_type = Array<Text>)]
    combines: Vec<String>,
    #[diesel(sql_type = Nullable<Text>)]
    code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    code_key: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    usage_limit: Option<i64>,
    #[diesel(sql_type = BigInt)]
    used: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    per_customer_limit: Option<i64>,
    #[diesel(sql_type = Bool)]
    paused: bool,
    #[diesel(sql_type = Timestamptz)]
    starts_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ends_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    used_by_customer: i64,
    #[diesel(sql_type = Text)]
    audience: String,
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, DbError> {
    serde_json::from_value(value).map_err(|error| DbError::Other(Box::new(error)))
}

fn json(value: &impl serde::Serialize) -> Result<Value, DbError> {
    serde_json::to_value(value).map_err(|error| DbError::Other(Box::new(error)))
}

fn classes(texts: &[String]) -> Vec<Class> {
    texts.iter().filter_map(|text| Class::parse(text)).collect()
}

/// Discounts that may apply to a cart: the automatic ones that run now, and those these codes name. With each known code, which one it
/// names. One statement.
///
/// # Errors
/// The database's only.
pub async fn candidates(
    tx: &mut ReadTx<'_>,
    codes: &[String],
    customer: Option<&Email>,
    signed_in: Option<CustomerId>,
) -> Result<(Vec<Discount>, HashMap<String, DiscountId>), DbError> {
    let now = tx.now();
    let statement = sql(include_str!("candidates.sql"))
        .bind::<Array<Text>, _>(codes)
        .bind::<Nullable<Text>, _>(customer.map(Email::key))
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<SqlUuid>, _>(signed_in);
    let rows: Vec<CandidateRow> = tx.load(statement).await?;
    let (mut discounts, mut named): (Vec<Discount>, _) = (Vec::with_capacity(rows.len()), HashMap::new());
    for row in rows {
        named.extend(row.code_key.map(|key| (key, row.id)));
        // Two codes of one discount: the first counts.
        if discounts.last().is_some_and(|known| known.id == row.id) {
            continue;
        }
        discounts.push(Discount {
            id: row.id,
            title: row.title,
            terms: read(row.terms)?,
            minimum: read(row.minimum)?,
            combines: classes(&row.combines),
            code: row.code,
            usage_limit: row.usage_limit,
            used: row.used,
            per_customer_limit: row.per_customer_limit,
            used_by_customer: row.used_by_customer,
            audience: Audience::stored(&row.audience),
            paused: row.paused,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
        });
    }
    Ok((discounts, named))
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: DiscountId,
}

/// Locks discounts, in the order of their ids.
pub async fn lock(tx: &mut WriteTx<'_>, ids: &[DiscountId]) -> Result<usize, DbError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let text = "SELECT id FROM discounts WHERE id = ANY($1) ORDER BY id FOR UPDATE";
    let rows: Vec<IdRow> = tx.load(sql(text).bind::<Array<SqlUuid>, _>(ids)).await?;
    Ok(rows.len())
}

/// Counts a use of each locked discount that still stands; gives those that do.
pub async fn redeem(
    tx: &mut WriteTx<'_>,
    ids: &[DiscountId],
    order: OrderId,
    email_key: &str,
) -> Result<Vec<DiscountId>, DbError> {
    let now = tx.now();
    let statement = sql(include_str!("redeem.sql"))
        .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .bind::<SqlUuid, _>(order)
        .bind::<Text, _>(email_key)
        .bind::<Timestamptz, _>(now);
    Ok(tx.load::<IdRow>(statement).await?.into_iter().map(|row| row.id).collect())
}

/// Gives the uses of an order back.
pub async fn release(tx: &mut WriteTx<'_>, order: OrderId) -> Result<(), DbError> {
    tx.execute(sql(include_str!("release.sql")).bind::<SqlUuid, _>(order)).await.map(drop)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: DiscountId,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    method: String,
    #[diesel(sql_type = Jsonb)]
    terms: Value,
    #[diesel(sql_type = Jsonb)]
    minimum: Value,
    #[diesel(sql_type = Array<Text>)]
    combines: Vec<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    usage_limit: Option<i64>,
    #[diesel(sql_type = BigInt)]
    used: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    per_customer_limit: Option<i64>,
    #[diesel(sql_type = Bool)]
    paused: bool,
    #[diesel(sql_type = Timestamptz)]
    starts_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ends_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Array<Text>)]
    codes: Vec<String>,
    #[diesel(sql_type = Array<SqlUuid>)]
    customer_groups: Vec<CustomerGroupId>,
}

impl Row {
    fn view(self, now: DateTime<Utc>) -> Result<DiscountView, DbError> {
        let terms: super::model::Terms = read(self.terms)?;
        let method = if self.method == Method::Automatic.as_str() { Method::Automatic } else { Method::Code };
        let view = DiscountView {
            id: self.id,
            title: self.title,
            method,
            class: terms.class(),
            codes: self.codes,
            terms,
            minimum: read(self.minimum)?,
            combines_with: classes(&self.combines),
            customer_groups: self.customer_groups,
            usage_limit: self.usage_limit,
            per_customer_limit: self.per_customer_limit,
            used: self.used,
            status: DiscountStatus::Active,
            paused: self.paused,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        Ok(DiscountView { status: view.standing(now), ..view })
    }
}

/// One page of discounts, newest first; or the one of this id.
pub async fn page(
    tx: &mut ReadTx<'_>,
    id: Option<DiscountId>,
    filter: &DiscountFilter,
    after: Option<(DateTime<Utc>, Uuid)>,
    fetch: i64,
) -> Result<Vec<DiscountView>, DbError> {
    let now = tx.now();
    let part = filter.q.as_ref().map(|q| q.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
    let statement = sql(include_str!("page.sql"))
        .bind::<Nullable<SqlUuid>, _>(id)
        .bind::<Nullable<Text>, _>(filter.method.map(Method::as_str))
        .bind::<Nullable<Text>, _>(part)
        .bind::<Nullable<Text>, _>(filter.status.map(DiscountStatus::as_str))
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<Timestamptz>, _>(after.map(|(at, _)| at))
        .bind::<Nullable<SqlUuid>, _>(after.map(|(_, id)| id))
        .bind::<BigInt, _>(fetch);
    let rows: Vec<Row> = tx.load(statement).await?;
    rows.into_iter().map(|row| row.view(now)).collect()
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// One change of automatic discounts at a time: how many there are is a rule over all of them. Before any row is locked.
pub async fn lock_all(tx: &mut WriteTx<'_>) -> Result<(), DbError> {
    tx.execute(sql("LOCK TABLE discounts IN SHARE ROW EXCLUSIVE MODE")).await.map(drop)
}

/// How many other automatic discounts a cart would look at, now or later.
pub async fn other_automatic(tx: &mut ReadTx<'_>, id: DiscountId) -> Result<i64, DbError> {
    let now = tx.now();
    let text = "SELECT count(*) AS count FROM discounts \
        WHERE method = 'automatic' AND NOT paused AND (ends_at IS NULL OR ends_at > $2) AND id <> $1";
    let row: CountRow = tx.one(sql(text).bind::<SqlUuid, _>(id).bind::<Timestamptz, _>(now)).await?;
    Ok(row.count)
}

/// Writes a discount, new or anew, with its codes and whom it is only for.
pub async fn put(
    tx: &mut WriteTx<'_>,
    id: DiscountId,
    wish: &PutDiscount,
    starts_at: DateTime<Utc>,
) -> Result<(), DbError> {
    let now = tx.now();
    tx.execute(sql("DELETE FROM discount_codes WHERE discount_id = $1").bind::<SqlUuid, _>(id)).await?;
    let statement = sql(include_str!("put.sql"))
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(wish.title.clone())
        .bind::<Text, _>(wish.method.as_str())
        .bind::<Text, _>(wish.terms.kind())
        .bind::<Jsonb, _>(json(&wish.terms)?)
        .bind::<Jsonb, _>(json(&wish.minimum)?)
        .bind::<Array<Text>, _>(wish.combines_with.iter().map(|class| class.as_str()).collect::<Vec<_>>())
        .bind::<Nullable<BigInt>, _>(wish.usage_limit)
        .bind::<Nullable<BigInt>, _>(wish.per_customer_limit)
        .bind::<Bool, _>(wish.paused)
        .bind::<Timestamptz, _>(starts_at)
        .bind::<Nullable<Timestamptz>, _>(wish.ends_at)
        .bind::<Timestamptz, _>(now)
        .bind::<Array<Text>, _>(wish.codes.iter().map(Code::as_str).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(wish.customer_groups.iter().map(|group| group.uuid()).collect::<Vec<_>>());
    tx.execute(statement).await.map(drop)
}

/// Removes a discount with its codes and uses; false: there is none.
pub async fn remove(tx: &mut WriteTx<'_>, id: DiscountId) -> Result<bool, DbError> {
    let statement = sql("DELETE FROM discounts WHERE id = $1").bind::<SqlUuid, _>(id);
    Ok(tx.execute(statement).await? == 1)
}
