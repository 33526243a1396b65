//! What happens to an order inside one transaction. Lock it first ([`lock`]); the lock covers all that belongs to it.

pub mod claim;
mod dispatch;
mod refund;

use serde_json::json;
use souk_kernel::{CartId, CustomerId, Money, OrderId, PaymentId, PaymentSessionId, RefundId};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::error::OrderError;
use super::events::{OrderCancelled, OrderPaid, OrderPartiallyPaid, OrderPlaced};
use super::model::view::{OrderView, ShopperOrderView};
use super::model::{
    CancelReason, CancelWish, FinancialStatus, FulfillmentStatus, LockedOrder, NewOrder, Note, Standing,
    refund::remainder,
};
use super::queries;
use super::state::{OrderEvent, OrderState};
use crate::cart;
use crate::credit;
use crate::customers;
use crate::discounts;
use crate::inventory;
use crate::ledger::{self, rules, rules::Claim};
use crate::payments::{self, Held, ProviderCode};

pub use dispatch::{count_sent, open_lines};
pub use refund::{preview_refund, refund, retry_refund};

/// Writes an attempt: state `pending_payment`, no number. One statement.
///
/// # Errors
/// [`OrderError::DoesNotAddUp`] for a quote that does not; [`OrderError::HasOrder`] when the cart has its order.
pub async fn insert(tx: &mut WriteTx<'_>, order: &NewOrder, actor: &str) -> Result<(), OrderError> {
    if !order.adds_up()? {
        return Err(OrderError::DoesNotAddUp);
    }
    queries::insert(tx, order, actor).await.map_err(|error| match error {
        error if error.is_unique("orders_one_per_cart") => OrderError::HasOrder,
        error => error.into(),
    })
}

/// Locks an order. One statement.
///
/// # Errors
/// See [`DbError`]; `Timeout` when somebody else holds it too long.
pub async fn lock(tx: &mut WriteTx<'_>, order: OrderId) -> Result<Option<LockedOrder>, DbError> {
    queries::lock(tx, Some(order), None).await
}

/// Locks the order that a payment session belongs to. One statement.
///
/// # Errors
/// As [`lock`].
pub async fn lock_for_session(
    tx: &mut WriteTx<'_>,
    session: PaymentSessionId,
) -> Result<Option<LockedOrder>, DbError> {
    queries::lock(tx, None, Some(session)).await
}

/// The order of a cart: placed, or an attempt that is still open. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn attempt_of_cart(tx: &mut ReadTx<'_>, cart: CartId) -> Result<Option<OrderId>, DbError> {
    queries::of_cart(tx, cart).await
}

/// An order as shown. One statement.
///
/// # Errors
/// [`OrderError::Unknown`].
pub async fn view(tx: &mut ReadTx<'_>, order: OrderId) -> Result<OrderView, OrderError> {
    Ok(queries::find(tx, order).await?.ok_or(OrderError::Unknown)?.view)
}

/// What an order is called.
///
/// # Errors
/// The database's only.
pub async fn name_of(tx: &mut ReadTx<'_>, id: OrderId) -> Result<Option<String>, DbError> {
    Ok(queries::find(tx, id).await?.and_then(|order| order.view.name))
}

/// What an order is called, for whoever knows its secret or placed it; none for everybody else, and before it is placed.
///
/// # Errors
/// The database's only.
pub async fn name_for(
    tx: &mut ReadTx<'_>,
    id: OrderId,
    secret: Option<&souk_access::LinkSecret>,
    reach: souk_access::Reach,
) -> Result<Option<String>, DbError> {
    let Some(order) = queries::find(tx, id).await? else { return Ok(None) };
    let knows = secret.is_some_and(|secret| secret.digest().matches(&order.secret_digest));
    let own = reach.is_own() && reach.covers(order.view.customer);
    Ok(order.view.name.filter(|_| knows || own))
}

/// Appends to the timeline. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn note(
    tx: &mut WriteTx<'_>,
    order: OrderId,
    kind: &'static str,
    actor: &str,
    details: serde_json::Value,
) -> Result<(), DbError> {
    let at = tx.now();
    queries::insert_notes(tx, order, &[Note { kind, actor: actor.to_owned(), details, at }]).await
}

/// Makes an attempt an order: state `open`, the next number, its sale (and, if money came, its capture) in the books,
/// `order.placed` and `order.paid` to the world. Four to six statements.
///
/// `captured` is the captured amount and the capture's name, if the money is ours already.
///
/// # Errors
/// [`OrderError::State`] if it is no attempt any more.
pub async fn place(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    financial: FinancialStatus,
    provider: Option<ProviderCode>,
    captured: Option<(&str, Money)>,
    actor: &str,
) -> Result<LockedOrder, OrderError> {
    let state = order.state.on(OrderEvent::Place).map_err(|_| OrderError::State(actions_of(order)))?;
    let placed = queries::place(tx, order.id, state, financial, None).await?;
    if let Some(customer) = placed.customer_id {
        customers::ordered(tx, customer).await?;
    }
    let order = LockedOrder {
        number: Some(placed.number),
        name: Some(placed.name),
        state,
        financial_status: financial,
        ..order.clone()
    };
    let now = tx.now();
    let mut entries = Vec::from_iter(rules::placed(&order.sale()?, now).map_err(ledger::LedgerError::from)?);
    let mut notes = vec![Note {
        kind: "order.placed",
        actor: actor.to_owned(),
        details: json!({ "name": order.name }),
        at: now,
    }];
    if order.sums.credit.is_positive() {
        credit::spend(tx, order.id).await?;
        let entry = rules::credit_spent(order.id, order.sums.credit, now);
        entries.extend(entry.map_err(ledger::LedgerError::from)?);
    }
    if let Some((key, amount)) = captured {
        let entry =
            rules::captured(order.id, key, amount, Claim::Sale, now).map_err(ledger::LedgerError::from)?;
        entries.extend(entry);
        notes.push(captured_note(tx, actor, amount));
    }
    ledger::post_all(tx, entries).await?;
    queries::insert_notes(tx, order.id, &notes).await?;
    let provider = provider.map(ProviderCode::as_str);
    souk_event_bus::emit(tx, &OrderPlaced::of(&order, placed.number, provider, now)?).await?;
    if financial == FinancialStatus::Paid {
        let fact = OrderPaid { at_once: true, ..paid(tx, &order, order.sums.total, provider) };
        souk_event_bus::emit(tx, &fact).await?;
    } else if let Some((_, amount)) = captured {
        let fact = partly_paid(tx, &order, amount, provider);
        souk_event_bus::emit(tx, &fact).await?;
    }
    Ok(order)
}

fn captured_note(tx: &ReadTx<'_>, actor: &str, amount: Money) -> Note {
    Note {
        kind: "payment.captured",
        actor: actor.to_owned(),
        details: json!({ "amount": amount }),
        at: tx.now(),
    }
}

fn paid(tx: &ReadTx<'_>, order: &LockedOrder, amount: Money, provider: Option<&str>) -> OrderPaid {
    OrderPaid {
        order_id: order.id,
        number: order.number,
        name: order.title(),
        email: order.email.clone(),
        amount,
        payment_provider: provider.map(str::to_owned),
        at_once: false,
        paid_at: tx.now(),
    }
}

fn partly_paid(
    tx: &ReadTx<'_>,
    order: &LockedOrder,
    amount: Money,
    provider: Option<&str>,
) -> OrderPartiallyPaid {
    OrderPartiallyPaid {
        order_id: order.id,
        number: order.number,
        name: order.title(),
        amount,
        total: order.sums.total,
        payment_provider: provider.map(str::to_owned),
        paid_at: tx.now(),
    }
}

fn actions_of(order: &LockedOrder) -> Vec<super::model::AllowedAction> {
    let LockedOrder { state, financial_status: financial, fulfillment_status: fulfillment, .. } = *order;
    let unsent = fulfillment != FulfillmentStatus::Fulfilled;
    Standing { state, financial, fulfillment, unsent, offline: false, free: order.sums.total.is_zero() }
        .allowed_actions()
}

/// Writes where the money of a placed order stands now; when money came, books it and says `order.paid`, or
/// `order.partially_paid`. Two to four statements.
///
/// # Errors
/// [`ledger::LedgerError::AlreadyBooked`] when this capture is in the books.
pub async fn move_status(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    financial: FinancialStatus,
    provider: ProviderCode,
    captured: Option<(&str, Money)>,
    actor: &str,
) -> Result<(), OrderError> {
    queries::set_financial(tx, order.id, financial).await?;
    let now = tx.now();
    let note = match captured {
        Some((key, amount)) => {
            let entry = rules::captured(order.id, key, amount, Claim::Sale, now)
                .map_err(ledger::LedgerError::from)?;
            ledger::post_all(tx, Vec::from_iter(entry)).await?;
            let provider = Some(provider.as_str());
            if financial == FinancialStatus::Paid {
                let fact = paid(tx, order, amount, provider);
                souk_event_bus::emit(tx, &fact).await?;
            } else {
                let fact = partly_paid(tx, order, amount, provider);
                souk_event_bus::emit(tx, &fact).await?;
            }
            captured_note(tx, actor, amount)
        }
        None => {
            let kind = match financial {
                FinancialStatus::Authorized => "payment.authorized",
                FinancialStatus::Voided => "payment.voided",
                _ => "payment.changed",
            };
            Note { kind, actor: actor.to_owned(), details: json!({}), at: now }
        }
    };
    Ok(queries::insert_notes(tx, order.id, &[note]).await?)
}

/// Writes where the money of an order stands, and nothing else. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn set_status(
    tx: &mut WriteTx<'_>,
    order: OrderId,
    status: FinancialStatus,
) -> Result<(), DbError> {
    queries::set_financial(tx, order, status).await
}

/// Where an order stands, without its lock. One statement.
///
/// # Errors
/// See [`DbError`].
pub async fn state_of(tx: &mut ReadTx<'_>, order: OrderId) -> Result<Option<OrderState>, DbError> {
    queries::state_of(tx, order).await
}

/// Ends an attempt that did not become an order. Nothing is told to the world: to the shopper it never was one. Two statements.
///
/// # Errors
/// [`OrderError::State`] if it is no attempt any more.
pub async fn give_up(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    reason: CancelReason,
    financial: FinancialStatus,
    actor: &str,
    details: serde_json::Value,
) -> Result<(), OrderError> {
    if !queries::cancel(tx, order.id, OrderState::PendingPayment, financial, reason).await? {
        return Err(OrderError::State(actions_of(order)));
    }
    Ok(note(tx, order.id, "order.cancelled", actor, details).await?)
}

/// The money is ours but the goods are gone: the attempt becomes a cancelled order with a number, so that everybody can see it, and
/// all money is promised back. Only the money is booked, not a sale that never was. Says `order.cancelled`.
///
/// # Errors
/// [`OrderError::State`] if it is no attempt any more.
pub async fn refuse_for_stock(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    financial: FinancialStatus,
    actor: &str,
) -> Result<LockedOrder, OrderError> {
    if order.state != OrderState::PendingPayment {
        return Err(OrderError::State(actions_of(order)));
    }
    let reason = CancelReason::Inventory;
    let_go(tx, order, actor).await?;
    let placed = queries::place(tx, order.id, OrderState::Cancelled, financial, Some(reason)).await?;
    let details = json!({ "reason": reason.as_str() });
    note(tx, order.id, "order.cancelled", actor, details).await?;
    Ok(LockedOrder {
        number: Some(placed.number),
        name: Some(placed.name),
        state: OrderState::Cancelled,
        financial_status: financial,
        ..order.clone()
    })
}

/// Promises money back and books the promise; a worker carries it out. Three statements.
///
/// # Errors
/// Amounts that cannot be counted, or a failed statement.
pub async fn return_money(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    payment: PaymentId,
    amount: Money,
    claim: Claim,
    reason: &str,
    actor: &str,
) -> Result<RefundId, OrderError> {
    let refund = payments::promise_refund(tx, order.id, payment, amount, reason).await?;
    let entry = rules::refund_promised(order.id, refund, amount, claim, tx.now());
    ledger::post_all(tx, Vec::from_iter(entry.map_err(ledger::LedgerError::from)?)).await?;
    note(tx, order.id, "refund.promised", actor, json!({ "amount": amount, "refund": refund })).await?;
    Ok(refund)
}

/// Books that the money of a cancelled order is kept for the shopper. One statement.
///
/// # Errors
/// As [`return_money`].
pub async fn keep_money(tx: &mut WriteTx<'_>, order: &LockedOrder, amount: Money) -> Result<(), OrderError> {
    let entry = rules::kept(order.id, amount, tx.now()).map_err(ledger::LedgerError::from)?;
    ledger::post_all(tx, Vec::from_iter(entry)).await?;
    Ok(())
}

/// Undoes an order: stock back, books reversed, money promised back or kept, `order.cancelled` to the world. The cart of an attempt may be used
/// again. Takes the order's lock.
///
/// Money that is only held is let go by the poller; money that arrives later is given back by `checkout::settle`.
///
/// # Errors
/// [`OrderError::Unknown`]; [`OrderError::State`] when it has been cancelled, closed or shipped.
pub async fn cancel(
    tx: &mut WriteTx<'_>,
    id: OrderId,
    wish: &CancelWish,
    actor: &str,
) -> Result<(), OrderError> {
    let order = lock(tx, id).await?.ok_or(OrderError::Unknown)?;
    let from = order.state;
    let untouched = order.fulfillment_status == FulfillmentStatus::Unfulfilled;
    if from.on(OrderEvent::Cancel).is_err() || !untouched {
        return Err(OrderError::State(actions_of(&order)));
    }
    let held = payments::session(tx, id).await?;
    queries::cancel(tx, id, from, order.financial_status, wish.reason).await?;
    let details = json!({ "reason": wish.reason.as_str(), "restock": wish.restock, "refund": wish.refund, "note": wish.note });
    note(tx, id, "order.cancelled", actor, details).await?;
    if let Some(held) = &held {
        // Whatever the provider still holds or may yet take is looked at, at once.
        payments::poll_soon(
            tx,
            held.session.id,
            Some(tx.now()).filter(|_| !held.session.provider.is_offline()),
        )
        .await?;
    }
    match from {
        OrderState::PendingPayment => reopen_cart(tx, &order, actor).await,
        OrderState::Open | OrderState::Closed | OrderState::Cancelled => {
            undo_sale(tx, &order, wish, held.as_ref(), actor).await
        }
    }
}

/// Opens the cart of an attempt that is over again, and frees what the attempt holds; stock that staff keeps for a draft order stays with it.
/// Needs the order's lock.
///
/// # Errors
/// A failed statement.
pub async fn reopen_cart(tx: &mut WriteTx<'_>, order: &LockedOrder, actor: &str) -> Result<(), OrderError> {
    let terms = cart::reopen(tx, order.cart).await?;
    if terms.is_none_or(|terms| !terms.keeps_stock(tx.now())) {
        inventory::release(tx, order.cart).await?;
    }
    Ok(let_go(tx, order, actor).await?)
}

/// Frees what an attempt that is over holds besides stock: uses of discounts, gift cards, store credit. Take stock before. Nothing the
/// second time.
///
/// # Errors
/// A failed statement.
async fn let_go(tx: &mut WriteTx<'_>, order: &LockedOrder, actor: &str) -> Result<(), DbError> {
    discounts::release(tx, order.id).await?;
    credit::give_back(tx, order.id, order.sums.total.currency(), actor).await.map(drop)
}

/// Puts spent credit back on its accounts and books it.
async fn return_credit(tx: &mut WriteTx<'_>, order: &LockedOrder, actor: &str) -> Result<(), OrderError> {
    let amount = credit::give_back(tx, order.id, order.sums.total.currency(), actor).await?;
    if amount.is_positive() {
        let entry = rules::credit_returned(order.id, amount, tx.now()).map_err(ledger::LedgerError::from)?;
        ledger::post_all(tx, Vec::from_iter(entry)).await?;
        note(tx, order.id, "credit.returned", actor, json!({ "amount": amount })).await?;
    }
    Ok(())
}

async fn undo_sale(
    tx: &mut WriteTx<'_>,
    order: &LockedOrder,
    wish: &CancelWish,
    held: Option<&Held>,
    actor: &str,
) -> Result<(), OrderError> {
    inventory::uncommit(tx, order.cart, order.id, wish.restock, actor).await?;
    discounts::release(tx, order.id).await?;
    // What was refunded line by line is out of the books already.
    let left = remainder(&order.sale()?, &queries::parts(tx, order.id).await?)?;
    let entry = rules::cancelled(&left, tx.now()).map_err(ledger::LedgerError::from)?;
    ledger::post_all(tx, Vec::from_iter(entry)).await?;
    let zero = Money::zero(order.sums.total.currency());
    let paid = held.and_then(|held| held.payment);
    let ours = match &paid {
        Some(payment) => payment.captured.checked_sub(payments::promised(tx, payment).await?)?,
        None => zero,
    };
    let ours = if ours.is_positive() { ours } else { zero };
    let credit = order.sums.credit;
    let both = ours.checked_add(credit)?;
    if wish.refund {
        if let Some(payment) = paid.filter(|_| ours.is_positive()) {
            return_money(tx, order, payment.id, ours, Claim::Sale, wish.reason.as_str(), actor).await?;
        }
        return_credit(tx, order, actor).await?;
        if credit.is_positive() && !ours.is_positive() {
            queries::set_financial(tx, order.id, FinancialStatus::Refunded).await?;
        }
    } else if both.is_positive() {
        keep_money(tx, order, both).await?;
    }
    let refund = Some(both).filter(|both| wish.refund && both.is_positive());
    let fact = OrderCancelled::of(order, wish.reason, refund, tx.now());
    souk_event_bus::emit(tx, &fact).await?;
    Ok(())
}

/// Every placed order of a customer, as they see it, also those placed as a guest of this mailbox; for their export.
///
/// # Errors
/// The database's only.
pub async fn of_customer(
    tx: &mut ReadTx<'_>,
    customer: CustomerId,
    mailbox: Option<&str>,
) -> Result<Vec<ShopperOrderView>, OrderError> {
    let mut orders = Vec::new();
    for id in queries::placed_by(tx, customer, mailbox).await? {
        orders.extend(queries::find(tx, id).await?.map(|order| ShopperOrderView::from(order.view)));
    }
    Ok(orders)
}
