//! Rows of apps and of the digests of their secrets.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_access::AppSecret;
use souk_kernel::AppId;
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{App, AppSecretView};

macro_rules! app {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.name, a.description, a.requested_scopes, a.scopes, a.state, a.requested_by, a.approved_by, a.approved_at, \
             a.revoked_at, a.last_used_at, a.epoch, a.version, a.created_at, a.updated_at FROM apps a ",
            $rest
        )
    };
}

/// Newest first.
pub async fn list(tx: &mut ReadTx<'_>) -> Result<Vec<App>, DbError> {
    tx.load(sql(app!("ORDER BY a.id DESC LIMIT 1000"))).await
}

pub async fn find(tx: &mut ReadTx<'_>, id: AppId) -> Result<Option<App>, DbError> {
    tx.optional(sql(app!("WHERE a.id = $1")).bind::<SqlUuid, _>(id)).await
}

/// Locks it until the transaction ends.
pub async fn lock(tx: &mut WriteTx<'_>, id: AppId) -> Result<Option<App>, DbError> {
    tx.optional(sql(app!("WHERE a.id = $1 FOR UPDATE")).bind::<SqlUuid, _>(id)).await
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

pub async fn count(tx: &mut ReadTx<'_>) -> Result<i64, DbError> {
    Ok(tx.one::<Count>(sql("SELECT count(*) AS count FROM apps WHERE state <> 'revoked'")).await?.count)
}

/// Secrets that work, of one app or of all, oldest first.
pub async fn secrets(tx: &mut ReadTx<'_>, app: Option<AppId>) -> Result<Vec<AppSecretView>, DbError> {
    let now = tx.now();
    let query = sql("SELECT app_id, prefix, created_at, expires_at FROM app_secrets \
         WHERE ($1::uuid IS NULL OR app_id = $1) AND (expires_at IS NULL OR expires_at > $2) ORDER BY created_at")
    .bind::<Nullable<SqlUuid>, _>(app)
    .bind::<Timestamptz, _>(now);
    tx.load(query).await
}

pub async fn insert(
    tx: &mut WriteTx<'_>,
    id: AppId,
    name: &str,
    description: &str,
    scopes: Vec<String>,
    by: &str,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(
        "INSERT INTO apps (id, name, description, requested_scopes, requested_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(name.to_owned())
    .bind::<Text, _>(description.to_owned())
    .bind::<Array<Text>, _>(scopes)
    .bind::<Text, _>(by.to_owned())
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Writes what the app is called and asks for.
pub async fn edit(tx: &mut WriteTx<'_>, app: &App) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE apps SET name = $2, description = $3, requested_scopes = $4, version = version + 1, updated_at = $5 WHERE id = $1")
        .bind::<SqlUuid, _>(app.id)
        .bind::<Text, _>(app.name.clone())
        .bind::<Text, _>(app.description.clone())
        .bind::<Array<Text>, _>(app.requested_scopes.clone())
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Gives an app these scopes and no others; tokens that are out die.
pub async fn approve(tx: &mut WriteTx<'_>, id: AppId, scopes: Vec<String>, by: &str) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE apps SET state = 'approved', scopes = $2, approved_by = $3, approved_at = $4, epoch = epoch + 1, \
         version = version + 1, updated_at = $4 WHERE id = $1")
    .bind::<SqlUuid, _>(id)
    .bind::<Array<Text>, _>(scopes)
    .bind::<Text, _>(by.to_owned())
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Ends an app, its secrets and its tokens.
pub async fn revoke(tx: &mut WriteTx<'_>, id: AppId) -> Result<(), DbError> {
    let now = tx.now();
    tx.execute(sql("DELETE FROM app_secrets WHERE app_id = $1").bind::<SqlUuid, _>(id)).await?;
    let query = sql("UPDATE apps SET state = 'revoked', revoked_at = $2, epoch = epoch + 1, version = version + 1, updated_at = $2 \
         WHERE id = $1")
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

pub async fn insert_secret(tx: &mut WriteTx<'_>, app: AppId, secret: &AppSecret) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO app_secrets (hash, app_id, prefix, created_at) VALUES ($1, $2, $3, $4)")
        .bind::<Binary, _>(secret.digest().as_bytes().to_vec())
        .bind::<SqlUuid, _>(app)
        .bind::<Text, _>(secret.prefix().to_owned())
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Lets the secret that takes over no more end then, and every older one now: two work at most. Forgets those that ended.
pub async fn end_secrets(tx: &mut WriteTx<'_>, app: AppId, at: DateTime<Utc>) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("DELETE FROM app_secrets WHERE app_id = $1 AND (expires_at IS NOT NULL OR $2 <= $3)")
        .bind::<SqlUuid, _>(app)
        .bind::<Timestamptz, _>(at)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await?;
    let query = sql("UPDATE app_secrets SET expires_at = $2 WHERE app_id = $1")
        .bind::<SqlUuid, _>(app)
        .bind::<Timestamptz, _>(at);
    tx.execute(query).await.map(drop)
}

/// The approved app that has this secret; notes that it was used.
pub async fn meet(tx: &mut WriteTx<'_>, id: AppId, secret: &AppSecret) -> Result<Option<App>, DbError> {
    let now = tx.now();
    let query = sql("UPDATE apps a SET last_used_at = $3 WHERE a.id = $1 AND a.state = 'approved' AND EXISTS \
         (SELECT 1 FROM app_secrets s WHERE s.hash = $2 AND s.app_id = a.id AND (s.expires_at IS NULL OR s.expires_at > $3)) \
         RETURNING a.id, a.name, a.description, a.requested_scopes, a.scopes, a.state, a.requested_by, a.approved_by, a.approved_at, \
         a.revoked_at, a.last_used_at, a.epoch, a.version, a.created_at, a.updated_at")
    .bind::<SqlUuid, _>(id)
    .bind::<Binary, _>(secret.digest().as_bytes().to_vec())
    .bind::<Timestamptz, _>(now);
    tx.optional(query).await
}
