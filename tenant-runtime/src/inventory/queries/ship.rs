//! Pieces that leave the house, and those that come back because they never did.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{CartId, InventoryItemId, LocationId, OrderId};
use souk_tenancy::{DbError, WriteTx, sql};

use crate::inventory::model::{CameBack, Shipped};

#[derive(QueryableByName)]
struct ShippedRow {
    #[diesel(sql_type = SqlUuid)]
    item_id: InventoryItemId,
    #[diesel(sql_type = SqlUuid)]
    location_id: LocationId,
    #[diesel(sql_type = BigInt)]
    quantity: i64,
}

/// Takes pieces off the shelves that the order has them on. The levels must be locked.
pub async fn ship(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    order: OrderId,
    pieces: &[(InventoryItemId, i64)],
    actor: &str,
) -> Result<Vec<Shipped>, DbError> {
    let now = tx.now();
    let query = sql(include_str!("ship.sql"))
        .bind::<SqlUuid, _>(cart)
        .bind::<SqlUuid, _>(order)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(actor.to_owned())
        .bind::<Array<SqlUuid>, _>(pieces.iter().map(|(item, _)| item.uuid()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(pieces.iter().map(|(_, pieces)| *pieces).collect::<Vec<_>>());
    let rows: Vec<ShippedRow> = tx.load(query).await?;
    let shipped =
        |row: ShippedRow| Shipped { item: row.item_id, location: row.location_id, pieces: row.quantity };
    Ok(rows.into_iter().map(shipped).collect())
}

/// Puts pieces back. The levels must be locked.
pub async fn unship(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    order: OrderId,
    back: &[CameBack],
    actor: &str,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(include_str!("unship.sql"))
        .bind::<SqlUuid, _>(cart)
        .bind::<SqlUuid, _>(order)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(actor.to_owned())
        .bind::<Array<SqlUuid>, _>(back.iter().map(|one| one.shipped.item.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(back.iter().map(|one| one.shipped.location.uuid()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(back.iter().map(|one| one.shipped.pieces).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(back.iter().map(|one| one.wanted).collect::<Vec<_>>());
    tx.execute(query).await.map(drop)
}
