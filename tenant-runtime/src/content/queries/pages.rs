//! The statements of pages.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::PageId;
use souk_tenancy::{DbError, Document, ReadTx, WriteTx, sql};

use super::{HandleRow, handles};
use crate::content::model::{PageStatus, PageSummary, PageView, Publication, Translation};

#[derive(QueryableByName)]
struct PageRow {
    #[diesel(sql_type = SqlUuid)]
    id: PageId,
    #[diesel(sql_type = Text)]
    handle: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    body_html: String,
    #[diesel(sql_type = Nullable<Text>)]
    seo_title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    seo_description: Option<String>,
    #[diesel(sql_type = Jsonb)]
    translations: Document<Vec<Translation>>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    published_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl From<PageRow> for PageView {
    fn from(row: PageRow) -> Self {
        Self {
            id: row.id,
            handle: row.handle,
            title: row.title,
            body_html: row.body_html,
            seo_title: row.seo_title,
            seo_description: row.seo_description,
            translations: row.translations.0,
            status: PageStatus::of(&row.status),
            published_at: row.published_at,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A page by its id, or by a handle that it has or had. One statement.
pub async fn find(
    tx: &mut ReadTx<'_>,
    id: Option<PageId>,
    handle: Option<&str>,
) -> Result<Option<PageView>, DbError> {
    // A former handle counts too, after the handles of today.
    let text = concat!(
        include_str!("page.sql"),
        "WHERE p.id = coalesce($1::uuid, (SELECT h.id FROM pages h WHERE h.handle = $2), \
                               (SELECT r.page_id FROM page_redirects r WHERE r.handle = $2))"
    );
    let query =
        sql(text).bind::<Nullable<SqlUuid>, _>(id).bind::<Nullable<Text>, _>(handle.map(str::to_owned));
    Ok(tx.optional::<PageRow>(query).await?.map(PageView::from))
}

/// A page by its id, locked.
pub async fn lock(tx: &mut WriteTx<'_>, id: PageId) -> Result<Option<PageView>, DbError> {
    let query = sql(concat!(include_str!("page.sql"), "WHERE p.id = $1 FOR UPDATE")).bind::<SqlUuid, _>(id);
    Ok(tx.optional::<PageRow>(query).await?.map(PageView::from))
}

/// One page of pages, newest first.
pub async fn list(
    tx: &mut ReadTx<'_>,
    status: Option<PageStatus>,
    before: Option<PageId>,
    limit: i64,
) -> Result<Vec<PageSummary>, DbError> {
    let query =
        sql("SELECT id, handle, title, status, published_at, version, created_at, updated_at FROM pages \
         WHERE ($1::text IS NULL OR status = $1) AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3")
        .bind::<Nullable<Text>, _>(status.map(|status| status.as_str().to_owned()))
        .bind::<Nullable<SqlUuid>, _>(before)
        .bind::<BigInt, _>(limit);
    tx.load(query).await
}

/// Handles of pages, also former ones, that are this one or begin with it and a hyphen.
pub async fn handles_like(tx: &mut ReadTx<'_>, handle: &str) -> Result<Vec<String>, DbError> {
    let query = sql("SELECT handle FROM pages WHERE handle = $1 OR handle LIKE $1 || '-%' \
         UNION SELECT handle FROM page_redirects WHERE handle = $1 OR handle LIKE $1 || '-%'");
    Ok(handles(tx.load::<HandleRow>(query.bind::<Text, _>(handle.to_owned())).await?))
}

/// Makes a page, or writes all columns of the one with this id, and keeps its former handle.
pub async fn put(tx: &mut WriteTx<'_>, page: &PageView) -> Result<(), DbError> {
    let now = tx.now();
    let translations =
        serde_json::to_value(&page.translations).map_err(|error| DbError::Other(Box::new(error)))?;
    let publication = Publication { status: page.status, at: page.published_at };
    let query = sql(include_str!("put_page.sql"))
        .bind::<SqlUuid, _>(page.id)
        .bind::<Text, _>(page.handle.clone())
        .bind::<Text, _>(page.title.clone())
        .bind::<Text, _>(page.body_html.clone())
        .bind::<Nullable<Text>, _>(page.seo_title.clone())
        .bind::<Nullable<Text>, _>(page.seo_description.clone())
        .bind::<Jsonb, _>(translations)
        .bind::<Text, _>(page.status.as_str())
        .bind::<Nullable<Timestamptz>, _>(page.published_at)
        .bind::<Nullable<Timestamptz>, _>(publication.due())
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Deletes a page and its former handles; false if there is none.
pub async fn remove(tx: &mut WriteTx<'_>, id: PageId) -> Result<bool, DbError> {
    Ok(tx.execute(sql("DELETE FROM pages WHERE id = $1").bind::<SqlUuid, _>(id)).await? == 1)
}

/// Shows pages whose time has come, some at a time; gives how many.
pub async fn publish_due(tx: &mut WriteTx<'_>, most: i64) -> Result<usize, DbError> {
    let now = tx.now();
    let query = sql("UPDATE pages SET status = 'published', next_attempt_at = NULL, version = version + 1, updated_at = $1 \
         WHERE id IN (SELECT id FROM pages WHERE next_attempt_at <= $1 ORDER BY next_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED)")
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(most);
    tx.execute(query).await
}
