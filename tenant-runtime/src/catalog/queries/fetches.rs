//! The statements on pictures to be fetched.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{ImageFetchId, ImageId, ProductId, VariantId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use crate::catalog::model::{FetchFilter, FetchState, ImageFetchView};

#[derive(QueryableByName)]
struct FetchRow {
    #[diesel(sql_type = SqlUuid)]
    id: ImageFetchId,
    #[diesel(sql_type = SqlUuid)]
    product_id: ProductId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    variant_id: Option<VariantId>,
    #[diesel(sql_type = Text)]
    url: String,
    #[diesel(sql_type = Text)]
    alt: String,
    #[diesel(sql_type = Nullable<Integer>)]
    position: Option<i32>,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = Nullable<Text>)]
    cause: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    image_id: Option<ImageId>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_at: Option<DateTime<Utc>>,
}

impl From<FetchRow> for ImageFetchView {
    fn from(row: FetchRow) -> Self {
        Self {
            id: row.id,
            product: row.product_id,
            variant: row.variant_id,
            url: row.url,
            alt: row.alt,
            position: row.position,
            state: FetchState::stored(&row.state),
            attempts: row.attempts,
            cause: row.cause,
            image: row.image_id,
            created_at: row.created_at,
            finished_at: row.finished_at,
        }
    }
}

macro_rules! fetches {
    ($rest:literal) => {
        concat!(
            "SELECT f.id, f.product_id, f.variant_id, f.url, f.alt, f.position, f.state, f.attempts, f.cause, f.image_id, \
             f.created_at, f.finished_at FROM image_fetches f ",
            $rest
        )
    };
}

/// A picture to be fetched, as it is wished.
pub struct NewFetch<'a> {
    pub product: ProductId,
    pub variant: Option<VariantId>,
    pub url: &'a str,
    pub alt: &'a str,
    pub position: Option<i32>,
}

/// Queues it, unless it is queued already.
pub async fn queue(tx: &mut WriteTx<'_>, fetch: &NewFetch<'_>) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(
        "INSERT INTO image_fetches (id, product_id, variant_id, url, alt, position, state, next_attempt_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $7) ON CONFLICT (product_id, url) WHERE state = 'queued' DO NOTHING",
    )
    .bind::<SqlUuid, _>(ImageFetchId::new())
    .bind::<SqlUuid, _>(fetch.product)
    .bind::<Nullable<SqlUuid>, _>(fetch.variant)
    .bind::<Text, _>(fetch.url.to_owned())
    .bind::<Text, _>(fetch.alt.to_owned())
    .bind::<Nullable<Integer>, _>(fetch.position)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(|_| ())
}

/// The one that is queued for this address.
pub async fn queued(
    tx: &mut ReadTx<'_>,
    product: ProductId,
    url: &str,
) -> Result<Option<ImageFetchView>, DbError> {
    let query = sql(fetches!("WHERE f.product_id = $1 AND f.url = $2 AND f.state = 'queued'"))
        .bind::<SqlUuid, _>(product)
        .bind::<Text, _>(url.to_owned());
    let row: Option<FetchRow> = tx.optional(query).await?;
    Ok(row.map(ImageFetchView::from))
}

#[derive(QueryableByName)]
struct AskedRow {
    #[diesel(sql_type = SqlUuid)]
    product_id: ProductId,
    #[diesel(sql_type = Text)]
    url: String,
}

/// The addresses that are queued for these products.
pub async fn asked(
    tx: &mut ReadTx<'_>,
    products: &[ProductId],
) -> Result<HashMap<ProductId, Vec<String>>, DbError> {
    let ids: Vec<Uuid> = products.iter().map(|product| product.uuid()).collect();
    let query = sql(
        "SELECT product_id, url FROM image_fetches WHERE state = 'queued' AND product_id = ANY($1::uuid[])",
    )
    .bind::<Array<SqlUuid>, _>(ids);
    let rows: Vec<AskedRow> = tx.load(query).await?;
    let mut asked: HashMap<ProductId, Vec<String>> = HashMap::new();
    for row in rows {
        asked.entry(row.product_id).or_default().push(row.url);
    }
    Ok(asked)
}

/// A page of them, latest first.
pub async fn page(
    tx: &mut ReadTx<'_>,
    filter: FetchFilter,
    before: Option<ImageFetchId>,
    limit: i64,
) -> Result<Vec<ImageFetchView>, DbError> {
    let query = sql(fetches!(
        "WHERE ($1::uuid IS NULL OR f.product_id = $1) AND ($2::text IS NULL OR f.state = $2) AND ($3::uuid IS NULL OR f.id < $3) \
         ORDER BY f.id DESC LIMIT $4"
    ))
    .bind::<Nullable<SqlUuid>, _>(filter.product)
    .bind::<Nullable<Text>, _>(filter.state.map(FetchState::as_str))
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(limit);
    let rows: Vec<FetchRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(ImageFetchView::from).collect())
}

/// The next one whose time has come.
pub async fn next(tx: &mut ReadTx<'_>) -> Result<Option<ImageFetchView>, DbError> {
    let now = tx.now();
    let text = fetches!(
        "WHERE f.state = 'queued' AND f.next_attempt_at <= $1 ORDER BY f.next_attempt_at, f.id LIMIT 1"
    );
    let row: Option<FetchRow> = tx.optional(sql(text).bind::<Timestamptz, _>(now)).await?;
    Ok(row.map(ImageFetchView::from))
}

/// Locks it, if it is still queued.
pub async fn seize(tx: &mut WriteTx<'_>, fetch: ImageFetchId) -> Result<Option<ImageFetchView>, DbError> {
    let query = sql(fetches!("WHERE f.id = $1 AND f.state = 'queued' FOR UPDATE OF f"));
    let row: Option<FetchRow> = tx.optional(query.bind::<SqlUuid, _>(fetch)).await?;
    Ok(row.map(ImageFetchView::from))
}

/// It became a picture.
pub async fn done(tx: &mut WriteTx<'_>, fetch: ImageFetchId, image: ImageId) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(
        "UPDATE image_fetches SET state = 'done', image_id = $2, cause = NULL, attempts = attempts + 1, \
         next_attempt_at = NULL, finished_at = $3 WHERE id = $1",
    )
    .bind::<SqlUuid, _>(fetch)
    .bind::<SqlUuid, _>(image)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(|_| ())
}

/// An attempt came to nothing: tried again at a time, or given up.
pub async fn missed(
    tx: &mut WriteTx<'_>,
    fetch: ImageFetchId,
    cause: &str,
    again: Option<DateTime<Utc>>,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE image_fetches SET attempts = attempts + 1, cause = $2, next_attempt_at = $3, \
         state = CASE WHEN $3::timestamptz IS NULL THEN 'failed' ELSE state END, \
         finished_at = CASE WHEN $3 IS NULL THEN $4::timestamptz END WHERE id = $1 AND state = 'queued'")
    .bind::<SqlUuid, _>(fetch)
    .bind::<Text, _>(cause.to_owned())
    .bind::<Nullable<Timestamptz>, _>(again)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(|_| ())
}

/// Forgets some that were over before a time.
pub async fn forget(tx: &mut WriteTx<'_>, before: DateTime<Utc>, limit: i64) -> Result<usize, DbError> {
    let query = sql("DELETE FROM image_fetches WHERE id IN \
         (SELECT id FROM image_fetches WHERE finished_at < $1 ORDER BY finished_at LIMIT $2)")
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(limit);
    tx.execute(query).await
}
