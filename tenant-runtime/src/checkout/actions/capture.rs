//! What staff does about the money of an order: take what is held, say what came by another way.

use std::time::Duration;

use souk_access::{Claim, Permit, Reply, Ticket};
use souk_api::{Digest, IdempotencyKey, Problem};
use souk_kernel::OrderId;
use souk_tenancy::WriteTx;

use super::super::error::CheckoutError;
use super::super::model::{Till, paid_fact};
use super::pay::Answer;
use super::settle::settle;
use crate::orders::{self, FinancialStatus, OrderError, OrderState};
use crate::payments::permissions::Capture;
use crate::payments::{self, Held, ProviderError};

const LEASE: Duration = Duration::from_secs(60);

enum Stage {
    Kept(Reply),
    Ask(Ticket, Box<Held>),
}

/// Takes the money that is held for an order. The provider is asked between two transactions; its own webhook may be faster.
///
/// # Errors
/// 409 when nothing is held; 503 when the provider does not answer: ask again with the same key.
pub async fn capture(
    till: Till,
    permit: Permit<Capture>,
    key: IdempotencyKey,
    digest: Digest,
    id: OrderId,
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
            Some(held) => Ok(Stage::Ask(claimed.ticket, Box::new(held))),
            None => Err(OrderError::State(orders::view(tx, id).await?.allowed_actions).into()),
        }
    };
    let (ticket, held) = match permit.write::<_, CheckoutError, _>("orders.capture", claim).await? {
        Stage::Kept(reply) => return Ok((reply, true)),
        Stage::Ask(ticket, held) => (ticket, held),
    };
    let provider = till.providers.of(held.session.provider);
    let said = match provider {
        Some(provider) => provider.capture(permit.store(), &held.session).await,
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
            payments::poll_soon(tx, held.session.id, Some(tx.now())).await?;
            Ok(Err(CheckoutError::Provider(error.to_string())))
        }
    };
    let reply = permit.write::<_, CheckoutError, _>("orders.capture.settle", finish).await??;
    Ok((reply, false))
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
