//! The statements of what the tax provider has to be told.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{EventId, OrderId, RefundId};
use souk_tenancy::{DbError, WriteTx, sql};

use crate::tax::model::{Filing, FilingStep};

/// Notes what has to be told of an order, once: of one that stands, if a provider is enabled and it was taxed by it, or in its stead; of what
/// follows, if it was told that the order stands. What is refunded of an order that came to nothing is part of that.
pub async fn note(
    tx: &mut WriteTx<'_>,
    event: EventId,
    order: OrderId,
    step: FilingStep,
    refund: Option<RefundId>,
) -> Result<(), DbError> {
    let now = tx.now();
    let statement =
        sql("INSERT INTO tax_filings (id, order_id, refund_id, step, next_attempt_at, created_at) \
         SELECT $1, o.id, $3, $4, $5, $5 FROM orders o WHERE o.id = $2 AND o.tax_source <> 'own' \
            AND CASE $4 WHEN 'commit' THEN EXISTS (SELECT FROM tax_provider p WHERE p.enabled) \
                ELSE EXISTS (SELECT FROM tax_filings f WHERE f.order_id = o.id AND f.step = 'commit') END \
            AND NOT EXISTS (SELECT FROM tax_filings f WHERE f.order_id = o.id AND f.step = 'void') \
         ON CONFLICT DO NOTHING");
    let statement = statement
        .bind::<SqlUuid, _>(event)
        .bind::<SqlUuid, _>(order)
        .bind::<Nullable<SqlUuid>, _>(refund)
        .bind::<Text, _>(step.as_str())
        .bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

/// Takes the next thing to tell, if there is one and a provider to tell it.
pub async fn claim(tx: &mut WriteTx<'_>) -> Result<Option<Filing>, DbError> {
    let now = tx.now();
    tx.optional(sql(include_str!("claim_filing.sql")).bind::<Timestamptz, _>(now)).await
}

/// Writes that it was told.
pub async fn told(tx: &mut WriteTx<'_>, id: EventId) -> Result<(), DbError> {
    let now = tx.now();
    let text =
        "UPDATE tax_filings SET filed_at = $2, next_attempt_at = NULL, last_error = NULL WHERE id = $1";
    tx.execute(sql(text).bind::<SqlUuid, _>(id).bind::<Timestamptz, _>(now)).await.map(drop)
}

/// Writes why it could not be told, and when somebody tries again; without a time nobody does.
pub async fn failed(
    tx: &mut WriteTx<'_>,
    id: EventId,
    error: &str,
    again: Option<DateTime<Utc>>,
) -> Result<(), DbError> {
    let text =
        "UPDATE tax_filings SET last_error = $2, next_attempt_at = $3 WHERE id = $1 AND filed_at IS NULL";
    let statement = sql(text).bind::<SqlUuid, _>(id).bind::<Text, _>(error.to_owned());
    tx.execute(statement.bind::<Nullable<Timestamptz>, _>(again)).await.map(drop)
}
