//! What a tax provider is told of an order: that it stands, what of it went back, that it came to nothing. Pure.

use chrono::TimeDelta;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Integer, Json, Nullable, Text as SqlText, Uuid as SqlUuid};
use serde_json::{Value, json};
use souk_kernel::{Currency, EventId, OrderId, RefundId};
use souk_tenancy::Document;

/// Tried so often, which takes about three days.
const TRIES: i32 = 20;
/// The longest pause between two tries.
const LONGEST: TimeDelta = TimeDelta::hours(6);

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilingStep {
    Commit,
    Refund,
    Void,
}

impl FilingStep {
    /// What an event means to the state, if anything.
    pub fn of_event(kind: &str) -> Option<Self> {
        match kind {
            "order.placed" => Some(Self::Commit),
            "order.refunded" => Some(Self::Refund),
            "order.cancelled" => Some(Self::Void),
            _ => None,
        }
    }

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Refund => "refund",
            Self::Void => "void",
        }
    }
}

/// Something to tell, with all that is told.
#[derive(Debug, QueryableByName)]
pub struct Filing {
    #[diesel(sql_type = SqlUuid)]
    pub id: EventId,
    #[diesel(sql_type = SqlUuid)]
    order_id: OrderId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    refund_id: Option<RefundId>,
    #[diesel(sql_type = SqlText)]
    step: String,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = Nullable<SqlText>)]
    name: Option<String>,
    #[diesel(sql_type = SqlText)]
    currency: Currency,
    #[diesel(sql_type = Bool)]
    prices_include_tax: bool,
    #[diesel(sql_type = BigInt)]
    total_minor: i64,
    #[diesel(sql_type = BigInt)]
    tax_minor: i64,
    #[diesel(sql_type = SqlText)]
    tax_source: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    refund_minor: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    refund_tax_minor: Option<i64>,
    #[diesel(sql_type = Json)]
    tax_lines: Document<Vec<Value>>,
}

impl Filing {
    /// What is posted: the same however often it is told.
    pub fn body(&self) -> Value {
        let kind = format!("tax.{}", self.step);
        match self.step.as_str() {
            "commit" => json!({
                "type": kind, "order": self.order_id, "name": self.name, "currency": self.currency,
                "prices_include_tax": self.prices_include_tax, "total_minor": self.total_minor, "tax_minor": self.tax_minor,
                "tax_source": self.tax_source, "tax_lines": self.tax_lines.0,
            }),
            "refund" => json!({
                "type": kind, "order": self.order_id, "refund": self.refund_id, "currency": self.currency,
                "amount_minor": self.refund_minor, "tax_minor": self.refund_tax_minor.unwrap_or_default(),
            }),
            _ => json!({ "type": kind, "order": self.order_id }),
        }
    }

    /// How long to wait before the next try; none when there were enough.
    pub fn pause(&self) -> Option<TimeDelta> {
        let doublings = u32::try_from(self.attempts).unwrap_or_default().min(9);
        (self.attempts < TRIES).then(|| TimeDelta::minutes(1 << doublings).min(LONGEST))
    }
}
