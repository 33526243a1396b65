//! Levels against their movements.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Jsonb};
use serde::Deserialize;
use souk_kernel::{InventoryItemId, LocationId};
use souk_tenancy::{DbError, ReadTx, sql};
use uuid::Uuid;

use crate::inventory::model::{Counts, LevelCheck, LevelDifference};

#[derive(QueryableByName)]
struct CheckRow {
    #[diesel(sql_type = BigInt)]
    levels: i64,
    #[diesel(sql_type = BigInt)]
    different: i64,
    #[diesel(sql_type = Jsonb)]
    differences: serde_json::Value,
}

/// A difference as the statement writes it: ids as the database has them.
#[derive(Deserialize)]
struct DifferenceJson {
    item: Uuid,
    location: Uuid,
    level: Counts,
    movements: Counts,
}

/// Every level against the sum of its movements. One statement over all movements: for people, not for requests of shoppers.
pub async fn check(tx: &mut ReadTx<'_>) -> Result<LevelCheck, DbError> {
    let row: CheckRow = tx.one(sql(include_str!("check.sql"))).await?;
    let differences: Vec<DifferenceJson> =
        serde_json::from_value(row.differences).map_err(|error| DbError::Other(Box::new(error)))?;
    let view = |json: DifferenceJson| LevelDifference {
        item: InventoryItemId::from_uuid(json.item),
        location: LocationId::from_uuid(json.location),
        level: json.level,
        movements: json.movements,
    };
    let differences = differences.into_iter().map(view).collect();
    Ok(LevelCheck { levels: row.levels, different: row.different, differences })
}
