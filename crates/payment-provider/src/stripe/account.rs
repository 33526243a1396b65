//! One account: payments, charges, refunds, pages, disputes, endpoints and events, each as its JSON, and what happens to them.

use super::form::Form;
use super::refusal::{Refusal, words};
use super::sender::{Manners, Parcel};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// An answer that was given under a key.
#[derive(Clone, Debug)]
pub struct Given {
    /// A digest of path and body.
    pub fingerprint: String,
    /// HTTP status.
    pub status: u16,
    /// The exact body.
    pub body: String,
}

/// All that an account has, by name.
pub struct Account {
    things: BTreeMap<String, Value>,
    /// Answers by idempotency key.
    pub answers: HashMap<String, Given>,
    /// Keys whose first call failed on purpose.
    pub failed_once: Vec<String>,
    unsent: Vec<String>,
    /// How many events there have been.
    told: usize,
    /// Seconds since 1970.
    pub now: i64,
    public_url: String,
}

/// What a card does, by the name that Stripe's tests know it by; those with `fake` are our own.
pub enum Card {
    /// Pays.
    Pays,
    /// Is declined, for this reason.
    Declined(&'static str),
    /// Asks the shopper first.
    Asks,
    /// Pays in some days: a direct debit.
    Slow,
    /// Pays, and the bank takes it back.
    Disputed,
}

impl Card {
    /// Reads a token.
    pub fn of(token: &str) -> Result<Self, Refusal> {
        Ok(match token {
            "pm_card_visa" | "pm_fake_timeout" | "pm_fake_500_then_ok" => Self::Pays,
            "pm_card_visa_chargeDeclined" => Self::Declined("generic_decline"),
            "pm_card_visa_chargeDeclinedInsufficientFunds" => Self::Declined("insufficient_funds"),
            "pm_card_threeDSecure2Required" => Self::Asks,
            "pm_fake_sepa_debit" => Self::Slow,
            "pm_card_createDispute" => Self::Disputed,
            other => return Err(Refusal::missing(other)),
        })
    }
}

impl Account {
    /// An account that has nothing.
    pub fn new(public_url: String) -> Self {
        Self {
            things: BTreeMap::new(),
            answers: HashMap::new(),
            failed_once: Vec::new(),
            unsent: Vec::new(),
            told: 0,
            now: 0,
            public_url,
        }
    }

    /// Whether there is a thing of this name.
    pub fn has(&self, id: &str) -> bool {
        self.things.contains_key(id)
    }

    /// A thing of this kind.
    pub fn find(&self, kind: &str, id: &str) -> Result<Value, Refusal> {
        let found = self.things.get(id).filter(|thing| thing["object"] == kind);
        found.cloned().ok_or_else(|| Refusal::missing(id))
    }

    /// Writes a thing down.
    pub fn keep(&mut self, thing: &Value) {
        if let Some(id) = thing["id"].as_str() {
            self.things.insert(id.to_owned(), thing.clone());
        }
    }

    /// A new name.
    pub fn name(prefix: &str) -> String {
        format!("{prefix}_{}", Uuid::now_v7().simple())
    }

    /// Things of a kind, newest first.
    pub fn all(&self, kind: &str, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
        let found = self.things.values().rev().filter(|thing| thing["object"] == kind && fits(thing));
        found.cloned().collect()
    }

    /// States an event, with the thing as it is now.
    pub fn tell(&mut self, kind: &str, thing: &Value) {
        let id = Self::name("evt");
        let event = json!({ "id": id, "object": "event", "type": kind, "created": self.now, "livemode": false,
            "api_version": "2020-08-27", "data": { "object": thing } });
        self.keep(&event);
        self.unsent.push(id);
    }

    /// What is to be sent now.
    pub fn unsent(&mut self) -> Vec<Parcel> {
        let events = std::mem::take(&mut self.unsent);
        let endpoints = self.all("webhook_endpoint", |_| true);
        let mut parcels = Vec::new();
        for event in events.iter().filter_map(|id| self.things.get(id)) {
            self.told += 1;
            for endpoint in &endpoints {
                let secret = endpoint["secret"].as_str().unwrap_or_default().to_owned();
                let url = endpoint["url"].as_str().unwrap_or_default().to_owned();
                let words = endpoint["metadata"]["souk_delivery"].as_str().unwrap_or_default();
                let manners = Manners::of(words).unwrap_or_default();
                parcels.push(Parcel {
                    url,
                    secrets: vec![secret],
                    event: event.clone(),
                    nth: self.told,
                    manners,
                });
            }
        }
        parcels
    }

    /// Tells parts whole instead of by name.
    pub fn expanded(&self, mut thing: Value, paths: &[String]) -> Value {
        for path in paths {
            let parts: Vec<&str> = path.split('.').collect();
            self.expand(&mut thing, &parts);
        }
        thing
    }

    fn expand(&self, thing: &mut Value, path: &[&str]) {
        let Some((first, rest)) = path.split_first() else { return };
        if *first == "refunds" && thing["object"] == "charge" {
            let data = self.all("refund", |refund| refund["charge"] == thing["id"]);
            thing["refunds"] = json!({ "object": "list", "data": data, "has_more": false });
            return;
        }
        let whole = thing[*first].as_str().and_then(|id| self.things.get(id)).cloned();
        if let Some(whole) = whole {
            thing[*first] = whole;
        }
        if thing[*first].is_object() {
            self.expand(&mut thing[*first], rest);
        }
    }

    /// A new payment that nobody has confirmed.
    pub fn new_intent(&self, amount: i64, currency: &str, manual: bool, metadata: &Value) -> Value {
        let method = if manual { "manual" } else { "automatic" };
        json!({ "id": Self::name("pi"), "object": "payment_intent", "amount": amount, "currency": currency,
            "status": "requires_payment_method", "capture_method": method, "amount_capturable": 0, "amount_received": 0,
            "latest_charge": null, "next_action": null, "last_payment_error": null, "return_url": null, "metadata": metadata,
            "created": self.now })
    }

    /// Pays with a card, or learns why not. Keeps and tells whatever becomes of it.
    pub fn pay(&mut self, mut intent: Value, card: &Card) -> Value {
        match card {
            Card::Pays | Card::Disputed => {
                intent = self.approved(intent);
                if matches!(card, Card::Disputed) {
                    self.dispute(&intent, "fraudulent");
                }
                intent
            }
            Card::Declined(code) => self.declined(intent, code),
            Card::Asks => {
                let url =
                    format!("{}/stripe/pay/{}", self.public_url, intent["id"].as_str().unwrap_or_default());
                intent["status"] = json!("requires_action");
                intent["next_action"] =
                    json!({ "type": "redirect_to_url", "redirect_to_url": { "url": url } });
                self.keep(&intent);
                self.tell("payment_intent.requires_action", &intent);
                intent
            }
            Card::Slow => {
                intent["status"] = json!("processing");
                intent["next_action"] = Value::Null;
                self.keep(&intent);
                self.tell("payment_intent.processing", &intent);
                intent
            }
        }
    }

    /// The bank says yes.
    pub fn approved(&mut self, mut intent: Value) -> Value {
        let manual = intent["capture_method"] == "manual";
        let charge = json!({ "id": Self::name("ch"), "object": "charge", "amount": intent["amount"], "currency": intent["currency"],
            "amount_captured": if manual { json!(0) } else { intent["amount"].clone() }, "amount_refunded": 0,
            "captured": !manual, "paid": true, "payment_intent": intent["id"], "metadata": intent["metadata"], "created": self.now });
        self.keep(&charge);
        intent["latest_charge"] = charge["id"].clone();
        intent["next_action"] = Value::Null;
        if manual {
            intent["status"] = json!("requires_capture");
            intent["amount_capturable"] = intent["amount"].clone();
        } else {
            intent["status"] = json!("succeeded");
            intent["amount_received"] = intent["amount"].clone();
        }
        self.keep(&intent);
        let kind =
            if manual { "payment_intent.amount_capturable_updated" } else { "payment_intent.succeeded" };
        self.tell(kind, &intent);
        intent
    }

    /// The bank says no; another card may be tried.
    pub fn declined(&mut self, mut intent: Value, code: &str) -> Value {
        intent["status"] = json!("requires_payment_method");
        intent["next_action"] = Value::Null;
        intent["last_payment_error"] = json!({ "type": "card_error", "code": "card_declined", "decline_code": code, "message": words(code) });
        self.keep(&intent);
        self.tell("payment_intent.payment_failed", &intent);
        intent
    }

    /// Takes money that is held, all of it or a part; the rest is let go.
    pub fn capture(&mut self, id: &str, form: &Form) -> Result<Value, Refusal> {
        form.only(&["amount_to_capture"])?;
        let mut intent = self.find("payment_intent", id)?;
        if intent["status"] != "requires_capture" {
            return Err(unexpected(&intent));
        }
        let held = intent["amount_capturable"].as_i64().unwrap_or_default();
        let amount = form.number("amount_to_capture")?.unwrap_or(held);
        if !(1..=held).contains(&amount) {
            return Err(Refusal::invalid("amount_too_large", "The amount could not be captured."));
        }
        intent["status"] = json!("succeeded");
        intent["amount_capturable"] = json!(0);
        intent["amount_received"] = json!(amount);
        self.keep(&intent);
        let mut charge = self.find("charge", intent["latest_charge"].as_str().unwrap_or_default())?;
        charge["captured"] = json!(true);
        charge["amount_captured"] = json!(amount);
        charge["amount_refunded"] = json!(held - amount);
        self.keep(&charge);
        self.tell("payment_intent.succeeded", &intent);
        Ok(intent)
    }

    /// Lets a payment go.
    pub fn cancel(&mut self, id: &str, form: &Form) -> Result<Value, Refusal> {
        form.only(&["cancellation_reason"])?;
        let mut intent = self.find("payment_intent", id)?;
        let done = ["succeeded", "canceled", "processing"].iter().any(|status| intent["status"] == *status);
        if done {
            return Err(unexpected(&intent));
        }
        if let Ok(mut charge) = self.find("charge", intent["latest_charge"].as_str().unwrap_or_default()) {
            charge["amount_refunded"] = charge["amount"].clone();
            self.keep(&charge);
        }
        intent["status"] = json!("canceled");
        intent["amount_capturable"] = json!(0);
        intent["next_action"] = Value::Null;
        self.keep(&intent);
        self.tell("payment_intent.canceled", &intent);
        Ok(intent)
    }

    /// Gives money back.
    pub fn refund(&mut self, form: &Form) -> Result<Value, Refusal> {
        form.only(&["payment_intent", "amount", "metadata", "reason"])?;
        let intent = self.find("payment_intent", form.need("payment_intent")?)?;
        if intent["status"] != "succeeded" {
            return Err(unexpected(&intent));
        }
        let mut charge = self.find("charge", intent["latest_charge"].as_str().unwrap_or_default())?;
        let number = |name: &str| charge[name].as_i64().unwrap_or_default();
        let back = number("amount_refunded");
        // The rest of a hold of which a part was taken counts as given back.
        let left = number("amount") - back;
        let amount = form.number("amount")?.unwrap_or(left);
        if !(1..=left).contains(&amount) {
            let message = "Refund amount is greater than unrefunded amount on charge.";
            return Err(Refusal::invalid("amount_too_large", message));
        }
        charge["amount_refunded"] = json!(back + amount);
        let refund = json!({ "id": Self::name("re"), "object": "refund", "amount": amount, "currency": intent["currency"],
            "charge": charge["id"], "payment_intent": intent["id"], "status": "succeeded", "metadata": form.map("metadata"),
            "created": self.now });
        self.keep(&refund);
        self.keep(&charge);
        self.tell("charge.refunded", &charge);
        Ok(refund)
    }

    /// The bank takes a payment back.
    pub fn dispute(&mut self, intent: &Value, reason: &str) -> Value {
        let taken = json!({ "amount": -intent["amount"].as_i64().unwrap_or_default(), "fee": 1500, "currency": intent["currency"] });
        let dispute = json!({ "id": Self::name("dp"), "object": "dispute", "amount": intent["amount"], "currency": intent["currency"],
            "charge": intent["latest_charge"], "payment_intent": intent["id"], "reason": reason, "status": "needs_response",
            "evidence_details": { "due_by": self.now + 7 * 86_400 }, "balance_transactions": [taken], "created": self.now });
        self.keep(&dispute);
        self.tell("charge.dispute.created", &dispute);
        dispute
    }

    /// A page where somebody may pay.
    pub fn open_page(&mut self, form: &Form) -> Result<Value, Refusal> {
        form.only(&[
            "mode",
            "line_items",
            "success_url",
            "cancel_url",
            "client_reference_id",
            "expires_at",
            "payment_intent_data",
            "metadata",
        ])?;
        if form.need("mode")? != "payment" {
            return Err(Refusal::invalid("parameter_invalid", "Only mode=payment is spoken here."));
        }
        let amount = form.number("line_items[0][price_data][unit_amount]")?;
        let quantity = form.number("line_items[0][quantity]")?.unwrap_or(1);
        let amount = amount.and_then(|amount| amount.checked_mul(quantity)).filter(|amount| *amount > 0);
        let amount =
            amount.ok_or_else(|| Refusal::invalid("parameter_missing", "line_items must cost something."))?;
        let currency = form.need("line_items[0][price_data][currency]")?;
        form.need("line_items[0][price_data][product_data][name]")?;
        let expires = form.number("expires_at")?.unwrap_or(self.now + 86_400);
        if !(self.now + 1500..=self.now + 86_700).contains(&expires) {
            return Err(Refusal::invalid(
                "parameter_invalid",
                "expires_at must be 30 minutes to 24 hours away.",
            ));
        }
        let id = Self::name("cs");
        let page = json!({ "id": id, "object": "checkout.session", "status": "open", "payment_status": "unpaid",
            "url": format!("{}/stripe/pay/{id}", self.public_url), "amount_total": amount, "currency": currency,
            "client_reference_id": form.get("client_reference_id"), "success_url": form.need("success_url")?,
            "payment_intent": null, "metadata": form.map("metadata"), "created": self.now, "expires_at": expires,
            "souk_manual": form.get("payment_intent_data[capture_method]") == Some("manual"),
            "souk_intent_metadata": form.map("payment_intent_data[metadata]") });
        self.keep(&page);
        Ok(page)
    }

    /// Nobody pays there any more.
    pub fn expire(&mut self, id: &str) -> Result<Value, Refusal> {
        let mut page = self.find("checkout.session", id)?;
        if page["status"] != "open" {
            return Err(Refusal::invalid("", "Only Checkout Sessions with a status of open can be expired."));
        }
        page["status"] = json!("expired");
        page["url"] = Value::Null;
        self.keep(&page);
        self.tell("checkout.session.expired", &page);
        Ok(page)
    }
}

fn unexpected(intent: &Value) -> Refusal {
    let status = intent["status"].as_str().unwrap_or_default();
    let message = format!("This PaymentIntent's status is {status}, which does not allow that.");
    Refusal::invalid("payment_intent_unexpected_state", message)
}
