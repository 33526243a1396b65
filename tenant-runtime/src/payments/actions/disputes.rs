//! Money that a shopper's bank takes back: noted, and told apart from what was known.

use souk_kernel::{DisputeId, Money};
use souk_tenancy::WriteTx;

use super::super::error::PaymentError;
use super::super::model::{DisputeFact, DisputeNews, DisputeState, Held};
use super::super::queries;

/// A dispute as it is known now, and what is new about it.
#[derive(Clone, Copy, Debug)]
pub struct HeardDispute {
    pub id: DisputeId,
    pub state: DisputeState,
    pub news: DisputeNews,
    /// What the provider takes for it, the first time it says so.
    pub fee: Option<Money>,
    /// Whether anything is new, be it only that evidence was handed in.
    pub changed: bool,
}

/// Takes in what a provider says about a dispute, and appends what the bank took or gave back. Idempotent; facts may come in any order. The
/// caller holds the order's lock, books the news and tells it. Two to four statements.
///
/// # Errors
/// [`PaymentError::SessionUnknown`] for a payment that never took money.
pub async fn hear_dispute(
    tx: &mut WriteTx<'_>,
    held: &Held,
    fact: &DisputeFact,
) -> Result<HeardDispute, PaymentError> {
    let payment = held.payment.ok_or(PaymentError::SessionUnknown)?.id;
    let provider = held.session.provider;
    let known = queries::disputes::lock(tx, provider, &fact.reference).await?;
    let before = known.map(|known| known.state);
    let state = before.map_or(fact.state, |before| before.hearing(fact.state));
    let id = known.map_or_else(DisputeId::new, |known| known.id);
    let news = DisputeNews::between(before, state);
    let fee = fact.fee.filter(|_| !known.is_some_and(|known| known.has_fee));
    queries::disputes::write(tx, id, (held.session.order, payment, provider), fact, state).await?;
    if news.taken {
        queries::disputes::append(tx, payment, "chargeback", fact).await?;
    }
    if news.won {
        queries::disputes::append(tx, payment, "reversal", fact).await?;
    }
    Ok(HeardDispute { id, state, news, fee, changed: before != Some(state) })
}
