//! An event as staff and machines see it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_api::{FieldError, Problem, problem};
use souk_kernel::{EventId, StoreId};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

pub mod catalogue;
pub mod letters;

use catalogue::announced;

/// Where a reader is: the transaction that stated an event, and the event's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place(pub i64, pub i64);

impl Place {
    /// Before everything.
    pub const START: Self = Self(0, 0);
}

/// One event. `data` has the form that `docs/EVENTS.md` describes for its `type` and `version`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventView {
    /// Version of this envelope.
    #[schema(example = 1)]
    pub envelope: u16,
    pub id: EventId,
    pub store_id: StoreId,
    #[serde(rename = "type")]
    #[schema(example = "order.placed")]
    pub kind: String,
    /// Version of the form of `data`.
    #[schema(example = 1)]
    pub version: i32,
    #[schema(example = "order")]
    pub aggregate_type: String,
    pub aggregate_id: Uuid,
    /// The how-manieth event of that aggregate, from 1 without gaps.
    #[schema(example = 3)]
    pub sequence: i64,
    pub occurred_at: DateTime<Utc>,
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
    /// Read on from here: as `after` of the list, or as `Last-Event-ID` of the stream.
    pub cursor: String,
}

/// Which events are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Kinds, separated by commas; all if absent.
    #[param(example = "order.placed,order.paid")]
    #[serde(rename = "type")]
    pub kinds: Option<String>,
}

impl Filter {
    /// The kinds, each of which there must be.
    ///
    /// # Errors
    /// 422 that names the first that does not exist.
    pub fn kinds(&self) -> Result<Option<Vec<String>>, Problem> {
        let Some(text) = self.kinds.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        let kinds: Vec<String> = text.split(',').map(|kind| kind.trim().to_owned()).collect();
        match kinds.iter().find(|kind| !announced().iter().any(|known| known.kind == **kind)) {
            None => Ok(Some(kinds)),
            Some(unknown) => {
                let message =
                    format!("there are no events of kind {unknown:?}; see GET /admin/v1/event-types");
                Err(Problem::new(&problem::VALIDATION).error(FieldError::new("?type", "unknown", message)))
            }
        }
    }
}

/// A kind of event.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventTypeView {
    #[serde(rename = "type")]
    #[schema(example = "order.placed")]
    pub kind: &'static str,
    pub version: u16,
    #[schema(example = "order")]
    pub aggregate_type: &'static str,
    pub description: String,
    /// JSON Schema (2020-12) of `data`.
    #[schema(value_type = Object)]
    pub schema: serde_json::Value,
}
