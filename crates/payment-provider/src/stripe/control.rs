//! What shoppers and their banks do, for whom Stripe's API has no calls.

use super::account::{Account, Card};
use super::refusal::Refusal;
use serde_json::{Value, json};

/// What a shopper chose on the page, or at the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Pays.
    Approve,
    /// Does not.
    Decline,
    /// Pays by direct debit.
    Debit,
}

impl Decision {
    /// Reads a form's word.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "approve" => Self::Approve,
            "decline" => Self::Decline,
            "debit" => Self::Debit,
            _ => return None,
        })
    }

    fn card(self) -> Card {
        match self {
            Self::Approve => Card::Pays,
            Self::Decline => Card::Declined("generic_decline"),
            Self::Debit => Card::Slow,
        }
    }
}

impl Account {
    /// The shopper decides: about a payment that asked for it, or on an open page. Gives where the shopper goes then.
    pub fn decide(&mut self, id: &str, decision: Decision) -> Result<Option<String>, Refusal> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        if let Ok(intent) = self.find("payment_intent", id) {
            if intent["status"] == "requires_action" {
                self.pay(intent.clone(), &decision.card());
            }
            return Ok(text(&intent["return_url"]));
        }
        let mut page = self.find("checkout.session", id)?;
        if page["status"] == "open" {
            let (amount, manual) =
                (page["amount_total"].as_i64().unwrap_or_default(), page["souk_manual"] == true);
            let currency = page["currency"].as_str().unwrap_or_default().to_owned();
            let names = page["souk_intent_metadata"].clone();
            let intent = self.new_intent(amount, &currency, manual, &names);
            let intent = self.pay(intent, &decision.card());
            page["payment_intent"] = intent["id"].clone();
            if decision == Decision::Decline {
                // The page stays open for another card.
                self.keep(&page);
                return Ok(None);
            }
            page["status"] = json!("complete");
            page["payment_status"] = json!(if intent["status"] == "succeeded" { "paid" } else { "unpaid" });
            page["url"] = Value::Null;
            self.keep(&page);
            self.tell("checkout.session.completed", &page);
        }
        Ok(text(&page["success_url"]))
    }

    /// A direct debit arrives, or does not.
    pub fn settle(&mut self, id: &str, arrives: bool) -> Result<Value, Refusal> {
        let intent = self.find("payment_intent", id)?;
        if intent["status"] != "processing" {
            return Err(Refusal::invalid("payment_intent_unexpected_state", "It is not on its way."));
        }
        Ok(if arrives { self.approved(intent) } else { self.declined(intent, "debit_not_authorized") })
    }

    /// A bank takes a payment back, or decides about it: `needs_response`, `under_review`, `won`, `lost`, `warning_needs_response`, `warning_closed`.
    pub fn dispute_is(&mut self, id: &str, status: &str) -> Result<Value, Refusal> {
        let mut dispute = match self.find("payment_intent", id) {
            Ok(intent) => self.dispute(&intent, "fraudulent"),
            Err(_) => self.find("dispute", id)?,
        };
        dispute["status"] = json!(status);
        if status.starts_with("warning") {
            dispute["balance_transactions"] = json!([]);
        }
        self.keep(&dispute);
        let closed = ["won", "lost", "warning_closed"].contains(&status);
        self.tell(if closed { "charge.dispute.closed" } else { "charge.dispute.updated" }, &dispute);
        Ok(dispute)
    }
}
