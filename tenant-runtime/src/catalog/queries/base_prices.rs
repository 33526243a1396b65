//! The statements of many base prices at once.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{Currency, Money, PriceId, ProductId, VariantId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::rows::OwnerRow;
use crate::catalog::model::{BasePrice, PriceChange, PricesOf};

#[derive(QueryableByName)]
struct PriceRow {
    #[diesel(sql_type = SqlUuid)]
    product_id: ProductId,
    #[diesel(sql_type = SqlUuid)]
    variant_id: VariantId,
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    compare_at_minor: Option<i64>,
}

fn read(rows: Vec<PriceRow>, currency: Currency) -> Vec<BasePrice> {
    let price = |row: PriceRow| BasePrice {
        product: row.product_id,
        variant: row.variant_id,
        price: Money::new(row.amount_minor, currency),
        compare_at: row.compare_at_minor.map(|minor| Money::new(minor, currency)),
    };
    rows.into_iter().map(price).collect()
}

/// The base prices of these in a currency, by variant. One statement.
pub async fn found(
    tx: &mut ReadTx<'_>,
    on: &PricesOf,
    currency: Currency,
    limit: i64,
) -> Result<Vec<BasePrice>, DbError> {
    let products: Vec<Uuid> = on.products.iter().map(|product| product.uuid()).collect();
    let query = sql("SELECT v.product_id, x.variant_id, x.amount_minor, x.compare_at_minor \
         FROM prices x JOIN product_variants v ON v.id = x.variant_id JOIN products p ON p.id = v.product_id \
         WHERE x.currency = $1 AND (cardinality($2::uuid[]) = 0 OR p.id = ANY($2)) \
         AND ($3::uuid IS NULL OR EXISTS (SELECT 1 FROM collection_products c WHERE c.collection_id = $3 AND c.product_id = p.id)) \
         AND ($4::text IS NULL OR p.tags @> ARRAY[$4]) AND ($5::text IS NULL OR p.vendor = $5) \
         AND ($6::text IS NULL OR p.product_type = $6) ORDER BY x.variant_id LIMIT $7")
    .bind::<Text, _>(currency.code())
    .bind::<Array<SqlUuid>, _>(products)
    .bind::<Nullable<SqlUuid>, _>(on.collection)
    .bind::<Nullable<Text>, _>(on.tag.as_ref().map(|tag| tag.as_str().to_owned()))
    .bind::<Nullable<Text>, _>(on.vendor.as_ref().map(|vendor| vendor.as_str().to_owned()))
    .bind::<Nullable<Text>, _>(on.product_type.as_ref().map(|kind| kind.as_str().to_owned()))
    .bind::<BigInt, _>(limit);
    Ok(read(tx.load(query).await?, currency))
}

/// The base price of a variant in a currency. One statement.
pub async fn of_variant(
    tx: &mut ReadTx<'_>,
    variant: VariantId,
    currency: Currency,
) -> Result<Option<BasePrice>, DbError> {
    let query = sql("SELECT v.product_id, x.variant_id, x.amount_minor, x.compare_at_minor \
         FROM prices x JOIN product_variants v ON v.id = x.variant_id WHERE x.variant_id = $1 AND x.currency = $2")
    .bind::<SqlUuid, _>(variant)
    .bind::<Text, _>(currency.code());
    Ok(read(tx.load(query).await?, currency).pop())
}

/// Locks products in the order of their ids, after the turn that rules of collections are judged by. One statement.
pub async fn lock(tx: &mut WriteTx<'_>, products: &[ProductId]) -> Result<Vec<ProductId>, DbError> {
    let ids: Vec<Uuid> = products.iter().map(|product| product.uuid()).collect();
    let query = sql(
        "WITH turn AS MATERIALIZED (SELECT name FROM catalogue_turns WHERE name = 'rules' FOR KEY SHARE) \
         SELECT p.id AS product_id FROM turn, products p WHERE p.id = ANY($1::uuid[]) ORDER BY p.id FOR UPDATE OF p",
    )
    .bind::<Array<SqlUuid>, _>(ids);
    let rows: Vec<OwnerRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| row.product_id).collect())
}

/// Writes base prices and their history; those after the change must be there. The products are locked. One statement.
pub async fn set(tx: &mut WriteTx<'_>, changes: &[PriceChange]) -> Result<(), DbError> {
    let now = tx.now();
    let set: Vec<_> = changes.iter().filter_map(|change| Some((change, change.after?))).collect();
    let query = sql(include_str!("set_prices.sql"))
        .bind::<Array<SqlUuid>, _>(set.iter().map(|(change, _)| change.variant.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(set.iter().map(|(_, after)| after.currency().code()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(set.iter().map(|(_, after)| after.minor()).collect::<Vec<_>>())
        .bind::<Array<Nullable<BigInt>>, _>(
            set.iter().map(|(change, _)| change.compare_at_after.map(Money::minor)).collect::<Vec<_>>(),
        )
        .bind::<Array<SqlUuid>, _>(set.iter().map(|_| PriceId::new().uuid()).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}
