//! The rows of second factors and recovery codes.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Text, Timestamptz, Uuid as SqlUuid};
use souk_access::{RecoveryCode, Sealed};
use souk_kernel::{AccountId, SessionId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::Factor;

/// The factor of an account, confirmed or not.
pub async fn find(tx: &mut ReadTx<'_>, account: AccountId) -> Result<Option<Factor>, DbError> {
    let query = sql("SELECT account_id, sealed, sealed_with, last_step, confirmed_at FROM second_factors \
         WHERE account_id = $1 AND kind = 'totp'");
    tx.optional(query.bind::<SqlUuid, _>(account)).await
}

/// A new factor that is not confirmed, in place of one that never was.
pub async fn begin(tx: &mut WriteTx<'_>, account: AccountId, sealed: &Sealed) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO second_factors AS held (account_id, kind, sealed, sealed_with, created_at) \
         VALUES ($1, 'totp', $2, $4, $3) ON CONFLICT (account_id, kind) DO UPDATE \
         SET sealed = excluded.sealed, sealed_with = excluded.sealed_with, last_step = 0, created_at = excluded.created_at \
         WHERE held.confirmed_at IS NULL")
    .bind::<SqlUuid, _>(account)
    .bind::<Binary, _>(sealed.bytes.clone())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(sealed.key.clone());
    Ok(tx.execute(query).await? == 1)
}

/// Takes a code's step; `false` when it, or a later one, was taken before. Of parallel uses one does.
pub async fn take_step(tx: &mut WriteTx<'_>, account: AccountId, step: i64) -> Result<bool, DbError> {
    let query = sql(
        "UPDATE second_factors SET last_step = $2 WHERE account_id = $1 AND kind = 'totp' AND last_step < $2",
    )
    .bind::<SqlUuid, _>(account)
    .bind::<BigInt, _>(step);
    Ok(tx.execute(query).await? == 1)
}

pub async fn confirm(tx: &mut WriteTx<'_>, account: AccountId) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE second_factors SET confirmed_at = $2 WHERE account_id = $1 AND kind = 'totp'")
        .bind::<SqlUuid, _>(account)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

pub async fn remove(tx: &mut WriteTx<'_>, account: AccountId) -> Result<(), DbError> {
    let codes = sql("DELETE FROM recovery_codes WHERE account_id = $1").bind::<SqlUuid, _>(account);
    tx.execute(codes).await?;
    let factor = sql("DELETE FROM second_factors WHERE account_id = $1").bind::<SqlUuid, _>(account);
    tx.execute(factor).await.map(drop)
}

/// New recovery codes in place of all earlier ones.
pub async fn replace_codes(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    codes: &[RecoveryCode],
) -> Result<(), DbError> {
    let now = tx.now();
    let old = sql("DELETE FROM recovery_codes WHERE account_id = $1").bind::<SqlUuid, _>(account);
    tx.execute(old).await?;
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| code.digest().as_bytes().to_vec()).collect();
    let query = sql("INSERT INTO recovery_codes (account_id, code_hash, created_at) SELECT $1, hash, $3 FROM unnest($2) AS hash")
        .bind::<SqlUuid, _>(account)
        .bind::<Array<Binary>, _>(hashes)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Uses a recovery code up; `false` when it is none, or was used.
pub async fn use_code(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    code: &RecoveryCode,
) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql(
        "UPDATE recovery_codes SET used_at = $3 WHERE account_id = $1 AND code_hash = $2 AND used_at IS NULL",
    )
    .bind::<SqlUuid, _>(account)
    .bind::<Binary, _>(code.digest().as_bytes().to_vec())
    .bind::<Timestamptz, _>(now);
    Ok(tx.execute(query).await? == 1)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Codes that were not used.
pub async fn codes_left(tx: &mut ReadTx<'_>, account: AccountId) -> Result<i64, DbError> {
    let query = sql("SELECT count(*) AS count FROM recovery_codes WHERE account_id = $1 AND used_at IS NULL");
    Ok(tx.one::<Count>(query.bind::<SqlUuid, _>(account)).await?.count)
}

/// Notes that whoever has the session proved themselves now.
pub async fn prove(tx: &mut WriteTx<'_>, session: SessionId) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE sessions SET proved_at = $2 WHERE id = $1")
        .bind::<SqlUuid, _>(session)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// What the sessions of the account proved is worth nothing any more.
pub async fn unprove(tx: &mut WriteTx<'_>, account: AccountId) -> Result<(), DbError> {
    let query = sql("UPDATE sessions SET proved_at = NULL WHERE account_id = $1");
    tx.execute(query.bind::<SqlUuid, _>(account)).await.map(drop)
}

/// Some factors that these keys sealed, locked.
pub async fn sealed_with(tx: &mut WriteTx<'_>, keys: Vec<String>) -> Result<Vec<Factor>, DbError> {
    let query = sql("SELECT account_id, sealed, sealed_with, last_step, confirmed_at FROM second_factors \
         WHERE sealed_with = ANY($1) AND kind = 'totp' ORDER BY account_id LIMIT 200 FOR UPDATE SKIP LOCKED");
    tx.load(query.bind::<Array<Text>, _>(keys)).await
}

pub async fn reseal(tx: &mut WriteTx<'_>, account: AccountId, sealed: &Sealed) -> Result<(), DbError> {
    let query = sql(
        "UPDATE second_factors SET sealed = $2, sealed_with = $3 WHERE account_id = $1 AND kind = 'totp'",
    )
    .bind::<SqlUuid, _>(account)
    .bind::<Binary, _>(sealed.bytes.clone())
    .bind::<Text, _>(sealed.key.clone());
    tx.execute(query).await.map(drop)
}
