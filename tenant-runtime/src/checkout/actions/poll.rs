//! What happens when nobody comes back: sessions are asked about, refunds carried out, reservations given up. Called by the worker for
//! every live store; any number of workers may run, and any of them may die anywhere.

use souk_access::WorkerPermit;
use souk_kernel::PaymentSessionId;
use souk_tenancy::WriteTx;

use super::super::error::CheckoutError;
use super::super::model::{Next, Till, failed_fact, is_abandoned, never_started, next_step};
use super::settle::{abandon, refund_left, settle};
use crate::inventory;
use crate::orders::{self, CancelReason, FinancialStatus, OrderState};
use crate::payments::{self, DueRefund, PaymentSession, ProviderError, ProviderFact};

/// Sessions and refunds taken at a time: few, because each costs a call to a provider.
const BATCH: u32 = 16;

/// What a sweep has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Reservations given up.
    pub expired: usize,
    /// Sessions asked about.
    pub sessions: usize,
    /// Refunds carried out or tried.
    pub refunds: usize,
}

/// One round: reservations that ran out, refunds and sessions whose turn it is. A session or refund that fails is logged and comes back by
/// itself. A store where nothing is due costs one transaction of three statements.
///
/// # Errors
/// Only what keeps the round from beginning: the database.
pub async fn sweep(worker: &WorkerPermit, till: &Till) -> Result<Swept, CheckoutError> {
    let take = async |tx: &mut WriteTx<'_>| {
        let expired = inventory::expire_due(tx).await?;
        Ok((expired, payments::due_sessions(tx, BATCH).await?, payments::due_refunds(tx, BATCH).await?))
    };
    let (expired, due, owed) = worker.write::<_, CheckoutError, _>("checkout.due", take).await?;
    let mut refunds = carry_out_all(worker, till, owed).await;
    for session in &due {
        if let Err(error) = attend(worker, till, *session).await {
            tracing::warn!(payment_session.id = %session, %error, "a payment session could not be attended to; it comes back");
        }
    }
    if !due.is_empty() {
        // What came to light may have to be given back.
        refunds += run_due_refunds(worker, till).await?;
    }
    Ok(Swept { expired, sessions: due.len(), refunds })
}

/// Finds out what became of one session.
async fn attend(worker: &WorkerPermit, till: &Till, id: PaymentSessionId) -> Result<(), CheckoutError> {
    let look = async move |tx: &mut souk_tenancy::ReadTx<'_>| {
        let held = payments::held(tx, id).await?.ok_or(CheckoutError::SessionUnknown)?;
        let order = orders::state_of(tx, held.session.order).await?.ok_or(CheckoutError::SessionUnknown)?;
        Ok((order, held.session))
    };
    let (order, session) = worker.read::<_, CheckoutError, _>("checkout.look", look).await?;
    let now = worker.clock().now();
    let Some(provider) = till.providers.of(session.provider) else { return Ok(()) };
    let said = match next_step(order, &session, now) {
        Next::Forget => {
            if order == OrderState::PendingPayment {
                tracing::error!(payment_session.id = %id, order.id = %session.order, "nobody found out what became of a payment");
            }
            let forget = async move |tx: &mut WriteTx<'_>| Ok(payments::poll_soon(tx, id, None).await?);
            return worker.write::<_, CheckoutError, _>("checkout.forget", forget).await;
        }
        Next::LetGo => provider.void(worker.store(), &session).await.map(Some),
        Next::Ask => provider.fetch(worker.store(), &session).await,
    };
    let fact = match said {
        Ok(Some(fact)) => fact,
        Ok(None) if never_started(&session, now) => {
            failed_fact(&session, "never_started", "The provider has never heard of this payment.")
        }
        Ok(None) => return Ok(()),
        // Nothing is held any more, whoever let it go: ask instead.
        Err(ProviderError::Refused { .. }) => match provider.fetch(worker.store(), &session).await {
            Ok(Some(fact)) => fact,
            Ok(None) => return Ok(()),
            Err(error) => return Err(CheckoutError::Provider(error.to_string())),
        },
        Err(error) => return Err(CheckoutError::Provider(error.to_string())),
    };
    let actor = worker.actor().to_string();
    let work = async move |tx: &mut WriteTx<'_>| {
        settle(tx, id, &fact, &actor).await?;
        let undecided = fact_is_undecided(&fact) && order == OrderState::PendingPayment;
        if undecided && is_abandoned(&session, tx.now()) {
            give_up_waiting(tx, &session, &actor).await?;
        }
        Ok(())
    };
    worker.write::<_, CheckoutError, _>("checkout.settle", work).await
}

const fn fact_is_undecided(fact: &ProviderFact) -> bool {
    matches!(fact.status, payments::ProviderStatus::RequiresAction)
}

/// The shopper stayed away: the stock is for others, the cart is open again. Should the money come all the same, it is given back.
async fn give_up_waiting(
    tx: &mut WriteTx<'_>,
    session: &PaymentSession,
    actor: &str,
) -> Result<(), CheckoutError> {
    let Some(order) = orders::lock(tx, session.order).await? else { return Ok(()) };
    if order.state == OrderState::PendingPayment {
        let (reason, status) = (CancelReason::Expired, FinancialStatus::Expired);
        abandon(tx, &order, reason, status, actor, serde_json::json!({ "code": "abandoned" })).await?;
    }
    Ok(())
}

/// Carries out the refunds whose turn it is, each under its own id as idempotency key, so that none leaves twice. Gives how many were tried.
///
/// # Errors
/// Only what keeps the round from beginning.
pub async fn run_due_refunds(worker: &WorkerPermit, till: &Till) -> Result<usize, CheckoutError> {
    let take = async |tx: &mut WriteTx<'_>| Ok(payments::due_refunds(tx, BATCH).await?);
    let due = worker.write::<_, CheckoutError, _>("checkout.due_refunds", take).await?;
    Ok(carry_out_all(worker, till, due).await)
}

async fn carry_out_all(worker: &WorkerPermit, till: &Till, due: Vec<DueRefund>) -> usize {
    let tried = due.len();
    for refund in due {
        let id = refund.id;
        if let Err(error) = carry_out(worker, till, refund).await {
            tracing::warn!(refund.id = %id, %error, "a refund could not be carried out; it comes back");
        }
    }
    tried
}

async fn carry_out(worker: &WorkerPermit, till: &Till, refund: DueRefund) -> Result<(), CheckoutError> {
    let said = match till.providers.of(refund.provider) {
        Some(provider) => provider.refund(worker.store(), &refund).await,
        None => Err(ProviderError::Unknown("the provider is not configured in this process".to_owned())),
    };
    let actor = worker.actor().to_string();
    let work = async move |tx: &mut WriteTx<'_>| {
        let order = orders::lock(tx, refund.order).await?.ok_or(CheckoutError::SessionUnknown)?;
        match said {
            Ok(fact) => {
                let reference = fact.map(|fact| fact.reference);
                refund_left(tx, &order, refund.session, refund.id, reference.as_deref(), &actor).await?;
            }
            Err(ProviderError::Refused { code, message }) => {
                if payments::refund_failed(tx, refund.id, &format!("{code}: {message}")).await? {
                    let details =
                        serde_json::json!({ "refund": refund.id, "amount": refund.amount, "code": code });
                    orders::note(tx, order.id, "refund.failed", &actor, details).await?;
                }
            }
            Err(error) => {
                payments::refund_later(tx, &refund, &error.to_string()).await?;
            }
        }
        Ok(())
    };
    worker.write::<_, CheckoutError, _>("checkout.refund", work).await
}
