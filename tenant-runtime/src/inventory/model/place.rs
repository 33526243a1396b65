//! Locations as people send and see them.

use serde::{Deserialize, Serialize};
use souk_kernel::{Country, LocationId, LongText, Text};
use utoipa::ToSchema;

use crate::inventory::error::InventoryError;

/// Priorities there are.
const PRIORITIES: std::ops::RangeInclusive<i32> = 0..=10_000;

/// Hours until something is ready: up to a month.
const READY_HOURS: std::ops::RangeInclusive<i32> = 0..=720;

/// A place where shoppers may collect something, and what they are told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickupPlace {
    pub location: LocationId,
    pub name: String,
    pub country: Country,
    pub instructions: String,
    pub opening_hours: String,
    pub ready_hours: i32,
}

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
    /// What they are told about it.
    #[schema(example = "Ring at the gate.")]
    pub pickup_instructions: String,
    #[schema(example = "Mon to Fri, 9 to 17")]
    pub opening_hours: String,
    /// Hours until what was ordered is ready.
    #[schema(example = 24)]
    pub pickup_ready_hours: i32,
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
    /// What they are told about it.
    #[serde(default)]
    pub pickup_instructions: LongText<1000>,
    #[serde(default)]
    pub opening_hours: LongText<500>,
    /// Hours until what was ordered is ready; 24 when left out.
    #[serde(default = "a_day")]
    #[schema(minimum = 0, maximum = 720, default = 24)]
    pub pickup_ready_hours: i32,
}

const fn a_day() -> i32 {
    24
}

impl CreateLocation {
    pub fn check(&self) -> Result<(), InventoryError> {
        in_order(self.priority)?;
        in_time(self.pickup_ready_hours)
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
    pub pickup_instructions: Option<LongText<1000>>,
    pub opening_hours: Option<LongText<500>>,
    #[schema(minimum = 0, maximum = 720)]
    pub pickup_ready_hours: Option<i32>,
}

impl EditLocation {
    pub fn check(&self) -> Result<(), InventoryError> {
        self.priority.map_or(Ok(()), in_order)?;
        self.pickup_ready_hours.map_or(Ok(()), in_time)
    }
}

fn in_order(priority: i32) -> Result<(), InventoryError> {
    if PRIORITIES.contains(&priority) {
        return Ok(());
    }
    Err(InventoryError::Invalid { pointer: "/priority", message: "must be 0 to 10000" })
}

fn in_time(hours: i32) -> Result<(), InventoryError> {
    if READY_HOURS.contains(&hours) {
        return Ok(());
    }
    Err(InventoryError::Invalid { pointer: "/pickup_ready_hours", message: "must be 0 to 720" })
}
