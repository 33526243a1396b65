//! The chain's rows.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::AuditEntry;

/// The end of the chain.
#[derive(QueryableByName)]
pub struct Head {
    #[diesel(sql_type = BigInt)]
    pub position: i64,
    #[diesel(sql_type = Binary)]
    pub hash: Vec<u8>,
}

/// The chain's end, locked.
pub async fn lock_head(tx: &mut WriteTx<'_>) -> Result<Head, DbError> {
    tx.one(sql("SELECT position, hash FROM audit_head FOR UPDATE")).await
}

/// The chain's end.
pub async fn head(tx: &mut ReadTx<'_>) -> Result<Head, DbError> {
    tx.one(sql("SELECT position, hash FROM audit_head")).await
}

/// Appends a sealed entry and makes it the end. One statement.
pub async fn append(tx: &mut WriteTx<'_>, entry: &AuditEntry) -> Result<(), DbError> {
    let query = sql("WITH head AS (UPDATE audit_head SET position = $1, hash = $10) \
         INSERT INTO audit_entries (position, id, at, actor, action, object, details, request_id, previous, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
    .bind::<BigInt, _>(entry.position)
    .bind::<SqlUuid, _>(entry.id)
    .bind::<Timestamptz, _>(entry.at)
    .bind::<Text, _>(entry.actor.clone())
    .bind::<Text, _>(entry.action.clone())
    .bind::<Text, _>(entry.object.clone())
    .bind::<Jsonb, _>(entry.details.clone())
    .bind::<Nullable<Text>, _>(entry.request_id.clone())
    .bind::<Binary, _>(entry.previous.clone())
    .bind::<Binary, _>(entry.hash.clone());
    tx.execute(query).await.map(drop)
}

/// A page, newest first.
pub async fn list(tx: &mut ReadTx<'_>, before: Option<i64>, limit: i64) -> Result<Vec<AuditEntry>, DbError> {
    let query = sql("SELECT position, id, at, actor, action, object, details, request_id, previous, hash FROM audit_entries \
         WHERE position < $1 ORDER BY position DESC LIMIT $2")
    .bind::<BigInt, _>(before.unwrap_or(i64::MAX))
    .bind::<BigInt, _>(limit);
    tx.load(query).await
}

/// A piece of the chain, oldest first.
pub async fn piece(tx: &mut ReadTx<'_>, after: i64, limit: i64) -> Result<Vec<AuditEntry>, DbError> {
    let query = sql("SELECT position, id, at, actor, action, object, details, request_id, previous, hash FROM audit_entries \
         WHERE position > $1 ORDER BY position LIMIT $2")
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(limit);
    tx.load(query).await
}
