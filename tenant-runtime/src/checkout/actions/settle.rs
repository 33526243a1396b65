//! What a provider's word means for the order, the stock, the books and the cart. One transaction, under the order's lock.

use serde_json::json;
use souk_kernel::{CartId, Money, OrderId, PaymentSessionId, RefundId};
use souk_tenancy::WriteTx;

use super::super::error::CheckoutError;
use super::super::model::status_after;
use crate::inventory::{self, Commitment};
use crate::ledger::{self, LedgerError, rules, rules::Claim};
use crate::orders::{
    self, CancelReason, CancelWish, FinancialStatus, LockedOrder, OrderCancelled, OrderRefunded, OrderState,
};
use crate::payments::{self, Held, News, PaymentError, ProviderFact};
use crate::{cart, drafts, orders::OrderError};

/// What became of a provider's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Nothing that we did not know.
    Known,
    /// Something changed.
    Changed,
    /// Amount or currency are wrong: believed by nobody, the provider is asked again, a person will see it.
    Flagged,
}

impl Settled {
    /// As noted beside a provider's event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Changed => "settled",
            Self::Flagged => "flagged",
        }
    }
}

/// Settles a session with what its provider says. Idempotent: facts may repeat, overlap and come in any order. Takes the order's lock and
/// then, if there is news, the stock's and the cart's. Three statements when there is none.
///
/// # Errors
/// [`CheckoutError::SessionUnknown`]; a failed statement.
pub async fn settle(
    tx: &mut WriteTx<'_>,
    session: PaymentSessionId,
    fact: &ProviderFact,
    actor: &str,
) -> Result<Settled, CheckoutError> {
    let order = orders::lock_for_session(tx, session).await?.ok_or(CheckoutError::SessionUnknown)?;
    let held = payments::held(tx, session).await?.ok_or(CheckoutError::SessionUnknown)?;
    let news = payments::record(tx, &held, fact).await?;
    let settled = match news {
        News::Nothing => Settled::Known,
        News::ActionRequired => {
            orders::note(tx, order.id, "payment.action_required", actor, json!({})).await?;
            Settled::Changed
        }
        News::Mismatch if held.session.is_flagged() => Settled::Flagged,
        News::Mismatch => {
            let details =
                json!({ "asked": held.session.amount, "told": fact.amount, "captured": fact.captured });
            orders::note(tx, order.id, "payment.mismatch", actor, details).await?;
            Settled::Flagged
        }
        News::Processing => on_its_way(tx, &order, &held, actor).await?,
        News::Failed => failed(tx, &order, CancelReason::Declined, fact, actor).await?,
        News::Voided => voided(tx, &order, &held, fact, actor).await?,
        News::Authorized => arrived(tx, &order, &held, None, actor).await?,
        News::Captured { amount, total } => {
            let captured = Ours { key: format!("{session}:{}", total.minor()), amount, total };
            arrived(tx, &order, &held, Some(captured), actor).await?
        }
    };
    if settled == Settled::Flagged {
        return Ok(settled);
    }
    Ok(if refunds_left(tx, &order, session, fact, actor).await? { Settled::Changed } else { settled })
}

/// Money that has become ours.
struct Ours {
    /// Names the capture in the books.
    key: String,
    /// This time.
    amount: Money,
    /// In all.
    total: Money,
}

/// Money is held (`captured` is `None`) or ours.
async fn arrived(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    held: &Held,
    captured: Option<Ours>,
    actor: &str,
) -> Result<Settled, CheckoutError> {
    let provider = held.session.provider;
    let status = status_after(held.session.amount, captured.as_ref().map(|ours| ours.total));
    let money = captured.as_ref().map(|ours| (ours.key.as_str(), ours.amount));
    match order.state {
        OrderState::PendingPayment => {
            let is_stocked = order.lines.iter().any(|line| line.item.is_some());
            match take_stock(tx, order.cart, order.id, is_stocked).await? {
                Commitment::Committed => {
                    // The cart first: taking the number holds up every other order of the store until the end.
                    complete_cart(tx, order.cart, order.id).await?;
                    orders::place(tx, order, status, Some(provider), money, actor).await?;
                }
                Commitment::Gone => sold_out(tx, order, held, status, money, actor).await?,
            }
        }
        OrderState::Open | OrderState::Closed => {
            orders::move_status(tx, order, status, provider, money, actor).await?;
        }
        OrderState::Cancelled => too_late(tx, order, held, status, money, actor).await?,
    }
    Ok(Settled::Changed)
}

/// Nobody has to do anything and the money takes days, as a direct debit does: the order stands, and waits for it as for a transfer.
async fn on_its_way(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    held: &Held,
    actor: &str,
) -> Result<Settled, CheckoutError> {
    if order.state != OrderState::PendingPayment {
        return Ok(Settled::Known);
    }
    let is_stocked = order.lines.iter().any(|line| line.item.is_some());
    match take_stock(tx, order.cart, order.id, is_stocked).await? {
        Commitment::Committed => {
            complete_cart(tx, order.cart, order.id).await?;
            let provider = Some(held.session.provider);
            orders::place(tx, order, FinancialStatus::Pending, provider, None, actor).await?;
            Ok(Settled::Changed)
        }
        // Somebody else has the goods; should the money come, it is given back.
        Commitment::Gone => Ok(Settled::Known),
    }
}

/// Whether a placed order waits for money that was said to be on its way.
fn waits_for_money(order: &LockedOrder) -> bool {
    order.state == OrderState::Open && order.financial_status == FinancialStatus::Pending
}

/// The money that was on its way does not come: the order is undone, unless something was sent already.
async fn never_came(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    details: serde_json::Value,
    actor: &str,
) -> Result<Settled, CheckoutError> {
    orders::note(tx, order.id, "payment.failed", actor, details).await?;
    let wish = CancelWish { reason: CancelReason::Declined, restock: true, refund: true, note: None };
    match orders::cancel(tx, order.id, &wish, actor).await {
        // Staff sees the note, and that it is not paid.
        Ok(()) | Err(OrderError::State(_)) => Ok(Settled::Changed),
        Err(error) => Err(error.into()),
    }
}

/// Makes what the cart reserved the order's. An order of nothing but lines that staff made up has nothing in stock, whatever its cart once kept.
///
/// # Errors
/// A failed statement.
pub async fn take_stock(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    order: OrderId,
    is_stocked: bool,
) -> Result<Commitment, CheckoutError> {
    if !is_stocked {
        return Ok(Commitment::Committed);
    }
    Ok(inventory::commit_reservations(tx, cart, order).await?)
}

/// The cart is bought; if it is a draft order, that is this order now.
///
/// # Errors
/// A failed statement.
pub async fn complete_cart(tx: &mut WriteTx<'_>, cart: CartId, order: OrderId) -> Result<(), CheckoutError> {
    if cart::mark_completed(tx, cart).await?.is_some() {
        drafts::complete(tx, cart, order).await?;
    }
    Ok(())
}

/// The money came, the goods are gone.
async fn sold_out(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    held: &Held,
    status: FinancialStatus,
    captured: Option<(&str, Money)>,
    actor: &str,
) -> Result<(), CheckoutError> {
    let order = orders::refuse_for_stock(tx, order, status, actor).await?;
    complete_cart(tx, order.cart, order.id).await?;
    let refund = give_back(tx, &order, held, captured, "inventory", actor).await?;
    let fact = OrderCancelled::of(&order, CancelReason::Inventory, refund, tx.now());
    souk_event_bus::emit(tx, &fact).await?;
    Ok(())
}

/// The money came after the order was cancelled.
async fn too_late(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    held: &Held,
    status: FinancialStatus,
    captured: Option<(&str, Money)>,
    actor: &str,
) -> Result<(), CheckoutError> {
    orders::set_status(tx, order.id, status).await?;
    give_back(tx, order, held, captured, "cancelled", actor).await?;
    Ok(())
}

/// Books money no sale asks for and promises it back; money that is only held is let go by the poller, at once.
async fn give_back(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    held: &Held,
    captured: Option<(&str, Money)>,
    reason: &str,
    actor: &str,
) -> Result<Option<Money>, CheckoutError> {
    let Some((key, amount)) = captured else {
        payments::poll_soon(tx, held.session.id, Some(tx.now())).await?;
        return Ok(None);
    };
    let entry = rules::captured(order.id, key, amount, Claim::NoSale, tx.now()).map_err(LedgerError::from)?;
    ledger::post_all(tx, Vec::from_iter(entry)).await?;
    orders::note(tx, order.id, "payment.captured", actor, json!({ "amount": amount })).await?;
    let payment = payments::held(tx, held.session.id).await?.and_then(|held| held.payment);
    let payment = payment.ok_or(PaymentError::SessionUnknown)?;
    orders::return_money(tx, order, payment.id, amount, Claim::NoSale, reason, actor).await?;
    Ok(Some(amount))
}

/// The attempt is over without money: the stock is free and the cart open again.
async fn failed(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    reason: CancelReason,
    fact: &ProviderFact,
    actor: &str,
) -> Result<Settled, CheckoutError> {
    let code = fact.failure.as_ref().map(|(code, _)| code.as_str());
    let details = json!({ "code": code });
    match order.state {
        OrderState::PendingPayment => {
            abandon(tx, order, reason, FinancialStatus::Pending, actor, details).await?;
        }
        OrderState::Open if waits_for_money(order) => return never_came(tx, order, details, actor).await,
        OrderState::Open | OrderState::Closed | OrderState::Cancelled => {
            orders::note(tx, order.id, "payment.failed", actor, details).await?;
        }
    }
    Ok(Settled::Changed)
}

/// Ends an attempt and opens its cart again.
pub async fn abandon(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    reason: CancelReason,
    financial: FinancialStatus,
    actor: &str,
    details: serde_json::Value,
) -> Result<(), CheckoutError> {
    orders::give_up(tx, order, reason, financial, actor, details).await?;
    Ok(orders::reopen_cart(tx, order, actor).await?)
}

/// The provider let the held money go.
async fn voided(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    held: &Held,
    fact: &ProviderFact,
    actor: &str,
) -> Result<Settled, CheckoutError> {
    match order.state {
        OrderState::PendingPayment => return failed(tx, order, CancelReason::Expired, fact, actor).await,
        OrderState::Open if waits_for_money(order) => {
            return failed(tx, order, CancelReason::Expired, fact, actor).await;
        }
        OrderState::Open | OrderState::Closed | OrderState::Cancelled => {
            let provider = held.session.provider;
            orders::move_status(tx, order, FinancialStatus::Voided, provider, None, actor).await?;
        }
    }
    Ok(Settled::Changed)
}

/// Refunds which the provider's cumulative amount says have left. True if there was one.
async fn refunds_left(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    session: PaymentSessionId,
    fact: &ProviderFact,
    actor: &str,
) -> Result<bool, CheckoutError> {
    if !fact.refunded.is_positive() {
        return Ok(false);
    }
    let Some(held) = payments::held(tx, session).await? else { return Ok(false) };
    let covered = payments::refunds_covered(tx, &held, fact.refunded).await?;
    for refund in &covered {
        refund_left(tx, order, session, *refund, Some(&fact.reference), actor).await?;
    }
    Ok(!covered.is_empty())
}

/// A refund has left: booked and told once, however often this is called. Expects the order's lock.
///
/// # Errors
/// A failed statement.
pub async fn refund_left(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    session: PaymentSessionId,
    refund: RefundId,
    reference: Option<&str>,
    actor: &str,
) -> Result<(), CheckoutError> {
    let Some(amount) = payments::refund_succeeded(tx, refund, reference).await? else { return Ok(()) };
    let entry = rules::refunded(order.id, refund, amount, tx.now()).map_err(LedgerError::from)?;
    ledger::post_all(tx, Vec::from_iter(entry)).await?;
    let payment = payments::held(tx, session).await?.and_then(|held| held.payment);
    let payment = payment.ok_or(PaymentError::SessionUnknown)?;
    let status = orders::financial_status(
        order.sums.total,
        payment.authorized,
        payment.captured,
        payment.refunded,
        false,
    );
    orders::set_status(tx, order.id, status).await?;
    orders::note(tx, order.id, "refund.succeeded", actor, json!({ "amount": amount, "refund": refund }))
        .await?;
    let fact = OrderRefunded {
        order_id: order.id,
        number: order.number,
        name: order.title(),
        email: order.email.clone(),
        refund_id: refund,
        amount,
        refunded: payment.refunded,
        refunded_at: tx.now(),
    };
    souk_event_bus::emit(tx, &fact).await.map_err(OrderError::from)?;
    Ok(())
}
