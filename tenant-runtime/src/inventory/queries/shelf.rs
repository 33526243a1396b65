//! What lies at the first location.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Uuid as SqlUuid};
use souk_kernel::{InventoryItemId, LocationId};
use souk_tenancy::{DbError, ReadTx, sql};

use super::uuids;
use crate::inventory::model::Shelf;

#[derive(QueryableByName)]
struct ShelfRow {
    #[diesel(sql_type = SqlUuid)]
    location_id: LocationId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    item_id: Option<InventoryItemId>,
    #[diesel(sql_type = Nullable<BigInt>)]
    on_hand: Option<i64>,
}

/// One statement.
pub async fn shelf(tx: &mut ReadTx<'_>, items: &[InventoryItemId]) -> Result<Shelf, DbError> {
    let query = sql("SELECT place.id AS location_id, l.item_id, sum(l.on_hand)::bigint AS on_hand \
         FROM (SELECT id FROM locations WHERE active AND bucket_of IS NULL ORDER BY priority, id LIMIT 1) place \
         LEFT JOIN locations part ON part.id = place.id OR part.bucket_of = place.id \
         LEFT JOIN inventory_levels l ON l.location_id = part.id AND l.item_id = ANY($1::uuid[]) \
         GROUP BY place.id, l.item_id")
    .bind::<Array<SqlUuid>, _>(uuids(items));
    let rows: Vec<ShelfRow> = tx.load(query).await?;
    Ok(Shelf {
        location: rows.first().map(|row| row.location_id),
        on_hand: rows.into_iter().filter_map(|row| Some((row.item_id?, row.on_hand?))).collect(),
    })
}
