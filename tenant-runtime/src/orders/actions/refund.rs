//! Giving a part back: some pieces, a part of a price, the delivery.

use serde_json::json;
use souk_api::FieldError;
use souk_kernel::{Currency, Money, OrderId, PaymentId, RefundId};
use souk_tenancy::{ReadTx, WriteTx};

use super::super::error::OrderError;
use super::super::events::OrderRefunded;
use super::super::model::refund::{Part, RefundWish, Share, plan, returned};
use super::super::model::view::OrderView;
use super::super::model::{FinancialStatus, FulfillmentStatus, LockedOrder, StockChoice, financial_status};
use super::super::queries::{self, Bundles};
use super::super::state::OrderState;
use super::dispatch::restate;
use super::{lock, note, view};
use crate::catalog;
use crate::credit;
use crate::inventory::{self, GivenUp};
use crate::ledger::{self, LedgerError, rules};
use crate::payments::{self, Payment};

/// Gives back what the wish comes to: books the return and the promise, decides about the pieces, leaves the payment's money to the
/// worker, and puts credit back where it came from. Takes the order's lock, then the stock's, then the accounts'. Gives the order as it is then.
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
    let currency = order.sums.total.currency();
    let sources = Sources::of(tx, id, currency).await?;
    if !may_refund(order.state, order.financial_status) || sources.are_none() {
        return Err(OrderError::State(view(tx, id).await?.allowed_actions));
    }
    let (parts, bundles) = queries::parts_and_bundles(tx, id).await?;
    let shares = plan(&parts, wish)?;
    let amount = Money::sum(shares.iter().map(|share| share.amount), currency)?;
    let way = sources.split(amount)?;
    let refund =
        payments::promise_refund(tx, id, way.payment, (way.provider, way.credit), &wish.reason).await?;
    queries::insert_refund_lines(tx, id, refund, &shares).await?;
    book(tx, &order, refund, &shares, &way).await?;
    let pieces: Vec<GivenUp> = shares.iter().flat_map(|share| given_up(share, &parts, &bundles)).collect();
    inventory::give_up(tx, order.cart, id, &pieces, actor).await?;
    let lines: Vec<_> = shares.iter().map(told).collect();
    let details = json!({ "refund": refund, "amount": amount, "credit": way.credit, "reason": wish.reason, "lines": lines, "note": wish.note });
    note(tx, id, "refund.promised", actor, details).await?;
    if order.fulfillment_status != FulfillmentStatus::Unfulfilled {
        // What was given up need not be sent any more.
        restate(tx, id).await?;
    }
    if way.credit.is_positive() {
        return_credit(tx, &order, refund, &way, sources.payment.as_ref(), actor).await?;
    } else {
        // The version is the ETag; a refund is a change.
        queries::set_financial(tx, id, order.financial_status).await?;
    }
    view(tx, id).await
}

/// What a wish would come to now and where that would go, without doing it. Five statements, no lock.
///
/// # Errors
/// As [`refund`].
pub async fn preview_refund(
    tx: &mut ReadTx<'_>,
    id: OrderId,
    wish: &RefundWish,
) -> Result<(Vec<Share>, Way), OrderError> {
    let order = view(tx, id).await?;
    let currency = order.total.currency();
    let sources = Sources::of(tx, id, currency).await?;
    if !may_refund(order.state, order.financial_status) || sources.are_none() {
        return Err(OrderError::State(order.allowed_actions));
    }
    let shares = plan(&queries::parts(tx, id).await?, wish)?;
    let amount = Money::sum(shares.iter().map(|share| share.amount), currency)?;
    let way = sources.split(amount)?;
    Ok((shares, way))
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

/// Where the money of an order may go back to, and how much of it.
struct Sources {
    payment: Option<Payment>,
    /// Left of the payment.
    provider: Money,
    /// Left of what gift cards and store credit paid.
    credit: Money,
}

/// How a refund goes back.
pub struct Way {
    payment: Option<PaymentId>,
    /// By the payment's provider.
    provider: Money,
    /// To gift cards and store credit.
    pub credit: Money,
    /// Both.
    pub amount: Money,
}

impl Sources {
    async fn of(tx: &mut ReadTx<'_>, order: OrderId, currency: Currency) -> Result<Self, OrderError> {
        let payment = payments::session(tx, order).await?.and_then(|held| held.payment);
        let provider = match &payment {
            Some(payment) => payment.captured.checked_sub(payments::promised(tx, payment).await?)?,
            None => Money::zero(currency),
        };
        let credit = credit::standing(tx, order, currency).await?;
        Ok(Self { payment, provider, credit: credit.spent.checked_sub(credit.returned)? })
    }

    const fn are_none(&self) -> bool {
        self.payment.is_none() && !self.credit.is_positive()
    }

    /// The payment first, up to what is left of it, then the credit. More than both is refused.
    fn split(&self, amount: Money) -> Result<Way, OrderError> {
        let left = self.provider.checked_add(self.credit)?;
        if amount.minor() > left.minor() {
            let message = format!("must come to at most {left}: that is left of the payment");
            return Err(OrderError::RefundExceeds(vec![FieldError::new("", "exceeds", message)]));
        }
        let provider = if amount.minor() > self.provider.minor() { self.provider } else { amount };
        let payment = self.payment.filter(|_| provider.is_positive()).map(|payment| payment.id);
        Ok(Way { payment, provider, credit: amount.checked_sub(provider)?, amount })
    }
}

/// Puts the credit's part of a refund back on the accounts it came from. Where that is all of it, the refund is done and told.
async fn return_credit(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    refund: RefundId,
    way: &Way,
    payment: Option<&Payment>,
    actor: &str,
) -> Result<(), OrderError> {
    if credit::give_back_part(tx, order.id, way.credit, actor).await? != way.credit {
        return Err(OrderError::DoesNotAddUp);
    }
    note(tx, order.id, "credit.returned", actor, json!({ "amount": way.credit, "refund": refund })).await?;
    let refunded = restate_money(tx, order, payment).await?;
    if way.payment.is_none() {
        let fact = OrderRefunded::of(order, refund, way.amount, refunded, tx.now());
        souk_event_bus::emit(tx, &fact).await?;
    }
    Ok(())
}

/// Writes where the money of an order stands, over its payment and its credit, after some of it went back or came back. Gives all that went back
/// so far. Two statements.
///
/// # Errors
/// Amounts that cannot be counted, or a failed statement.
pub async fn restate_money(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    payment: Option<&Payment>,
) -> Result<Money, OrderError> {
    let zero = Money::zero(order.sums.total.currency());
    let credit = credit::standing(tx, order.id, zero.currency()).await?;
    let (authorized, captured, refunded) = payment
        .map_or((zero, zero, zero), |payment| (payment.authorized, payment.captured, payment.refunded));
    // What was only held for an order that was never placed has paid nothing.
    let asked = order.sums.total.checked_sub(credit.released)?;
    let paid = captured.checked_add(credit.spent)?;
    let back = refunded.checked_add(credit.returned)?;
    queries::set_financial(tx, order.id, financial_status(asked, authorized, paid, back, false)).await?;
    Ok(back)
}

async fn book(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    refund: RefundId,
    shares: &[Share],
    way: &Way,
) -> Result<(), OrderError> {
    let now = tx.now();
    let back = returned(&order.sale()?, shares.iter().copied())?;
    let mut entries = Vec::from_iter(rules::returned(&back, refund, now).map_err(LedgerError::from)?);
    let promise = rules::refund_promised(order.id, refund, way.provider, rules::Claim::Sale, now);
    entries.extend(promise.map_err(LedgerError::from)?);
    let credit = rules::credit_returned(order.id, &refund.to_string(), way.credit, now);
    entries.extend(credit.map_err(LedgerError::from)?);
    ledger::post_all(tx, entries).await?;
    Ok(())
}

/// The pieces that are decided about; of a bundle, those it was made of. What was sent is on no shelf: what a shelf still has of the same item
/// is for another line.
fn given_up(share: &Share, parts: &[Part], bundles: &Bundles) -> Vec<GivenUp> {
    let restock = match share.stock {
        StockChoice::Restock => true,
        StockChoice::WriteOff => false,
        StockChoice::Keep => return Vec::new(),
    };
    let unsent = parts.iter().find(|part| part.line == share.line).map_or(0, |part| part.unsent);
    let pieces = share.pieces.min(unsent);
    let Some(item) = share.item.filter(|_| pieces > 0) else { return Vec::new() };
    let components = share.line.and_then(|line| bundles.get(&line)).map(Vec::as_slice).unwrap_or_default();
    let taken = catalog::made_of(item, components).into_iter();
    taken.map(|(item, each)| GivenUp { item, pieces: i64::from(pieces) * i64::from(each), restock }).collect()
}

fn told(share: &Share) -> serde_json::Value {
    json!({ "line": share.line, "quantity": share.pieces, "amount": share.amount, "stock": share.stock })
}
