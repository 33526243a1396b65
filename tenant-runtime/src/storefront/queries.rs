//! The one row.

use diesel::sql_types::{Array, Nullable, Text, Timestamptz};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{Origins, PutStorefront, Storefront};

/// Where the store's pages live. One statement.
pub async fn current(tx: &mut ReadTx<'_>) -> Result<Storefront, DbError> {
    tx.one(sql("SELECT account_url, allowed_origins, version FROM storefront_settings")).await
}

/// The same, locked until the transaction ends.
pub async fn locked(tx: &mut WriteTx<'_>) -> Result<Storefront, DbError> {
    tx.one(sql("SELECT account_url, allowed_origins, version FROM storefront_settings FOR UPDATE")).await
}

/// Where shoppers find their account, if the store says so.
///
/// # Errors
/// The database's only.
pub async fn account_url(tx: &mut ReadTx<'_>) -> Result<Option<String>, DbError> {
    Ok(current(tx).await?.account_url)
}

/// Which pages may call.
///
/// # Errors
/// The database's only.
pub async fn origins(tx: &mut ReadTx<'_>) -> Result<Origins, DbError> {
    Ok(Origins(current(tx).await?.allowed_origins))
}

/// Writes the row and counts its version up.
pub async fn put(tx: &mut WriteTx<'_>, wish: &PutStorefront) -> Result<Storefront, DbError> {
    let now = tx.now();
    let origins: Vec<String> = wish.allowed_origins.iter().map(|origin| origin.as_str().to_owned()).collect();
    let query = sql("UPDATE storefront_settings SET account_url = $1, allowed_origins = $2, version = version + 1, updated_at = $3 \
         RETURNING account_url, allowed_origins, version")
    .bind::<Nullable<Text>, _>(wish.account_url.as_ref().map(|url| url.as_str().to_owned()))
    .bind::<Array<Text>, _>(origins)
    .bind::<Timestamptz, _>(now);
    tx.one(query).await
}
