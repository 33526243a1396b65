//! Stripe's objects, as far as we look, and what they say.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use souk_kernel::{Currency, Money};

use super::super::super::model::{DisputeFact, DisputeState, ProviderFact, ProviderStatus};
use super::super::provider::ProviderError;

/// Our names for a payment.
#[derive(Debug, Default, Deserialize)]
pub struct Names {
    pub souk_session: Option<String>,
    pub souk_store: Option<String>,
    /// Of a refund.
    pub souk_refund: Option<String>,
    /// Made on Stripe's page.
    pub souk_page: Option<String>,
}

/// Reads `null` as no names.
fn or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Names, D::Error> {
    Ok(Option::<Names>::deserialize(from)?.unwrap_or_default())
}

/// A page of a list.
#[derive(Deserialize)]
pub struct List<T = Item> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

/// Anything that has our names.
#[derive(Deserialize)]
pub struct Item {
    pub id: String,
    #[serde(default)]
    metadata: Option<Names>,
}

impl Item {
    /// Whether it is this session's.
    pub fn is_named(&self, session: &str) -> bool {
        self.metadata.as_ref().and_then(|names| names.souk_session.as_deref()) == Some(session)
    }
}

#[derive(Deserialize)]
pub struct PaymentIntent {
    pub id: String,
    pub amount: i64,
    pub currency: String,
    pub status: IntentStatus,
    #[serde(default)]
    amount_capturable: i64,
    #[serde(default)]
    amount_received: i64,
    #[serde(default)]
    next_action: Option<NextAction>,
    #[serde(default)]
    last_payment_error: Option<PaymentFailure>,
    #[serde(default)]
    latest_charge: Option<Charge>,
    #[serde(default, deserialize_with = "or_none")]
    pub metadata: Names,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentStatus {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Canceled,
    Succeeded,
}

#[derive(Deserialize)]
struct NextAction {
    redirect_to_url: Option<Redirect>,
}

#[derive(Deserialize)]
struct Redirect {
    url: Option<String>,
}

#[derive(Deserialize)]
struct PaymentFailure {
    code: Option<String>,
    decline_code: Option<String>,
    message: Option<String>,
}

/// The charge of an intent: its name alone where nobody asked for more.
#[derive(Deserialize)]
#[serde(untagged)]
enum Charge {
    Whole(Box<WholeCharge>),
    #[expect(dead_code, reason = "only that it is a name matters, not which")]
    Name(String),
}

#[derive(Deserialize)]
struct WholeCharge {
    #[serde(default)]
    amount: i64,
    /// Less than the amount where only a part of a hold was taken.
    #[serde(default)]
    amount_captured: Option<i64>,
    #[serde(default)]
    amount_refunded: i64,
    /// Held or taken.
    #[serde(default)]
    paid: bool,
    #[serde(default)]
    refunds: Option<List<Refund>>,
}

impl WholeCharge {
    /// What has left for good. What is still on its way back may yet fail, and what was never taken has not come: Stripe counts the rest of a
    /// hold of which a part was taken as refunded.
    fn refunded(&self) -> i64 {
        let never_taken = self.amount_captured.map_or(0, |taken| self.amount.saturating_sub(taken)).max(0);
        let returned = self.amount_refunded.saturating_sub(never_taken).max(0);
        match &self.refunds {
            Some(refunds) if !refunds.has_more => {
                let left = refunds.data.iter().filter(|refund| refund.has_left());
                left.map(|refund| refund.amount).fold(0, i64::saturating_add).min(returned)
            }
            Some(_) | None => returned,
        }
    }
}

impl PaymentIntent {
    /// What it says. A payment on a page that is still open waits for the shopper, whatever was declined there.
    pub fn fact(self) -> Result<ProviderFact, ProviderError> {
        if self.metadata.souk_page.is_none() {
            return self.told(false);
        }
        // It is the page that the session is known by.
        Ok(ProviderFact { reference: String::new(), ..self.told(true)? })
    }

    /// Whether a bank has said yes to it.
    fn was_held(&self) -> bool {
        match &self.latest_charge {
            Some(Charge::Whole(charge)) => charge.paid || charge.amount_refunded > 0,
            Some(Charge::Name(_)) => true,
            None => false,
        }
    }

    fn told(self, open_page: bool) -> Result<ProviderFact, ProviderError> {
        let currency = currency_of(&self.currency)?;
        let money = |minor| money_of(minor, currency);
        let status = match self.status {
            IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation if open_page => {
                ProviderStatus::RequiresAction
            }
            IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation => {
                ProviderStatus::Failed
            }
            IntentStatus::RequiresAction => ProviderStatus::RequiresAction,
            IntentStatus::Processing => ProviderStatus::Processing,
            IntentStatus::RequiresCapture => ProviderStatus::Authorized,
            IntentStatus::Canceled if self.was_held() => ProviderStatus::Voided,
            // Nothing was ever held: nobody paid.
            IntentStatus::Canceled => ProviderStatus::Failed,
            IntentStatus::Succeeded => ProviderStatus::Captured,
        };
        let (authorized, captured) = match self.status {
            IntentStatus::Succeeded => (self.amount, self.amount_received),
            IntentStatus::RequiresCapture => (self.amount_capturable, 0),
            _ => (0, 0),
        };
        let refunded = match &self.latest_charge {
            // What was held and let go counts as refunded there.
            Some(Charge::Whole(charge)) => charge.refunded().min(captured),
            Some(Charge::Name(_)) | None => 0,
        };
        let failed = status == ProviderStatus::Failed;
        let redirect = self.next_action.and_then(|action| action.redirect_to_url).and_then(|to| to.url);
        Ok(ProviderFact {
            reference: self.id,
            status,
            amount: money(self.amount)?,
            authorized: money(authorized)?,
            captured: money(captured)?,
            refunded: money(refunded)?,
            redirect_url: redirect,
            failure: failed.then(|| failure_of(self.last_payment_error)),
        })
    }
}

fn failure_of(failure: Option<PaymentFailure>) -> (String, String) {
    let (code, message) = match failure {
        Some(failure) => (failure.decline_code.or(failure.code), failure.message),
        None => (None, None),
    };
    (code.unwrap_or_else(|| "payment_failed".to_owned()), message.unwrap_or_default())
}

#[derive(Deserialize)]
pub struct CheckoutSession {
    pub id: String,
    status: Option<PageStatus>,
    url: Option<String>,
    amount_total: Option<i64>,
    currency: Option<String>,
    #[serde(default)]
    pub payment_intent: Option<PaymentIntent>,
    #[serde(default, deserialize_with = "or_none")]
    pub metadata: Names,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PageStatus {
    Open,
    Complete,
    Expired,
}

impl CheckoutSession {
    /// Whether somebody may still pay there.
    pub fn is_open(&self) -> bool {
        self.status == Some(PageStatus::Open)
    }

    /// What it says.
    pub fn fact(self) -> Result<ProviderFact, ProviderError> {
        let (status, failure) = match (self.status, self.payment_intent) {
            (Some(PageStatus::Complete), Some(intent)) => {
                return Ok(ProviderFact { reference: self.id, ..intent.told(false)? });
            }
            (Some(PageStatus::Expired), _) => {
                let message = "The payment page was closed before anybody paid.".to_owned();
                (ProviderStatus::Failed, Some(("expired".to_owned(), message)))
            }
            (Some(PageStatus::Open | PageStatus::Complete) | None, _) => {
                (ProviderStatus::RequiresAction, None)
            }
        };
        let unsaid = || ProviderError::Unknown("a page without an amount".to_owned());
        let currency = currency_of(&self.currency.ok_or_else(unsaid)?)?;
        let zero = Money::zero(currency);
        Ok(ProviderFact {
            reference: self.id,
            status,
            amount: money_of(self.amount_total.ok_or_else(unsaid)?, currency)?,
            authorized: zero,
            captured: zero,
            refunded: zero,
            redirect_url: self.url,
            failure,
        })
    }
}

#[derive(Deserialize)]
pub struct Refund {
    pub amount: i64,
    status: Option<String>,
    failure_reason: Option<String>,
    #[serde(default, deserialize_with = "or_none")]
    pub metadata: Names,
}

impl Refund {
    fn has_left(&self) -> bool {
        self.status.as_deref() == Some("succeeded")
    }

    /// Whether the money has left.
    pub fn outcome(self) -> Result<(), ProviderError> {
        match self.status.as_deref() {
            Some("succeeded") => Ok(()),
            Some("failed" | "canceled") => {
                let code = self.failure_reason.unwrap_or_else(|| "refund_failed".to_owned());
                Err(ProviderError::Refused {
                    code,
                    message: "Stripe could not give the money back.".to_owned(),
                })
            }
            _ => Err(ProviderError::Unknown("the refund is on its way".to_owned())),
        }
    }
}

#[derive(Deserialize)]
pub struct Dispute {
    id: String,
    status: String,
    amount: i64,
    currency: String,
    reason: String,
    created: i64,
    #[serde(default)]
    evidence_details: Option<Evidence>,
    #[serde(default)]
    balance_transactions: Vec<BalanceTransaction>,
    #[serde(default)]
    pub payment_intent: Option<PaymentIntent>,
}

#[derive(Deserialize)]
struct Evidence {
    due_by: Option<i64>,
}

#[derive(Deserialize)]
struct BalanceTransaction {
    fee: i64,
    currency: String,
}

impl Dispute {
    /// What it says.
    pub fn fact(self) -> Result<DisputeFact, ProviderError> {
        let state = match self.status.as_str() {
            "needs_response" => DisputeState::NeedsResponse,
            "under_review" => DisputeState::UnderReview,
            "won" => DisputeState::Won,
            "lost" => DisputeState::Lost,
            "warning_closed" => DisputeState::Closed,
            "warning_needs_response" | "warning_under_review" => DisputeState::Inquiry,
            other => return Err(ProviderError::Unknown(format!("a dispute that is {other}"))),
        };
        // The withdrawal comes first; what a won dispute gives back is another.
        let fee = match self.balance_transactions.first() {
            Some(taken) if taken.fee > 0 => Some(money_of(taken.fee, currency_of(&taken.currency)?)?),
            Some(_) | None => None,
        };
        let due = self.evidence_details.and_then(|evidence| evidence.due_by);
        Ok(DisputeFact {
            reference: self.id,
            state,
            amount: money_of(self.amount, currency_of(&self.currency)?)?,
            fee,
            reason: self.reason.chars().take(100).collect(),
            evidence_due_at: due.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
            opened_at: time_of(self.created)?,
        })
    }
}

fn time_of(seconds: i64) -> Result<DateTime<Utc>, ProviderError> {
    DateTime::from_timestamp(seconds, 0).ok_or_else(|| ProviderError::Unknown(format!("the time {seconds}")))
}

fn currency_of(text: &str) -> Result<Currency, ProviderError> {
    let upper = text.to_ascii_uppercase();
    upper.parse().map_err(|_| ProviderError::Unknown(format!("the currency {text}")))
}

/// Currencies that have no smaller unit and that Stripe counts in hundredths all the same.
fn is_counted_in_hundredths(currency: Currency) -> bool {
    matches!(currency.code(), "ISK" | "UGX")
}

/// An amount as Stripe counts.
pub fn minor_of(money: Money) -> Result<i64, ProviderError> {
    if !is_counted_in_hundredths(money.currency()) {
        return Ok(money.minor());
    }
    let hundredths = money.minor().checked_mul(100);
    hundredths
        .ok_or_else(|| ProviderError::Refused { code: "amount_too_large".to_owned(), message: String::new() })
}

/// An amount of Stripe's.
fn money_of(minor: i64, currency: Currency) -> Result<Money, ProviderError> {
    if !is_counted_in_hundredths(currency) {
        return Ok(Money::new(minor, currency));
    }
    if minor % 100 != 0 {
        return Err(ProviderError::Unknown(format!("{minor} hundredths of {}", currency.code())));
    }
    Ok(Money::new(minor / 100, currency))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn intent(change: Value) -> ProviderFact {
        let mut body = json!({ "id": "pi_1", "amount": 1490, "currency": "eur", "status": "succeeded", "amount_received": 1490,
            "latest_charge": { "id": "ch_1", "amount_refunded": 0, "refunds": { "data": [], "has_more": false } }, "metadata": {} });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        serde_json::from_value::<PaymentIntent>(body).unwrap().fact().unwrap()
    }

    fn sums(fact: &ProviderFact) -> (ProviderStatus, i64, i64, i64) {
        (fact.status, fact.authorized.minor(), fact.captured.minor(), fact.refunded.minor())
    }

    #[test]
    fn an_intent_says_where_the_money_is() {
        use ProviderStatus::{Authorized, Captured, Failed, Processing, RequiresAction, Voided};
        let held = json!({ "status": "requires_capture", "amount_capturable": 1490, "amount_received": 0 });
        let asked = json!({ "status": "requires_payment_method", "amount_received": 0, "latest_charge": "ch_1",
            "last_payment_error": { "code": "card_declined", "decline_code": "lost_card", "message": "No." } });
        let mut on_page = asked.clone();
        on_page["metadata"] = json!({ "souk_page": "true" });
        // A hold that was let go counts as a refund at Stripe.
        let let_go = json!({ "status": "canceled", "amount_received": 0, "latest_charge": { "amount_refunded": 1490 } });
        for (change, expected) in [
            (json!({}), (Captured, 1490, 1490, 0)),
            (held, (Authorized, 1490, 0, 0)),
            (asked.clone(), (Failed, 0, 0, 0)),
            (on_page, (RequiresAction, 0, 0, 0)),
            (let_go, (Voided, 0, 0, 0)),
            (json!({ "status": "canceled", "amount_received": 0, "latest_charge": null }), (Failed, 0, 0, 0)),
            (
                json!({ "status": "processing", "amount_received": 0, "latest_charge": null }),
                (Processing, 0, 0, 0),
            ),
        ] {
            assert_eq!(sums(&intent(change)), expected);
        }
        assert_eq!(intent(asked).failure, Some(("lost_card".to_owned(), "No.".to_owned())));
        let redirect = json!({ "status": "requires_action", "amount_received": 0,
            "next_action": { "type": "redirect_to_url", "redirect_to_url": { "url": "https://hooks.stripe.com/x" } } });
        assert_eq!(intent(redirect).redirect_url.as_deref(), Some("https://hooks.stripe.com/x"));
    }

    #[test]
    fn the_rest_of_a_hold_was_never_given_back() {
        let taken = |refunded: i64, refunds: Value| {
            let charge = json!({ "amount": 1490, "amount_captured": 490, "amount_refunded": refunded,
                "refunds": { "has_more": false, "data": refunds } });
            sums(&intent(json!({ "amount_received": 490, "latest_charge": charge })))
        };
        let one = |amount: i64| json!({ "amount": amount, "status": "succeeded", "metadata": {} });
        assert_eq!(taken(1000, json!([])), (ProviderStatus::Captured, 1490, 490, 0));
        assert_eq!(taken(1000, json!([one(1000)])), (ProviderStatus::Captured, 1490, 490, 0));
        assert_eq!(taken(1200, json!([one(200)])), (ProviderStatus::Captured, 1490, 490, 200));
        assert_eq!(taken(1200, json!([one(1000), one(200)])), (ProviderStatus::Captured, 1490, 490, 200));
    }

    #[test]
    fn what_is_on_its_way_back_has_not_left() {
        let refunds = |status: &str| {
            json!({ "latest_charge": { "amount_refunded": 500, "refunds": { "has_more": false,
                "data": [{ "amount": 500, "status": status, "metadata": {} }] } } })
        };
        assert_eq!(intent(refunds("succeeded")).refunded.minor(), 500);
        assert_eq!(intent(refunds("pending")).refunded.minor(), 0);
        assert_eq!(intent(refunds("failed")).refunded.minor(), 0);
    }

    #[test]
    fn amounts_without_a_smaller_unit() {
        let krona = Money::new(1490, "ISK".parse().unwrap());
        assert_eq!(minor_of(krona).unwrap(), 149_000);
        assert_eq!(money_of(149_000, krona.currency()).unwrap(), krona);
        assert!(money_of(149_001, krona.currency()).is_err());
        let yen = Money::new(1490, "JPY".parse().unwrap());
        assert_eq!(minor_of(yen).unwrap(), 1490);
    }
}
