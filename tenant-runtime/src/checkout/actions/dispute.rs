//! What a shopper's bank takes back: noted at the order, booked and told, once each.

use serde_json::json;
use souk_kernel::PaymentSessionId;
use souk_tenancy::WriteTx;

use super::super::error::CheckoutError;
use super::settle::Settled;
use crate::ledger::{self, LedgerError, rules};
use crate::orders;
use crate::payments::{self, DisputeFact, DisputeLost, DisputeOpened, DisputeWon};

/// Takes in what a provider says about a dispute. Idempotent; facts may repeat and come in any order. Takes the order's lock. Five statements
/// when there is no news.
///
/// # Errors
/// [`CheckoutError::SessionUnknown`]; a failed statement.
pub async fn contest(
    tx: &mut WriteTx<'_>,
    session: PaymentSessionId,
    fact: &DisputeFact,
    actor: &str,
) -> Result<Settled, CheckoutError> {
    let order = orders::lock_for_session(tx, session).await?.ok_or(CheckoutError::SessionUnknown)?;
    let held = payments::held(tx, session).await?.ok_or(CheckoutError::SessionUnknown)?;
    let heard = payments::hear_dispute(tx, &held, fact).await?;
    let (dispute, news, now) = (heard.id, heard.news, tx.now());
    let mut entries = Vec::new();
    if news.taken {
        entries.extend(rules::disputed(order.id, dispute, fact.amount, now).map_err(LedgerError::from)?);
    }
    if let Some(fee) = heard.fee {
        entries.extend(rules::dispute_fee(order.id, dispute, fee, now).map_err(LedgerError::from)?);
    }
    if news.won {
        entries.extend(rules::dispute_won(order.id, dispute, fact.amount, now).map_err(LedgerError::from)?);
    }
    if news.lost {
        entries.extend(rules::dispute_lost(order.id, dispute, fact.amount, now).map_err(LedgerError::from)?);
    }
    if !entries.is_empty() {
        ledger::post_all(tx, entries).await?;
    }
    if heard.changed {
        let details =
            json!({ "dispute": dispute, "state": heard.state, "amount": fact.amount, "reason": fact.reason });
        let kind = match (news.opened, news.won, news.lost) {
            (_, true, _) => "dispute.won",
            (_, _, true) => "dispute.lost",
            (true, _, _) => "dispute.opened",
            (false, false, false) => "dispute.changed",
        };
        orders::note(tx, order.id, kind, actor, details).await?;
    }
    if news.opened {
        let opened = DisputeOpened {
            dispute_id: dispute,
            order_id: order.id,
            name: order.title(),
            provider: held.session.provider.as_str().to_owned(),
            reference: fact.reference.clone(),
            amount: fact.amount,
            reason: fact.reason.clone(),
            inquiry: !fact.state.has_taken(),
            evidence_due_at: fact.evidence_due_at,
            opened_at: fact.opened_at,
        };
        souk_event_bus::emit(tx, &opened).await?;
    }
    let (order_id, name, amount) = (order.id, order.title(), fact.amount);
    if news.won {
        let won = DisputeWon { dispute_id: dispute, order_id, name, amount, closed_at: now };
        souk_event_bus::emit(tx, &won).await?;
    } else if news.lost {
        let lost = DisputeLost { dispute_id: dispute, order_id, name, amount, closed_at: now };
        souk_event_bus::emit(tx, &lost).await?;
    }
    Ok(if heard.changed || heard.fee.is_some() { Settled::Changed } else { Settled::Known })
}
