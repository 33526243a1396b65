//! Many products at once: found, locked and read in the order of their ids.

use std::collections::HashMap;

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use souk_kernel::ProductId;
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::rows::{DetailRow, OwnerRow};
use crate::catalog::model::ProductView;

#[derive(QueryableByName)]
struct SkuRow {
    #[diesel(sql_type = Text)]
    sku: String,
    #[diesel(sql_type = SqlUuid)]
    product_id: ProductId,
}

/// Locks the products that have these handles today, and those with variants of these SKUs. Always in the order of their ids, so that nobody
/// waits in a ring.
pub async fn lock(
    tx: &mut WriteTx<'_>,
    handles: Vec<String>,
    skus: Vec<String>,
) -> Result<Vec<ProductId>, DbError> {
    let query = sql("SELECT p.id AS product_id FROM products p WHERE p.handle = ANY($1::text[]) \
         OR p.id IN (SELECT v.product_id FROM product_variants v WHERE v.sku = ANY($2::text[])) \
         ORDER BY p.id FOR UPDATE OF p")
    .bind::<Array<Text>, _>(handles)
    .bind::<Array<Text>, _>(skus);
    let rows: Vec<OwnerRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| row.product_id).collect())
}

/// Whose variants have these SKUs.
pub async fn owners(tx: &mut ReadTx<'_>, skus: Vec<String>) -> Result<HashMap<String, ProductId>, DbError> {
    let query = sql("SELECT v.sku, v.product_id FROM product_variants v WHERE v.sku = ANY($1::text[])")
        .bind::<Array<Text>, _>(skus);
    let rows: Vec<SkuRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| (row.sku, row.product_id)).collect())
}

/// These products as they stand, their stock not looked up.
pub async fn whole(tx: &mut ReadTx<'_>, products: &[ProductId]) -> Result<Vec<ProductView>, DbError> {
    let ids: Vec<Uuid> = products.iter().map(|product| product.uuid()).collect();
    let query = sql(concat!(include_str!("detail.sql"), "WHERE p.id = ANY($1::uuid[]) ORDER BY p.id"))
        .bind::<Array<SqlUuid>, _>(ids);
    let rows: Vec<DetailRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(DetailRow::view).collect())
}

/// The products after this one, oldest first, their stock not looked up: those that have bundles, or the others.
pub async fn after(
    tx: &mut ReadTx<'_>,
    bundles: bool,
    last: Option<ProductId>,
    limit: i64,
) -> Result<Vec<ProductView>, DbError> {
    let text = concat!(
        include_str!("detail.sql"),
        "WHERE ($1::uuid IS NULL OR p.id > $1) AND $3 = EXISTS (SELECT 1 FROM bundle_components b \
             JOIN product_variants v ON v.id = b.variant_id WHERE v.product_id = p.id) ORDER BY p.id LIMIT $2"
    );
    let query =
        sql(text).bind::<Nullable<SqlUuid>, _>(last).bind::<BigInt, _>(limit).bind::<Bool, _>(bundles);
    let rows: Vec<DetailRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(DetailRow::view).collect())
}
