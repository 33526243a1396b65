//! The statements of collections.

use std::collections::HashMap;

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{CollectionId, ProductId, SalesChannelId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::rows::{CollectionRow, MembershipRow, OwnerRow};
use crate::catalog::model::{CollectionRules, CollectionView, Match};

/// The collections each of these products is in.
pub async fn collections_of(
    tx: &mut ReadTx<'_>,
    products: &[ProductId],
) -> Result<HashMap<ProductId, Vec<CollectionId>>, DbError> {
    let products: Vec<Uuid> = products.iter().map(|product| product.uuid()).collect();
    let text = "SELECT product_id, collection_id FROM collection_products WHERE product_id = ANY($1) ORDER BY collection_id";
    let rows: Vec<MembershipRow> = tx.load(sql(text).bind::<Array<SqlUuid>, _>(products)).await?;
    let mut collections: HashMap<ProductId, Vec<CollectionId>> = HashMap::new();
    for row in rows {
        collections.entry(row.product_id).or_default().push(row.collection_id);
    }
    Ok(collections)
}

/// Which collections.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub id: Option<CollectionId>,
    pub handle: Option<String>,
    pub published: Option<bool>,
    pub only_for_sale: bool,
    /// Those for sale there; on the default channel without one.
    pub channel: Option<SalesChannelId>,
    pub before: Option<CollectionId>,
}

pub async fn collections(
    tx: &mut ReadTx<'_>,
    wanted: Wanted,
    limit: i64,
) -> Result<Vec<CollectionView>, DbError> {
    let query = sql(include_str!("collections.sql"))
        .bind::<Nullable<SqlUuid>, _>(wanted.id)
        .bind::<Nullable<Bool>, _>(wanted.published)
        .bind::<Bool, _>(wanted.only_for_sale)
        .bind::<Nullable<SqlUuid>, _>(wanted.before)
        .bind::<BigInt, _>(limit)
        .bind::<Nullable<Text>, _>(wanted.handle)
        .bind::<Nullable<SqlUuid>, _>(wanted.channel);
    let rows: Vec<CollectionRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(CollectionView::from).collect())
}

/// Makes a collection, or writes all columns of the one with this id, and keeps its former handle.
pub async fn put_collection(tx: &mut WriteTx<'_>, collection: &CollectionView) -> Result<(), DbError> {
    let now = tx.now();
    let json = |rules: &CollectionRules| serde_json::to_value(&rules.rules);
    let rules = collection.rules.as_ref().map(json).transpose();
    let rules = rules.map_err(|error| DbError::Other(Box::new(error)))?;
    let is_any = |rules: &CollectionRules| rules.matching == Match::Any;
    let query = sql(include_str!("put_collection.sql"))
        .bind::<SqlUuid, _>(collection.id)
        .bind::<Text, _>(collection.handle.clone())
        .bind::<Text, _>(collection.title.clone())
        .bind::<Text, _>(collection.description_html.clone())
        .bind::<Bool, _>(collection.published)
        .bind::<Nullable<Jsonb>, _>(rules)
        .bind::<Bool, _>(collection.rules.as_ref().is_some_and(is_any))
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(|_| ())
}

/// A collection as far as whoever changes it must know.
#[derive(QueryableByName)]
pub struct Locked {
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    /// Whether its rules say what is in it.
    #[diesel(sql_type = Bool)]
    pub by_rules: bool,
}

/// Locks a collection.
pub async fn lock_collection(tx: &mut WriteTx<'_>, id: CollectionId) -> Result<Option<Locked>, DbError> {
    let query =
        sql("SELECT version, rules IS NOT NULL AS by_rules FROM collections WHERE id = $1 FOR UPDATE");
    tx.optional(query.bind::<SqlUuid, _>(id)).await
}

/// Counts a change of something that belongs to the collection.
pub async fn touch(tx: &mut WriteTx<'_>, id: CollectionId) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE collections SET version = version + 1, updated_at = $2 WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Waits until nobody changes a product, and keeps them from it until the transaction ends. Before any product and any collection is locked.
pub async fn rules_turn(tx: &mut WriteTx<'_>) -> Result<(), DbError> {
    tx.execute(sql("SELECT name FROM catalogue_turns WHERE name = 'rules' FOR UPDATE")).await.map(drop)
}

/// Judges products that have just changed by the rules of all collections. The turn is shared. One statement.
pub async fn judge(tx: &mut WriteTx<'_>, products: &[ProductId]) -> Result<(), DbError> {
    let text = concat!(include_str!("rules/of_products.sql"), include_str!("rules/judged.sql"));
    let products: Vec<Uuid> = products.iter().map(|product| product.uuid()).collect();
    tx.optional::<OwnerRow>(sql(text).bind::<Array<SqlUuid>, _>(products)).await.map(drop)
}

/// Judges some products, those after this one, by the rules of a collection; the last of them, none when there are no more. The turn is
/// taken. One statement for 5,000 products, so that none of them runs out of time.
pub async fn judge_some(
    tx: &mut WriteTx<'_>,
    collection: CollectionId,
    after: Option<ProductId>,
) -> Result<Option<ProductId>, DbError> {
    let text = concat!(include_str!("rules/of_collection.sql"), include_str!("rules/judged.sql"));
    let query = sql(text).bind::<SqlUuid, _>(collection).bind::<Nullable<SqlUuid>, _>(after);
    Ok(tx.optional::<OwnerRow>(query).await?.map(|row| row.product_id))
}

/// Those of the products that there are.
pub async fn known_products(tx: &mut ReadTx<'_>, products: &[ProductId]) -> Result<Vec<ProductId>, DbError> {
    let ids: Vec<Uuid> = products.iter().map(|product| product.uuid()).collect();
    let query =
        sql("SELECT id AS product_id FROM products WHERE id = ANY($1)").bind::<Array<SqlUuid>, _>(ids);
    let rows: Vec<OwnerRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| row.product_id).collect())
}

/// Makes these, in this order, the products of a collection, and counts its version up. The collection is locked.
pub async fn arrange(
    tx: &mut WriteTx<'_>,
    collection: CollectionId,
    products: &[ProductId],
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(include_str!("arrange.sql"))
        .bind::<SqlUuid, _>(collection)
        .bind::<Array<SqlUuid>, _>(products.iter().map(|product| product.uuid()).collect::<Vec<Uuid>>())
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(|_| ())
}

/// `false`: there is none.
pub async fn remove_collection(tx: &mut WriteTx<'_>, collection: CollectionId) -> Result<bool, DbError> {
    let query = sql("DELETE FROM collections WHERE id = $1").bind::<SqlUuid, _>(collection);
    Ok(tx.execute(query).await? == 1)
}

/// Puts a product at the end of a collection; there already is fine. `false`: no such collection that people fill, or no such product.
pub async fn collect(
    tx: &mut WriteTx<'_>,
    collection: CollectionId,
    product: ProductId,
) -> Result<bool, DbError> {
    let query = sql("INSERT INTO collection_products (collection_id, product_id, position) \
         SELECT c.id, p.id, (SELECT coalesce(max(position) + 1, 0) FROM collection_products WHERE collection_id = c.id) \
         FROM collections c, products p WHERE c.id = $1 AND c.rules IS NULL AND p.id = $2 \
         ON CONFLICT (collection_id, product_id) DO UPDATE SET position = collection_products.position")
    .bind::<SqlUuid, _>(collection)
    .bind::<SqlUuid, _>(product);
    Ok(tx.execute(query).await? == 1)
}

/// What became of taking a product out.
#[derive(QueryableByName)]
pub struct TakenOut {
    /// Whether it was in it.
    #[diesel(sql_type = Bool)]
    pub was_in: bool,
    /// Whether rules say what is in it; then nothing was done.
    #[diesel(sql_type = Bool)]
    pub by_rules: bool,
}

/// Takes a product out of a collection that people fill. `None`: no such collection or product.
pub async fn uncollect(
    tx: &mut WriteTx<'_>,
    collection: CollectionId,
    product: ProductId,
) -> Result<Option<TakenOut>, DbError> {
    let query = sql(
        "WITH gone AS (DELETE FROM collection_products cp USING collections c \
             WHERE cp.collection_id = $1 AND cp.product_id = $2 AND c.id = $1 AND c.rules IS NULL RETURNING cp.product_id) \
         SELECT EXISTS (SELECT FROM gone) AS was_in, c.rules IS NOT NULL AS by_rules FROM collections c, products p \
         WHERE c.id = $1 AND p.id = $2",
    )
    .bind::<SqlUuid, _>(collection)
    .bind::<SqlUuid, _>(product);
    tx.optional(query).await
}
