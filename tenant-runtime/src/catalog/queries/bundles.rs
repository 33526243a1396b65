//! The statements of bundles.

use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Integer, Text, Uuid as SqlUuid};
use souk_kernel::{InventoryItemId, VariantId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use crate::catalog::model::{Candidate, NewComponent};

/// One change of bundles at a time: that none is made of another is a rule over all of them. Before any product is locked.
pub async fn lock(tx: &mut WriteTx<'_>) -> Result<(), DbError> {
    tx.execute(sql("LOCK TABLE bundle_components IN SHARE ROW EXCLUSIVE MODE")).await.map(drop)
}

#[derive(QueryableByName)]
struct CandidateRow {
    #[diesel(sql_type = SqlUuid)]
    id: VariantId,
    #[diesel(sql_type = SqlUuid)]
    item: InventoryItemId,
    #[diesel(sql_type = Bool)]
    is_bundle: bool,
    #[diesel(sql_type = Bool)]
    is_part: bool,
}

/// Those of these variants that there are; second: whether another bundle is made of `bundle`, which is one of them. One statement.
pub async fn candidates(
    tx: &mut ReadTx<'_>,
    bundle: VariantId,
    wishes: &[NewComponent],
) -> Result<(Vec<Candidate>, bool), DbError> {
    let variants: Vec<Uuid> =
        wishes.iter().map(|wish| wish.variant).chain([bundle]).map(|variant| variant.uuid()).collect();
    let query = sql("SELECT v.id, v.inventory_item_id AS item, \
             EXISTS (SELECT 1 FROM bundle_components b WHERE b.variant_id = v.id) AS is_bundle, \
             EXISTS (SELECT 1 FROM bundle_components b WHERE b.component_id = v.id) AS is_part \
         FROM product_variants v WHERE v.id = ANY($1)")
    .bind::<Array<SqlUuid>, _>(variants);
    let rows: Vec<CandidateRow> = tx.load(query).await?;
    let is_part = rows.iter().any(|row| row.id == bundle && row.is_part);
    let candidate =
        |row: CandidateRow| Candidate { variant: row.id, item: row.item, is_bundle: row.is_bundle };
    Ok((rows.into_iter().map(candidate).collect(), is_part))
}

#[derive(QueryableByName)]
struct NamedRow {
    #[diesel(sql_type = Text)]
    sku: String,
    #[diesel(sql_type = SqlUuid)]
    id: VariantId,
}

/// The variants of these SKUs. One statement.
pub async fn by_sku(tx: &mut ReadTx<'_>, skus: Vec<String>) -> Result<Vec<(String, VariantId)>, DbError> {
    let query = sql("SELECT v.sku, v.id FROM product_variants v WHERE v.sku = ANY($1::text[])")
        .bind::<Array<Text>, _>(skus);
    let rows: Vec<NamedRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| (row.sku, row.id)).collect())
}

/// Makes a variant of these, in place of what it was made of. The table is locked.
pub async fn replace(
    tx: &mut WriteTx<'_>,
    bundle: (VariantId, InventoryItemId),
    parts: &[(Candidate, i32)],
) -> Result<(), DbError> {
    let gone = sql("DELETE FROM bundle_components WHERE variant_id = $1").bind::<SqlUuid, _>(bundle.0);
    tx.execute(gone).await?;
    if parts.is_empty() {
        return Ok(());
    }
    let query = sql("INSERT INTO bundle_components (variant_id, bundle_id, component_id, item_id, quantity, position) \
         SELECT $1, $2, w.component, w.item, w.quantity, w.place \
         FROM unnest($3::uuid[], $4::uuid[], $5::integer[]) WITH ORDINALITY AS w (component, item, quantity, place)")
    .bind::<SqlUuid, _>(bundle.0)
    .bind::<SqlUuid, _>(bundle.1)
    .bind::<Array<SqlUuid>, _>(parts.iter().map(|(part, _)| part.variant.uuid()).collect::<Vec<Uuid>>())
    .bind::<Array<SqlUuid>, _>(parts.iter().map(|(part, _)| part.item.uuid()).collect::<Vec<Uuid>>())
    .bind::<Array<Integer>, _>(parts.iter().map(|(_, quantity)| *quantity).collect::<Vec<i32>>());
    tx.execute(query).await.map(drop)
}
