//! Pay: ask the provider, outside any transaction, in a task that no impatient client ends.

use std::future::Future;
use std::time::Duration;

use souk_access::{Claim, Permit, Reply, Ticket};
use souk_api::{Digest, IdempotencyKey, Problem, problem};
use souk_kernel::{CartId, OrderId, PaymentSessionId};
use souk_tenancy::{DbError, StatementCount, TenancyError, WriteTx};
use tracing::Instrument;

use super::super::error::{CheckoutError, PAYMENT_DECLINED, PAYMENT_UNAVAILABLE};
use super::super::model::{CheckoutStatus, CheckoutView, Till, failed_fact};
use super::super::permissions::Use;
use super::prepare::{Prepared, Purchase, prepare};
use super::settle::settle;
use crate::customers;
use crate::orders::{self, OrderView};
use crate::payments::{self, ProviderError, ProviderFact, StartPayment};

/// As long as a provider may take, twice, and a little more.
const LEASE: Duration = Duration::from_secs(60);
/// A failed payment is told from a failed provider by this code.
const UNREACHABLE: &str = "provider_unreachable";
/// Money was moved: finalising is tried this often before it is left to the poller.
const TRIES: u32 = 4;

/// Who pays, for the timeline and for the counters of declined payments.
#[derive(Clone)]
struct Shopper {
    actor: String,
    cart: CartId,
    network: String,
}

/// An answer, and whether it is one that was kept from before.
pub type Answer = (Reply, bool);

/// Runs `work` to its end even if nobody waits for it any more, inside the same span and statement count.
///
/// # Errors
/// `work`'s own; 500 if it panicked.
pub async fn outlive<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    let count = StatementCount::current();
    let work = async move {
        match count {
            Some(count) => count.scope(work).await,
            None => work.await,
        }
    };
    let task = tokio::spawn(work.in_current_span());
    task.await.unwrap_or_else(|error| Err(Problem::new(&problem::INTERNAL).source(error)))
}

/// Where prepare has led.
enum Stage {
    Kept(Reply),
    Answered(Reply),
    Pay(Ticket, Box<StartPayment>),
}

/// A whole checkout. Repeating it with the same key gives the same bytes; with another key, the same order.
///
/// # Errors
/// A problem; nothing was changed, except that a declined payment leaves its attempt behind.
pub async fn pay(
    till: Till,
    permit: Permit<Use>,
    key: IdempotencyKey,
    digest: Digest,
    purchase: Purchase,
) -> Result<Answer, Problem> {
    let shopper =
        Shopper { actor: purchase.actor.clone(), cart: purchase.cart, network: purchase.network.clone() };
    let stage = {
        let (till, keyed) = (till.clone(), permit.clone());
        let prepare = async move |tx: &mut WriteTx<'_>| {
            let claimed = match keyed.claim(tx, &key, digest, LEASE).await? {
                Claim::Done(reply) => return Ok(Stage::Kept(reply)),
                Claim::Ours(claimed) => claimed,
            };
            match prepare(tx, &till, &purchase).await? {
                Prepared::Pay(start) => Ok(Stage::Pay(claimed.ticket, Box::new(start))),
                Prepared::Standing { order, fresh } => {
                    let reply = reply_for(&till, orders::view(tx, order).await?, fresh)?;
                    Ok(Stage::Answered(keyed.fulfil(tx, &claimed.ticket, reply).await?))
                }
            }
        };
        permit.write::<_, CheckoutError, _>("checkout.prepare", prepare).await?
    };
    match stage {
        Stage::Kept(reply) => Ok((reply, true)),
        Stage::Answered(reply) => Ok((reply, false)),
        Stage::Pay(ticket, start) => {
            let said = ask(&till, &start).await;
            finalise(&till, &permit, ticket, start.session, said, &shopper).await.map(|reply| (reply, false))
        }
    }
}

/// What the provider said: a fact, a refusal in words, or nothing that tells what happened.
enum Said {
    Fact(ProviderFact),
    No { code: String, message: String },
    Unknown,
}

async fn ask(till: &Till, start: &StartPayment) -> Said {
    // Prepare has looked whether it is there.
    let Some(provider) = till.providers.of(start.provider) else { return Said::Unknown };
    match provider.start(start).await {
        Ok(fact) => Said::Fact(fact),
        Err(ProviderError::Refused { code, message }) => Said::No { code, message },
        Err(ProviderError::Unreachable(cause) | ProviderError::NotSetUp(cause)) => {
            tracing::warn!(payment_session.id = %start.session, cause, "the payment provider cannot be reached, or the store's account there not be used");
            Said::No { code: UNREACHABLE.to_owned(), message: String::new() }
        }
        Err(error @ (ProviderError::Unknown(_) | ProviderError::Unsupported)) => {
            tracing::warn!(payment_session.id = %start.session, %error, "a payment's outcome is not known; the poller will ask");
            Said::Unknown
        }
    }
}

/// Settles what was said and keeps the answer, in one transaction; again when the database was away, because money may have moved.
async fn finalise(
    till: &Till,
    permit: &Permit<Use>,
    ticket: Ticket,
    session: PaymentSessionId,
    said: Said,
    shopper: &Shopper,
) -> Result<Reply, Problem> {
    let mut tries = 0;
    loop {
        tries += 1;
        let outcome = {
            let (till, keyed, ticket) = (till.clone(), permit.clone(), ticket.clone());
            let (said, shopper) = (said.clone_for_try(), shopper.clone());
            let work = async move |tx: &mut WriteTx<'_>| {
                let reply = settle_said(tx, &till, session, &said, &shopper).await?;
                Ok(keyed.fulfil(tx, &ticket, reply).await?)
            };
            permit.write::<_, CheckoutError, _>("checkout.finalise", work).await
        };
        match outcome {
            Ok(reply) => return Ok(reply),
            Err(error) if tries < TRIES && may_pass(&error) => {
                tokio::time::sleep(Duration::from_millis(150 << tries)).await;
            }
            Err(CheckoutError::Problem(lost)) if lost.code() == problem::IDEMPOTENCY_RUNNING.code => {
                // Another attempt took the key over: what was said must be settled all the same.
                let (till, said, shopper) = (till.clone(), said.clone_for_try(), shopper.clone());
                let work =
                    async move |tx: &mut WriteTx<'_>| settle_said(tx, &till, session, &said, &shopper).await;
                return Ok(permit.write::<_, CheckoutError, _>("checkout.finalise", work).await?);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

impl Said {
    fn clone_for_try(&self) -> Self {
        match self {
            Self::Fact(fact) => Self::Fact(fact.clone()),
            Self::No { code, message } => Self::No { code: code.clone(), message: message.clone() },
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Whether the database may be back in a moment.
fn may_pass(error: &CheckoutError) -> bool {
    let problem =
        |error: &DbError| error.is_retryable() || matches!(error, DbError::Unavailable | DbError::Timeout);
    match error {
        CheckoutError::Tenancy(TenancyError::Busy) => true,
        CheckoutError::Tenancy(TenancyError::Db(error)) | CheckoutError::Db(error) => problem(error),
        CheckoutError::Problem(problem) => problem.status().as_u16() == 503,
        _ => false,
    }
}

async fn settle_said(
    tx: &mut WriteTx<'_>,
    till: &Till,
    session: PaymentSessionId,
    said: &Said,
    shopper: &Shopper,
) -> Result<Reply, CheckoutError> {
    let held = payments::held(tx, session).await?.ok_or(CheckoutError::SessionUnknown)?;
    let fact = match said {
        Said::Fact(fact) => Some(fact.clone()),
        Said::No { code, message } => Some(failed_fact(&held.session, code, message)),
        Said::Unknown => None,
    };
    if let Some(fact) = fact {
        settle(tx, session, &fact, &shopper.actor).await?;
    }
    let order = orders::view(tx, held.session.order).await?;
    // A provider that is away has said nothing about the card.
    if CheckoutStatus::of(&order) == CheckoutStatus::Failed && failure_of(&order) != UNREACHABLE {
        customers::count_decline(tx, shopper.cart, &shopper.network).await?;
    }
    Ok(reply_for(till, order, true)?)
}

/// The answer for an order as it stands: 201 or 200 when there is one, 202 while there is something to wait for, 402 when there will be
/// none.
pub fn reply_for(till: &Till, order: OrderView, fresh: bool) -> Result<Reply, Problem> {
    let status = CheckoutStatus::of(&order);
    metrics::counter!("souk_checkouts_total", "status" => status.as_str()).increment(1);
    if status == CheckoutStatus::Failed {
        return Ok(refusal(&order));
    }
    let location = format!("/store/v1/orders/{}", order.id);
    let secret = secret_of(till, order.id)?;
    let view = CheckoutView::of(order, secret);
    Ok(match (status, fresh) {
        (CheckoutStatus::Completed, true) => Reply::created(&view).location(&location),
        (CheckoutStatus::Completed, false) => Reply::ok(&view).location(&location),
        _ => Reply::accepted(&view).location(&location),
    })
}

/// The secret of an order.
///
/// # Errors
/// Never in practice: 32 bytes always have this form.
pub fn secret_of(till: &Till, order: OrderId) -> Result<String, Problem> {
    let secret = till.links.secret_of(order);
    secret.map(|secret| secret.expose().to_owned()).ok_or_else(|| Problem::new(&problem::INTERNAL))
}

/// Why the last payment did not come about, in the provider's word.
fn failure_of(order: &OrderView) -> &str {
    order.payments.last().and_then(|payment| payment.failure_code.as_deref()).unwrap_or("unknown")
}

/// Why there is no order, as a reply that can be kept.
fn refusal(order: &OrderView) -> Reply {
    let (payment, code) = (order.payments.last(), failure_of(order));
    let refused = if code == UNREACHABLE {
        Problem::new(&PAYMENT_UNAVAILABLE).retry_after(5)
    } else {
        let message = payment.and_then(|payment| payment.failure_message.clone()).unwrap_or_default();
        let detail = if message.is_empty() { "The payment did not come about.".to_owned() } else { message };
        Problem::new(&PAYMENT_DECLINED)
            .detail(detail)
            .extension("failure_code", code)
            .extension("order", order.id.to_string())
    };
    Reply::json(refused.status(), &refused.document())
        .header("content-type", "application/problem+json")
        .header("cache-control", "no-store")
}
