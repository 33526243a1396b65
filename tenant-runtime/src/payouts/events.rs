//! What is told of payouts. Forms only grow.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_event_bus::Fact;
use souk_kernel::{Money, PayoutId};
use utoipa::ToSchema;
use uuid::Uuid;

/// `payout.paid`: what a provider owed is at the bank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PayoutPaid {
    pub payout_id: PayoutId,
    pub provider: String,
    /// The provider's name for it.
    pub reference: String,
    /// Below zero when the provider took from the bank what it is owed.
    pub amount: Money,
    pub arrives_at: DateTime<Utc>,
}

/// `payout.failed`: the bank did not take it, or sent it back; the money is with the provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PayoutFailed {
    pub payout_id: PayoutId,
    pub provider: String,
    /// The provider's name for it.
    pub reference: String,
    pub amount: Money,
    /// The provider's word for why: `account_closed`.
    pub failure_code: Option<String>,
    /// Whether it had been told as paid before.
    pub was_paid: bool,
}

macro_rules! facts {
    ($($fact:ident = $kind:literal;)+) => {
        $(impl Fact for $fact {
            const KIND: &'static str = $kind;
            const VERSION: u16 = 1;
            const AGGREGATE: &'static str = "payout";
            fn aggregate_id(&self) -> Uuid {
                self.payout_id.uuid()
            }
        })+
    };
}

facts! {
    PayoutPaid = "payout.paid";
    PayoutFailed = "payout.failed";
}
