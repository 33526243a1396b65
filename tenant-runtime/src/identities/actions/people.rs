//! Whose account an identity opens, and who may link one.

use serde_json::json;
use souk_access::{LinkSecret, SigningKey};
use souk_kernel::{CustomerId, IdentityId, StaffId};
use souk_openid::challenge;
use souk_tenancy::WriteTx;

use super::sessions;
use crate::audit::{self, By, Change};
use crate::customers::{self, Origin, Tokens};
use crate::identities::error::IdentityError;
use crate::identities::model::{
    Audience, MOST_IDENTITIES, Owner, StaffToken, Ticket, believable_email, names_of, proved_at,
};
use crate::identities::queries;
use crate::staff;

/// A ticket and the verifier of the client that began.
pub type Shown<'a> = (&'a str, &'a str);

/// Uses a ticket up, if the verifier is of the client that began. A transaction that fails later gives it back.
async fn redeem(
    tx: &mut WriteTx<'_>,
    audience: Audience,
    (ticket, verifier): Shown<'_>,
) -> Result<Ticket, IdentityError> {
    let secret = LinkSecret::parse(ticket).ok_or(IdentityError::TicketUnusable)?;
    let found = queries::use_ticket(tx, audience, &secret.digest()).await?;
    let found = found.ok_or(IdentityError::TicketUnusable)?;
    if !challenge::fits(verifier, &found.challenge) {
        return Err(IdentityError::TicketUnusable);
    }
    Ok(Ticket { provider: found.provider, person: serde_json::from_value(found.person)? })
}

/// Links a person whom [`queries::meet`] did not know. Somebody else may have been faster.
async fn link(tx: &mut WriteTx<'_>, owner: Owner, ticket: &Ticket) -> Result<IdentityId, IdentityError> {
    let count = queries::list(tx, owner).await?.len();
    if i64::try_from(count).unwrap_or(i64::MAX) >= MOST_IDENTITIES {
        return Err(IdentityError::Field("/ticket", "must be of one of at most 20 identities"));
    }
    let id = IdentityId::new();
    let linked = queries::insert(tx, id, owner, &ticket.provider, &ticket.person).await?;
    if linked { Ok(id) } else { Err(IdentityError::Taken) }
}

/// Links the identity behind a ticket to somebody who proved who they are; `None` when it was theirs already.
async fn link_to(
    tx: &mut WriteTx<'_>,
    audience: Audience,
    owner: Owner,
    shown: Shown<'_>,
) -> Result<Option<(IdentityId, Ticket)>, IdentityError> {
    let ticket = redeem(tx, audience, shown).await?;
    if !queries::lock(tx, owner).await? {
        return Err(IdentityError::Unknown);
    }
    match queries::meet(tx, audience, &ticket.person).await? {
        Some(known) if known == owner => Ok(None),
        Some(_) => Err(IdentityError::Taken),
        None => Ok(Some((link(tx, owner, &ticket).await?, ticket))),
    }
}

/// Signs in the customer behind a ticket. The first time an account is made, if the provider has verified the address and nobody has an
/// account with it.
pub async fn enter_customer(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    origin: &Origin,
    shown: Shown<'_>,
) -> Result<Tokens, IdentityError> {
    let ticket = redeem(tx, Audience::Customers, shown).await?;
    let customer = match queries::meet(tx, Audience::Customers, &ticket.person).await? {
        Some(Owner::Customer(id)) => id,
        Some(Owner::Staff(_)) => return Err(IdentityError::TicketUnusable),
        None => {
            let email = believable_email(&ticket.person).ok_or(IdentityError::EmailUnverified)?;
            let made = customers::register_vouched(tx, &email, names_of(&ticket.person)).await?;
            let id = made.ok_or(IdentityError::Unlinked)?;
            link(tx, Owner::Customer(id), &ticket).await?;
            id
        }
    };
    let proved = proved_at(&ticket, tx.now());
    Ok(customers::open(tx, signing, customer, origin, proved).await?)
}

/// Links an identity to a customer, who is told by mail. Once linked to them, it stays.
pub async fn link_customer(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    shown: Shown<'_>,
) -> Result<(), IdentityError> {
    let linked = link_to(tx, Audience::Customers, Owner::Customer(customer), shown).await?;
    if let Some((_, ticket)) = linked {
        customers::tell_of_identity(tx, customer, &ticket.provider, true).await?;
    }
    Ok(())
}

/// Takes an identity of a customer's away, unless nobody could sign in any more. They are told by mail.
pub async fn unlink_customer(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    id: IdentityId,
) -> Result<(), IdentityError> {
    let provider = unlink(tx, Owner::Customer(customer), id).await?;
    Ok(customers::tell_of_identity(tx, customer, &provider, false).await?)
}

async fn unlink(tx: &mut WriteTx<'_>, owner: Owner, id: IdentityId) -> Result<String, IdentityError> {
    if !queries::lock(tx, owner).await? {
        return Err(IdentityError::Unknown);
    }
    let provider = queries::delete(tx, owner, id).await?.ok_or(IdentityError::Unknown)?;
    if queries::has_way_in(tx, owner).await? { Ok(provider) } else { Err(IdentityError::LastWayIn) }
}

/// Signs in the colleague behind a ticket.
pub async fn enter_staff(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    origin: &Origin,
    shown: Shown<'_>,
) -> Result<StaffToken, IdentityError> {
    let ticket = redeem(tx, Audience::Staff, shown).await?;
    match queries::meet(tx, Audience::Staff, &ticket.person).await? {
        Some(Owner::Staff(id)) => sessions::open(tx, signing, origin, id, &ticket).await,
        _ => Err(IdentityError::Stranger),
    }
}

/// Joins by an invitation as somebody whom a provider vouches for, without an account at the control plane. Whoever has the secret was sent
/// it; the identity is how they come in from now on. `limit` is how many people the plan allows.
pub async fn join(
    tx: &mut WriteTx<'_>,
    (signing, origin): (&SigningKey, &Origin),
    by: &mut By,
    secret: &LinkSecret,
    shown: Shown<'_>,
    (name, limit): (&str, u32),
) -> Result<StaffToken, IdentityError> {
    let ticket = redeem(tx, Audience::Staff, shown).await?;
    if queries::meet(tx, Audience::Staff, &ticket.person).await?.is_some() {
        return Err(IdentityError::Taken);
    }
    let joined = staff::accept(tx, by, None, secret, name, limit).await?;
    let id = joined.id;
    let identity = link(tx, Owner::Staff(id), &ticket).await?;
    note(tx, by, "staff.identity_linked", id, identity, &ticket.provider).await?;
    sessions::open(tx, signing, origin, id, &ticket).await
}

/// Links an identity to a colleague. Once linked to them, it stays.
pub async fn link_staff(
    tx: &mut WriteTx<'_>,
    by: &By,
    id: StaffId,
    shown: Shown<'_>,
) -> Result<(), IdentityError> {
    match link_to(tx, Audience::Staff, Owner::Staff(id), shown).await? {
        Some((identity, ticket)) => {
            note(tx, by, "staff.identity_linked", id, identity, &ticket.provider).await
        }
        None => Ok(()),
    }
}

/// Takes an identity of a colleague's away, unless they could not come in any more. What was opened with it closes within a second.
pub async fn unlink_staff(
    tx: &mut WriteTx<'_>,
    by: &By,
    id: StaffId,
    identity: IdentityId,
) -> Result<(), IdentityError> {
    let provider = unlink(tx, Owner::Staff(id), identity).await?;
    queries::raise_epoch(tx, id).await?;
    note(tx, by, "staff.identity_unlinked", id, identity, &provider).await
}

async fn note(
    tx: &mut WriteTx<'_>,
    by: &By,
    action: &str,
    staff: StaffId,
    identity: IdentityId,
    provider: &str,
) -> Result<(), IdentityError> {
    let details = json!({ "identity": identity.to_string(), "provider": provider });
    Ok(audit::record(tx, by, action, &staff.to_string(), Change::default(), details).await?)
}
