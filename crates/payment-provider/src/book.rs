//! What the provider knows: payments, answers given under a key, webhooks. Every change is one step: all or nothing.

use crate::journal::Journal;
use crate::payment::Payment;
use crate::webhook::{Attempt, Delivery, Webhook};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

/// An answer that was given, kept under its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whose key.
    pub account: String,
    /// The key.
    pub key: String,
    /// Which request: a digest of path and body.
    pub fingerprint: String,
    /// HTTP status.
    pub status: u16,
    /// The exact body.
    pub body: String,
}

/// A step of the book, and a line of its journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Change {
    /// A payment is new or other, with the answer that says so and the webhooks about it.
    Payment {
        /// As it is now.
        payment: Box<Payment>,
        /// What the caller hears; `None` when the shopper did it.
        answer: Option<Answer>,
        /// Who else hears.
        webhooks: Vec<Webhook>,
    },
    /// A webhook was tried.
    Delivery {
        /// Which.
        webhook: String,
        /// How far it is now.
        delivery: Delivery,
        /// The try.
        attempt: Attempt,
    },
}

/// The whole state; guard it with one lock and never wait while holding it.
#[derive(Debug, Default)]
pub struct Book {
    payments: BTreeMap<String, Payment>,
    answers: HashMap<(String, String), Answer>,
    webhooks: BTreeMap<String, Webhook>,
    /// Keys whose first call was answered 500 on purpose; forgotten on restart.
    failed_once: HashSet<(String, String)>,
    journal: Option<Journal>,
}

impl Book {
    /// A book that lives in memory, or continues what its journal holds.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn open(journal: Option<&std::path::Path>) -> std::io::Result<Self> {
        let mut book = Self::default();
        if let Some(path) = journal {
            let (journal, changes) = Journal::open(path)?;
            for change in changes {
                book.take(change);
            }
            book.journal = Some(journal);
        }
        Ok(book)
    }

    /// Writes the change down, then makes it true.
    ///
    /// # Errors
    /// When the journal cannot be written; nothing changed then.
    pub fn apply(&mut self, change: Change) -> std::io::Result<()> {
        if let Some(journal) = &mut self.journal {
            journal.append(&change)?;
        }
        self.take(change);
        Ok(())
    }

    fn take(&mut self, change: Change) {
        match change {
            Change::Payment { payment, answer, webhooks } => {
                self.payments.insert(payment.id.clone(), *payment);
                if let Some(answer) = answer {
                    self.answers.insert((answer.account.clone(), answer.key.clone()), answer);
                }
                self.webhooks.extend(webhooks.into_iter().map(|webhook| (webhook.id.clone(), webhook)));
            }
            Change::Delivery { webhook, delivery, attempt } => {
                if let Some(webhook) = self.webhooks.get_mut(&webhook) {
                    webhook.delivery = delivery;
                    webhook.attempts.push(attempt);
                }
            }
        }
    }

    /// The payment, whoever it belongs to.
    #[must_use]
    pub fn payment(&self, id: &str) -> Option<&Payment> {
        self.payments.get(id)
    }

    /// The payment, if the account may see it.
    #[must_use]
    pub fn payment_of(&self, account: &str, id: &str) -> Option<&Payment> {
        self.payment(id).filter(|payment| payment.account == account)
    }

    /// The account's payments with that reference, newest first.
    #[must_use]
    pub fn by_reference(&self, account: &str, reference: &str) -> Vec<&Payment> {
        let mut found: Vec<_> = self
            .payments
            .values()
            .filter(|payment| payment.account == account && payment.reference == reference)
            .collect();
        found.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| b.id.cmp(&a.id)));
        found
    }

    /// What was answered under the key.
    #[must_use]
    pub fn answer(&self, account: &str, key: &str) -> Option<&Answer> {
        self.answers.get(&(account.to_owned(), key.to_owned()))
    }

    /// `true` the first time it is asked about a key.
    pub fn fails_now(&mut self, account: &str, key: &str) -> bool {
        self.failed_once.insert((account.to_owned(), key.to_owned()))
    }

    /// The webhooks of a payment that are still to be sent, in order.
    #[must_use]
    pub fn pending(&self, payment: &str) -> Vec<Webhook> {
        let mut pending: Vec<_> = self
            .webhooks
            .values()
            .filter(|webhook| webhook.payment == payment && webhook.delivery == Delivery::Pending)
            .cloned()
            .collect();
        pending.sort_by_key(|webhook| webhook.sequence);
        pending
    }

    /// Payments with webhooks that are still to be sent: what to take up after a restart.
    #[must_use]
    pub fn with_pending(&self) -> HashSet<String> {
        let pending = self.webhooks.values().filter(|webhook| webhook.delivery == Delivery::Pending);
        pending.map(|webhook| webhook.payment.clone()).collect()
    }

    /// Everything, for the comparison of books: payments, totals per currency, webhooks.
    #[must_use]
    pub fn shown(&self) -> serde_json::Value {
        let mut totals: BTreeMap<&str, BTreeMap<&str, i128>> = BTreeMap::new();
        for payment in self.payments.values() {
            let total = totals.entry(&payment.currency).or_default();
            for (name, amount) in [
                ("authorized_minor", payment.authorized_minor),
                ("captured_minor", payment.captured_minor),
                ("refunded_minor", payment.refunded_minor),
                ("voided_minor", payment.voided_minor),
            ] {
                *total.entry(name).or_default() += i128::from(amount);
            }
        }
        let payments: Vec<_> = self.payments.values().map(|payment| serde_json::json!(payment)).collect();
        let webhooks: Vec<_> = self.webhooks.values().collect();
        serde_json::json!({ "payments": payments, "totals": totals, "webhooks": webhooks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::behaviour::Behaviour;
    use crate::payment::tests::{cause, payment};
    use std::io::Write;

    #[test]
    fn the_journal_brings_everything_back_but_a_torn_line() {
        let folder = std::env::temp_dir().join(format!("souk-journal-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("book.jsonl");
        let mut paid = payment(1000, Behaviour::Ok);
        paid.webhook_url = Some("http://localhost/hook".into());
        paid.authorize(cause());
        let webhooks: Vec<_> =
            Webhook::about(&mut paid, "payment.authorized", "pev_1".into(), cause().at).into_iter().collect();
        let answer = Answer {
            account: "default".into(),
            key: "k".into(),
            fingerprint: "f".into(),
            status: 201,
            body: "{}".into(),
        };
        let mut book = Book::open(Some(&path)).unwrap();
        book.apply(Change::Payment { payment: paid.into(), answer: Some(answer.clone()), webhooks }).unwrap();
        let before = book.shown();
        drop(book);
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"entry\":\"pay").unwrap();

        let mut book = Book::open(Some(&path)).unwrap();
        assert_eq!(book.shown(), before);
        assert_eq!(book.answer("default", "k"), Some(&answer));
        assert_eq!(book.with_pending(), HashSet::from(["pp_1".to_owned()]));
        let attempt = Attempt { at: cause().at, outcome: "200".into() };
        book.apply(Change::Delivery { webhook: "pev_1".into(), delivery: Delivery::Delivered, attempt })
            .unwrap();
        drop(book);
        assert!(Book::open(Some(&path)).unwrap().with_pending().is_empty());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
