//! Taking in what providers say about payouts and fees: each movement once, whoever brings the news.

use chrono::TimeDelta;
use souk_access::WorkerPermit;
use souk_kernel::PayoutId;
use souk_tenancy::{ReadTx, WriteTx};

use super::error::PayoutError;
use super::events::{PayoutFailed, PayoutPaid};
use super::queries::{self, DuePayout};
use crate::ledger::{self, LedgerError, rules};
use crate::payments::{self, BalanceEntry, PayoutFact, PayoutState, ProviderCode, ProviderError, Providers};

/// Payouts looked into at a time: each costs at least one call to the provider.
const BATCH: i64 = 8;
/// How far back lost webhooks are made up for.
const LOOKS_BACK: TimeDelta = TimeDelta::days(30);

/// Takes in the entry of a payment that was captured: its fee is booked, and what it became in the currency of the payout. The caller has recorded
/// the capture in this transaction or before. Idempotent. Whether anything was booked. Two to four statements.
///
/// # Errors
/// An amount that cannot be counted; a failed statement.
pub async fn note(
    tx: &mut WriteTx<'_>,
    provider: ProviderCode,
    entry: &BalanceEntry,
) -> Result<bool, PayoutError> {
    take_in(tx, provider, None, std::slice::from_ref(entry)).await
}

/// Takes in what a provider says about a payout: books that it arrived or came back, and tells it. Locks the payout's row. Idempotent; facts may
/// come in any order. Whether anything was new. One statement when not.
///
/// # Errors
/// A failed statement.
pub async fn hear(
    tx: &mut WriteTx<'_>,
    provider: ProviderCode,
    fact: &PayoutFact,
) -> Result<bool, PayoutError> {
    let known = queries::announce(tx, provider, fact).await?;
    let (id, before) = (known.id, known.state);
    let state = before.hearing(fact.state);
    if state == before && !known.is_new {
        return Ok(false);
    }
    queries::advance(tx, id, fact, state).await?;
    let was_paid = before == PayoutState::Paid;
    let now = tx.now();
    let entry = match state {
        PayoutState::Paid => rules::paid_out(id, fact.amount, now).map_err(LedgerError::from)?,
        PayoutState::Failed | PayoutState::Canceled if was_paid => {
            rules::payout_returned(id, fact.amount, now).map_err(LedgerError::from)?
        }
        _ => None,
    };
    if let Some(entry) = entry {
        ledger::post(tx, entry).await?;
    }
    let (provider, reference, amount) = (provider.as_str().to_owned(), fact.reference.clone(), fact.amount);
    if state == PayoutState::Paid {
        let arrives_at = fact.arrives_at;
        let paid = PayoutPaid { payout_id: id, provider, reference, amount, arrives_at };
        souk_event_bus::emit(tx, &paid).await?;
    } else if state == PayoutState::Failed {
        let failure_code = fact.failure_code.clone();
        let failed = PayoutFailed { payout_id: id, provider, reference, amount, failure_code, was_paid };
        souk_event_bus::emit(tx, &failed).await?;
    }
    Ok(true)
}

/// Takes in entries of a payout, or of none yet, and books what is new about each. Whether there was something to book.
async fn take_in(
    tx: &mut WriteTx<'_>,
    provider: ProviderCode,
    payout: Option<PayoutId>,
    entries: &[BalanceEntry],
) -> Result<bool, PayoutError> {
    if entries.is_empty() {
        return Ok(false);
    }
    queries::upsert(tx, provider, payout, entries).await?;
    let (mut marks, mut bookings, now) = (Vec::new(), Vec::new(), tx.now());
    for standing in queries::standing(tx, provider, entries).await? {
        if let Some((booked, new)) = standing.news(now)? {
            marks.push((standing, booked));
            bookings.extend(new);
        }
    }
    if marks.is_empty() {
        return Ok(false);
    }
    queries::mark(tx, &marks).await?;
    Ok(!ledger::post_all(tx, bookings).await?.is_empty())
}

/// One round: what accounts have paid out lately, and what is in payouts that do not add up yet. What fails is logged and comes back by itself.
/// Whether there was anything to do. A store where nothing is due costs one transaction of two statements.
///
/// # Errors
/// Only what keeps the round from beginning: the database.
pub async fn reconcile_due(worker: &WorkerPermit, providers: &Providers) -> Result<bool, PayoutError> {
    let take =
        async |tx: &mut WriteTx<'_>| Ok((payments::due_accounts(tx).await?, queries::due(tx, BATCH).await?));
    let (accounts, payouts) = worker.write::<_, PayoutError, _>("payouts.due", take).await?;
    let worked = !accounts.is_empty() || !payouts.is_empty();
    for provider in accounts {
        if let Err(error) = look_for_payouts(worker, providers, provider).await {
            tracing::warn!(provider = provider.as_str(), %error, "a provider could not be asked for its payouts; it is asked again");
        }
    }
    for payout in payouts {
        let id = payout.id;
        if let Err(error) = look_into(worker, providers, payout).await {
            tracing::warn!(payout.id = %id, %error, "a payout could not be looked into; it comes back");
        }
    }
    Ok(worked)
}

/// Why one of them could not be attended to.
#[derive(Debug, thiserror::Error)]
enum Attempt {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Payout(#[from] PayoutError),
}

async fn account_of(
    worker: &WorkerPermit,
    provider: ProviderCode,
) -> Result<Option<payments::Account>, PayoutError> {
    let look = async move |tx: &mut ReadTx<'_>| Ok(payments::account(tx, provider).await?);
    worker.read::<_, PayoutError, _>("payouts.account", look).await
}

async fn look_for_payouts(
    worker: &WorkerPermit,
    providers: &Providers,
    code: ProviderCode,
) -> Result<(), Attempt> {
    let Some(provider) = providers.of(code) else { return Ok(()) };
    let account = account_of(worker, code).await?;
    let since = worker.clock().now() - LOOKS_BACK;
    for fact in provider.payouts(worker.store(), account.as_ref(), since).await? {
        let work = async move |tx: &mut WriteTx<'_>| hear(tx, code, &fact).await;
        worker.write::<_, PayoutError, _>("payouts.hear", work).await?;
    }
    Ok(())
}

async fn look_into(worker: &WorkerPermit, providers: &Providers, payout: DuePayout) -> Result<(), Attempt> {
    let Some(provider) = providers.of(payout.provider) else { return Ok(()) };
    let account = account_of(worker, payout.provider).await?;
    let entries = provider.payout_entries(worker.store(), account.as_ref(), &payout.reference).await?;
    let work = async move |tx: &mut WriteTx<'_>| {
        take_in(tx, payout.provider, Some(payout.id), &entries).await?;
        Ok(queries::rest(tx, payout.id).await?)
    };
    Ok(worker.write::<_, PayoutError, _>("payouts.take_in", work).await?)
}
