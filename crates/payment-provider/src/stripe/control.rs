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

    /// What is given back arrives, or does not: a bank may return it long after it had arrived.
    pub fn refund_is(&mut self, id: &str, arrives: bool) -> Result<Value, Refusal> {
        let mut refund = self.find("refund", id)?;
        if refund["status"] == "failed" || arrives && refund["status"] == "succeeded" {
            return Err(Refusal::invalid("refund_unexpected_state", "What became of it is known."));
        }
        if arrives {
            refund["status"] = json!("succeeded");
            self.keep(&refund);
            self.tell("refund.updated", &refund);
            return Ok(refund);
        }
        let mut charge = self.find("charge", refund["charge"].as_str().unwrap_or_default())?;
        let number = |value: &Value| value.as_i64().unwrap_or_default();
        charge["amount_refunded"] = json!(number(&charge["amount_refunded"]) - number(&refund["amount"]));
        self.keep(&charge);
        refund["status"] = json!("failed");
        refund["failure_reason"] = json!("lost_or_stolen_card");
        let currency = refund["currency"].as_str().unwrap_or_default();
        let moved =
            self.moves_settled("refund_failure", number(&refund["amount"]), 0, currency, &refund["id"]);
        refund["failure_balance_transaction"] = moved["id"].clone();
        self.keep(&refund);
        self.tell("refund.failed", &refund);
        Ok(refund)
    }

    /// A bank takes a payment back, or decides about it: `needs_response`, `under_review`, `won`, `lost`, `warning_needs_response`, `warning_closed`.
    pub fn dispute_is(&mut self, id: &str, status: &str) -> Result<Value, Refusal> {
        let mut dispute = match self.find("payment_intent", id) {
            Ok(intent) => self.dispute(&intent, "fraudulent"),
            Err(_) => self.find("dispute", id)?,
        };
        if status.starts_with("warning") {
            // An inquiry moves no money.
            for moved in dispute["balance_transactions"].as_array().into_iter().flatten() {
                self.forget(moved["id"].as_str().unwrap_or_default());
            }
            dispute["balance_transactions"] = json!([]);
        }
        let taken = dispute["balance_transactions"][0]["amount"].as_i64();
        if let Some(taken) = taken.filter(|_| status == "won" && dispute["status"] != "won") {
            let currency =
                dispute["balance_transactions"][0]["currency"].as_str().unwrap_or_default().to_owned();
            let back = self.moves_settled("adjustment", -taken, 0, &currency, &dispute["id"]);
            if let Some(moved) = dispute["balance_transactions"].as_array_mut() {
                moved.push(back);
            }
        }
        dispute["status"] = json!(status);
        self.keep(&dispute);
        let closed = ["won", "lost", "warning_closed"].contains(&status);
        self.tell(if closed { "charge.dispute.closed" } else { "charge.dispute.updated" }, &dispute);
        Ok(dispute)
    }
}
