//! What staff does about the money of an order: take what is held, say what came by another way.

use std::time::Duration;

use souk_access::{Claim, Permit, Reply, Ticket};
use souk_api::{Digest, FieldError, IdempotencyKey, Problem};
use souk_kernel::{Money, OrderId, StoreId};
use souk_tenancy::WriteTx;

use super::super::error::CheckoutError;
use super::super::model::{Till, paid_fact};
use super::pay::Answer;
use super::settle::settle;
use crate::orders::{self, FinancialStatus, OrderError, OrderState};
use crate::payments::permissions::Capture;
use crate::payments::{self, Held, PaymentSession, Provider, ProviderError, ProviderFact};

const LEASE: Duration = Duration::from_secs(60);

enum Stage {
    Kept(Reply),
    Ask(Ticket, Box<Held>),
}

/// Takes the money that is held for an order: all of it, or `amount`, and the rest is let go. The provider is asked between two transactions; its
/// own webhook may be faster.
///
/// # Errors
/// 409 when nothing is held; 422 for an amount that is not within what is held, or another than was asked for while its outcome is not known; 503 when the provider does not answer: ask again with the same key.
pub async fn capture(
    till: Till,
    permit: Permit<Capture>,
    key: IdempotencyKey,
    digest: Digest,
    id: OrderId,
    amount: Option<Money>,
) -> Result<Answer, Problem> {
    let actor = permit.actor().to_string();
    let keyed = permit.clone();
    let claim = async move |tx: &mut WriteTx<'_>| {
        let claimed = match keyed.claim(tx, &key, digest, LEASE).await? {
            Claim::Done(reply) => return Ok(Stage::Kept(reply)),
            Claim::Ours(claimed) => claimed,
        };
        let order = orders::lock(tx, id).await?.ok_or(OrderError::Unknown)?;
        let held = payments::session(tx, id).await?;
        let open = order.state == OrderState::Open && order.financial_status == FinancialStatus::Authorized;
        match held.filter(|_| open || claimed.resumed) {
            Some(held) => Ok(Stage::Ask(claimed.ticket, Box::new(decide(tx, held, amount).await?))),
            None => Err(OrderError::State(orders::view(tx, id).await?.allowed_actions).into()),
        }
    };
    let (ticket, held) = match permit.write::<_, CheckoutError, _>("orders.capture", claim).await? {
        Stage::Kept(reply) => return Ok((reply, true)),
        Stage::Ask(ticket, held) => (ticket, held),
    };
    let provider = till.providers.of(held.session.provider);
    let said = match provider {
        Some(provider) => take(provider, permit.store(), &held.session).await,
        None => Err(ProviderError::Unsupported),
    };
    let keyed = permit.clone();
    let finish = async move |tx: &mut WriteTx<'_>| match said {
        Ok(fact) => {
            settle(tx, held.session.id, &fact, &actor).await?;
            let reply = Reply::ok(&orders::view(tx, id).await?);
            Ok(Ok(keyed.fulfil(tx, &ticket, reply).await?))
        }
        Err(error) => {
            keyed.release(tx, &ticket).await?;
            // Where nothing happened another amount may be asked for.
            if held.session.part.is_some() && !matches!(error, ProviderError::Unknown(_)) {
                payments::set_part(tx, held.session.id, None).await?;
            }
            payments::poll_soon(tx, held.session.id, Some(tx.now())).await?;
            Ok(Err(CheckoutError::Provider(error.to_string())))
        }
    };
    let reply = permit.write::<_, CheckoutError, _>("orders.capture.settle", finish).await??;
    Ok((reply, false))
}

/// Writes down how much is taken, before the provider is asked: nothing else is believed of it then.
async fn decide(tx: &mut WriteTx<'_>, mut held: Held, amount: Option<Money>) -> Result<Held, CheckoutError> {
    let whole = held.session.amount;
    let refuse = |code: &'static str, message: String| -> Result<Held, CheckoutError> {
        Err(OrderError::Fields(vec![FieldError::new("/amount", code, message)]).into())
    };
    let within = |amount: &Money| {
        amount.currency() == whole.currency() && (1..=whole.minor()).contains(&amount.minor())
    };
    if !amount.as_ref().is_none_or(within) {
        return refuse("range", format!("must be more than nothing and at most {whole}: that is held"));
    }
    let part = amount.filter(|amount| *amount != whole);
    match held.session.part {
        known if known == part => return Ok(held),
        Some(known) => {
            return refuse(
                "undecided",
                format!("must be {known}: that was asked for, and nobody knows yet whether it was taken"),
            );
        }
        None => {}
    }
    payments::set_part(tx, held.session.id, part).await?;
    held.session.part = part;
    Ok(held)
}

/// Has the provider take it. One that refuses may have done so before, under a key that it has forgotten since: what stands there counts.
async fn take(
    provider: &dyn Provider,
    store: StoreId,
    session: &PaymentSession,
) -> Result<ProviderFact, ProviderError> {
    match provider.capture(store, session).await {
        Err(ProviderError::Refused { code, message }) => match provider.fetch(store, session).await {
            Ok(Some(fact)) if fact.captured.is_positive() => Ok(fact),
            Ok(_) => Err(ProviderError::Refused { code, message }),
            Err(_) => Err(ProviderError::Unknown(format!("{code}: {message}"))),
        },
        said => said,
    }
}

/// Says that an order that is paid outside of any provider was paid. Takes the order's lock.
///
/// # Errors
/// [`OrderError::State`] for an order that is not waiting for such a payment.
pub async fn mark_paid(tx: &mut WriteTx<'_>, id: OrderId, actor: &str) -> Result<Reply, CheckoutError> {
    let order = orders::lock(tx, id).await?.ok_or(OrderError::Unknown)?;
    let held = payments::session(tx, id).await?;
    let waits = order.state == OrderState::Open && order.financial_status == FinancialStatus::Pending;
    let Some(held) = held.filter(|held| waits && held.session.provider.is_offline()) else {
        return Err(OrderError::State(orders::view(tx, id).await?.allowed_actions).into());
    };
    settle(tx, held.session.id, &paid_fact(&held.session), actor).await?;
    Ok(Reply::ok(&orders::view(tx, id).await?))
}
