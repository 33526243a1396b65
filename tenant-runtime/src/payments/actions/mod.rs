//! What happens to sessions, payments and refunds inside one transaction; and, in the folders' other files, the providers.

mod breaker;
pub mod credentials;
pub mod disputes;
mod manual;
pub mod provider;
mod stripe;
mod test;

use chrono::{DateTime, Utc};
use souk_access::{Actor, KeyMode};
use souk_api::{ETag, IfMatch};
use souk_kernel::{Money, OrderId, PaymentId, PaymentSessionId, RefundId};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::error::PaymentError;
use super::model::{
    Account, DueRefund, EditProvider, Held, MISMATCH, News, Payment, ProviderCode, ProviderEvent,
    ProviderFact, ProviderView, Setup, pause_after,
};
use super::queries;

/// An attempt to pay that is about to begin.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub id: PaymentSessionId,
    pub order: OrderId,
    pub provider: ProviderCode,
    pub amount: Money,
    pub return_url: Option<String>,
    /// When the poller first asks, unless the answer came before; `None` for offline payments.
    pub first_poll_at: Option<DateTime<Utc>>,
}

/// How the store has set up a provider. One statement.
///
/// # Errors
/// [`PaymentError::ProviderUnknown`] when it has not, or has switched it off.
pub async fn chosen_provider(tx: &mut ReadTx<'_>, code: ProviderCode) -> Result<Setup, PaymentError> {
    let setup = queries::providers::chosen(tx, code).await?;
    // One that needs an account and has none takes nothing.
    let usable = setup.filter(|setup| !code.has_account() || setup.account.is_some());
    usable.ok_or(PaymentError::ProviderUnknown(code.as_str()))
}

/// The mode of the key that somebody acts by; none for people, and for whoever shows no key.
pub fn key_mode(actor: &Actor) -> Option<KeyMode> {
    match actor {
        Actor::ApiKey { mode, .. } => Some(*mode),
        _ => None,
    }
}

/// Holds that whoever acts by a key may pay this way, and gives the key's mode: where the store has an account its keys decide, once they are
/// known ([`Setup::is_for`]).
///
/// # Errors
/// [`PaymentError::KeyMode`] for a live key and play money.
pub fn demand_mode(actor: &Actor, code: ProviderCode) -> Result<Option<KeyMode>, PaymentError> {
    match key_mode(actor) {
        Some(mode) if !code.is_for(mode) => Err(PaymentError::KeyMode(mode.as_str(), code.as_str())),
        mode => Ok(mode),
    }
}

/// The store's keys at a provider, as they are now. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn account(tx: &mut ReadTx<'_>, code: ProviderCode) -> Result<Option<Account>, DbError> {
    queries::providers::account(tx, code).await
}

/// Changes how the store has set up a provider. Locks its row. Two statements.
///
/// # Errors
/// [`PaymentError::SetUpUnknown`], [`PaymentError::CredentialsMissing`], [`PaymentError::Precondition`] when somebody was faster, [`PaymentError::Fields`].
pub async fn set_up(
    tx: &mut WriteTx<'_>,
    code: &str,
    seen: &IfMatch,
    wish: EditProvider,
) -> Result<ProviderView, PaymentError> {
    let now = queries::providers::lock(tx, code).await?.ok_or(PaymentError::SetUpUnknown)?;
    seen.check(&ETag::new(now.version)).map_err(PaymentError::Precondition)?;
    let then = wish.apply(now)?;
    let needs_keys = ProviderCode::parse(code).is_some_and(ProviderCode::has_account);
    if then.enabled && needs_keys && then.credentials.is_none() {
        return Err(PaymentError::CredentialsMissing);
    }
    queries::providers::write(tx, &then).await?;
    Ok(ProviderView { version: then.version + 1, ..then })
}

/// Begins an attempt to pay. One statement.
///
/// # Errors
/// `Unique` if the order has a live session already; see [`DbError`].
pub async fn new_session(tx: &mut WriteTx<'_>, new: &NewSession) -> Result<(), DbError> {
    queries::insert_session(tx, new).await
}

/// A session with its payment; lock the order first to rely on it. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn held(tx: &mut ReadTx<'_>, id: PaymentSessionId) -> Result<Option<Held>, DbError> {
    queries::held(tx, id).await
}

/// The newest session of an order, with its payment. Two statements.
///
/// # Errors
/// See [`DbError`].
pub async fn session(tx: &mut ReadTx<'_>, order: OrderId) -> Result<Option<Held>, DbError> {
    match queries::session_of_order(tx, order).await? {
        Some(id) => queries::held(tx, id).await,
        None => Ok(None),
    }
}

/// Folds a provider's fact into a session. Idempotent; facts may come in any order. One statement, none if nothing is new.
///
/// # Errors
/// Amounts that cannot be counted, or a failed statement.
pub async fn record(tx: &mut WriteTx<'_>, held: &Held, fact: &ProviderFact) -> Result<News, PaymentError> {
    let folded = held.fold(fact)?;
    match folded.news {
        News::Mismatch => {
            tracing::warn!(payment_session.id = %held.session.id, "a provider speaks of another amount than was asked for");
            // The provider itself is asked before anybody believes or disbelieves it; at once, the first time.
            if !held.session.is_flagged() {
                queries::flag(tx, held.session.id, MISMATCH).await?;
                queries::poll_at(tx, held.session.id, Some(tx.now())).await?;
            }
        }
        News::Nothing | News::Processing
            if held.session.reference.is_some() && folded.state == held.session.state => {}
        _ => queries::apply(tx, held, fact, &folded).await?,
    }
    Ok(folded.news)
}

/// Takes sessions whose turn it is to be asked about, at most `limit`; each comes back later by itself. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn due_sessions(tx: &mut WriteTx<'_>, limit: u32) -> Result<Vec<PaymentSessionId>, DbError> {
    queries::due_sessions(tx, i64::from(limit)).await
}

/// Writes down which part of the held money staff takes, before the provider is asked; `None` is all of it. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn set_part(
    tx: &mut WriteTx<'_>,
    id: PaymentSessionId,
    part: Option<Money>,
) -> Result<(), DbError> {
    queries::set_part(tx, id, part).await
}

/// Has the poller look at a session at `at`, or never again. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn poll_soon(
    tx: &mut WriteTx<'_>,
    id: PaymentSessionId,
    at: Option<DateTime<Utc>>,
) -> Result<(), DbError> {
    queries::poll_at(tx, id, at).await
}

/// Notes a webhook's event; false when it was noted before and there is nothing to do. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn hear(
    tx: &mut WriteTx<'_>,
    provider: ProviderCode,
    event: &ProviderEvent,
) -> Result<bool, DbError> {
    queries::note_event(tx, provider, event).await
}

/// Says what became of a noted event: `settled`, `flagged`, `ignored`. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn record_outcome(
    tx: &mut WriteTx<'_>,
    provider: ProviderCode,
    event: &ProviderEvent,
    outcome: &'static str,
) -> Result<(), DbError> {
    queries::event_outcome(tx, provider, &event.id, outcome).await
}

/// Decides to give money back; a worker carries it out. The caller books the promise. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn promise_refund(
    tx: &mut WriteTx<'_>,
    order: OrderId,
    payment: PaymentId,
    amount: Money,
    reason: &str,
) -> Result<RefundId, DbError> {
    let refund = RefundId::new();
    queries::insert_refund(tx, refund, order, payment, amount, reason).await?;
    Ok(refund)
}

/// All that was ever promised back of a payment, whatever became of the promise: what the provider refused is still owed. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn promised(tx: &mut ReadTx<'_>, payment: &Payment) -> Result<Money, DbError> {
    let minor = queries::promised(tx, payment.id).await?;
    Ok(Money::new(minor, payment.captured.currency()))
}

/// Takes refunds whose turn it is, at most `limit`. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn due_refunds(tx: &mut WriteTx<'_>, limit: u32) -> Result<Vec<DueRefund>, DbError> {
    queries::due_refunds(tx, i64::from(limit)).await
}

/// A refund has left: `Some(amount)` the first time, for the caller to book; `None` afterwards. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn refund_succeeded(
    tx: &mut WriteTx<'_>,
    refund: RefundId,
    reference: Option<&str>,
) -> Result<Option<Money>, DbError> {
    queries::refund_succeeded(tx, refund, reference).await
}

/// The provider refuses a refund for good; the money stays owed. False if it is not pending any more. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn refund_failed(tx: &mut WriteTx<'_>, refund: RefundId, message: &str) -> Result<bool, DbError> {
    queries::refund_failed(tx, refund, message, None).await
}

/// Tries a refund again that the provider refused for good: something has changed there. It gets a new key, for under the old one nothing
/// happened and nothing would. False unless it is a failed one of this order. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn retry_refund(tx: &mut WriteTx<'_>, order: OrderId, refund: RefundId) -> Result<bool, DbError> {
    queries::retry_refund(tx, order, refund).await
}

/// A refund whose outcome is not known is tried again later, with the same idempotency key. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn refund_later(tx: &mut WriteTx<'_>, refund: &DueRefund, message: &str) -> Result<bool, DbError> {
    let again = tx.now() + pause_after(refund.attempts);
    queries::refund_failed(tx, refund.id, message, Some(again)).await
}

/// The refunds of a session which a provider's cumulative `refunded` amount says have left, oldest first. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn refunds_covered(
    tx: &mut ReadTx<'_>,
    held: &Held,
    refunded: Money,
) -> Result<Vec<RefundId>, DbError> {
    let Some(payment) = held.payment.filter(|payment| refunded.minor() > payment.refunded.minor()) else {
        return Ok(Vec::new());
    };
    let mut known = payment.refunded.minor();
    let open = queries::open_refunds(tx, held.session.id).await?;
    let covered = open.into_iter().take_while(|(_, amount)| {
        known = known.saturating_add(*amount);
        known <= refunded.minor()
    });
    Ok(covered.map(|(id, _)| id).collect())
}
