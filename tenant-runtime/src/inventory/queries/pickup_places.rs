//! Where shoppers may collect.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Text, Uuid as SqlUuid};
use souk_kernel::{CartId, Country, LocationId};
use souk_tenancy::{DbError, ReadTx, sql};
use uuid::Uuid;

use crate::inventory::model::{Demand, PickupPlace, merged};

#[derive(QueryableByName)]
struct PlaceRow {
    #[diesel(sql_type = SqlUuid)]
    id: LocationId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    country: Country,
    #[diesel(sql_type = Text)]
    pickup_instructions: String,
    #[diesel(sql_type = Text)]
    opening_hours: String,
    #[diesel(sql_type = Integer)]
    pickup_ready_hours: i32,
}

/// The locations where all of this lies in the shelf and may be collected, by their priority; at most 20. What the cart has reserved already is
/// its own. One statement, no lock.
///
/// # Errors
/// The database's only.
pub async fn pickups(
    tx: &mut ReadTx<'_>,
    cart: CartId,
    demands: &[Demand],
) -> Result<Vec<PickupPlace>, DbError> {
    let (items, pieces): (Vec<Uuid>, Vec<i64>) =
        merged(demands).into_iter().map(|(item, pieces)| (item.uuid(), pieces)).unzip();
    let query = sql(include_str!("pickups.sql"))
        .bind::<Array<SqlUuid>, _>(items)
        .bind::<Array<BigInt>, _>(pieces)
        .bind::<SqlUuid, _>(cart);
    let rows: Vec<PlaceRow> = tx.load(query).await?;
    let place = |row: PlaceRow| PickupPlace {
        location: row.id,
        name: row.name,
        country: row.country,
        instructions: row.pickup_instructions,
        opening_hours: row.opening_hours,
        ready_hours: row.pickup_ready_hours,
    };
    Ok(rows.into_iter().map(place).collect())
}
