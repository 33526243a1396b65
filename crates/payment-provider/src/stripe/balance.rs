//! The account's balance: what moved it, what the account is charged for that, and what is paid out.

use super::account::Account;
use super::form::Form;
use super::refusal::Refusal;
use serde_json::{Value, json};

/// How an account is charged and settled.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Hundredths of a percent of what is captured, and so many minor units on top. Nothing by default.
    rate: i64,
    fixed: i64,
    /// The currency everything is changed into, and what a thousand of the other become there.
    settles: Option<(String, i64)>,
    /// Movements of charges are told later than the charges.
    late: bool,
    /// Whether anything was agreed: who agreed to nothing is told nothing of it.
    agreed: bool,
}

impl Terms {
    fn fee_of(&self, amount: i64) -> i64 {
        amount.saturating_mul(self.rate).saturating_add(5_000) / 10_000 + self.fixed
    }

    /// An amount in the currency that it is settled in.
    fn settled(&self, amount: i64, currency: &str) -> (i64, String) {
        match &self.settles {
            Some((into, rate)) if into != currency => (amount.saturating_mul(*rate) / 1_000, into.clone()),
            _ => (amount, currency.to_owned()),
        }
    }
}

impl Account {
    /// Agrees on terms, and moves the balance for other reasons than a payment: `rate`, `fixed`, `settles` with `exchange`, `late`; `move` with
    /// `type` and `currency`. What is left out stays.
    pub fn agree(&mut self, form: &Form) -> Result<Value, Refusal> {
        form.only(&["rate", "fixed", "settles", "exchange", "late", "move", "type", "currency"])?;
        let terms = &mut self.terms;
        terms.agreed = true;
        terms.rate = form.number("rate")?.unwrap_or(terms.rate);
        terms.fixed = form.number("fixed")?.unwrap_or(terms.fixed);
        if let Some(into) = form.get("settles") {
            terms.settles = Some((into.to_owned(), form.number("exchange")?.unwrap_or(1_000)));
        }
        if let Some(late) = form.get("late") {
            terms.late = late == "true";
        }
        if !self.terms.late {
            let waiting =
                |charge: &Value| charge["captured"] == true && charge["balance_transaction"].is_null();
            for charge in self.all("charge", waiting) {
                self.charged(charge);
            }
        }
        match form.number("move")? {
            Some(amount) => {
                Ok(self.moves(form.need("type")?, amount, 0, form.need("currency")?, &Value::Null))
            }
            None => Ok(json!({})),
        }
    }

    /// A charge was captured: the balance grows by it, less the fee.
    pub fn charged(&mut self, mut charge: Value) {
        if self.terms.late {
            return;
        }
        let captured = charge["amount_captured"].as_i64().unwrap_or_default();
        let currency = charge["currency"].as_str().unwrap_or_default().to_owned();
        let (amount, currency) = self.terms.settled(captured, &currency);
        let fee = self.terms.fee_of(amount);
        let moved = self.moves("charge", amount, fee, &currency, &charge["id"]);
        charge["balance_transaction"] = moved["id"].clone();
        self.keep(&charge);
        if self.terms.agreed {
            self.tell("charge.updated", &charge);
        }
    }

    /// Money moved that was agreed on in `currency`.
    pub fn moves_settled(
        &mut self,
        kind: &str,
        amount: i64,
        fee: i64,
        currency: &str,
        source: &Value,
    ) -> Value {
        let (amount, currency) = self.terms.settled(amount, currency);
        self.moves(kind, amount, fee, &currency, source)
    }

    fn moves(&mut self, kind: &str, amount: i64, fee: i64, currency: &str, source: &Value) -> Value {
        let moved = json!({ "id": Self::name("txn"), "object": "balance_transaction", "type": kind, "amount": amount, "fee": fee,
            "net": amount - fee, "currency": currency, "source": source, "created": self.now, "souk_payout": null });
        self.keep(&moved);
        moved
    }

    /// Pays out all that is there in `currency`; goes on to `status` if it is said.
    pub fn pay_out(&mut self, form: &Form) -> Result<Value, Refusal> {
        form.only(&["currency", "status", "automatic"])?;
        let currency = form.need("currency")?;
        let id = Self::name("po");
        let mut amount = 0;
        for mut moved in
            self.all("balance_transaction", |one| one["currency"] == currency && one["souk_payout"].is_null())
        {
            amount += moved["net"].as_i64().unwrap_or_default();
            moved["souk_payout"] = json!(id);
            self.keep(&moved);
        }
        let payout = json!({ "id": id, "object": "payout", "amount": amount, "currency": currency, "status": "pending",
            "automatic": form.get("automatic") != Some("false"), "failure_code": null, "arrival_date": self.now + 2 * 86_400,
            "created": self.now });
        self.keep(&payout);
        let mut own = self.moves("payout", -amount, 0, currency, &payout["id"]);
        own["souk_payout"] = payout["id"].clone();
        self.keep(&own);
        self.tell("payout.created", &payout);
        match form.get("status") {
            Some(status) => self.payout_is(&id, status),
            None => Ok(payout),
        }
    }

    /// A payout goes on: `in_transit`, `paid`, `failed` (also after it was paid) or `canceled`.
    pub fn payout_is(&mut self, id: &str, status: &str) -> Result<Value, Refusal> {
        let mut payout = self.find("payout", id)?;
        let kind = match status {
            "pending" | "in_transit" => "payout.updated",
            "paid" => "payout.paid",
            "failed" => "payout.failed",
            "canceled" => "payout.canceled",
            _ => return Err(Refusal::invalid("parameter_invalid", "status is none of a payout's.")),
        };
        let back = match status {
            "failed" => Some("payout_failure"),
            "canceled" => Some("payout_cancel"),
            _ => None,
        };
        if let Some(back) = back.filter(|_| payout["status"] != status) {
            let amount = payout["amount"].as_i64().unwrap_or_default();
            let currency = payout["currency"].as_str().unwrap_or_default().to_owned();
            self.moves(back, amount, 0, &currency, &payout["id"]);
        }
        payout["status"] = json!(status);
        if status == "failed" {
            payout["failure_code"] = json!("account_closed");
        }
        self.keep(&payout);
        self.tell(kind, &payout);
        Ok(payout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payout_is_what_moved_and_comes_back_when_it_fails() {
        let mut account = Account::new(String::new());
        account.agree(&Form::read("rate=290&fixed=30")).unwrap();
        let charge = json!({ "id": "ch_1", "object": "charge", "amount_captured": 1490, "currency": "eur", "captured": true });
        account.charged(charge);
        account.agree(&Form::read("move=-100&type=stripe_fee&currency=eur")).unwrap();
        let payout = account.pay_out(&Form::read("currency=eur&status=paid")).unwrap();
        // 2.9 % of 14.90 are 0.43, and 0.30 on top.
        assert_eq!((&payout["amount"], &payout["status"]), (&json!(1490 - 73 - 100), &json!("paid")));
        let inside = |account: &Account| {
            account.all("balance_transaction", |one| one["souk_payout"] == payout["id"]).len()
        };
        assert_eq!(inside(&account), 3);
        let id = payout["id"].as_str().unwrap().to_owned();
        account.payout_is(&id, "failed").unwrap();
        account.payout_is(&id, "failed").unwrap();
        let again = account.pay_out(&Form::read("currency=eur")).unwrap();
        assert_eq!((&again["amount"], inside(&account)), (&payout["amount"], 3));
    }

    #[test]
    fn money_is_changed_into_the_currency_of_the_account() {
        let mut account = Account::new(String::new());
        account.agree(&Form::read("rate=100&settles=eur&exchange=900")).unwrap();
        account.moves_settled("refund", -500, 0, "usd", &Value::Null);
        let moved = account.all("balance_transaction", |_| true).pop().unwrap();
        assert_eq!((&moved["amount"], &moved["currency"]), (&json!(-450), &json!("eur")));
    }
}
