//! Giving a part back: some pieces, a part of a price, the delivery.

use serde_json::json;
use souk_api::FieldError;
use souk_kernel::{Money, OrderId, RefundId};
use souk_tenancy::{ReadTx, WriteTx};

use super::super::error::OrderError;
use super::super::model::refund::{RefundWish, Share, plan, returned};
use super::super::model::view::OrderView;
use super::super::model::{FinancialStatus, FulfillmentStatus, LockedOrder, StockChoice};
use super::super::queries::{self, Bundles};
use super::super::state::OrderState;
use super::dispatch::restate;
use super::{lock, note, view};
use crate::catalog;
use crate::inventory::{self, GivenUp};
use crate::ledger::{self, LedgerError, rules};
use crate::payments::{self, Payment};

/// Gives back what the wish comes to: books the return and the promise, decides about the pieces, and leaves the money to the worker.
/// Takes the order's lock, then the stock's. Gives the order as it is then.
///
/// # Errors
/// [`OrderError::Unknown`]; [`OrderError::State`] unless the order stands and money of it is ours; [`OrderError::Fields`] and
/// [`OrderError::RefundExceeds`] for the wish.
pub async fn refund(
    tx: &mut WriteTx<'_>,
    id: OrderId,
    wish: &RefundWish,
    actor: &str,
) -> Result<OrderView, OrderError> {
    let order = lock(tx, id).await?.ok_or(OrderError::Unknown)?;
    let payment = match payments::session(tx, id).await?.and_then(|held| held.payment) {
        Some(payment) if may_refund(order.state, order.financial_status) => payment,
        _ => return Err(OrderError::State(view(tx, id).await?.allowed_actions)),
    };
    let (parts, bundles) = queries::parts_and_bundles(tx, id).await?;
    let shares = plan(&parts, wish)?;
    let amount = worth(tx, &payment, &shares).await?;
    let refund = payments::promise_refund(tx, id, payment.id, amount, &wish.reason).await?;
    queries::insert_refund_lines(tx, id, refund, &shares).await?;
    book(tx, &order, refund, &shares).await?;
    let pieces: Vec<GivenUp> = shares.iter().flat_map(|share| given_up(share, &bundles)).collect();
    inventory::give_up(tx, order.cart, id, &pieces, actor).await?;
    let lines: Vec<_> = shares.iter().map(told).collect();
    let details = json!({ "refund": refund, "amount": amount, "reason": wish.reason, "lines": lines, "note": wish.note });
    note(tx, id, "refund.promised", actor, details).await?;
    if order.fulfillment_status != FulfillmentStatus::Unfulfilled {
        // What was given up need not be sent any more.
        restate(tx, id).await?;
    }
    // The version is the ETag; a refund is a change.
    queries::set_financial(tx, id, order.financial_status).await?;
    view(tx, id).await
}

/// What a wish would come to now, without doing it. Three statements, no lock.
///
/// # Errors
/// As [`refund`].
pub async fn preview_refund(
    tx: &mut ReadTx<'_>,
    id: OrderId,
    wish: &RefundWish,
) -> Result<(Vec<Share>, Money), OrderError> {
    let order = view(tx, id).await?;
    let payment = match payments::session(tx, id).await?.and_then(|held| held.payment) {
        Some(payment) if may_refund(order.state, order.financial_status) => payment,
        _ => return Err(OrderError::State(order.allowed_actions)),
    };
    let shares = plan(&queries::parts(tx, id).await?, wish)?;
    let amount = worth(tx, &payment, &shares).await?;
    Ok((shares, amount))
}

/// Has the worker try a refund again that the provider refused. Takes the order's lock.
///
/// # Errors
/// [`OrderError::Unknown`] for an order without this refund; [`OrderError::State`] unless it failed.
pub async fn retry_refund(
    tx: &mut WriteTx<'_>,
    id: OrderId,
    refund: RefundId,
    actor: &str,
) -> Result<OrderView, OrderError> {
    let order = lock(tx, id).await?.ok_or(OrderError::Unknown)?;
    if !payments::retry_refund(tx, id, refund).await? {
        let order = view(tx, id).await?;
        let known = order.refunds.iter().any(|known| known.id == refund);
        return Err(if known { OrderError::State(order.allowed_actions) } else { OrderError::Unknown });
    }
    note(tx, id, "refund.retried", actor, json!({ "refund": refund })).await?;
    queries::set_financial(tx, id, order.financial_status).await?;
    view(tx, id).await
}

const fn may_refund(state: OrderState, financial: FinancialStatus) -> bool {
    matches!(state, OrderState::Open | OrderState::Closed)
        && matches!(
            financial,
            FinancialStatus::Paid | FinancialStatus::PartiallyPaid | FinancialStatus::PartiallyRefunded
        )
}

/// The sum, which must not be more than is left of the payment.
async fn worth(tx: &mut ReadTx<'_>, payment: &Payment, shares: &[Share]) -> Result<Money, OrderError> {
    let amount = Money::sum(shares.iter().map(|share| share.amount), payment.captured.currency())?;
    let left = payment.captured.checked_sub(payments::promised(tx, payment).await?)?;
    if amount.minor() > left.minor() {
        let message = format!("must come to at most {left}: that is left of the payment");
        return Err(OrderError::RefundExceeds(vec![FieldError::new("", "exceeds", message)]));
    }
    Ok(amount)
}

async fn book(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    refund: RefundId,
    shares: &[Share],
) -> Result<(), OrderError> {
    let now = tx.now();
    let back = returned(&order.sale()?, shares.iter().copied())?;
    let mut entries = Vec::from_iter(rules::returned(&back, refund, now).map_err(LedgerError::from)?);
    let promise = rules::refund_promised(order.id, refund, back.total, rules::Claim::Sale, now);
    entries.extend(promise.map_err(LedgerError::from)?);
    ledger::post_all(tx, entries).await?;
    Ok(())
}

/// The pieces that are decided about; of a bundle, those it was made of.
fn given_up(share: &Share, bundles: &Bundles) -> Vec<GivenUp> {
    let restock = match share.stock {
        StockChoice::Restock => true,
        StockChoice::WriteOff => false,
        StockChoice::Keep => return Vec::new(),
    };
    let Some(item) = share.item.filter(|_| share.pieces > 0) else { return Vec::new() };
    let components = share.line.and_then(|line| bundles.get(&line)).map(Vec::as_slice).unwrap_or_default();
    let taken = catalog::made_of(item, components).into_iter();
    taken
        .map(|(item, each)| GivenUp { item, pieces: i64::from(share.pieces) * i64::from(each), restock })
        .collect()
}

fn told(share: &Share) -> serde_json::Value {
    json!({ "line": share.line, "quantity": share.pieces, "amount": share.amount, "stock": share.stock })
}
