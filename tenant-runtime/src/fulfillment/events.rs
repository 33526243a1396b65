//! What sending tells the world, with all that a mail about it needs. Told of the order, so that nothing is sent before it was placed. Forms
//! only grow.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_event_bus::Fact;
use souk_kernel::{FulfillmentId, OrderId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::model::FulfillmentLineView;
use crate::orders::FulfillmentStatus;

/// `fulfillment.created`: something left the house.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FulfillmentCreated {
    pub fulfillment_id: FulfillmentId,
    #[schema(example = "#1001-F1")]
    pub fulfillment_name: String,
    pub order_id: OrderId,
    pub number: Option<i64>,
    pub name: String,
    pub email: String,
    pub lines: Vec<FulfilledLine>,
    pub tracking_company: Option<String>,
    pub tracking_number: Option<String>,
    pub tracking_url: Option<String>,
    /// How much of the order has left by now.
    pub fulfillment_status: FulfillmentStatus,
    /// Whether the shopper is told by mail.
    pub notify: bool,
    pub shipped_at: DateTime<Utc>,
}

/// `fulfillment.updated`: it can be followed in another way than was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FulfillmentUpdated {
    pub fulfillment_id: FulfillmentId,
    #[schema(example = "#1001-F1")]
    pub fulfillment_name: String,
    pub order_id: OrderId,
    pub number: Option<i64>,
    pub name: String,
    pub email: String,
    pub lines: Vec<FulfilledLine>,
    pub tracking_company: Option<String>,
    pub tracking_number: Option<String>,
    pub tracking_url: Option<String>,
    /// How much of the order has left by now.
    pub fulfillment_status: FulfillmentStatus,
    /// Whether the shopper is told by mail.
    pub notify: bool,
    pub updated_at: DateTime<Utc>,
}

/// Pieces of one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FulfilledLine {
    pub title: String,
    pub variant_title: String,
    pub sku: Option<String>,
    pub quantity: i32,
}

impl From<FulfillmentLineView> for FulfilledLine {
    fn from(line: FulfillmentLineView) -> Self {
        let FulfillmentLineView { title, variant_title, sku, quantity, .. } = line;
        Self { title, variant_title, sku, quantity }
    }
}

/// `fulfillment.cancelled`: it did not leave after all; its pieces are back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FulfillmentCancelled {
    pub fulfillment_id: FulfillmentId,
    #[schema(example = "#1001-F1")]
    pub fulfillment_name: String,
    pub order_id: OrderId,
    pub number: Option<i64>,
    pub name: String,
    pub email: String,
    pub lines: Vec<FulfilledLine>,
    /// How much of the order has left by now.
    pub fulfillment_status: FulfillmentStatus,
    pub cancelled_at: DateTime<Utc>,
}

impl Fact for FulfillmentCreated {
    const KIND: &'static str = "fulfillment.created";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "order";
    fn aggregate_id(&self) -> Uuid {
        self.order_id.uuid()
    }
}

impl Fact for FulfillmentUpdated {
    const KIND: &'static str = "fulfillment.updated";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "order";
    fn aggregate_id(&self) -> Uuid {
        self.order_id.uuid()
    }
}

impl Fact for FulfillmentCancelled {
    const KIND: &'static str = "fulfillment.cancelled";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "order";
    fn aggregate_id(&self) -> Uuid {
        self.order_id.uuid()
    }
}
