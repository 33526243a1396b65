//! The statements of sales channels.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{ProductId, SalesChannelId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::model::{ChannelName, ChannelView, Placement, PublicationView, Publish};

/// One channel or all of them, the default one first. One statement.
pub async fn channels(tx: &mut ReadTx<'_>, id: Option<SalesChannelId>) -> Result<Vec<ChannelView>, DbError> {
    let query = sql("SELECT c.id, c.name, c.is_default, c.publishes_new, c.version, c.created_at, c.updated_at, \
             (SELECT count(*) FROM product_publications x WHERE x.channel_id = c.id AND x.visible) AS product_count \
         FROM sales_channels c WHERE ($1::uuid IS NULL OR c.id = $1) ORDER BY c.is_default DESC, c.id LIMIT 100")
    .bind::<Nullable<SqlUuid>, _>(id);
    tx.load(query).await
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many channels there are.
pub async fn count(tx: &mut ReadTx<'_>) -> Result<i64, DbError> {
    let row: CountRow = tx.one(sql("SELECT count(*) AS count FROM sales_channels")).await?;
    Ok(row.count)
}

/// Makes a channel.
pub async fn insert(
    tx: &mut WriteTx<'_>,
    id: SalesChannelId,
    name: &str,
    publishes_new: bool,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO sales_channels (id, name, publishes_new, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)")
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(name.to_owned())
        .bind::<Bool, _>(publishes_new)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// A channel as far as whoever changes it must know.
#[derive(QueryableByName)]
pub struct Locked {
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Bool)]
    pub publishes_new: bool,
    #[diesel(sql_type = Bool)]
    pub is_default: bool,
}

/// Locks a channel: no key comes to belong to it meanwhile.
pub async fn lock(tx: &mut WriteTx<'_>, id: SalesChannelId) -> Result<Option<Locked>, DbError> {
    let query =
        sql("SELECT version, name, publishes_new, is_default FROM sales_channels WHERE id = $1 FOR UPDATE");
    tx.optional(query.bind::<SqlUuid, _>(id)).await
}

/// Whether keys that are good belong to a channel.
pub async fn has_keys(tx: &mut ReadTx<'_>, id: SalesChannelId) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql("SELECT count(*) AS count FROM api_keys \
         WHERE channel_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)")
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(now);
    Ok(tx.one::<CountRow>(query).await?.count > 0)
}

/// Writes a channel's own columns.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    id: SalesChannelId,
    name: &str,
    publishes_new: bool,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE sales_channels SET name = $2, publishes_new = $3, version = version + 1, updated_at = $4 WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(name.to_owned())
        .bind::<Bool, _>(publishes_new)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Deletes a channel and what is said of products on it.
pub async fn remove(tx: &mut WriteTx<'_>, id: SalesChannelId) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM sales_channels WHERE id = $1").bind::<SqlUuid, _>(id)).await.map(drop)
}

/// Where a product is sold: every channel, the default one first. None without such a product. One statement.
pub async fn publications(tx: &mut ReadTx<'_>, product: ProductId) -> Result<Vec<PublicationView>, DbError> {
    let query = sql("SELECT c.id AS channel, c.name AS channel_name, coalesce(x.visible, false) AS published, x.publish_at, x.unpublish_at \
         FROM products p CROSS JOIN sales_channels c \
         LEFT JOIN product_publications x ON x.channel_id = c.id AND x.product_id = p.id \
         WHERE p.id = $1 ORDER BY c.is_default DESC, c.id")
    .bind::<SqlUuid, _>(product);
    tx.load(query).await
}

/// Writes whether a product is sold on a channel, and when that changes.
pub async fn put(
    tx: &mut WriteTx<'_>,
    (product, channel): (ProductId, SalesChannelId),
    visible: bool,
    times: &Publish,
) -> Result<(), DbError> {
    let query = sql("INSERT INTO product_publications (channel_id, product_id, visible, publish_at, unpublish_at, next_attempt_at) \
         VALUES ($1, $2, $3, $4, $5, least($4, $5)) \
         ON CONFLICT (channel_id, product_id) DO UPDATE SET visible = excluded.visible, publish_at = excluded.publish_at, \
             unpublish_at = excluded.unpublish_at, next_attempt_at = excluded.next_attempt_at")
    .bind::<SqlUuid, _>(channel)
    .bind::<SqlUuid, _>(product)
    .bind::<Bool, _>(visible)
    .bind::<Nullable<Timestamptz>, _>(times.publish_at)
    .bind::<Nullable<Timestamptz>, _>(times.unpublish_at);
    tx.execute(query).await.map(drop)
}

macro_rules! channel_names {
    ($lock:literal) => {
        concat!("SELECT id, name, is_default FROM sales_channels ORDER BY is_default DESC, id", $lock)
    };
}

/// What the channels are called, the default one first. One statement.
///
/// # Errors
/// Only of the database.
pub async fn channel_names(tx: &mut ReadTx<'_>) -> Result<Vec<ChannelName>, DbError> {
    tx.load(sql(channel_names!(""))).await
}

/// The same; until the transaction ends, none of them goes. One statement.
///
/// # Errors
/// Only of the database.
pub async fn keep_channels(tx: &mut WriteTx<'_>) -> Result<Vec<ChannelName>, DbError> {
    tx.load(sql(channel_names!(" FOR KEY SHARE"))).await
}

#[derive(QueryableByName)]
struct PlacementRow {
    #[diesel(sql_type = SqlUuid)]
    product_id: ProductId,
    #[diesel(sql_type = SqlUuid)]
    channel_id: SalesChannelId,
    #[diesel(embed)]
    placement: Placement,
}

/// Where these products are; no entry: nowhere on that channel. One statement.
///
/// # Errors
/// Only of the database.
pub async fn placements(
    tx: &mut ReadTx<'_>,
    products: &[ProductId],
) -> Result<HashMap<(ProductId, SalesChannelId), Placement>, DbError> {
    let query = sql("SELECT product_id, channel_id, visible AS published, publish_at, unpublish_at \
         FROM product_publications WHERE product_id = ANY($1::uuid[])")
    .bind::<Array<SqlUuid>, _>(products.iter().map(|product| product.uuid()).collect::<Vec<Uuid>>());
    let rows: Vec<PlacementRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| ((row.product_id, row.channel_id), row.placement)).collect())
}

/// Puts products where they shall be; the products of those that were not there yet. One statement.
pub async fn place(
    tx: &mut WriteTx<'_>,
    wishes: &BTreeMap<(ProductId, SalesChannelId), Placement>,
) -> Result<BTreeSet<ProductId>, DbError> {
    let times = |time: fn(&Placement) -> Option<DateTime<Utc>>| -> Vec<Option<DateTime<Utc>>> {
        wishes.values().map(time).collect()
    };
    let query = sql(include_str!("queries/place.sql"))
        .bind::<Array<SqlUuid>, _>(wishes.keys().map(|(_, channel)| channel.uuid()).collect::<Vec<Uuid>>())
        .bind::<Array<SqlUuid>, _>(wishes.keys().map(|(product, _)| product.uuid()).collect::<Vec<Uuid>>())
        .bind::<Array<Bool>, _>(wishes.values().map(|wish| wish.published).collect::<Vec<bool>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(times(|wish| wish.publish_at))
        .bind::<Array<Nullable<Timestamptz>>, _>(times(|wish| wish.unpublish_at));
    let rows: Vec<ProductRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| row.product_id).collect())
}

#[derive(QueryableByName)]
struct ProductRow {
    #[diesel(sql_type = SqlUuid)]
    product_id: ProductId,
}

/// Carries out what is due, some at a time; the products concerned, one may be there twice.
pub async fn publish_due(tx: &mut WriteTx<'_>, most: i64) -> Result<Vec<ProductId>, DbError> {
    let now = tx.now();
    let query =
        sql(include_str!("queries/publish_due.sql")).bind::<Timestamptz, _>(now).bind::<BigInt, _>(most);
    let rows: Vec<ProductRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| row.product_id).collect())
}
