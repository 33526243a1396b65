//! What is told of disputes. Forms only grow.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_event_bus::Fact;
use souk_kernel::{DisputeId, Money, OrderId};
use utoipa::ToSchema;
use uuid::Uuid;

/// `dispute.opened`: a shopper's bank asks about a payment or takes its money back, for now; give evidence at the provider in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DisputeOpened {
    pub dispute_id: DisputeId,
    pub order_id: OrderId,
    /// What the order is called.
    pub name: String,
    pub provider: String,
    /// The provider's name for the dispute.
    pub reference: String,
    pub amount: Money,
    /// The bank's word: `fraudulent`.
    pub reason: String,
    /// Whether the bank only asks: no money has moved.
    pub inquiry: bool,
    pub evidence_due_at: Option<DateTime<Utc>>,
    pub opened_at: DateTime<Utc>,
}

/// `dispute.won`: the bank gave the money back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DisputeWon {
    pub dispute_id: DisputeId,
    pub order_id: OrderId,
    /// What the order is called.
    pub name: String,
    pub amount: Money,
    pub closed_at: DateTime<Utc>,
}

/// `dispute.lost`: the bank keeps the money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DisputeLost {
    pub dispute_id: DisputeId,
    pub order_id: OrderId,
    /// What the order is called.
    pub name: String,
    pub amount: Money,
    pub closed_at: DateTime<Utc>,
}

macro_rules! facts {
    ($($fact:ident = $kind:literal;)+) => {
        $(impl Fact for $fact {
            const KIND: &'static str = $kind;
            const VERSION: u16 = 1;
            const AGGREGATE: &'static str = "order";
            fn aggregate_id(&self) -> Uuid {
                self.order_id.uuid()
            }
        })+
    };
}

facts! {
    DisputeOpened = "dispute.opened";
    DisputeWon = "dispute.won";
    DisputeLost = "dispute.lost";
}
