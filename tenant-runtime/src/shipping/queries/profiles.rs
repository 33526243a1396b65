//! The statements of shipping profiles.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::ShippingProfileId;
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::shipping::model::{ShippingProfileView, ShippingProfileWish};

#[derive(QueryableByName)]
struct ProfileRow {
    #[diesel(sql_type = SqlUuid)]
    id: ShippingProfileId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl From<ProfileRow> for ShippingProfileView {
    fn from(row: ProfileRow) -> Self {
        Self { id: row.id, name: row.name, created_at: row.created_at, updated_at: row.updated_at }
    }
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// All profiles by their name, or the one of this id.
pub async fn profiles(
    tx: &mut ReadTx<'_>,
    id: Option<ShippingProfileId>,
) -> Result<Vec<ShippingProfileView>, DbError> {
    let query = sql("SELECT id, name, created_at, updated_at FROM shipping_profiles \
         WHERE $1 IS NULL OR id = $1 ORDER BY name LIMIT 100")
    .bind::<Nullable<SqlUuid>, _>(id);
    let rows: Vec<ProfileRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(ShippingProfileView::from).collect())
}

/// How many profiles there are.
pub async fn count(tx: &mut ReadTx<'_>) -> Result<i64, DbError> {
    let row: CountRow = tx.one(sql("SELECT count(*) AS count FROM shipping_profiles")).await?;
    Ok(row.count)
}

/// Writes a new profile.
pub async fn insert(
    tx: &mut WriteTx<'_>,
    id: ShippingProfileId,
    wish: &ShippingProfileWish,
) -> Result<ShippingProfileView, DbError> {
    let now = tx.now();
    let statement =
        sql("INSERT INTO shipping_profiles (id, name, created_at, updated_at) VALUES ($1, $2, $3, $3) \
         RETURNING id, name, created_at, updated_at")
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(wish.name.clone())
        .bind::<Timestamptz, _>(now);
    let row: ProfileRow = tx.one(statement).await?;
    Ok(row.into())
}

/// Writes a profile anew; none if there is none.
pub async fn replace(
    tx: &mut WriteTx<'_>,
    id: ShippingProfileId,
    wish: &ShippingProfileWish,
) -> Result<Option<ShippingProfileView>, DbError> {
    let now = tx.now();
    let statement = sql("UPDATE shipping_profiles SET name = $2, updated_at = $3 WHERE id = $1 \
         RETURNING id, name, created_at, updated_at")
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(wish.name.clone())
    .bind::<Timestamptz, _>(now);
    let row: Option<ProfileRow> = tx.optional(statement).await?;
    Ok(row.map(ShippingProfileView::from))
}

/// Removes a profile and its zones, and lets its products be of the general one; `false`: there is none.
pub async fn delete(tx: &mut WriteTx<'_>, id: ShippingProfileId) -> Result<bool, DbError> {
    let statement = sql("DELETE FROM shipping_profiles WHERE id = $1").bind::<SqlUuid, _>(id);
    Ok(tx.execute(statement).await? == 1)
}
