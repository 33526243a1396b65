//! The rows of grants, in the schema that the planes share.

use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{AccountId, StoreGrantId, StoreId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::Grant;

pub async fn insert(tx: &mut WriteTx<'_>, grant: &Grant) -> Result<(), DbError> {
    let query = sql("INSERT INTO platform.store_grants (id, store_id, account_id, holder, reason, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind::<SqlUuid, _>(grant.id)
    .bind::<SqlUuid, _>(grant.store_id)
    .bind::<SqlUuid, _>(grant.account_id)
    .bind::<Text, _>(grant.holder.clone())
    .bind::<Text, _>(grant.reason.clone())
    .bind::<Timestamptz, _>(grant.created_at)
    .bind::<Timestamptz, _>(grant.expires_at);
    tx.execute(query).await.map(drop)
}

/// Somebody's own.
pub async fn own(
    tx: &mut ReadTx<'_>,
    id: StoreGrantId,
    account: AccountId,
) -> Result<Option<Grant>, DbError> {
    let query = sql("SELECT id, store_id, account_id, holder, reason, created_at, expires_at, withdrawn_at \
         FROM platform.store_grants WHERE id = $1 AND account_id = $2")
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(account);
    tx.optional(query).await
}

/// A page of a store's, newest first.
pub async fn list(
    tx: &mut ReadTx<'_>,
    store: StoreId,
    before: Option<StoreGrantId>,
    limit: i64,
) -> Result<Vec<Grant>, DbError> {
    let query = sql("SELECT id, store_id, account_id, holder, reason, created_at, expires_at, withdrawn_at \
         FROM platform.store_grants WHERE store_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3")
    .bind::<SqlUuid, _>(store)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(limit);
    tx.load(query).await
}

/// Takes back what is of this store and not over; an earlier taking back stays. `None`: there is no such grant.
pub async fn withdraw(
    tx: &mut WriteTx<'_>,
    store: StoreId,
    id: StoreGrantId,
) -> Result<Option<Grant>, DbError> {
    let now = tx.now();
    let query = sql("UPDATE platform.store_grants SET withdrawn_at = coalesce(withdrawn_at, $3) WHERE id = $1 AND store_id = $2 \
         RETURNING id, store_id, account_id, holder, reason, created_at, expires_at, withdrawn_at")
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(store)
    .bind::<Timestamptz, _>(now);
    tx.optional(query).await
}
