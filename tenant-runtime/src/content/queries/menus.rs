//! The statements of menus.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{MenuId, SalesChannelId};
use souk_tenancy::{DbError, Document, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::{HandleRow, handles};
use crate::content::model::{ItemDoc, LinkKind, MenuSummary};

/// A menu as it is kept, and what its items lead to now.
#[derive(QueryableByName)]
pub struct MenuRow {
    #[diesel(sql_type = SqlUuid)]
    pub id: MenuId,
    #[diesel(sql_type = Text)]
    pub handle: String,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Jsonb)]
    pub items: Document<Vec<ItemDoc>>,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

/// A menu by its id or its handle. One statement.
pub async fn find(
    tx: &mut ReadTx<'_>,
    id: Option<MenuId>,
    handle: Option<&str>,
    channel: Option<SalesChannelId>,
) -> Result<Option<MenuRow>, DbError> {
    let query = sql(include_str!("menu.sql"))
        .bind::<Nullable<SqlUuid>, _>(id)
        .bind::<Nullable<Text>, _>(handle.map(str::to_owned))
        .bind::<Nullable<SqlUuid>, _>(channel);
    tx.optional(query).await
}

/// All menus, by their handles. One statement.
pub async fn list(tx: &mut ReadTx<'_>) -> Result<Vec<MenuSummary>, DbError> {
    let text = "SELECT id, handle, title, jsonb_array_length(items) AS item_count, version, created_at, updated_at \
         FROM menus ORDER BY handle LIMIT 200";
    tx.load(sql(text)).await
}

#[derive(QueryableByName)]
struct VersionRow {
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Text)]
    handle: String,
}

/// Locks a menu; its version and its handle.
pub async fn lock(tx: &mut WriteTx<'_>, id: MenuId) -> Result<Option<(i64, String)>, DbError> {
    let query = sql("SELECT version, handle FROM menus WHERE id = $1 FOR UPDATE").bind::<SqlUuid, _>(id);
    Ok(tx.optional::<VersionRow>(query).await?.map(|row| (row.version, row.handle)))
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many there are.
pub async fn count(tx: &mut ReadTx<'_>) -> Result<i64, DbError> {
    let row: CountRow = tx.one(sql("SELECT count(*) AS count FROM menus")).await?;
    Ok(row.count)
}

/// Handles of menus that are this one or begin with it and a hyphen.
pub async fn handles_like(tx: &mut ReadTx<'_>, handle: &str) -> Result<Vec<String>, DbError> {
    let query = sql("SELECT handle FROM menus WHERE handle = $1 OR handle LIKE $1 || '-%'");
    Ok(handles(tx.load::<HandleRow>(query.bind::<Text, _>(handle.to_owned())).await?))
}

/// Makes a menu, or writes all of the one with this id.
pub async fn put(
    tx: &mut WriteTx<'_>,
    id: MenuId,
    (handle, title): (&str, &str),
    items: &[ItemDoc],
) -> Result<(), DbError> {
    let now = tx.now();
    let items = serde_json::to_value(items).map_err(|error| DbError::Other(Box::new(error)))?;
    let query = sql("INSERT INTO menus (id, handle, title, items, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5) \
         ON CONFLICT (id) DO UPDATE SET handle = excluded.handle, title = excluded.title, items = excluded.items, \
             updated_at = excluded.updated_at, version = menus.version + 1")
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(handle.to_owned())
    .bind::<Text, _>(title.to_owned())
    .bind::<Jsonb, _>(items)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Deletes a menu; false if there is none.
pub async fn remove(tx: &mut WriteTx<'_>, id: MenuId) -> Result<bool, DbError> {
    Ok(tx.execute(sql("DELETE FROM menus WHERE id = $1").bind::<SqlUuid, _>(id)).await? == 1)
}

#[derive(QueryableByName)]
struct KnownRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Those targets that there are, each of its own kind. One statement.
pub async fn known(tx: &mut ReadTx<'_>, items: &[ItemDoc]) -> Result<Vec<Uuid>, DbError> {
    let of = |kind: LinkKind| -> Vec<Uuid> {
        items.iter().filter(|item| item.kind == kind).filter_map(|item| item.target).collect()
    };
    let query = sql("SELECT id FROM products WHERE id = ANY($1) UNION ALL SELECT id FROM collections WHERE id = ANY($2) \
         UNION ALL SELECT id FROM categories WHERE id = ANY($3) UNION ALL SELECT id FROM pages WHERE id = ANY($4)")
    .bind::<Array<SqlUuid>, _>(of(LinkKind::Product))
    .bind::<Array<SqlUuid>, _>(of(LinkKind::Collection))
    .bind::<Array<SqlUuid>, _>(of(LinkKind::Category))
    .bind::<Array<SqlUuid>, _>(of(LinkKind::Page));
    let rows: Vec<KnownRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
