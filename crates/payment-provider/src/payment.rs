//! A payment and its rules: what may be captured, released and given back. Pure: no clock, no network.

use crate::behaviour::Behaviour;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The shopper has to decide on the hosted page.
    RequiresAction,
    /// The money is held, nothing is captured.
    Authorized,
    /// At least a part is captured.
    Captured,
    /// Everything was released before a capture.
    Voided,
    /// Declined; final.
    Failed,
}

/// What a transaction did with the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Held it.
    Authorization,
    /// Took it.
    Capture,
    /// Released what was held and not taken.
    Void,
    /// Gave it back.
    Refund,
}

/// One movement; append-only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    /// `ptx_…`
    pub id: String,
    /// What it did.
    pub kind: Kind,
    /// Positive, in minor units of the payment's currency.
    pub amount_minor: i64,
    /// The key of the call that asked for it; `None` when the shopper did, on the hosted page.
    pub idempotency_key: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Where the shopper has to go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NextAction {
    /// Always `redirect`.
    pub kind: String,
    /// The hosted page.
    pub url: String,
}

/// Why a payment failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// `card_declined` or `authentication_failed`.
    pub code: String,
    /// For people.
    pub message: String,
}

/// A payment, as it is kept and as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// `pp_…`
    pub id: String,
    /// Who may see it.
    pub account: String,
    /// The caller's own name for it.
    pub reference: String,
    /// Where it stands.
    pub status: Status,
    /// What was asked for, in minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// Whether an authorisation is captured at once.
    pub capture: bool,
    /// Held so far, captured part included.
    pub authorized_minor: i64,
    /// Taken so far.
    pub captured_minor: i64,
    /// Given back so far.
    pub refunded_minor: i64,
    /// Released so far.
    pub voided_minor: i64,
    /// What the shopper has to do, if anything.
    pub next_action: Option<NextAction>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// Where the hosted page sends the shopper.
    pub return_url: Option<String>,
    /// Who hears about it.
    pub webhook_url: Option<String>,
    /// The caller's own notes, returned unchanged.
    pub metadata: BTreeMap<String, String>,
    /// How it misbehaves.
    pub behaviour: Behaviour,
    /// Every movement, oldest first.
    pub transactions: Vec<Transaction>,
    /// Webhook events so far.
    pub events: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Why a movement is refused; `code` and `status` are the wire's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Stable.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl Refusal {
    /// A refusal with a message for people.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
}

/// Who asked for a movement, and when.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The id of the transaction that a movement appends.
    pub transaction_id: String,
    /// The call's key.
    pub idempotency_key: Option<String>,
    /// Now.
    pub at: DateTime<Utc>,
}

impl Payment {
    /// Holds the whole amount. Only for a payment that is not decided yet.
    pub fn authorize(&mut self, cause: Cause) {
        self.authorized_minor = self.amount_minor;
        self.status = Status::Authorized;
        self.next_action = None;
        self.append(Kind::Authorization, self.amount_minor, cause);
    }

    /// Ends the payment without money.
    pub fn fail(&mut self, code: &str, message: &str, at: DateTime<Utc>) {
        self.status = Status::Failed;
        self.next_action = None;
        self.failure = Some(Failure { code: code.to_owned(), message: message.to_owned() });
        self.updated_at = at;
    }

    /// Held and neither captured nor released.
    #[must_use]
    pub fn capturable_minor(&self) -> i64 {
        self.authorized_minor - self.captured_minor - self.voided_minor
    }

    /// Captured and not given back.
    #[must_use]
    pub fn refundable_minor(&self) -> i64 {
        self.captured_minor - self.refunded_minor
    }

    /// Takes `amount` (all that is left when `None`).
    ///
    /// # Errors
    /// 409 when nothing is held, 422 when the amount is not between 1 and what is left.
    pub fn capture(&mut self, amount: Option<i64>, cause: Cause) -> Result<(), Refusal> {
        let left = self.capturable_minor();
        if left == 0 {
            return Err(Refusal::new(409, "not_authorized", "there is nothing left to capture"));
        }
        let amount = within(amount.unwrap_or(left), left)?;
        self.captured_minor += amount;
        self.status = Status::Captured;
        self.append(Kind::Capture, amount, cause);
        Ok(())
    }

    /// Releases what is held and not captured.
    ///
    /// # Errors
    /// 409 when nothing is held.
    pub fn void(&mut self, cause: Cause) -> Result<(), Refusal> {
        let left = self.capturable_minor();
        if left == 0 {
            return Err(Refusal::new(409, "nothing_to_void", "there is nothing held that could be released"));
        }
        self.voided_minor += left;
        if self.captured_minor == 0 {
            self.status = Status::Voided;
        }
        self.append(Kind::Void, left, cause);
        Ok(())
    }

    /// Gives `amount` back (all that is left when `None`).
    ///
    /// # Errors
    /// 409 when nothing is captured or this payment's refunds are declined, 422 when the amount is not between 1
    /// and what is left.
    pub fn refund(&mut self, amount: Option<i64>, cause: Cause) -> Result<(), Refusal> {
        if self.captured_minor == 0 {
            return Err(Refusal::new(409, "not_captured", "nothing was captured that could be given back"));
        }
        if self.behaviour == Behaviour::RefundDeclined {
            return Err(Refusal::new(409, "refund_declined", "the card's bank does not take the money back"));
        }
        let left = self.refundable_minor();
        let amount = within(amount.unwrap_or(left), left)?;
        self.refunded_minor += amount;
        self.append(Kind::Refund, amount, cause);
        Ok(())
    }

    /// What callers see: everything but the account and how it will misbehave.
    #[must_use]
    pub fn shown(&self) -> serde_json::Value {
        let mut shown = serde_json::json!(self);
        if let Some(fields) = shown.as_object_mut() {
            for hidden in ["account", "behaviour", "events"] {
                fields.remove(hidden);
            }
        }
        shown
    }

    fn append(&mut self, kind: Kind, amount_minor: i64, cause: Cause) {
        self.updated_at = cause.at;
        self.transactions.push(Transaction {
            id: cause.transaction_id,
            kind,
            amount_minor,
            idempotency_key: cause.idempotency_key,
            at: cause.at,
        });
    }
}

fn within(amount: i64, left: i64) -> Result<i64, Refusal> {
    if amount >= 1 && amount <= left {
        Ok(amount)
    } else {
        let message = format!("amount_minor must be between 1 and {left}");
        Err(Refusal::new(422, "amount_too_large", message))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub fn cause() -> Cause {
        Cause { transaction_id: "ptx_1".into(), idempotency_key: None, at: DateTime::UNIX_EPOCH }
    }

    pub fn payment(amount_minor: i64, behaviour: Behaviour) -> Payment {
        Payment {
            id: "pp_1".into(),
            account: "default".into(),
            reference: "r".into(),
            status: Status::RequiresAction,
            amount_minor,
            currency: "EUR".into(),
            capture: false,
            authorized_minor: 0,
            captured_minor: 0,
            refunded_minor: 0,
            voided_minor: 0,
            next_action: None,
            failure: None,
            return_url: None,
            webhook_url: None,
            metadata: BTreeMap::new(),
            behaviour,
            transactions: vec![],
            events: 0,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn money_never_exceeds_what_is_left() {
        let mut payment = payment(1000, Behaviour::Ok);
        assert_eq!(payment.capture(None, cause()).unwrap_err().code, "not_authorized");
        payment.authorize(cause());
        assert_eq!(payment.capture(Some(1001), cause()).unwrap_err().status, 422);
        assert_eq!(payment.capture(Some(0), cause()).unwrap_err().status, 422);
        assert_eq!(payment.refund(None, cause()).unwrap_err().code, "not_captured");
        payment.capture(Some(400), cause()).unwrap();
        payment.refund(Some(100), cause()).unwrap();
        assert_eq!(payment.refund(Some(301), cause()).unwrap_err().code, "amount_too_large");
        payment.void(cause()).unwrap();
        assert_eq!((payment.status, payment.voided_minor), (Status::Captured, 600));
        assert_eq!(payment.void(cause()).unwrap_err().code, "nothing_to_void");
        payment.refund(None, cause()).unwrap();
        assert_eq!((payment.refundable_minor(), payment.capturable_minor()), (0, 0));
        assert_eq!(payment.refund(None, cause()).unwrap_err().status, 422);
    }

    #[test]
    fn a_void_before_a_capture_ends_it() {
        let mut payment = payment(1000, Behaviour::Ok);
        payment.authorize(cause());
        payment.void(cause()).unwrap();
        assert_eq!(payment.status, Status::Voided);
        assert_eq!(payment.capture(None, cause()).unwrap_err().status, 409);
    }
}
