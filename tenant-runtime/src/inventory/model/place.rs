//! Locations as people send and see them.

use serde::{Deserialize, Serialize};
use souk_kernel::{Country, LocationId, Text};
use utoipa::ToSchema;

use crate::inventory::error::InventoryError;

/// Priorities there are.
const PRIORITIES: std::ops::RangeInclusive<i32> = 0..=10_000;

/// A place where goods are.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LocationView {
    pub id: LocationId,
    #[schema(example = "Main location")]
    pub name: String,
    #[schema(example = "DE")]
    pub country: String,
    /// Lower serves first; of equal ones the older.
    pub priority: i32,
    /// Whether it serves checkouts.
    pub active: bool,
    /// Whether shoppers may collect what they bought there.
    pub pickup: bool,
    pub version: i64,
}

/// A new place.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Warehouse East", "country": "DE", "priority": 10, "pickup": false}))]
pub struct CreateLocation {
    /// Unique in the store.
    #[schema(example = "Warehouse East")]
    pub name: Text<100>,
    #[schema(example = "DE")]
    pub country: Country,
    /// Lower serves first; 0 when left out.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10000)]
    pub priority: i32,
    /// Whether shoppers may collect what they bought there.
    #[serde(default)]
    pub pickup: bool,
}

impl CreateLocation {
    pub fn check(&self) -> Result<(), InventoryError> {
        in_order(self.priority)
    }
}

/// What changes about a place; what is left out stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"priority": 5, "pickup": true}))]
pub struct EditLocation {
    pub name: Option<Text<100>>,
    pub country: Option<Country>,
    #[schema(minimum = 0, maximum = 10000)]
    pub priority: Option<i32>,
    /// False takes it out of service: only when nothing lies there, is promised from there or is on its way.
    pub active: Option<bool>,
    pub pickup: Option<bool>,
}

impl EditLocation {
    pub fn check(&self) -> Result<(), InventoryError> {
        self.priority.map_or(Ok(()), in_order)
    }
}

fn in_order(priority: i32) -> Result<(), InventoryError> {
    if PRIORITIES.contains(&priority) {
        return Ok(());
    }
    Err(InventoryError::Invalid { pointer: "/priority", message: "must be 0 to 10000" })
}
