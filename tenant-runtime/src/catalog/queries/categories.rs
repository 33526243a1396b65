//! The statements of categories.

use diesel::sql_types::{Array, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::CategoryId;
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::rows::HandleRow;
use crate::catalog::model::{CategoryName, CategoryRow, Tree, Viewer};

/// The whole tree. One statement.
pub async fn tree(tx: &mut ReadTx<'_>, viewer: Viewer) -> Result<Tree, DbError> {
    let query = sql(include_str!("categories.sql"))
        .bind::<Bool, _>(viewer.is_shopper())
        .bind::<Nullable<SqlUuid>, _>(viewer.channel());
    let rows: Vec<CategoryRow> = tx.load(query).await?;
    Ok(Tree::new(rows))
}

/// What the categories are called. One statement.
///
/// # Errors
/// Only of the database.
pub async fn category_names(tx: &mut ReadTx<'_>) -> Result<Vec<CategoryName>, DbError> {
    tx.load(sql("SELECT id, parent_id, handle, title FROM categories ORDER BY id")).await
}

/// One change of the tree at a time: that it has no circles and so many levels is a rule over all of it.
pub async fn lock(tx: &mut WriteTx<'_>) -> Result<(), DbError> {
    tx.execute(sql("LOCK TABLE categories IN SHARE ROW EXCLUSIVE MODE")).await.map(drop)
}

/// Handles of categories that are this one or begin with it and a hyphen.
pub async fn handles_like(tx: &mut ReadTx<'_>, handle: &str) -> Result<Vec<String>, DbError> {
    let query = sql("SELECT handle FROM categories WHERE handle = $1 OR handle LIKE $1 || '-%'");
    let rows: Vec<HandleRow> = tx.load(query.bind::<Text, _>(handle.to_owned())).await?;
    Ok(rows.into_iter().map(|row| row.handle).collect())
}

/// What is written of a category.
pub struct PutCategory<'a> {
    pub id: CategoryId,
    pub handle: &'a str,
    pub title: &'a str,
    pub parent: Option<CategoryId>,
    /// All of the parent's, itself included, in their order.
    pub order: &'a [CategoryId],
}

/// Makes a category, or writes all columns of the one with this id, and the order of its siblings. The tree is locked.
pub async fn put(tx: &mut WriteTx<'_>, category: &PutCategory<'_>) -> Result<(), DbError> {
    let now = tx.now();
    let order: Vec<Uuid> = category.order.iter().map(|id| id.uuid()).collect();
    let query = sql("WITH siblings AS ( \
             UPDATE categories k SET position = w.number - 1 FROM unnest($5::uuid[]) WITH ORDINALITY AS w (id, number) \
             WHERE k.id = w.id AND k.id <> $1 AND k.position <> w.number - 1 \
         ) \
         INSERT INTO categories (id, handle, title, parent_id, position, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, array_position($5, $1) - 1, $6, $6) \
         ON CONFLICT (id) DO UPDATE SET handle = excluded.handle, title = excluded.title, parent_id = excluded.parent_id, \
             position = excluded.position, version = categories.version + 1, updated_at = excluded.updated_at")
    .bind::<SqlUuid, _>(category.id)
    .bind::<Text, _>(category.handle.to_owned())
    .bind::<Text, _>(category.title.to_owned())
    .bind::<Nullable<SqlUuid>, _>(category.parent)
    .bind::<Array<SqlUuid>, _>(order)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Deletes a category that has none below it; its products go to its parent, or belong nowhere. The tree is locked.
pub async fn remove(tx: &mut WriteTx<'_>, id: CategoryId, parent: Option<CategoryId>) -> Result<(), DbError> {
    let now = tx.now();
    let moved = sql(
        "UPDATE products SET category_id = $2, version = version + 1, updated_at = $3 WHERE category_id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<SqlUuid>, _>(parent)
    .bind::<Timestamptz, _>(now);
    tx.execute(moved).await?;
    tx.execute(sql("DELETE FROM categories WHERE id = $1").bind::<SqlUuid, _>(id)).await.map(drop)
}
