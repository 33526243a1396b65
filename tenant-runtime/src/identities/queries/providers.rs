//! Rows of providers.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text, Timestamptz};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::identities::model::{Audience, ProviderRow};

macro_rules! provider {
    ($rest:literal) => {
        concat!(
            "SELECT id, audience, name, issuer, client_id, secret, secret_key, scopes, require_multi_factor, acr_values, enabled, \
             version, created_at, updated_at FROM identity_providers ",
            $rest
        )
    };
}

/// In the order of their ids.
pub async fn list(tx: &mut ReadTx<'_>) -> Result<Vec<ProviderRow>, DbError> {
    tx.load(sql(provider!("ORDER BY id"))).await
}

pub async fn find(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<ProviderRow>, DbError> {
    tx.optional(sql(provider!("WHERE id = $1")).bind::<Text, _>(id.to_owned())).await
}

/// Locks it until the transaction ends.
pub async fn lock(tx: &mut WriteTx<'_>, id: &str) -> Result<Option<ProviderRow>, DbError> {
    tx.optional(sql(provider!("WHERE id = $1 FOR UPDATE")).bind::<Text, _>(id.to_owned())).await
}

/// With whom these people can sign in, in the order of their names.
pub async fn open(tx: &mut ReadTx<'_>, audience: Audience) -> Result<Vec<ProviderRow>, DbError> {
    let query = sql(provider!("WHERE audience = $1 AND enabled ORDER BY name, id"));
    tx.load(query.bind::<Text, _>(audience.as_str())).await
}

/// One of them.
pub async fn find_open(
    tx: &mut ReadTx<'_>,
    audience: Audience,
    id: &str,
) -> Result<Option<ProviderRow>, DbError> {
    let query = sql(provider!("WHERE id = $1 AND audience = $2 AND enabled"));
    tx.optional(query.bind::<Text, _>(id.to_owned()).bind::<Text, _>(audience.as_str())).await
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

pub async fn count(tx: &mut ReadTx<'_>) -> Result<i64, DbError> {
    Ok(tx.one::<Count>(sql("SELECT count(*) AS count FROM identity_providers")).await?.count)
}

/// Adds it; `false` when there is one with this id.
pub async fn insert(tx: &mut WriteTx<'_>, row: &ProviderRow) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO identity_providers (id, audience, name, issuer, client_id, secret, secret_key, scopes, enabled, \
         require_multi_factor, acr_values, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $11, $12, $10, $10) ON CONFLICT DO NOTHING")
    .bind::<Text, _>(row.id.clone())
    .bind::<Text, _>(row.audience.clone())
    .bind::<Text, _>(row.name.clone())
    .bind::<Text, _>(row.issuer.clone())
    .bind::<Text, _>(row.client_id.clone())
    .bind::<Nullable<Binary>, _>(row.secret.clone())
    .bind::<Nullable<Text>, _>(row.secret_key.clone())
    .bind::<Array<Text>, _>(row.scopes.clone())
    .bind::<Bool, _>(row.enabled)
    .bind::<Timestamptz, _>(now)
    .bind::<Bool, _>(row.require_multi_factor)
    .bind::<Array<Text>, _>(row.acr_values.clone());
    Ok(tx.execute(query).await? == 1)
}

/// Writes all that may change, and counts the version up.
pub async fn update(tx: &mut WriteTx<'_>, row: &ProviderRow) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE identity_providers SET name = $2, issuer = $3, client_id = $4, secret = $5, secret_key = $6, scopes = $7, \
         enabled = $8, require_multi_factor = $10, acr_values = $11, version = version + 1, updated_at = $9 WHERE id = $1")
    .bind::<Text, _>(row.id.clone())
    .bind::<Text, _>(row.name.clone())
    .bind::<Text, _>(row.issuer.clone())
    .bind::<Text, _>(row.client_id.clone())
    .bind::<Nullable<Binary>, _>(row.secret.clone())
    .bind::<Nullable<Text>, _>(row.secret_key.clone())
    .bind::<Array<Text>, _>(row.scopes.clone())
    .bind::<Bool, _>(row.enabled)
    .bind::<Timestamptz, _>(now)
    .bind::<Bool, _>(row.require_multi_factor)
    .bind::<Array<Text>, _>(row.acr_values.clone());
    tx.execute(query).await.map(drop)
}

/// Takes it away. Identities stay: it may come back.
pub async fn delete(tx: &mut WriteTx<'_>, id: &str) -> Result<(), DbError> {
    let query = sql("DELETE FROM identity_providers WHERE id = $1");
    tx.execute(query.bind::<Text, _>(id.to_owned())).await.map(drop)
}

/// Forgets the browsers that are away at it and the tickets it gave: whoever it is now did not send them.
pub async fn forget_away(tx: &mut WriteTx<'_>, id: &str) -> Result<(), DbError> {
    for text in [
        "DELETE FROM sign_in_flows WHERE provider_id = $1",
        "DELETE FROM sign_in_tickets WHERE provider_id = $1",
    ] {
        tx.execute(sql(text).bind::<Text, _>(id.to_owned())).await?;
    }
    Ok(())
}

/// Ends every token that a provider's word opened to people who work here.
pub async fn end_staff_tokens(tx: &mut WriteTx<'_>, issuer: &str) -> Result<(), DbError> {
    let query = sql("UPDATE staff SET epoch = epoch + 1 WHERE id IN (SELECT staff_id FROM identities \
         WHERE issuer = $1 AND staff_id IS NOT NULL)");
    tx.execute(query.bind::<Text, _>(issuer.to_owned())).await.map(drop)
}
