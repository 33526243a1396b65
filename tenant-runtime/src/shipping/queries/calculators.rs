//! The statements of carriers' programs and of what they said.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Binary, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde_json::json;
use souk_access::Sealed;
use souk_kernel::{Currency, Money, ShippingCalculatorId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use crate::shipping::model::{Answered, CalculatorAccount, CalculatorView, NewCalculator};

/// What is kept of a complaint.
const LONGEST_COMPLAINT: usize = 300;

#[derive(QueryableByName)]
struct CalculatorRow {
    #[diesel(sql_type = SqlUuid)]
    id: ShippingCalculatorId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    url: String,
    #[diesel(sql_type = Integer)]
    timeout_ms: i32,
    #[diesel(sql_type = Integer)]
    cache_seconds: i32,
    #[diesel(sql_type = Nullable<BigInt>)]
    fallback_minor: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    fallback_currency: Option<Currency>,
    #[diesel(sql_type = Nullable<Text>)]
    last_error: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl From<CalculatorRow> for CalculatorView {
    fn from(row: CalculatorRow) -> Self {
        let fallback = row.fallback_minor.zip(row.fallback_currency);
        Self {
            id: row.id,
            name: row.name,
            url: row.url,
            timeout_ms: row.timeout_ms,
            cache_seconds: row.cache_seconds,
            fallback_price: fallback.map(|(minor, currency)| Money::new(minor, currency)),
            last_error: row.last_error,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

#[derive(QueryableByName)]
struct AccountRow {
    #[diesel(sql_type = SqlUuid)]
    id: ShippingCalculatorId,
    #[diesel(sql_type = Text)]
    url: String,
    #[diesel(sql_type = Binary)]
    secret: Vec<u8>,
    #[diesel(sql_type = Text)]
    secret_key: String,
    #[diesel(sql_type = Integer)]
    timeout_ms: i32,
    #[diesel(sql_type = Integer)]
    cache_seconds: i32,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// All programs by their name, or the one of this id.
pub async fn calculators(
    tx: &mut ReadTx<'_>,
    id: Option<ShippingCalculatorId>,
) -> Result<Vec<CalculatorView>, DbError> {
    let query = sql("SELECT id, name, url, timeout_ms, cache_seconds, fallback_minor, fallback_currency, last_error, created_at, updated_at \
         FROM shipping_calculators WHERE $1 IS NULL OR id = $1 ORDER BY name LIMIT 100")
    .bind::<Nullable<SqlUuid>, _>(id);
    let rows: Vec<CalculatorRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(CalculatorView::from).collect())
}

/// What is needed to ask these.
pub async fn accounts(
    tx: &mut ReadTx<'_>,
    ids: &[ShippingCalculatorId],
) -> Result<Vec<CalculatorAccount>, DbError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let query = sql("SELECT id, url, secret, secret_key, timeout_ms, cache_seconds FROM shipping_calculators WHERE id = ANY ($1)")
        .bind::<Array<SqlUuid>, _>(ids);
    let rows: Vec<AccountRow> = tx.load(query).await?;
    let account = |row: AccountRow| CalculatorAccount {
        id: row.id,
        url: row.url,
        secret: Sealed { key: row.secret_key, bytes: row.secret },
        timeout_ms: row.timeout_ms,
        cache_seconds: row.cache_seconds,
    };
    Ok(rows.into_iter().map(account).collect())
}

/// How many programs there are.
pub async fn count(tx: &mut ReadTx<'_>) -> Result<i64, DbError> {
    let row: CountRow = tx.one(sql("SELECT count(*) AS count FROM shipping_calculators")).await?;
    Ok(row.count)
}

/// Writes a new program.
pub async fn insert(
    tx: &mut WriteTx<'_>,
    id: ShippingCalculatorId,
    new: &NewCalculator,
    secret: Sealed,
) -> Result<(), DbError> {
    let now = tx.now();
    let statement = sql("INSERT INTO shipping_calculators (id, name, url, timeout_ms, cache_seconds, fallback_minor, fallback_currency, \
             secret, secret_key, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)")
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(new.name.clone())
    .bind::<Text, _>(new.url.clone())
    .bind::<Integer, _>(new.timeout_ms)
    .bind::<Integer, _>(new.cache_seconds)
    .bind::<Nullable<BigInt>, _>(new.fallback_price.map(Money::minor))
    .bind::<Nullable<Text>, _>(new.fallback_price.map(Money::currency))
    .bind::<Binary, _>(secret.bytes)
    .bind::<Text, _>(secret.key)
    .bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

/// Writes a program anew, its secret aside; `false`: there is none.
pub async fn replace(
    tx: &mut WriteTx<'_>,
    id: ShippingCalculatorId,
    new: &NewCalculator,
) -> Result<bool, DbError> {
    let now = tx.now();
    let statement = sql("UPDATE shipping_calculators SET name = $2, url = $3, timeout_ms = $4, cache_seconds = $5, fallback_minor = $6, \
             fallback_currency = $7, last_error = NULL, updated_at = $8 \
         WHERE id = $1")
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(new.name.clone())
    .bind::<Text, _>(new.url.clone())
    .bind::<Integer, _>(new.timeout_ms)
    .bind::<Integer, _>(new.cache_seconds)
    .bind::<Nullable<BigInt>, _>(new.fallback_price.map(Money::minor))
    .bind::<Nullable<Text>, _>(new.fallback_price.map(Money::currency))
    .bind::<Timestamptz, _>(now);
    Ok(tx.execute(statement).await? == 1)
}

/// Exchanges the secret; `false`: there is no such program.
pub async fn rotate(tx: &mut WriteTx<'_>, id: ShippingCalculatorId, secret: Sealed) -> Result<bool, DbError> {
    let now = tx.now();
    let statement =
        sql("UPDATE shipping_calculators SET secret = $2, secret_key = $3, updated_at = $4 WHERE id = $1")
            .bind::<SqlUuid, _>(id)
            .bind::<Binary, _>(secret.bytes)
            .bind::<Text, _>(secret.key)
            .bind::<Timestamptz, _>(now);
    Ok(tx.execute(statement).await? == 1)
}

/// Removes a program and what it said; `false`: there is none.
pub async fn delete(tx: &mut WriteTx<'_>, id: ShippingCalculatorId) -> Result<bool, DbError> {
    let statement = sql("DELETE FROM shipping_calculators WHERE id = $1").bind::<SqlUuid, _>(id);
    Ok(tx.execute(statement).await? == 1)
}

/// Forgets what a program said.
pub async fn forget_answers(tx: &mut WriteTx<'_>, id: ShippingCalculatorId) -> Result<(), DbError> {
    let statement = sql("DELETE FROM shipping_quotes WHERE calculator_id = $1").bind::<SqlUuid, _>(id);
    tx.execute(statement).await.map(drop)
}

/// Keeps what programs answered, and with each program why it could not be used, if so. One statement.
pub async fn keep(tx: &mut WriteTx<'_>, answers: Vec<Answered>) -> Result<(), DbError> {
    let row = |answer: Answered| {
        let question: String = answer.question.iter().map(|byte| format!("{byte:02x}")).collect();
        let (services, error) = match answer.outcome {
            Ok(services) => (Some(services), None),
            // PostgreSQL keeps no NUL in a text.
            Err(cause) => {
                (None, Some(cause.replace('\0', "").chars().take(LONGEST_COMPLAINT).collect::<String>()))
            }
        };
        json!({ "calculator": answer.calculator.uuid(), "question": question, "services": services, "error": error,
            "good_until": answer.good_until })
    };
    let rows: Vec<_> = answers.into_iter().map(row).collect();
    let now = tx.now();
    let statement =
        sql(include_str!("keep_quotes.sql")).bind::<Jsonb, _>(json!(rows)).bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

/// Forgets answers that hold no more, at most so many; how many it forgot.
///
/// # Errors
/// The database's only.
pub async fn forget(tx: &mut WriteTx<'_>, most: u32) -> Result<usize, DbError> {
    let now = tx.now();
    let statement = sql("DELETE FROM shipping_quotes WHERE ctid = ANY (ARRAY(\
             SELECT ctid FROM shipping_quotes WHERE good_until <= $1 LIMIT $2))")
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(i64::from(most));
    tx.execute(statement).await
}
