//! The statements of the tax provider and of what it answered.

use diesel::QueryableByName;
use diesel::sql_types::{Binary, Bool, Integer, Jsonb, Nullable, Text, Timestamptz};
use souk_access::Sealed;
use souk_tenancy::{DbError, Document, ReadTx, WriteTx, sql};

use crate::tax::model::{PutTaxProvider, TaxAccountRow, TaxEstimate, TaxProviderView};

#[derive(QueryableByName)]
struct EstimateRow {
    #[diesel(sql_type = Jsonb)]
    answer: Document<TaxEstimate>,
}

/// The store's provider, if there is one.
pub async fn show(tx: &mut ReadTx<'_>) -> Result<Option<TaxProviderView>, DbError> {
    tx.optional(sql(
        "SELECT enabled, url, timeout_ms, cache_seconds, on_failure, updated_at FROM tax_provider",
    ))
    .await
}

/// How the provider is asked; none while it is not enabled.
pub async fn account(tx: &mut ReadTx<'_>) -> Result<Option<TaxAccountRow>, DbError> {
    let text = "SELECT url, secret, secret_key, timeout_ms, cache_seconds FROM tax_provider WHERE enabled";
    tx.optional(sql(text)).await
}

/// Replaces the provider, and forgets what the one before answered; what is still to be told is told at once. Without a new secret the one before stays; none: there is none.
pub async fn put(
    tx: &mut WriteTx<'_>,
    wish: &PutTaxProvider,
    sealed: Option<&Sealed>,
) -> Result<Option<TaxProviderView>, DbError> {
    let now = tx.now();
    let anew = "WITH gone AS (DELETE FROM tax_estimates) \
        UPDATE tax_filings SET next_attempt_at = $1 WHERE next_attempt_at IS NOT NULL";
    tx.execute(sql(anew).bind::<Timestamptz, _>(now)).await?;
    let statement = sql(
        "WITH kept AS (SELECT coalesce($3, (SELECT p.secret FROM tax_provider p)) AS secret, \
                       coalesce($4, (SELECT p.secret_key FROM tax_provider p)) AS secret_key) \
         INSERT INTO tax_provider (enabled, url, secret, secret_key, timeout_ms, cache_seconds, on_failure, updated_at) \
         SELECT $1, $2, kept.secret, kept.secret_key, $5, $6, $7, $8 FROM kept WHERE kept.secret IS NOT NULL \
         ON CONFLICT (only_row) DO UPDATE SET enabled = EXCLUDED.enabled, url = EXCLUDED.url, secret = EXCLUDED.secret, \
             secret_key = EXCLUDED.secret_key, timeout_ms = EXCLUDED.timeout_ms, cache_seconds = EXCLUDED.cache_seconds, \
             on_failure = EXCLUDED.on_failure, updated_at = EXCLUDED.updated_at \
         RETURNING enabled, url, timeout_ms, cache_seconds, on_failure, updated_at",
    );
    let statement = statement
        .bind::<Bool, _>(wish.enabled)
        .bind::<Text, _>(wish.url.as_str().to_owned())
        .bind::<Nullable<Binary>, _>(sealed.map(|sealed| sealed.bytes.clone()))
        .bind::<Nullable<Text>, _>(sealed.map(|sealed| sealed.key.clone()))
        .bind::<Integer, _>(wish.timeout_ms)
        .bind::<Integer, _>(wish.cache_seconds)
        .bind::<Text, _>(wish.on_failure.as_str())
        .bind::<Timestamptz, _>(now);
    tx.optional(statement).await
}

/// Removes the provider and what it answered. Nothing the second time.
pub async fn delete(tx: &mut WriteTx<'_>) -> Result<(), DbError> {
    let text = "WITH gone AS (DELETE FROM tax_estimates) DELETE FROM tax_provider";
    tx.execute(sql(text)).await.map(drop)
}

/// What the provider answered to this question, if that still counts.
pub async fn estimate(tx: &mut ReadTx<'_>, fingerprint: [u8; 32]) -> Result<Option<TaxEstimate>, DbError> {
    let now = tx.now();
    let text = "SELECT answer FROM tax_estimates WHERE fingerprint = $1 AND kept_until > $2";
    let statement = sql(text).bind::<Binary, _>(fingerprint.to_vec()).bind::<Timestamptz, _>(now);
    let row: Option<EstimateRow> = tx.optional(statement).await?;
    Ok(row.map(|row| row.answer.0))
}

/// Keeps an answer for so many seconds, unless the provider is another by now, and forgets some that do not count any more.
pub async fn keep_estimate(
    tx: &mut WriteTx<'_>,
    asked: &TaxAccountRow,
    fingerprint: [u8; 32],
    answer: serde_json::Value,
) -> Result<(), DbError> {
    let now = tx.now();
    let until = now + chrono::TimeDelta::seconds(i64::from(asked.cache_seconds));
    let text = "WITH past AS (DELETE FROM tax_estimates WHERE fingerprint IN ( \
             SELECT e.fingerprint FROM tax_estimates e WHERE e.kept_until <= $4 AND e.fingerprint <> $1 LIMIT 100 FOR UPDATE SKIP LOCKED)) \
         INSERT INTO tax_estimates (fingerprint, answer, kept_until) \
         SELECT $1, $2, $3 FROM tax_provider p WHERE p.enabled AND p.url = $5 AND p.secret = $6 \
         ON CONFLICT (fingerprint) DO UPDATE SET answer = EXCLUDED.answer, kept_until = EXCLUDED.kept_until";
    let statement = sql(text)
        .bind::<Binary, _>(fingerprint.to_vec())
        .bind::<Jsonb, _>(answer)
        .bind::<Timestamptz, _>(until)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(asked.url.clone())
        .bind::<Binary, _>(asked.secret.clone());
    tx.execute(statement).await.map(drop)
}
