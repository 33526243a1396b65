//! Idempotency keys: the claim, the work and the kept reply are one transaction, or a claim with a lease and a reply stored later.
//!
//! A key is named by (principal, route, key). The same key with another request is 422; a running one is 409 after waiting at
//! most `lock_timeout`; a finished one is answered again byte for byte. Failed work rolls back, so that the key is free again.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use souk_tenancy::{DbError, WriteTx};

use crate::error::KeyError;
use crate::queries::{self, HeldRow, KeptReply, KeyName};
use crate::reply::Reply;

/// How long a finished key answers again.
const KEPT: TimeDelta = TimeDelta::hours(48);

/// Which table holds the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Store,
    Control,
}

/// A claimed key, to be fulfilled or released. Worth nothing once its lease ran out and another attempt took over.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub(crate) name: KeyName,
    pub(crate) claimed_at: DateTime<Utc>,
}

/// How a claim went.
#[derive(Debug)]
pub enum Claim {
    /// The key is ours.
    Ours(Claimed),
    /// The work was done before: send this, through [`crate::Permit::replay`].
    Done(Reply),
}

/// A key that is ours to work under.
#[derive(Debug)]
pub struct Claimed {
    /// For `fulfil` or `release`.
    pub ticket: Ticket,
    /// An earlier attempt claimed the key, let its lease run out and may have got part of the way: look before acting.
    pub resumed: bool,
}

/// Claims in this transaction. For [`Table::Store`] the lease matters only if the claim is committed before it is fulfilled.
pub(crate) async fn claim(
    tx: &mut WriteTx<'_>,
    table: Table,
    name: KeyName,
    lease: Duration,
) -> Result<Claim, KeyError> {
    let now = tx.now();
    let claimed = match table {
        Table::Store => queries::claim(tx, &name, later(now, lease), now + KEPT).await,
        Table::Control => queries::claim_in_control(tx, &name, now - KEPT).await,
    };
    match claimed {
        Ok(Some(row)) => {
            Ok(Claim::Ours(Claimed { ticket: Ticket { name, claimed_at: now }, resumed: !row.fresh }))
        }
        Ok(None) => {
            let held = match table {
                Table::Store => queries::held(tx, &name).await?,
                Table::Control => queries::held_in_control(tx, &name).await?,
            };
            // Released in this very moment: the caller's next try will find it free.
            let held = held.ok_or(KeyError::Running)?;
            judge(&name, held).map(Claim::Done)
        }
        // Another transaction holds the key for longer than lock_timeout.
        Err(DbError::Timeout) => Err(KeyError::Running),
        Err(error) => Err(error.into()),
    }
}

fn judge(name: &KeyName, held: HeldRow) -> Result<Reply, KeyError> {
    if held.fingerprint != name.fingerprint {
        return Err(KeyError::Reused);
    }
    let status = held.status.and_then(|status| u16::try_from(status).ok()).ok_or(KeyError::Running)?;
    let headers = held.headers.map(serde_json::from_value).transpose()?.unwrap_or_default();
    Ok(Reply { status, headers, body: Ok(held.body.unwrap_or_default()) })
}

/// Stores the reply under the claim, in this transaction, and gives it back for sending.
pub(crate) async fn fulfil(
    tx: &mut WriteTx<'_>,
    table: Table,
    ticket: &Ticket,
    reply: Reply,
) -> Result<Reply, KeyError> {
    let body = reply.body?;
    let headers = serde_json::to_value(&reply.headers)?;
    let kept = KeptReply { status: i32::from(reply.status), headers, body: body.clone() };
    let expires_at = tx.now() + KEPT;
    let rows = match table {
        Table::Store => queries::fulfil(tx, &ticket.name, ticket.claimed_at, kept, expires_at).await?,
        Table::Control => queries::fulfil_in_control(tx, &ticket.name, kept).await?,
    };
    if rows == 1 { Ok(Reply { body: Ok(body), ..reply }) } else { Err(KeyError::Lost) }
}

/// Frees a claimed key whose work failed after the claim was committed.
pub(crate) async fn release(tx: &mut WriteTx<'_>, ticket: &Ticket) -> Result<(), KeyError> {
    match queries::release(tx, &ticket.name, ticket.claimed_at).await? {
        1 => Ok(()),
        _ => Err(KeyError::Lost),
    }
}

/// Deletes at most `limit` keys of a store that ran out; for a periodic worker. Returns how many.
///
/// # Errors
/// See [`DbError`].
pub async fn prune(tx: &mut WriteTx<'_>, limit: u32) -> Result<usize, DbError> {
    queries::prune(tx, i64::from(limit)).await
}

fn later(now: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| now.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
