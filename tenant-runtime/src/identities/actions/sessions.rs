//! Colleagues whom a provider vouched for stay signed in for a working day.

use serde_json::json;
use souk_access::{Audience as For, MAX_LIFETIME, RefreshToken, RefreshVerdict, SigningKey, Subject};
use souk_kernel::{SessionId, StaffId};
use souk_tenancy::WriteTx;

use crate::audit::{self, By, Change};
use crate::customers::{CustomerError, Origin};
use crate::identities::error::IdentityError;
use crate::identities::events::StaffNewDevice;
use crate::identities::model::{STAFF_SESSION_LIFETIME, StaffSession, StaffToken, Ticket, proved_at};
use crate::identities::queries;
use crate::staff;

/// What came of presenting a refresh token. A refusal that ends the family must still be committed.
pub enum Refreshed {
    Token(Box<StaffToken>),
    Refused(&'static str),
}

impl Refreshed {
    /// The token, or the answer that whoever signed in as a customer gets too.
    ///
    /// # Errors
    /// It was refused.
    pub fn token(self) -> Result<StaffToken, IdentityError> {
        match self {
            Self::Token(token) => Ok(*token),
            Self::Refused(reason) => Err(CustomerError::RefreshRefused(reason).into()),
        }
    }
}

/// Begins a session of a colleague, who is told by mail when the device and the network are not known.
pub async fn open(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    origin: &Origin,
    id: StaffId,
    ticket: &Ticket,
) -> Result<StaffToken, IdentityError> {
    let now = tx.now();
    let epoch = queries::staff_epoch(tx, id).await?.ok_or(IdentityError::Stranger)?;
    let session = StaffSession {
        id: SessionId::new(),
        staff_id: id,
        epoch,
        proved_at: proved_at(ticket, now),
        expires_at: now + STAFF_SESSION_LIFETIME,
    };
    let is_new = queries::sessions::is_new_device(tx, id, origin).await?;
    queries::sessions::insert(tx, &session, origin).await?;
    if is_new {
        souk_event_bus::emit(tx, &StaffNewDevice { staff_id: id, session_id: session.id }).await?;
    }
    issue(tx, signing, &session).await
}

async fn issue(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    session: &StaffSession,
) -> Result<StaffToken, IdentityError> {
    let now = tx.now();
    let colleague = staff::colleague(tx, session.staff_id).await?.ok_or(IdentityError::Stranger)?;
    let refresh = RefreshToken::mint()?;
    queries::sessions::insert_token(tx, session, &refresh.digest()).await?;
    let subject = Subject::Colleague(session.staff_id, Some(session.proved_at));
    let store = For::Store(tx.store());
    let issued = signing.issue(store, subject, session.epoch, Some(session.id), now, MAX_LIFETIME)?;
    Ok(StaffToken {
        access_token: issued.text,
        token_type: "Bearer",
        expires_in: issued.expires_at.timestamp() - now.timestamp(),
        refresh_token: refresh.expose().to_owned(),
        refresh_token_expires_at: session.expires_at,
        staff: colleague,
    })
}

/// Exchanges a refresh token. Locks the session. Of two parallel uses one gets tokens; the other ends the family.
pub async fn refresh(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    token: &RefreshToken,
) -> Result<Refreshed, IdentityError> {
    let digest = token.digest();
    let Some((session, record)) = queries::sessions::lock_token(tx, &digest).await? else {
        return Ok(Refreshed::Refused("unknown"));
    };
    match record.judge(tx.now()) {
        RefreshVerdict::Rotate => {}
        RefreshVerdict::Reused => {
            queries::sessions::end(tx, session.id).await?;
            tracing::warn!(staff.id = %session.staff_id, session.id = %session.id, "a refresh token was used twice");
            return Ok(Refreshed::Refused("reused"));
        }
        RefreshVerdict::Expired => return Ok(Refreshed::Refused("expired")),
        RefreshVerdict::Revoked => return Ok(Refreshed::Refused("revoked")),
    }
    if queries::staff_epoch(tx, session.staff_id).await? != Some(session.epoch) {
        queries::sessions::end(tx, session.id).await?;
        return Ok(Refreshed::Refused("of somebody who left, or may something else now"));
    }
    queries::sessions::use_token(tx, session.id, &digest).await?;
    Ok(Refreshed::Token(Box::new(issue(tx, signing, &session).await?)))
}

/// Ends the session of a refresh token, whatever became of the token; one that nobody knows ends nothing.
pub async fn sign_out(tx: &mut WriteTx<'_>, token: &RefreshToken) -> Result<(), IdentityError> {
    if let Some((session, _)) = queries::sessions::lock_token(tx, &token.digest()).await? {
        queries::sessions::end(tx, session.id).await?;
    }
    Ok(())
}

/// Ends one session of a colleague's.
pub async fn end(tx: &mut WriteTx<'_>, id: StaffId, session: SessionId) -> Result<(), IdentityError> {
    if queries::sessions::end_of(tx, id, session).await? { Ok(()) } else { Err(IdentityError::Unknown) }
}

/// The same by somebody who may let them go: told in the log.
pub async fn end_of(
    tx: &mut WriteTx<'_>,
    by: &By,
    id: StaffId,
    session: SessionId,
) -> Result<(), IdentityError> {
    end(tx, id, session).await?;
    tell(tx, by, id, json!({ "session": session.to_string() })).await
}

/// Ends every session of a colleague's, by somebody who may let them go: told in the log.
pub async fn end_all_of(tx: &mut WriteTx<'_>, by: &By, id: StaffId) -> Result<(), IdentityError> {
    queries::staff_epoch(tx, id).await?.ok_or(IdentityError::Unknown)?;
    let count = queries::sessions::end_all(tx, id).await?;
    tell(tx, by, id, json!({ "sessions": count })).await
}

async fn tell(
    tx: &mut WriteTx<'_>,
    by: &By,
    id: StaffId,
    details: serde_json::Value,
) -> Result<(), IdentityError> {
    Ok(audit::record(tx, by, "staff.signed_out", &id.to_string(), Change::default(), details).await?)
}
