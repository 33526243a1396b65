//! The desk: where calls become changes of the book, once per key, and webhooks leave.

use crate::behaviour::Behaviour;
use crate::book::{Answer, Book, Change};
use crate::couriers::Couriers;
use crate::payment::{Cause, NextAction, Payment, Refusal, Status};
use crate::stripe::Stripe;
use crate::webhook::Webhook;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use souk_kernel::{Clock, Currency};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// The state that all workers of the server share.
#[derive(Clone)]
pub struct Desk {
    book: Arc<Mutex<Book>>,
    couriers: Couriers,
    clock: Clock,
    public_url: String,
    stripe: Stripe,
}

/// A call that changes something: who, under which key, and a digest of what.
#[derive(Clone, Debug)]
pub struct Call {
    /// The account.
    pub account: String,
    /// The key.
    pub key: String,
    /// A digest of path and body.
    pub fingerprint: String,
}

/// What a call is answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// JSON text.
    pub body: String,
    /// The answer was given before.
    pub replayed: bool,
    /// What the route still has to do wrong with this answer.
    pub mishap: Option<Mishap>,
}

/// How an answer goes wrong although the work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It does not come in time.
    Silence,
    /// It is cut off.
    HalfAnswer,
}

/// The body of `POST /v1/payments`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    amount_minor: i64,
    currency: String,
    reference: String,
    #[serde(default = "yes")]
    capture: bool,
    return_url: Option<String>,
    webhook_url: Option<String>,
    token: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

const fn yes() -> bool {
    true
}

/// A later movement of a payment.
#[derive(Clone, Copy, Debug)]
pub enum Movement {
    /// Take an amount, or all that is left.
    Capture(Option<i64>),
    /// Release the rest.
    Void,
    /// Give an amount back, or all that is left.
    Refund(Option<i64>),
}

/// More than any till takes; keeps every sum far from the edge of `i64`.
const LARGEST_AMOUNT: i64 = 1_000_000_000_000;

impl Wish {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// 422 with the field and the rule.
    pub fn checked(self) -> Result<Self, Refusal> {
        let invalid = |message: &str| Err(Refusal::new(422, "invalid_request", message));
        if !(1..=LARGEST_AMOUNT).contains(&self.amount_minor) {
            return invalid("amount_minor must be between 1 and 1000000000000");
        }
        if self.currency.parse::<Currency>().is_err() {
            return invalid("currency must be an ISO 4217 code such as EUR");
        }
        if !(1..=255).contains(&self.reference.chars().count()) {
            return invalid("reference must be 1 to 255 characters long");
        }
        for (field, url) in [("return_url", &self.return_url), ("webhook_url", &self.webhook_url)] {
            let web = |url: &reqwest::Url| matches!(url.scheme(), "http" | "https");
            if url.as_ref().is_some_and(|url| !url.parse().as_ref().is_ok_and(web)) {
                return invalid(&format!("{field} must be an http or https address"));
            }
        }
        let long = |(key, value): (&String, &String)| key.chars().count() > 64 || value.chars().count() > 512;
        if self.metadata.len() > 50 || self.metadata.iter().any(long) {
            return invalid(
                "metadata must be at most 50 entries with keys up to 64 and values up to 512 characters",
            );
        }
        match self.token.as_deref() {
            Some(token) if Behaviour::of_token(token).is_none() => {
                Err(Refusal::new(422, "unknown_token", "token is not in the table of behaviours"))
            }
            _ => Ok(self),
        }
    }

    /// How this payment will behave.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        let by_token = self.token.as_deref().and_then(Behaviour::of_token);
        by_token.unwrap_or_else(|| Behaviour::of_amount(self.amount_minor))
    }
}

impl Desk {
    /// The same provider on Stripe's wire.
    #[must_use]
    pub fn stripe(&self) -> Stripe {
        self.stripe.clone()
    }

    /// A desk over a book; takes up the webhooks that are still to be sent. Needs a tokio runtime.
    #[must_use]
    pub fn new(book: Book, couriers: Couriers, clock: Clock, public_url: String) -> Self {
        let left_over = book.with_pending();
        let stripe = Stripe::new(couriers.client(), clock.clone(), public_url.clone());
        let desk = Self { book: Arc::new(Mutex::new(book)), couriers, clock, public_url, stripe };
        for payment in left_over {
            desk.send(&payment, Behaviour::Ok);
        }
        desk
    }

    /// The book, for reading. Do not wait while holding it.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        // A change is applied in one step, so a panic elsewhere leaves a whole book behind the poison.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the payment behaves; `Ok` when the account has no such payment.
    #[must_use]
    pub fn behaviour_of(&self, account: &str, id: &str) -> Behaviour {
        self.book().payment_of(account, id).map_or(Behaviour::Ok, |payment| payment.behaviour)
    }

    /// Makes a payment and decides it, unless the shopper has to.
    ///
    /// # Errors
    /// A reused key, or a book that cannot be written.
    pub fn create(&self, call: &Call, wish: Wish) -> Result<Reply, Refusal> {
        let behaviour = wish.behaviour();
        self.once(call, behaviour, 201, |_, cause| {
            let at = cause.at;
            let id = name("pp");
            let mut payment = Payment {
                id: id.clone(),
                account: call.account.clone(),
                reference: wish.reference,
                status: Status::RequiresAction,
                amount_minor: wish.amount_minor,
                currency: wish.currency,
                capture: wish.capture,
                authorized_minor: 0,
                captured_minor: 0,
                refunded_minor: 0,
                voided_minor: 0,
                next_action: None,
                failure: None,
                return_url: wish.return_url,
                webhook_url: wish.webhook_url,
                metadata: wish.metadata,
                behaviour,
                transactions: Vec::new(),
                events: 0,
                created_at: at,
                updated_at: at,
            };
            let mut webhooks = Vec::new();
            match behaviour {
                Behaviour::Declined => {
                    payment.fail("card_declined", "The card was declined.", at);
                    webhooks.extend(tell(&mut payment, "payment.failed", at));
                }
                Behaviour::ThreeDSecure => {
                    let url = format!("{}/pay/{id}", self.public_url);
                    payment.next_action = Some(NextAction { kind: "redirect".to_owned(), url });
                    webhooks.extend(tell(&mut payment, "payment.requires_action", at));
                }
                _ => webhooks.extend(approve(&mut payment, cause)?),
            }
            Ok((payment, webhooks))
        })
    }

    /// Moves money of a payment.
    ///
    /// # Errors
    /// 404 for a payment of nobody or of somebody else, 409 or 422 when the rules of the money forbid it.
    pub fn move_money(&self, call: &Call, id: &str, movement: Movement) -> Result<Reply, Refusal> {
        let behaviour = self.behaviour_of(&call.account, id);
        self.once(call, behaviour, 200, |book, cause| {
            let mut payment = book.payment_of(&call.account, id).cloned().ok_or_else(not_found)?;
            let at = cause.at;
            let kind = match movement {
                Movement::Capture(amount) => payment.capture(amount, cause).map(|()| "payment.captured"),
                Movement::Void => payment.void(cause).map(|()| "payment.voided"),
                Movement::Refund(amount) => payment.refund(amount, cause).map(|()| "payment.refunded"),
            }?;
            let webhooks = tell(&mut payment, kind, at).into_iter().collect();
            Ok((payment, webhooks))
        })
    }

    /// The shopper's decision on the hosted page. A payment that is decided already stays as it is.
    ///
    /// # Errors
    /// 404 for an unknown payment, 500 when the book cannot be written.
    pub fn decide(&self, id: &str, approved: bool) -> Result<Payment, Refusal> {
        let mut book = self.book();
        let mut payment = book.payment(id).cloned().ok_or_else(not_found)?;
        if payment.status != Status::RequiresAction {
            return Ok(payment);
        }
        let at = self.clock.now();
        let webhooks = if approved {
            approve(&mut payment, Cause { transaction_id: name("ptx"), idempotency_key: None, at })?
        } else {
            payment.fail("authentication_failed", "The shopper did not approve the payment.", at);
            tell(&mut payment, "payment.failed", at).into_iter().collect()
        };
        let change = Change::Payment { payment: Box::new(payment.clone()), answer: None, webhooks };
        book.apply(change).map_err(|error| unwritten(&error))?;
        drop(book);
        self.send(id, payment.behaviour);
        Ok(payment)
    }

    /// Does the work of a call unless it was done before under its key: looking up the key, the work and keeping
    /// the answer are one step under the lock.
    fn once(
        &self,
        call: &Call,
        behaviour: Behaviour,
        status: u16,
        work: impl FnOnce(&Book, Cause) -> Result<(Payment, Vec<Webhook>), Refusal>,
    ) -> Result<Reply, Refusal> {
        let mut book = self.book();
        if let Some(answer) = book.answer(&call.account, &call.key) {
            if answer.fingerprint != call.fingerprint {
                let message = "this Idempotency-Key was used for another request";
                return Err(Refusal::new(422, "idempotency_key_reused", message));
            }
            return Ok(Reply {
                status: answer.status,
                body: answer.body.clone(),
                replayed: true,
                mishap: None,
            });
        }
        if behaviour == Behaviour::ErrorThenOk && book.fails_now(&call.account, &call.key) {
            return Err(Refusal::new(500, "internal_error", "something went wrong, try again"));
        }
        let cause = Cause {
            transaction_id: name("ptx"),
            idempotency_key: Some(call.key.clone()),
            at: self.clock.now(),
        };
        let captured_before =
            |book: &Book, id: &str| book.payment(id).map_or(0, |known| known.captured_minor);
        let (payment, webhooks) = work(&book, cause)?;
        let captured_now = payment.captured_minor > captured_before(&book, &payment.id);
        let body = payment.shown().to_string();
        let (id, behaviour) = (payment.id.clone(), payment.behaviour);
        let answer = Answer {
            account: call.account.clone(),
            key: call.key.clone(),
            fingerprint: call.fingerprint.clone(),
            status,
            body: body.clone(),
        };
        let change = Change::Payment { payment: Box::new(payment), answer: Some(answer), webhooks };
        book.apply(change).map_err(|error| unwritten(&error))?;
        drop(book);
        self.send(&id, behaviour);
        let mishap = match behaviour {
            Behaviour::TimeoutAfterCapture if captured_now => Some(Mishap::Silence),
            Behaviour::BrokenJson => Some(Mishap::HalfAnswer),
            _ => None,
        };
        Ok(Reply { status, body, replayed: false, mishap })
    }

    fn send(&self, payment: &str, behaviour: Behaviour) {
        self.couriers.send(Arc::clone(&self.book), self.clock.clone(), payment.to_owned(), behaviour);
    }
}

/// Authorises and, if asked for, captures; the events in their order.
fn approve(payment: &mut Payment, cause: Cause) -> Result<Vec<Webhook>, Refusal> {
    let at = cause.at;
    payment.authorize(cause.clone());
    let mut webhooks: Vec<_> = tell(payment, "payment.authorized", at).into_iter().collect();
    if payment.capture {
        payment.capture(None, Cause { transaction_id: name("ptx"), ..cause })?;
        webhooks.extend(tell(payment, "payment.captured", at));
    }
    Ok(webhooks)
}

fn tell(payment: &mut Payment, kind: &str, at: DateTime<Utc>) -> Option<Webhook> {
    Webhook::about(payment, kind, name("pev"), at)
}

fn name(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::now_v7().simple())
}

/// The refusal for a payment that the caller has not got.
#[must_use]
pub fn not_found() -> Refusal {
    Refusal::new(404, "not_found", "there is no such payment")
}

fn unwritten(error: &std::io::Error) -> Refusal {
    tracing::error!(%error, "the journal could not be written");
    Refusal::new(500, "internal_error", "the book could not be written")
}
